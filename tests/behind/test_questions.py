"""Questions to the owner, through the stream, the couriers and the edge: asked, pressed, closed everywhere, and told once."""

import json
from typing import Any

import msgspec
import pytest
from msgspec import UNSET, structs

from doorcode.asking import cards
from doorcode.asking.buttons import AskAction, sign_button
from doorcode.asking.order import Asker
from doorcode.asking.question import WRONG_NUMBER, QuestionState, Voter
from doorcode.asking.refusals import QuestionRefusedError
from doorcode.asking.telling import answer_data
from doorcode.pairing.contact import Contact, Platform, State, Via
from doorcode.pairing.hand_off import HandOff
from tests import webhooks
from tests.behind.asking import ask, buttons, newest, press, pressing, reply_to, said, saying_why, store_of, told, use
from tests.behind.harness import Behind
from tests.edge.harness import CALLBACKS
from tests.webhooks import OWNER, STRANGER

EACH = pytest.mark.parametrize("platform", list(Platform))
# On WhatsApp nothing can be edited, and why is said on the page.
EDITED = pytest.mark.parametrize("platform", [one for one in Platform if one is not Platform.WHATSAPP])
APPROVE, DENY, WHY = "✅ Approve", "❌ Deny", "Say why"


@EACH
def test_asked_approved_used(behind: Behind, platform: Platform) -> None:
    """Fault 10, A16, Security 48, 50: all owners are asked, one presses, every prompt says "recorded", and then "used"."""
    question = ask(behind, details="They are old.", arguments={"path": "/srv/x"})
    behind.settle()
    for each in Platform:
        assert set(buttons(behind, each)) == {APPROVE, DENY}
        assert "They are old." in said(behind, each)
    assert store_of(behind).get(question.id).reached == len(Platform)  # type: ignore[union-attr]
    with behind.edge.clients["dynamodb"].counting() as made:
        assert "recorded" in press(behind, platform, buttons(behind, platform)[APPROVE])
    # Twice the question, for its button and for the move; who owns the bot; and one write.
    wanted = ["get_item", "get_item", "get_item", "transact_write_items"]
    # On WhatsApp the couriers say what became of it, who are counted here, too.
    assert made[: len(wanted)] == wanted if platform is Platform.WHATSAPP else made == wanted
    behind.settle()
    for each in Platform:
        assert buttons(behind, each) == {}
        assert "recorded" in said(behind, each)
    use(behind, question)
    behind.settle()
    for each in Platform:
        assert "used at" in said(behind, each)
        assert sum("asks before doing this" in prompt for prompt in behind.prompts(each)) == 1
    events = behind.events()
    assert [event["detail-type"] for event in events] == ["ask_requested", "ask_approved", "ask_used"]
    assert all(event["detail"]["id"] == question.id and event["detail"]["version"] == 1 for event in events)
    assert events[1]["detail"] | {"at": 0} == {
        "version": 1, "id": question.id, "key": "", "digest": question.digest, "asker": "tok1", "on_behalf_of": "",
        "decided_by": OWNER[platform], "decided_via": "button", "at": 0,
    }  # fmt: skip
    # A20: none of its words is in an event or a queue.
    assert not any(word in json.dumps(events) for word in ("Delete", "old", "/srv"))
    assert behind.parked() == 0


def test_the_number_that_the_asker_shows(behind: Behind) -> None:
    """Its button approves; another one is a denial, in words for all; each platform's buttons say which was pressed, and no more."""
    for platform in Platform:
        if platform is Platform.WHATSAPP:
            continue
        for right in (True, False):
            question = ask(
                behind,
                f"{platform} {right}?",
                match=True,
                key=f"{platform}{right}",
                callback_url="https://asker.example/",
            )
            behind.settle()
            offered = buttons(behind, platform)
            assert set(offered) == {*map(str, question.numbers), DENY}
            picked = question.match if right else next(one for one in question.numbers if one != question.match)
            said_to_me = press(behind, platform, offered[str(picked)])
            behind.settle()
            after = store_of(behind).get(question.id)
            assert after is not None
            assert after.state is (QuestionState.APPROVED if right else QuestionState.DENIED)
            outcome = "Approved" if right else "not the number that the asker shows"
            assert outcome in said_to_me
            assert outcome in said(behind, platform)
            assert set(buttons(behind, platform)) == (set() if right else {WHY})
            answer = answer_data(after, store_of(behind).text(after.id), after.state)
            assert answer.get("reason", "") == ("" if right else WRONG_NUMBER)
    assert behind.parked() == 0
    assert "match" not in json.dumps(behind.events())


@EDITED
def test_a_reason_and_the_agent_s_conversation(behind: Behind, platform: Platform) -> None:
    """A21: a denial reaches the agent as a decision in its conversation's order, and then the owner's reason, marked as such."""
    behind.hello(platform)
    behind.settle()
    code = buttons(behind, platform)[APPROVE]
    behind.deliver(
        webhooks.load(webhooks.APPROVE[platform]).replaced(
            webhooks.load(webhooks.APPROVE[platform]).expect["callback"], code
        )
    )
    behind.settle()
    question = ask(behind, key="k1", reply_to=reply_to(platform, behind.now()))
    behind.settle()
    press(behind, platform, buttons(behind, platform)[DENY])
    behind.settle()
    (handed,) = behind.edge.handed_off()
    assert handed["type"] == "decision"
    assert handed["ask"] == {
        "id": question.id, "key": "k1", "state": "denied", "digest": question.digest, "choice": 0, "reason": "",
        "decided_by": OWNER[platform], "decided_via": "button", "decided_at": handed["ask"]["decided_at"],
    }  # fmt: skip
    assert handed["user"]["id"] == STRANGER[platform]
    assert "Do not do it" in handed["messages"][0]["text"]
    data = buttons(behind, platform)["Say why"]
    response = behind.deliver(saying_why(platform, data, "Not on a Friday."))
    assert response["statusCode"] == 200
    behind.settle()
    assert store_of(behind).text(question.id).reason == "Not on a Friday."  # type: ignore[union-attr]
    (handed,) = behind.edge.handed_off()
    assert handed["ask"]["reason"] == "Not on a Friday."
    assert '"Not on a Friday."' in handed["messages"][0]["text"]
    assert "A reason was given." in said(behind, platform)
    assert buttons(behind, platform) == {}
    # Too long, too late, by anybody else: nothing.
    for words in ("x" * 501, "Other words."):
        behind.deliver(saying_why(platform, data, words))
    assert store_of(behind).text(question.id).reason in {"Not on a Friday.", "Other words."}  # type: ignore[union-attr]


@EDITED
def test_a_reason_that_comes_too_late(behind: Behind, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 12: after its ten minutes why is asked by a button that only says so, to the presser alone, and goes."""
    question = ask(behind)
    behind.settle()
    press(behind, platform, buttons(behind, platform)[DENY])
    behind.settle()
    data = buttons(behind, platform)[WHY]
    monkeypatch.setattr(cards, "REASON_SECONDS", 0)
    late = (
        saying_why(platform, data, "Late.")
        if platform is Platform.SLACK
        else pressing(platform, data, at=newest(behind, platform).id)
    )
    assert told(behind, late) == "It is too late to say why."
    behind.settle()
    assert buttons(behind, platform) == {}
    assert store_of(behind).text(question.id).reason == ""  # type: ignore[union-attr]


def test_where_a_decision_is_not_said(behind: Behind) -> None:
    """A21: not to whoever is let in no more, and into no queue before a bot that reads none; and never as a part of a message."""
    platform = Platform.TELEGRAM

    def decided(**settings: str) -> list[dict[str, Any]]:
        behind.cold(**settings)
        ask(behind, f"Number {behind.now()} {settings}?", reply_to=reply_to(platform, behind.now()))
        behind.settle()
        press(behind, platform, buttons(behind, platform)[APPROVE])
        behind.settle()
        return behind.edge.handed_off()

    contact = Contact(platform=platform, user_id=STRANGER[platform], state=State.REVOKED, rev=1)
    behind.edge.put(contact)
    assert decided() == []
    behind.edge.put(structs.replace(contact, state=State.PAIRED, rev=2))
    assert decided(AGENT="bot", AGENT_URL="https://bot.example/") == []
    (handed,) = decided(AGENT="python", AGENT_URL="")
    # Both in one batch, of one person: they are answered apart.
    said = structs.replace(msgspec.json.decode(json.dumps(handed), type=HandOff), type="message", ask=UNSET)
    group = {"MessageGroupId": "g", "QueueUrl": behind.environment["AGENT_QUEUE_URL"]}
    for number, one in enumerate((json.dumps(handed), msgspec.json.encode(said).decode())):
        behind.edge.sqs.send_message(MessageBody=one, MessageDeduplicationId=str(number), **group)
    before = len(behind.heard(platform))
    behind.answer()
    assert len(behind.heard(platform)) == before + 2


@EACH
def test_who_may_not_and_what_does_not(behind: Behind, platform: Platform) -> None:
    """Fault 1, 16, A7, A12, A13, Security 49: a stranger, another question's button, words: the state stays, and they alone are told."""
    question = ask(behind, on_behalf_of=f"{platform}:{STRANGER[platform]}")
    other = ask(behind, "Another?")
    behind.settle()
    approve = buttons(behind, platform)[APPROVE]
    ours = approve if other.id in approve else ""
    assert ours
    assert "Only the owner" in press(behind, platform, ours, by=STRANGER[platform])
    for data in (
        ours.replace(other.id, question.id),
        ours[:-1] + "x",
        ours.replace("approve", "deny"),
        ours.replace(other.id, "A" * 16),
    ):
        press(behind, platform, data)
    if platform is not Platform.WHATSAPP:
        # A reply to the question, or a form that none of ours opened.
        assert "decides nothing" in told(behind, saying_why(platform, ours, "yes, but"))
        behind.deliver(saying_why(platform, ours.replace("approve", "why"), "yes"))
    behind.settle()
    assert {store_of(behind).get(one.id).state for one in (question, other)} == {QuestionState.PENDING}  # type: ignore[union-attr]
    named = ask(behind, "Named?", owners=tuple(f"{one}:{OWNER[one]}" for one in Platform if one is not platform))
    behind.settle()
    assert "Named?" not in said(behind, platform)
    # An owner who is not among them cannot decide it either, with a button that is genuine.
    assert "Only" in press(behind, platform, sign_button(AskAction.APPROVE, named.id, named.digest, CALLBACKS))
    assert store_of(behind).get(named.id).state is QuestionState.PENDING  # type: ignore[union-attr]
    assert store_of(behind).get(named.id).reached == len(Platform) - 1  # type: ignore[union-attr]


@EDITED
def test_a_late_press_is_answered_and_its_buttons_go(behind: Behind, platform: Platform) -> None:
    """Fault 12, A12, A16: decided elsewhere or over, a press changes nothing, says so, and that very prompt is closed."""
    question = ask(behind)
    behind.settle()
    message = newest(behind, platform)
    before = dict(message.shown)
    approve, deny = (buttons(behind, platform)[name] for name in (APPROVE, DENY))
    far = next(one for one in Platform if one is not platform)
    press(behind, far, buttons(behind, far)[DENY])
    behind.settle()
    # An edit that went astray: the buttons stand there still.
    message.shown.clear()
    message.shown.update(before)
    told = press(behind, platform, approve, at=message.id)
    assert "decided already" in told
    assert store_of(behind).get(question.id).state is QuestionState.DENIED  # type: ignore[union-attr]
    stray = json.loads(store_of(behind).get(question.id).stray)  # type: ignore[union-attr]
    assert stray["owner"] == f"{platform}:{OWNER[platform]}"
    behind.settle()
    assert buttons(behind, platform) == {}
    assert "Denied by" in said(behind, platform)
    # The same once more: answered, and nothing is written or edited for it.
    assert press(behind, platform, deny, at=message.id)
    behind.settle()
    assert behind.parked() == 0


def test_a_flood_is_a_list_and_one_message(behind: Behind) -> None:
    """Fault 14, A15: twenty stand open with an owner, whoever asked; one message says how many more, and each comes in its turn."""
    behind.cold(OWNER_USER_IDS=f"telegram:{OWNER[Platform.TELEGRAM]}")
    wild, other = Asker(id="tok0", label="token ci"), Asker(id="tok1", label="token ci")
    asked = [ask(behind, f"Number {number}?", asker=wild) for number in range(20)]
    # However often it goes on to ask, nothing is left behind that anybody could be told of.
    before = behind.edge.items()
    for number in range(20, 30):
        with pytest.raises(QuestionRefusedError):
            ask(behind, f"Number {number}?", asker=wild)
    assert behind.edge.items() == before
    asked += [ask(behind, f"Number {number}?", asker=other) for number in range(2)]
    behind.settle()

    def prompts() -> list[str]:
        return [prompt for prompt in behind.prompts(Platform.TELEGRAM) if "asks before" in prompt]

    def digests() -> list[str]:
        return [prompt for prompt in behind.prompts(Platform.TELEGRAM) if "for your answer" in prompt]

    assert len(prompts()) == 20
    for _ in range(2):
        behind.questions.sweep(behind.now())
    assert ["2 more questions wait" in digest for digest in digests()] == [True]
    reached = [one.id for one in asked if store_of(behind).get(one.id).reached == 1]  # type: ignore[union-attr]
    assert len(reached) == 20
    store_of(behind).cancel(reached[0], Voter(via=Via.API, by="token ci"), behind.now())
    behind.settle()
    behind.questions.sweep(behind.now())
    assert len(prompts()) == 21
    behind.questions.sweep(behind.now())
    assert ["1 more question waits" in digest for digest in digests()] == [True]
    # All end between two sweeps: the number does not stay, and is said anew, below, when there is another.
    for one in store_of(behind).open_questions():
        store_of(behind).cancel(one.id, Voter(via=Via.API, by="token ci"), behind.now())
    behind.questions.sweep(behind.now())
    assert ["No more questions wait" in digest for digest in digests()] == [True]
    with behind.clients["dynamodb"].counting() as made:
        behind.questions.sweep(behind.now())
    # With nothing open, as nearly always.
    assert made == ["get_item", "query"]


def test_whoever_cannot_be_shown_it_has_not_answered(behind: Behind) -> None:
    """Fault 13, A1: where no owner can be reached the question waits on, and its asker sees that nobody has it; its end is no denial."""
    behind.cold(OWNER_USER_IDS="telegram:555")
    question = ask(behind, expires_in=60)
    behind.settle()
    kept = store_of(behind).get(question.id)
    assert kept is not None
    assert (kept.state, kept.reached) == (QuestionState.PENDING, 0)
    behind.questions.sweep(question.expires_at)
    assert store_of(behind).get(question.id).state is QuestionState.EXPIRED  # type: ignore[union-attr]


def test_what_nobody_decides_ends_and_is_told(behind: Behind) -> None:
    """Fault 7, 8, A16, Security 47: reminded once at half time, then expired, not approved; an approval lapses. The sweep tells."""
    question = ask(behind, expires_in=3600)
    behind.settle()
    now = behind.now()
    for at in (now + 1900, now + 2000):
        behind.questions.sweep(at)
    for each in Platform:
        reminders = [text for text in behind.prompts(each) if "still waits" in text]
        assert len(reminders) == 1
    behind.questions.sweep(now + 3600)
    behind.settle()
    assert store_of(behind).get(question.id).state is QuestionState.EXPIRED  # type: ignore[union-attr]
    assert all("not approved" in behind.prompts(each)[0] for each in Platform)
    lapsing = ask(behind, "Quickly?", valid_for=60)
    behind.settle()
    press(behind, Platform.TELEGRAM, buttons(behind, Platform.TELEGRAM)[APPROVE])
    behind.settle()
    behind.questions.sweep(behind.now() + 61)
    behind.settle()
    assert store_of(behind).get(lapsing.id).state is QuestionState.LAPSED  # type: ignore[union-attr]
    assert "never used" in said(behind, Platform.TELEGRAM)
    assert behind.event_types() == ["ask_requested", "ask_expired", "ask_requested", "ask_approved", "ask_lapsed"]
