"""Security 50, A17: a crash or a time-out at any call of a question's way, and still everybody is told, once in effect.

As in ``test_crashes``: twice happens only what a platform gives no way to tell apart, a prompt whose sending could not be noted.
"""

import json

import pytest
from botocore.exceptions import ClientError

from doorcode.asking.buttons import AskAction, sign_button
from doorcode.asking.order import Asker
from doorcode.asking.question import Question, QuestionState, Resume, ResumeKind
from doorcode.pairing.contact import Contact, Platform, State
from tests.behind.asking import ask, pressing, reply_to, store_of
from tests.behind.faults import Fault, begin_again, calls_of, writes
from tests.behind.harness import Behind
from tests.edge.harness import CALLBACKS
from tests.harness import RecordingClient
from tests.webhooks import OWNER, STRANGER

PLATFORMS = tuple(Platform)
# One that does not recognise what it was given already, and the one that does: here the note of each sending is broken, too.
THOROUGH = (Platform.TELEGRAM, Platform.DISCORD)
# Whose callbacks no token can end.
ALICE = Asker(id="cli:alice@laptop", label="alice")
PAUSED = Resume(kind=ResumeKind.TASK, token="t1")
FAULTS = ("dies after", "times out after", "times out before")


class Tasks:
    """Step Functions, where a task waits until it is told, once."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def send_task_success(self, **told: str) -> None:
        """Let it go on, or say that it does already."""
        if self.told:
            raise ClientError({"Error": {"Code": "TaskTimedOut", "Message": ""}}, "SendTaskSuccess")
        self.told.append(json.loads(told["output"])["state"])


def told(behind: Behind, platform: Platform) -> Question:
    """Have a question asked, approved and told to all."""
    calls: list[str] = behind.__dict__.setdefault("called", [])
    calls.clear()
    tasks = behind.__dict__.setdefault("tasks", Tasks())
    tasks.told.clear()

    def post(_: str, headers: dict[str, str], __: bytes) -> int:
        calls.append(headers["webhook-id"])
        return 200

    # Whoever dies starts anew, with the same world around.
    cold = behind.cold

    def cold_with_the_address(**settings: str) -> None:
        cold(**settings)
        behind.questions._post = post

    behind.cold = cold_with_the_address
    behind.questions._post = post
    try:
        behind.edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
        behind.forget_the_stream()
        question = ask(
            behind,
            asker=ALICE,
            reply_to=reply_to(platform, behind.now()),
            callback_url="https://asker.example/",
            resume=PAUSED,
        )
        behind.settle()
        data = sign_button(AskAction.APPROVE, question.id, question.digest, CALLBACKS)
        behind.deliver(pressing(platform, data))
        behind.settle()
        return question
    finally:
        behind.cold = cold


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_fault_in_every_call(behind: Behind, platform: Platform, kind: str) -> None:
    """Security 50, A17: whichever call fails, however, prompts, event, conversation, callback and what is paused come out right."""
    behind.clients["stepfunctions"] = RecordingClient(behind.__dict__.setdefault("tasks", Tasks()))
    behind.cold(OWNER_USER_IDS=f"{platform}:{OWNER[platform]}", RESUME_ASKS="task")
    calls = calls_of(behind, platform, lambda: told(behind, platform))
    assert {"sender.send_prompt", "sender.edit_prompt", "events.put_events", "sqs.send_message"} <= set(calls)
    assert "stepfunctions.send_task_success" in calls
    for at, name in enumerate(calls, 1):
        # Who dies keeps what was written; a read that times out is the same before and after. Each call is broken in one of
        # the ways, on one of the platforms, and what is sent in all of them on each.
        noted = ("stepfunctions.",) * (platform in THOROUGH) + ("sender.",)
        sends = any(one.startswith(noted) for one in calls[max(0, at - 1 - (platform in THOROUGH)) : at])
        mine = PLATFORMS.index(platform) + len(PLATFORMS) * FAULTS.index(kind)
        if ("after" in kind and not writes(name)) or not (sends or at % (len(PLATFORMS) * len(FAULTS)) == mine):
            continue
        begin_again(behind, platform)
        behind.edge.handed_off()
        fault = Fault(behind, platform, kind, at)
        question = told(behind, platform)
        where = f"{kind} at call {at}, {fault.hit}"
        assert store_of(behind).get(question.id).state is QuestionState.APPROVED, where  # type: ignore[union-attr]
        prompts = [prompt for prompt in behind.prompts(platform) if "asks before" in prompt]
        assert any("recorded" in prompt for prompt in prompts), where
        # Discord recognises what it was given already.
        orphaned = platform is not Platform.DISCORD and ("send_prompt" in fault.hit or "update_item" in fault.hit)
        assert len(prompts) == 1 or (orphaned and len(prompts) == 2), where
        assert set(behind.event_types()) == {"ask_requested", "ask_approved"}, where
        assert len({one["id"] for one in behind.edge.handed_off() if one["type"] == "decision"}) == 1, where
        assert set(behind.__dict__["called"]) == {f"ask_{question.id}_approved"}, where
        assert behind.__dict__["tasks"].told == ["approved"], where
        assert behind.parked() == 0, where
