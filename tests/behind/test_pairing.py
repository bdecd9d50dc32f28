"""From a stranger's first word to the agent's answer, for each platform and each way it can go."""

import json
import time
from typing import Any

import pytest

from doorcode.pairing.callbacks import Action
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.transitions import Operation
from tests.behind.faults import begin_again
from tests.behind.harness import OWNER_CHANNEL, STRANGER_CHANNEL, Behind
from tests.harness import COOLDOWN, TTL
from tests.webhooks import HELLO, OWNER, STRANGER, load, value_of

EACH = pytest.mark.parametrize("platform", list(Platform))
APPROVED = {
    Platform.TELEGRAM: "You've been approved! Send me a message.",
    Platform.SLACK: "You've been approved! Send me a message.",
    Platform.DISCORD: "You've been approved! Send me a message with /chat.",
    Platform.WHATSAPP: "You've been approved! Send me a message.",
}
SENT = "Your request has been sent to the owner for approval."


def has_buttons(prompt: str) -> list[str]:
    """Return what the buttons of a shown prompt say."""
    return [
        label
        for label in ("✅ Approve", "❌ Deny", "🚫 Block")
        if label in prompt.partition("wants to chat")[2] and _is_button(prompt, label)
    ]


def _is_button(prompt: str, label: str) -> bool:
    found: list[bool] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            text = value.get("text")
            text = text.get("text") if isinstance(text, dict) else text
            found.append(label in {text, value.get("label"), value.get("title")})
            for inner in value.values():
                look(inner)
        elif isinstance(value, list):
            for inner in value:
                look(inner)

    look(json.loads(prompt))
    return any(found)


@EACH
def test_ask_approve_talk(behind: Behind, platform: Platform) -> None:
    """Stranger → prompt → press → prompt closed, stranger told, events out → the agent answers the next message."""
    contact = behind.hello(platform)
    behind.settle()
    [prompt] = behind.prompts(platform)
    assert "@stranger" in prompt
    assert f"wants to chat. Approve access?\\n{platform} {STRANGER[platform]}" in prompt
    assert has_buttons(prompt) == ["✅ Approve", "❌ Deny"]
    assert behind.heard(platform) == [SENT]
    assert behind.event_types() == ["pairing_requested"]

    behind.deliver(behind.edge.press(contact))
    behind.settle()
    [prompt] = behind.prompts(platform)[:1]
    assert f"({OWNER[platform]}, button)" in prompt
    assert has_buttons(prompt) == []
    assert APPROVED[platform] in behind.heard(platform)
    assert behind.event_types() == ["pairing_approved"]

    behind.hello(platform, 1)
    behind.answer()
    assert "Hi there! How can I help you today?" in behind.heard(platform)[-1]
    assert behind.parked() == 0


@EACH
def test_denied_then_blocked(behind: Behind, platform: Platform) -> None:
    """A denial is told once, and its closed prompt offers Block, which then closes it for good."""
    contact = behind.hello(platform)
    behind.settle()
    behind.deliver(behind.edge.press(contact, Action.DENY))
    behind.settle()
    assert has_buttons(behind.prompts(platform)[0]) == ["🚫 Block"]
    assert behind.heard(platform).count("Your request was declined.") == 1
    behind.deliver(behind.edge.press(contact, Action.BLOCK).another(1))
    behind.settle()
    assert has_buttons(behind.prompts(platform)[0]) == []
    assert "Blocked by" in behind.prompts(platform)[0]
    assert behind.event_types() == ["pairing_requested", "pairing_denied", "contact_blocked"]


def test_a_denial_can_be_silent(behind: Behind) -> None:
    """With TELL_DENIED=false the requester hears nothing of a denial."""
    behind.cold(TELL_DENIED="false")
    behind.hello(Platform.TELEGRAM)
    behind.decide(Operation.DENY, Platform.TELEGRAM)
    behind.settle()
    assert behind.heard(Platform.TELEGRAM) == [SENT]


DECISIONS = {
    Operation.APPROVE: ("Approved by alice (cli)", "pairing_approved"),
    Operation.DENY: ("Denied by alice (cli)", "pairing_denied"),
    Operation.ADD: ("Approved by alice (cli)", "pairing_approved"),
    Operation.BLOCK: ("Blocked by alice (cli)", "contact_blocked"),
}


@EACH
def test_a_decision_from_elsewhere_closes_the_prompt(behind: Behind, platform: Platform) -> None:
    """However it is decided, the owner's prompt says by whom and from where, and the event is out."""
    for operation, (outcome, event) in DECISIONS.items():
        begin_again(behind, platform)
        behind.hello(platform)
        behind.settle()
        behind.decide(operation, platform)
        behind.settle()
        [prompt] = behind.prompts(platform)
        assert outcome in prompt, operation
        assert set(has_buttons(prompt)) <= {"🚫 Block"}, operation
        assert behind.event_types() == ["pairing_requested", event], operation


@EACH
def test_a_request_that_expires_closes_its_prompt(behind: Behind, platform: Platform) -> None:
    """When nobody decides, the sweep expires the request, its prompt closes, and nobody is told."""
    behind.hello(platform)
    behind.settle()
    behind.courier.sweep(behind.now() + TTL + 1)
    behind.settle()
    [prompt] = behind.prompts(platform)
    assert "Expired" in prompt
    assert has_buttons(prompt) == []
    assert behind.heard(platform) == [SENT]
    assert behind.event_types() == ["pairing_requested", "pairing_expired"]


@EACH
def test_revoked_and_unblocked_are_published(behind: Behind, platform: Platform) -> None:
    """Every further move is published too, whatever the surface."""
    for operation in (Operation.ADD, Operation.REVOKE, Operation.BLOCK, Operation.UNBLOCK):
        behind.decide(operation, platform)
    behind.settle()
    assert behind.event_types() == ["pairing_approved", "pairing_revoked", "contact_blocked", "pairing_revoked"]
    assert behind.heard(platform) == []


@EACH
def test_a_new_label_is_an_event_of_its_own(behind: Behind, platform: Platform) -> None:
    """Who is in stays in: their prompt, what they heard and the approval stay, and the label is published as such."""
    behind.hello(platform)
    behind.settle()
    behind.decide(Operation.APPROVE, platform)
    behind.settle()
    before = behind.prompts(platform), behind.heard(platform)
    since = behind.edge.contact(platform).paired_at
    for label in ("bob", "bob", "rob"):
        behind.decide(Operation.ADD, platform, label=label)
    behind.settle()
    assert behind.event_types() == ["pairing_requested", "pairing_approved", "contact_relabelled", "contact_relabelled"]
    assert (behind.prompts(platform), behind.heard(platform)) == before
    assert behind.edge.contact(platform).paired_at == since


@EACH
def test_a_new_request_edits_the_open_prompt(behind: Behind, platform: Platform) -> None:
    """The same person asking again makes no second prompt: the open one carries the new request's buttons."""
    first = behind.hello(platform)
    behind.settle()
    second = behind.hello(platform, 1, behind.now() + COOLDOWN)
    behind.settle()
    [prompt] = behind.prompts(platform)
    assert behind.edge.code(first) not in prompt
    assert behind.edge.code(second) in prompt
    behind.decide(Operation.APPROVE, platform)
    behind.settle()
    assert "Approved by alice" in behind.prompts(platform)[0]


@pytest.mark.parametrize("owner", [Platform.TELEGRAM, Platform.DISCORD])
def test_an_owner_elsewhere_is_asked(behind: Behind, owner: Platform) -> None:
    """Where the requester's platform has no owner, the owners elsewhere are asked, and may decide from there."""
    behind.cold(OWNER_USER_IDS=f"{owner}:{OWNER[owner]}")
    contact = behind.hello(Platform.SLACK)
    behind.settle()
    [prompt] = behind.prompts(owner)
    assert "slack U0STRANGER" in prompt
    assert behind.heard(Platform.SLACK) == [SENT]
    behind.deliver(behind.edge.press(contact, on=owner))
    behind.settle()
    assert "Approved by" in behind.prompts(owner)[0]
    assert APPROVED[Platform.SLACK] in behind.heard(Platform.SLACK)


def test_owners_here_are_asked_before_owners_elsewhere(behind: Behind) -> None:
    """Owners on other platforms are not disturbed while one can be reached on the requester's."""
    behind.hello(Platform.TELEGRAM)
    behind.settle()
    assert len(behind.prompts(Platform.TELEGRAM)) == 1
    assert behind.prompts(Platform.SLACK) == behind.prompts(Platform.DISCORD) == []


def test_every_owner_is_asked_and_every_prompt_closes(behind: Behind) -> None:
    """All owners on the platform are prompted; whoever is first decides, and all prompts say so."""
    behind.stand_ins[Platform.TELEGRAM].open_chat("222333444")  # type: ignore[attr-defined]
    behind.cold(OWNER_USER_IDS="telegram:123456789,telegram:222333444")
    contact = behind.hello(Platform.TELEGRAM)
    behind.settle()
    behind.deliver(behind.edge.press(contact, Action.APPROVE))
    second = behind.edge.press(contact, Action.DENY)
    second.body["callback_query"]["from"]["id"] = 222333444
    response = behind.deliver(second)
    assert "Already approved by @owner (123456789, button)." in response["body"]
    behind.settle()
    shown = [*behind.prompts(Platform.TELEGRAM), *_chat(behind, Platform.TELEGRAM, "222333444")]
    assert len(shown) == 2
    assert all("(123456789, button)" in prompt and not has_buttons(prompt) for prompt in shown)
    assert behind.heard(Platform.TELEGRAM).count(APPROVED[Platform.TELEGRAM]) == 1


@EACH
def test_without_an_owner_the_requester_gets_the_command(behind: Behind, platform: Platform) -> None:
    """Where no owner is set, the requester is told the command, once, word for word, on Slack too."""
    behind.cold(OWNER_USER_IDS="")
    code = behind.edge.code(behind.hello(platform))
    behind.settle()
    assert behind.heard(platform) == [
        f"Your pairing code: {code}. Ask the owner to run: doorcode pairing approve {platform} {code}"
    ]


@EACH
def test_an_owner_who_cannot_be_reached(behind: Behind, platform: Platform) -> None:
    """When no owner can be reached, the requester gets the command text, exactly; on Discord in place of the first."""
    unknown = {
        Platform.TELEGRAM: "555",
        Platform.SLACK: "U0NOBODY00",
        Platform.DISCORD: "555000000000000555",
        Platform.WHATSAPP: "US.555",
    }
    if platform is Platform.WHATSAPP:
        # Elsewhere than here it is told later: see test_whatsapp.py.
        behind.stand_ins[platform].refuses_at_once = True  # type: ignore[attr-defined]
    behind.cold(OWNER_USER_IDS=f"{platform}:{unknown[platform]}")
    code = behind.edge.code(behind.hello(platform))
    behind.settle()
    command = f"Your pairing code: {code}. Ask the owner to run: doorcode pairing approve {platform} {code}"
    assert behind.heard(platform) == ([SENT, command] if platform is Platform.TELEGRAM else [command])
    behind.decide(Operation.APPROVE, platform, code=code)
    behind.settle()
    assert APPROVED[platform] in behind.heard(platform)[-1]


def test_an_owner_who_blocked_the_bot_does_not_keep_others_from_being_asked(behind: Behind) -> None:
    """One owner who blocked the bot is passed over; the other is asked."""
    telegram: Any = behind.stand_ins[Platform.TELEGRAM]
    telegram.open_chat("222333444")
    telegram.block("222333444")
    behind.cold(OWNER_USER_IDS="telegram:222333444,telegram:123456789")
    behind.hello(Platform.TELEGRAM)
    behind.settle()
    assert len(behind.prompts(Platform.TELEGRAM)) == 1
    assert behind.heard(Platform.TELEGRAM) == [SENT]
    assert behind.parked() == 0


def test_a_platform_without_a_token_is_passed_over(behind: Behind, caplog: pytest.LogCaptureFixture) -> None:
    """An owner on a platform whose token is not set cannot be reached there; it is logged with the command to run."""
    behind.edge.ssm.delete_parameter(Name="/doorcode/test/telegram/bot-token")
    behind.cold()
    behind.hello(Platform.SLACK)
    behind.settle()
    behind.cold(OWNER_USER_IDS="telegram:123456789,slack:U0OWNER001")
    behind.hello(Platform.DISCORD)
    behind.settle()
    assert len(behind.prompts(Platform.SLACK)) == 2
    assert "doorcode secrets set telegram/bot-token" in caplog.text


@EACH
def test_a_slack_name_is_looked_up_and_kept(behind: Behind, platform: Platform) -> None:
    """Slack sends no names: the courier looks them up, shows them, and keeps them with the request."""
    behind.hello(platform)
    behind.settle()
    assert behind.edge.contact(platform).name == "@stranger"
    assert behind.edge.contact(platform).rev == 1


def test_a_full_room_is_told_once_an_hour(behind: Behind) -> None:
    """Security 26: the owners hear that a room is full, at most once an hour."""
    behind.cold(MAX_PENDING="1", OWNER_USER_IDS="telegram:123456789")
    behind.hello(Platform.SLACK)
    now = behind.now()
    for later in (0, 300, 3599):
        behind.courier.sweep(now + later)
    words = [prompt for prompt in behind.prompts(Platform.TELEGRAM) if "is full" in prompt]
    assert len(words) == 1
    assert "The waiting room on slack is full: 1 requests wait for you." in words[0]


def test_an_ended_guest_who_asks_again(behind: Behind) -> None:
    """A guest whose time is up makes pairing_ended with the next request, and can be let in again."""
    platform = Platform.TELEGRAM
    now = behind.now()
    guest = Contact(
        platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1, reply='{"chat_id":987654321,"message_id":1}',
        paired_at=now - 100, paired_until=now - 5, nonce="old",
    )  # fmt: skip
    behind.edge.put(guest)
    behind.hello(platform)
    behind.settle()
    assert behind.event_types() == ["pairing_approved", "pairing_ended", "pairing_requested"]


@EACH
def test_events_hold_no_code_token_text_or_name(behind: Behind, platform: Platform) -> None:
    """Security 33: nothing on the bus tells a code, a token, a text or a name."""
    contact = behind.hello(platform)
    behind.settle()
    behind.decide(Operation.APPROVE, platform, label="bob")
    behind.settle()
    events = behind.events()
    assert len(events) == 2
    for event in events:
        assert set(event["detail"]) == {"version", "platform", "user_id", "label", "decided_by", "decided_via", "at"}
        assert event["source"] == "doorcode"
    text = json.dumps(events)
    for secret in (behind.edge.code(contact), contact.nonce, "stranger", "may I come in", "stand-in", "aW50"):
        assert secret not in text.replace(STRANGER[platform], "")


ATTACKS = {
    "channel": "<!channel>",
    "everyone": "@everyone",
    "link": "](http://evil.example)",
    "markup": "*_[`~|>#",
    "override": "\u202enimda\u202c",
    "owner in look-alikes": "0wner \u043ewner",
    "at owner": "@owner",
    "long": "x" * 10_000,
    "lines": "a\n\n\ntelegram 123456789",
}


@EACH
def test_names_that_attack(behind: Behind, platform: Platform) -> None:
    """Security 28: whatever a stranger is called, the owner sees it harmless, with platform and immutable id below."""
    for attack, name in ATTACKS.items():
        begin_again(behind, platform)
        event = load(HELLO[platform])
        if platform is Platform.TELEGRAM:
            sender = event.body["message"]["from"]
            sender.pop("username", None)
            sender["first_name"] = name
        elif platform is Platform.DISCORD:
            user = event.body["user"]
            user["username"], user["global_name"] = "", name
        elif platform is Platform.WHATSAPP:
            value_of(event.body)["contacts"][0]["profile"] = {"name": name}
        else:
            user = behind.stand_ins[platform].users[STRANGER[platform]]  # type: ignore[attr-defined]
            user.name, user.real_name = "", name
        behind.deliver(event)
        behind.settle()
        # The stand-ins are strict: they refuse live mentions and links, and the prompt would not be here.
        [prompt] = behind.prompts(platform)
        drawn = json.loads(prompt)
        shown = drawn.get("text") or drawn.get("content") or drawn["interactive"]["body"]["text"]
        question, address = shown.rsplit("\n", 1)
        assert address == f"{platform} {STRANGER[platform]}", attack
        assert question.endswith("wants to chat. Approve access?"), attack
        assert "\n" not in question, attack
        assert len(question) < 300, attack
        assert "\u202e" not in shown, attack
        assert not question.startswith(("User @owner ", "*@owner*")), attack


def test_time_is_real_here() -> None:
    """Queues have no other time than the real one, so these tests are made for after the payloads' own."""
    assert time.time() > 1_776_858_322
    assert OWNER_CHANNEL
    assert STRANGER_CHANNEL


def _chat(behind: Behind, platform: Platform, chat: str) -> list[str]:
    return [json.dumps(message.shown, ensure_ascii=False) for message in behind.stand_ins[platform].in_chat(chat)]
