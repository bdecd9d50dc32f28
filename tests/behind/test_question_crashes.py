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
from tests.behind.faults import ALL, KINDS, Story, faults
from tests.behind.harness import Behind
from tests.edge.harness import CALLBACKS
from tests.harness import RecordingClient
from tests.webhooks import OWNER, STRANGER

# Whose callbacks no token can end.
ALICE = Asker(id="cli:alice@laptop", label="alice")
PAUSED = Resume(kind=ResumeKind.TASK, token="t1")


class Tasks:
    """Step Functions, where a task waits until it is told, once."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def send_task_success(self, **told: str) -> None:
        """Let it go on, or say that it does already."""
        if self.told:
            raise ClientError({"Error": {"Code": "TaskTimedOut", "Message": ""}}, "SendTaskSuccess")
        self.told.append(json.loads(told["output"])["state"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("platform", list(Platform))
def test_a_fault_in_every_call(behind: Behind, platform: Platform, kind: str) -> None:
    """Security 50, A17: whichever call fails, however, prompts, event, conversation, callback and what is paused come out right."""
    called: list[str] = []
    tasks = Tasks()
    behind.clients["stepfunctions"] = RecordingClient(tasks)
    cold = behind.cold

    def post(_: str, headers: dict[str, str], __: bytes) -> int:
        called.append(headers["webhook-id"])
        return 200

    # Whoever dies starts anew, with the same world around.
    def cold_with_the_address(**settings: str) -> None:
        cold(**settings)
        behind.questions._post = post

    behind.cold = cold_with_the_address
    behind.cold(OWNER_USER_IDS=f"{platform}:{OWNER[platform]}", RESUME_ASKS="task")

    def is_asked() -> None:
        behind.edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
        behind.forget_the_stream()
        back = reply_to(platform, behind.now())
        ask(behind, asker=ALICE, reply_to=back, callback_url="https://asker.example/", resume=PAUSED)
        behind.settle()

    def is_approved() -> None:
        called.clear()
        tasks.told.clear()
        question = question_of(behind)
        data = sign_button(AskAction.APPROVE, question.id, question.digest, CALLBACKS)
        behind.deliver(pressing(platform, data))
        behind.settle()

    broken = set()
    for where, hit, chapter in faults(behind, Story(platform, (is_asked, is_approved), platform is ALL), kind):
        broken.add(hit)
        question = question_of(behind)
        assert question.state is QuestionState.APPROVED, where
        prompts = [prompt for prompt in behind.prompts(platform) if "asks before" in prompt]
        assert any("recorded" in prompt for prompt in prompts), where
        # Discord recognises what it was given already.
        can_repeat = platform is not Platform.DISCORD and "after" in kind and hit == "sender.send_prompt"
        assert 1 <= len(prompts) <= 1 + can_repeat, where
        assert set(behind.event_types()) == set(("ask_requested", "ask_approved")[chapter:]), where
        assert len({one["id"] for one in behind.edge.handed_off() if one["type"] == "decision"}) == 1, where
        assert set(called) == {f"ask_{question.id}_approved"}, where
        assert tasks.told == ["approved"], where
        assert behind.parked() == 0, where
    assert platform is Platform.SLACK or {"sender.send_prompt", "sender.edit_prompt"} <= broken
    assert platform is not ALL or {"events.put_events", "stepfunctions.send_task_success"} <= broken


def question_of(behind: Behind) -> Question:
    """Return the one question that there is."""
    [found] = [item["pk"]["S"] for item in behind.edge.items() if item["sk"]["S"] == "ask"]
    question = store_of(behind).get(found.removeprefix("ask#"))
    assert question is not None
    return question
