"""Security 43: the gate, asked by bots that fetch their messages themselves, through the whole stack."""

from typing import Any

import pytest

from doorcode.pairing import texts
from doorcode.pairing.access import Scope
from doorcode.pairing.callbacks import Action
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.transitions import Operation
from doorcode.wiring import web
from tests.behind.asking import ask, buttons, said, store_of
from tests.behind.harness import Behind
from tests.webhooks import OWNER, STRANGER

NOBODY = {
    Platform.TELEGRAM: "555",
    Platform.SLACK: "U0NOBODY00",
    Platform.DISCORD: "555000000000000555",
    Platform.WHATSAPP: "US.555",
}

EACH = pytest.mark.parametrize("platform", list(Platform))


def asks(behind: Behind, platform: Platform, user_id: str = "", **more: Any) -> tuple[str, str, str | None, str]:
    """Ask the gate; return action, reason, text and label."""
    body = {"platform": platform, "user_id": user_id or STRANGER[platform], "chat": "direct", "delivery_id": "d1"}
    status, given = behind.program(Scope.GATE)("/api/gate", **body | more)
    assert status == 200, given
    return given["action"], given["reason"], given["text"], given["label"]


def presses(behind: Behind, platform: Platform, user_id: str, data: str, delivery_id: str = "p1") -> tuple[int, Any]:
    """Report a press."""
    body = {"platform": platform, "user_id": user_id, "data": data, "delivery_id": delivery_id}
    return behind.program(Scope.GATE, Scope.PRESSES)("/api/gate/press", **body)


@EACH
def test_a_stranger_asks_and_is_let_in(behind: Behind, platform: Platform) -> None:
    """One request, said once; the owner's press, handed on by the bot, lets them in, and they hear of it."""
    asked = ("pair", "pairing_requested", texts.REQUEST_SENT, "")
    assert asks(behind, platform, name="Sam\u202e One", username="@sam") == asked
    # The same update again, and another one within the cooldown.
    assert asks(behind, platform) == asked
    assert asks(behind, platform, delivery_id="d2") == ("pair", "rate_limited", None, "")
    assert behind.edge.contact(platform).called == "@sam (Sam One)"
    behind.settle()
    (prompt,) = behind.prompts(platform)
    data = behind.edge.button(behind.edge.contact(platform))
    assert data in prompt
    # Told by the bot, not by the courier as well.
    assert behind.heard(platform) == []
    status, answer = presses(behind, platform, OWNER[platform], data)
    assert (status, answer["text"].startswith("✅ Approved by")) == (200, True)
    assert "✅ Approved by" in str(answer["prompt"])
    behind.settle()
    assert behind.heard(platform) == ["You've been approved! Send me a message."]
    behind.decide(Operation.ADD, platform, label="sam")
    assert asks(behind, platform, delivery_id="d3") == ("admit", "paired", None, "sam")
    assert asks(behind, platform, OWNER[platform]) == ("admit", "owner", None, "")


@EACH
def test_without_an_owner_the_code_is_told(behind: Behind, platform: Platform) -> None:
    """It is in the answer, works, and is sent by nobody else; with owners who cannot be reached, the courier sends it."""
    behind.cold(OWNER_USER_IDS="")
    _, reason, text, _ = asks(behind, platform)
    code = behind.edge.code(behind.edge.contact(platform))
    assert (reason, text) == ("pairing_requested", texts.code_notice(platform, code))
    assert asks(behind, platform) == ("pair", "pairing_requested", text, "")
    behind.settle()
    assert behind.heard(platform) == []
    behind.edge.clear()
    behind.forget_the_stream()
    behind.cold(OWNER_USER_IDS=f"{platform}:{NOBODY[platform]}")
    if platform is Platform.WHATSAPP:
        # By default it is told later that they were not.
        behind.stand_ins[platform].refuses_at_once = True  # type: ignore[attr-defined]
    asks(behind, platform)
    behind.settle()
    assert behind.heard(platform) == [texts.code_notice(platform, behind.edge.code(behind.edge.contact(platform)))]


# On WhatsApp no bot is named in a group.
@pytest.mark.parametrize("platform", [one for one in Platform if one is not Platform.WHATSAPP])
def test_everybody_else_is_told_nothing(behind: Behind, platform: Platform) -> None:
    """The gate's own order of rules: blocked, groups, policy, budget, and no seat."""
    group = {"type": "group", "id": {"telegram": "-1001", "slack": "C01", "discord": "42"}[platform]}
    heard = {**group, "addressed": True}
    assert asks(behind, platform, chat=group) == ("drop", "group_policy", None, "")
    behind.cold(GROUP_POLICY="mention_only")
    assert asks(behind, platform, chat=group) == ("drop", "group_policy", None, "")
    assert asks(behind, platform, chat=heard) == ("drop", "group_unknown", None, "")
    assert asks(behind, platform, OWNER[platform], chat=heard) == ("admit", "owner", None, "")
    behind.cold(ALLOWED_GROUPS=f"{platform}:{group['id']}0")
    assert asks(behind, platform, OWNER[platform], chat=heard) == ("drop", "group_policy", None, "")
    # What is no message asks for nothing.
    assert asks(behind, platform, wrote=False) == ("drop", "not_a_message", None, "")
    assert behind.edge.contact(platform).state is State.NONE
    assert asks(behind, platform, OWNER[platform], wrote=False) == ("admit", "owner", None, "")
    behind.cold(MAX_PENDING="1")
    behind.edge.put(
        Contact(
            platform=platform, user_id="1", state=State.PENDING, rev=1, nonce="0" * 32, key_id="0" * 8, seat="00",
            code_expires_at=behind.now() + 3600,
        ),
        seat_until=behind.now() + 3600,
    )  # fmt: skip
    assert asks(behind, platform) == ("pair", "waiting_room_full", None, "")
    behind.cold(UNKNOWN_USER_POLICY="allow", MESSAGE_BUDGET="1")
    assert asks(behind, platform)[:2] == ("admit", "policy_allow")
    assert asks(behind, platform)[:2] == ("admit", "policy_allow")
    assert asks(behind, platform, delivery_id="d2") == ("drop", "over_budget", None, "")
    behind.cold(UNKNOWN_USER_POLICY="deny", MESSAGE_BUDGET="20")
    assert asks(behind, platform) == ("drop", "policy_deny", None, "")
    behind.decide(Operation.BLOCK, platform)
    assert asks(behind, platform) == ("drop", "blocked", None, "")


@EACH
def test_a_press_decides_as_at_the_edge(behind: Behind, platform: Platform) -> None:
    """Nobody's but an owner's, once, and only with our signature: a refusal of ours is told, a foreign button is a 404."""
    asks(behind, platform)
    data = behind.edge.button(behind.edge.contact(platform), Action.DENY)
    assert presses(behind, platform, STRANGER[platform], data) == (200, {"text": texts.ONLY_THE_OWNER, "prompt": None})
    for foreign in (
        f"{data[:-1]}{'0' if data[-1] != '0' else '1'}",
        data.replace("deny", "approve"),
        "menu:1",
        "",
        "é",
    ):
        status, refusal = presses(behind, platform, OWNER[platform], foreign)
        assert (status, refusal["reason"], refusal["error"]) == (404, "unknown_button", texts.STALE_BUTTON)
    assert behind.edge.contact(platform).state is State.PENDING
    status, answer = presses(behind, platform, OWNER[platform], data)
    assert (status, answer["text"][:8]) == (200, "❌ Denied")
    block = behind.edge.button(behind.edge.contact(platform), Action.BLOCK)
    assert block in str(answer["prompt"])
    again = presses(behind, platform, OWNER[platform], data)
    assert again[0] == 200
    assert again[1]["prompt"] is None
    assert behind.edge.contact(platform).state is State.DENIED
    # The same press delivered again, after somebody has taken it back.
    assert presses(behind, platform, OWNER[platform], block, "p2")[1]["prompt"]
    behind.decide(Operation.UNBLOCK, platform)
    assert presses(behind, platform, OWNER[platform], block, "p2")[1]["prompt"] is None
    assert behind.edge.contact(platform).state is not State.BLOCKED


def test_what_is_asked_about_nobody_that_can_be(behind: Behind) -> None:
    """Odd platforms, ids and fields are refused, for both, and nothing is written; a token of one scope does only that."""
    ask, press = behind.program(Scope.GATE), behind.program(Scope.PRESSES)
    good = {"platform": "telegram", "user_id": "1", "chat": {"type": "direct", "id": "1"}, "delivery_id": "1"}
    odd: list[dict[str, Any]] = [
        *({"platform": name} for name in ("irc", "Telegram", "", "telegram#1", None)),
        *(
            {"user_id": name}
            for name in ("", "*", "0", "01", "1 ", "-1", "U1234ABCD", "1#2", "\uff11", "1" * 65, 1, None)
        ),
        *({"delivery_id": name} for name in ("", "a b", "é", "a\n", "x" * 132, 7)),
        *(
            {"chat": chat}
            for chat in ("channel", {"type": "direct", "id": "a b"}, {"id": "1"}, {"type": "group", "x": 1})
        ),
        *({"name": name} for name in ("x" * 257, 7)),
        {"admit": True},
    ]
    before = len(behind.edge.items())
    # Together, so that one failure shows all.
    assert [body for body in odd if ask("/api/gate", **good | body)[0] != 400] == []
    pressed = {"platform": "telegram", "user_id": "1", "delivery_id": "1", "data": "x"}
    for more in ({"platform": "irc"}, {"user_id": "U1234ABCD"}, {"data": "x" * 257}, {"delivery_id": ""}):
        assert press("/api/gate/press", **pressed | more)[0] == 400, more
    assert ask("/api/gate/press", **pressed)[0] == 403
    assert press("/api/gate", **good)[0] == 403
    for scope in (Scope.READ, Scope.PAIRING, Scope.MESSAGES):
        assert behind.program(scope)("/api/gate", **good)[0] == 403
        assert behind.program(scope)("/api/gate/press", **pressed)[0] == 403
    # The tokens of this test, and nothing else.
    assert {item["pk"]["S"] for item in behind.edge.items()[before:]} <= {"tokens"}


def test_a_gate_that_cannot_read_lets_nobody_in(behind: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it stands on being away is a 503, not an answer."""
    monkeypatch.setattr(web, "REQUEST_SECONDS", 0.1)
    ask = behind.program(Scope.GATE)
    gone = {"platform": "telegram", "user_id": OWNER[Platform.TELEGRAM], "chat": "direct", "delivery_id": "1"}

    def away(name: str) -> None:
        if name == "get_item" and "telegram#" in str(behind.clients["dynamodb"].arguments[-1]):
            raise TimeoutError

    behind.clients["dynamodb"].before = away
    assert ask("/api/gate", **gone)[0] == 503


@EACH
def test_a_press_answers_a_question(behind: Behind, platform: Platform) -> None:
    """A7, A8, A12: an owner's reported press decides a question, once; nobody else's, no other button, and not what its asker reports."""
    question = ask(behind)
    behind.settle()
    shown = buttons(behind, platform)
    approve, deny = shown["✅ Approve"], shown["❌ Deny"]
    assert presses(behind, platform, STRANGER[platform], approve) == (
        200,
        {"text": texts.ONLY_THE_OWNER, "prompt": None},
    )
    status, refusal = presses(behind, platform, OWNER[platform], approve.replace("approve", "deny"))
    assert (status, refusal["reason"]) == (404, "unknown_button")
    assert presses(behind, platform, OWNER[platform], approve)[1]["text"].startswith("✅ Approved by")
    assert "decided already" in presses(behind, platform, OWNER[platform], deny)[1]["text"]
    behind.settle()
    assert "Approved by" in said(behind, platform)
    assert buttons(behind, platform) == {}
    assert store_of(behind).get(question.id).decided_account == f"{platform}:{OWNER[platform]}"  # type: ignore[union-attr]
    # A token that asks, and reports presses too, is not believed about its own question.
    program = behind.program(Scope.ASKS, Scope.PRESSES)
    _, asked = program("/api/asks", title="Pay?")
    behind.settle()
    press = {"platform": platform, "user_id": OWNER[platform], "delivery_id": "p2"}
    status, answer = program("/api/gate/press", data=buttons(behind, platform)["✅ Approve"], **press)
    assert (status, answer["text"][:19]) == (200, "Whoever asks does n")
    assert store_of(behind).get(asked["id"]).state == "pending"  # type: ignore[union-attr]
    # Why, as another bot's program hears it.
    presses(behind, platform, OWNER[platform], buttons(behind, platform)["❌ Deny"])
    if platform is not Platform.WHATSAPP:
        behind.settle()
        why = press | {"data": buttons(behind, platform)["Say why"]}
        report = behind.program(Scope.PRESSES)
        assert "Nothing was said" in report("/api/gate/press", **why)[1]["text"]
        assert "Noted" in report("/api/gate/press", said="Not on a Friday.", **why)[1]["text"]
        assert store_of(behind).text(asked["id"]).reason == "Not on a Friday."  # type: ignore[union-attr]
