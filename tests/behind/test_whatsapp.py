"""WhatsApp alone: what did not arrive, as its servers tell later, and who is asked instead."""

import re
from typing import Any

import pytest

from doorcode.pairing import texts
from doorcode.pairing.callbacks import Action
from doorcode.pairing.contact import Contact, Platform, State
from doorcode_sandbox.platforms.whatsapp.stand_in import Template
from tests.behind.asking import ask, store_of
from tests.behind.faults import Fault, begin_again, writes
from tests.behind.harness import Behind, DiedError
from tests.behind.test_pairing import has_buttons
from tests.webhooks import HELLO, OWNER, STRANGER, Delivery, load, value_of

WHATSAPP, TELEGRAM = Platform.WHATSAPP, Platform.TELEGRAM
ON_WHATSAPP = f"{WHATSAPP}:{OWNER[WHATSAPP]}"


def stand_in(behind: Behind) -> Any:
    """Give WhatsApp's."""
    return behind.stand_ins[WHATSAPP]


def news(behind: Behind) -> None:
    """Bring what its servers tell of all that was sent so far, twice, as they may; and let everything follow."""
    statuses, stand_in(behind).statuses[:] = list(stand_in(behind).statuses), []
    for status in statuses * 2:
        delivery = load("whatsapp/status_sent")
        value_of(delivery.body)["statuses"] = [status]
        assert behind.deliver(Delivery(WHATSAPP, delivery.body))["statusCode"] == 200
    behind.settle()


def with_template(behind: Behind) -> None:
    """Have a template approved, and named."""
    parts: list[dict[str, Any]] = [
        {"type": "BODY", "text": "Somebody wants to chat: {{1}} ({{2}}). Approve?"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": text} for text in ("Approve", "Deny")]},
    ]
    stand_in(behind).templates["door", "en"] = Template(
        id="1", name="door", language="en", category="UTILITY", status="APPROVED", components=parts
    )
    behind.edge.put_secret("whatsapp/template", "door:en")


@pytest.mark.parametrize("at_once", [True, False], ids=["refused", "told later"])
def test_an_owner_out_of_the_24_hours(behind: Behind, caplog: pytest.LogCaptureFixture, *, at_once: bool) -> None:
    """Owners elsewhere are asked first; nobody there, the template asks, and its button decides; without one the request waits."""
    stand_in(behind).refuses_at_once = at_once
    stand_in(behind).close_window(OWNER[WHATSAPP])
    behind.cold(OWNER_USER_IDS=f"{ON_WHATSAPP},{TELEGRAM}:{OWNER[TELEGRAM]}")
    with_template(behind)
    behind.hello(WHATSAPP)
    behind.settle()
    news(behind)
    news(behind)
    # Somebody else could be asked: it costs nothing.
    assert len(behind.prompts(TELEGRAM)) == 1
    assert behind.prompts(WHATSAPP) == []
    if not at_once:
        reasons = [record.reason for record in caplog.records if hasattr(record, "reason")]
        assert "not_delivered" in reasons

    behind.edge.clear()
    behind.forget_the_stream()
    behind.cold(OWNER_USER_IDS=ON_WHATSAPP)
    contact = behind.hello(WHATSAPP, 1)
    behind.settle()
    news(behind)
    [asked] = behind.prompts(WHATSAPP)
    assert f"whatsapp {contact.user_id}" in asked
    # The first prompt's news again, days later: they have been asked otherwise since.
    behind.courier.not_delivered(WHATSAPP, OWNER[WHATSAPP], f"{contact.nonce}:{OWNER[WHATSAPP]}", behind.now())
    assert behind.prompts(WHATSAPP) == [asked]
    button = behind.edge.button(contact)
    assert button in asked
    pressed = load("whatsapp/quick_reply_approve")
    behind.deliver(pressed.replaced(pressed.expect["callback"], button))
    behind.settle()
    assert behind.edge.contact(WHATSAPP).state is State.PAIRED

    behind.edge.clear()
    behind.forget_the_stream()
    behind.edge.put_secret("whatsapp/template", "none:en")
    behind.cold()
    behind.hello(WHATSAPP, 2)
    behind.settle()
    news(behind)
    news(behind)
    assert behind.edge.contact(WHATSAPP).state is State.PENDING
    assert len(behind.prompts(WHATSAPP)) == 1
    assert behind.parked() == 0


def test_a_fault_on_the_way_from_a_prompt_that_did_not_arrive(behind: Behind) -> None:
    """Whichever write or message fails, the template asks: once, or twice where it is not known whether it was sent."""
    behind.cold(OWNER_USER_IDS=ON_WHATSAPP)

    def broken(kind: str, at: int) -> Fault:
        begin_again(behind, WHATSAPP)
        stand_in(behind).statuses.clear()
        stand_in(behind).close_window(OWNER[WHATSAPP])
        with_template(behind)
        behind.hello(WHATSAPP)
        behind.settle()
        fault = Fault(behind, WHATSAPP, kind, at)
        for _ in range(3):
            news(behind)
        return fault

    calls = broken("", 0).calls
    assert "sender.reopen" in calls
    for kind in ("dies after", "times out before"):
        for at, call in enumerate(calls, 1):
            if not writes(call) or call.startswith("sqs"):
                continue
            fault = broken(kind, at)
            where = f"{kind} at call {at}, {fault.hit}"
            assert fault.hit == call, where
            asked = behind.prompts(WHATSAPP)
            sent_twice = fault.hit == "sender.reopen" or "before" in kind
            assert 1 <= len(asked) <= (2 if sent_twice else 1), where
            assert all(behind.edge.button(behind.edge.contact(WHATSAPP)) in one for one in asked), where
            assert behind.parked() == 0, where


def test_a_receipt_that_did_not_arrive(behind: Behind, caplog: pytest.LogCaptureFixture) -> None:
    """It is told with their next message, as often as that fails and once when it does not; and to nobody else."""
    caplog.set_level("INFO", logger="doorcode")
    stranger = STRANGER[WHATSAPP]
    # Nobody can be asked, so that it is the code.
    stand_in(behind).close_window(OWNER[WHATSAPP])
    behind.cold(OWNER_USER_IDS=ON_WHATSAPP)
    troubles = stand_in(behind).troubles
    troubles[stranger] = 131026
    contact = behind.hello(WHATSAPP)
    behind.settle()
    first = list(stand_in(behind).statuses)
    news(behind)
    news(behind)
    assert behind.edge.contact(WHATSAPP).untold
    receipt = texts.code_notice(WHATSAPP, behind.edge.code(contact))
    # The next fails, too; and the one after that, at once.
    behind.hello(WHATSAPP, 1)
    behind.settle()
    stand_in(behind).statuses += first
    news(behind)
    stand_in(behind).refuses_at_once = True
    behind.hello(WHATSAPP, 2)
    behind.settle()
    assert (behind.heard(WHATSAPP), behind.edge.contact(WHATSAPP).untold) == ([], True)
    # Another's key is nothing of theirs.
    someone = Contact(
        platform=WHATSAPP, user_id="US.1", state=State.PENDING, rev=1, nonce="f" * 32, code_expires_at=9**10
    )
    behind.edge.put(someone)
    behind.forget_the_stream()
    behind.courier.not_delivered(WHATSAPP, "US.1", f"{contact.nonce}:notice", behind.now())
    assert not behind.edge.contact(WHATSAPP, "US.1").untold
    del troubles[stranger]
    for number in (3, 3, 4):
        behind.hello(WHATSAPP, number)
    behind.settle()
    assert [one.replace("\u2060", "") for one in behind.heard(WHATSAPP)] == [receipt]
    # Old news of the first; and a message of somebody who has been told: nothing goes anywhere.
    stand_in(behind).statuses[:] = first
    news(behind)
    behind.hello(WHATSAPP, 5)
    assert not behind.courier_once()
    assert len(behind.heard(WHATSAPP)) == 1
    assert behind.parked() == 0
    assert sum("Told again" in record.message for record in caplog.records) == 2


@pytest.mark.parametrize("died", ["before", "after"])
def test_a_crash_on_the_way_to_a_receipt_that_is_told_again(behind: Behind, died: str) -> None:
    """Whoever dies before it was said says it later; what was said and not noted is all that can come twice."""
    stand_in(behind).troubles[STRANGER[WHATSAPP]] = 131026
    behind.hello(WHATSAPP)
    behind.settle()
    news(behind)
    del stand_in(behind).troubles[STRANGER[WHATSAPP]]
    alive = [True]

    def die(name: str) -> None:
        if name == "notify" and alive.pop():
            setattr(behind, f"{died}_sending", lambda _: None)
            raise DiedError

    setattr(behind, f"{died}_sending", die)
    behind.hello(WHATSAPP, 1)
    behind.settle()
    assert not alive
    assert len(behind.heard(WHATSAPP)) == (1 if died == "before" else 2)
    assert not behind.edge.contact(WHATSAPP).untold
    behind.hello(WHATSAPP, 2)
    assert not behind.courier_once()


def test_the_longest_id_that_meta_may_give(behind: Behind) -> None:
    """On every platform the owner's buttons fit and act, approve, and deny and then block, though the id would not."""
    behind.edge.clear()
    longest = person = f"US.{'A1' * 64}"
    for number, on in enumerate(Platform):
        behind.forget_the_stream()
        behind.cold(OWNER_USER_IDS=f"{on}:{OWNER[on]}", CODE_COOLDOWN_SECONDS="60")
        for action, state, text in ((Action.APPROVE, State.PAIRED, "Approved"), (Action.DENY, State.DENIED, "Denied")):
            person = f"{longest[:-1]}{number}" if action is Action.DENY else longest[: -1 - number]
            stand_in(behind).add_user(person)
            hello = load(HELLO[WHATSAPP]).another(number)
            behind.deliver(hello.replaced(STRANGER[WHATSAPP], person))
            behind.settle()
            button = _button(behind.prompts(on)[-1], action)
            assert len(button) <= 64
            assert person not in button
            behind.deliver(
                behind.edge.press(Contact(platform=WHATSAPP, user_id=person), data=button, on=on).another(number)
            )
            behind.settle()
            assert (behind.edge.contact(WHATSAPP, person).state, text in behind.prompts(on)[-1]) == (state, True)
        block = behind.edge.press(
            Contact(platform=WHATSAPP, user_id=person),
            data=_button(behind.prompts(on)[-1], Action.BLOCK),
            on=on,
        )
        behind.deliver(block.another(number + 90))
        assert behind.edge.contact(WHATSAPP, person).state is State.BLOCKED


def _button(shown: str, action: Action) -> str:
    [found] = set(re.findall(rf"pair:{action}:whatsapp:[^\"]*", shown))
    return str(found)


def test_a_question_to_an_owner_out_of_the_24_hours(behind: Behind, caplog: pytest.LogCaptureFixture) -> None:
    """Who asked is told by how many owners it was really seen, once its platform has told; the others have it as ever."""
    stand_in(behind).close_window(OWNER[WHATSAPP])
    elsewhere = f"{TELEGRAM}:{OWNER[TELEGRAM]}"
    for owners, before, after in ((f"{ON_WHATSAPP},{elsewhere}", 2, 1), (ON_WHATSAPP, 1, 0)):
        behind.cold(OWNER_USER_IDS=owners)
        question = ask(behind, f"Delete {before} files?")
        behind.settle()
        assert store_of(behind).get(question.id).reached == before  # type: ignore[union-attr]
        news(behind)
        news(behind)
        assert store_of(behind).get(question.id).reached == after  # type: ignore[union-attr]
        told = [record.reason for record in caplog.records if hasattr(record, "reason")]
        assert (told.count("nobody_reached") > 0) is (after == 0)
    assert behind.parked() == 0


def test_old_buttons_answer_with_what_was_decided(behind: Behind) -> None:
    """The first prompt stays as it was, with its buttons: whoever presses one is told by a message what became of it."""
    contact = behind.hello(WHATSAPP)
    behind.settle()
    behind.deliver(behind.edge.press(contact))
    behind.settle()
    first, closed = stand_in(behind).in_chat(OWNER[WHATSAPP])
    assert first.shown["interactive"]["action"]["buttons"]
    assert closed.shown["context"] == {"message_id": first.id}
    assert has_buttons(behind.prompts(WHATSAPP)[0]) == []
    behind.deliver(behind.edge.press(contact).another(3))
    behind.settle()
    told = stand_in(behind).in_chat(OWNER[WHATSAPP])[-1].shown["text"]["body"]
    assert told.replace("\u2060", "").startswith("Already approved by @owner")


def test_an_owner_s_door_is_answered_by_a_message(behind: Behind) -> None:
    """Who waits, and the link as it is, in the owner's own chat; no other queue or log has it."""
    behind.cold(WEB_URL="https://door.example/owner")
    behind.hello(WHATSAPP)
    behind.settle()
    behind.deliver(load("whatsapp/door"))
    behind.settle()
    said = stand_in(behind).in_chat(OWNER[WHATSAPP])[-1].shown["text"]["body"]
    assert said.startswith("Waiting for your answer: 1.")
    assert "\nhttps://door.example/owner#token=" in said
    assert behind.edge.handed_off() == []
    assert HELLO[WHATSAPP]
