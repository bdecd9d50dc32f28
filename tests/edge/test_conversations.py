"""What strangers, owners and guests live through at each platform's door."""

import json

import pytest
from msgspec.structs import replace

from doorcode.errors import CallbackError, ForbiddenError
from doorcode.pairing import texts
from doorcode.pairing.agents import ARN_EXAMPLES, AgentKind
from doorcode.pairing.callbacks import Action, is_ours
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.decisions import Desk
from doorcode.pairing.gate import Reason
from doorcode.pairing.keyring import key_id
from doorcode.pairing.reply_address import unseal
from tests import webhooks
from tests.edge.harness import GATEWAY, Edge, body_of
from tests.harness import COOLDOWN, T0, TTL
from tests.webhooks import HELLO, OWNER, STRANGER, load

EACH = pytest.mark.parametrize("platform", list(Platform))
ANSWERING = pytest.mark.parametrize("platform", [Platform.TELEGRAM, Platform.DISCORD])


# Where nothing in the response is shown.
LATER = {Platform.SLACK, Platform.WHATSAPP}


def told(response: object) -> str | None:
    """Return the text that the writer sees in the response, if any."""
    body = body_of(response)  # type: ignore[arg-type]
    if body is None:
        return None
    if "type" in body:
        assert body["data"]["flags"] == 64
        assert body["data"]["allowed_mentions"] == {"parse": []}
        return str(body["data"]["content"])
    return str(body["text"])


@EACH
def test_a_stranger_is_told_that_the_owner_is_asked(edge: Edge, platform: Platform) -> None:
    """A first message makes a request; where the response can carry it, the person is told so, word for word."""
    response = edge.deliver(load(HELLO[platform]))
    expected = None if platform in LATER else "Your request has been sent to the owner for approval."
    assert (response["statusCode"], told(response)) == (200, expected)
    contact = edge.contact(platform)
    assert contact.state is State.PENDING
    assert edge.handed_off() == []


@ANSWERING
def test_without_an_owner_the_stranger_is_told_the_command(edge: Edge, platform: Platform) -> None:
    """Where nobody can be asked with buttons, the stranger gets the code and the command, word for word."""
    response = edge.deliver(load(HELLO[platform]), OWNER_USER_IDS="")
    code = edge.code(edge.contact(platform))
    command = f"Your pairing code: {code}. Ask the owner to run: doorcode pairing approve {platform} {code}"
    # Whether Telegram took a method from a response nobody is told: there the courier sends it.
    assert told(response) == (command if platform is Platform.DISCORD else None)


@EACH
def test_a_cold_stranger_costs_one_read_one_query_and_one_transaction(edge: Edge, platform: Platform) -> None:
    """A request is GetItem, Query, one transaction; a cold door adds one read of the secrets, and one of the words if it speaks."""
    edge.deliver(load(HELLO[platform]))
    assert edge.clients["dynamodb"].calls == ["get_item", "query", "transact_write_items"]
    # Where nothing in the response is shown, the courier speaks.
    assert edge.clients["ssm"].calls == ["get_parameters"] * (1 if platform in LATER else 2)


@EACH
def test_an_admitted_message_costs_one_read_and_one_send(edge: Edge, platform: Platform) -> None:
    """An admitted message is one consistent GetItem and one hand-off."""
    edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
    edge.deliver(load(HELLO[platform]))
    assert edge.clients["dynamodb"].calls == ["get_item"]
    assert edge.clients["sqs"].calls == ["send_message"]
    # Not even a cold door asks for words that nobody is told.
    assert edge.clients["ssm"].calls == ["get_parameters"]


@EACH
@pytest.mark.parametrize("owner", [True, False])
def test_within_the_cooldown_the_stranger_hears_nothing(edge: Edge, platform: Platform, owner: bool) -> None:
    """Security 25: silence within the cooldown; Discord, which must be answered, repeats the request's answer."""
    settings = {} if owner else {"OWNER_USER_IDS": ""}
    first = edge.deliver(load(HELLO[platform]), **settings)
    second = edge.deliver(load(HELLO[platform]).another(1), T0 + COOLDOWN - 1, **settings)
    assert told(second) == (told(first) if platform is Platform.DISCORD else None)
    assert edge.contact(platform).rev == 1


def test_a_denied_person_on_discord_is_not_told_a_dead_code(edge: Edge) -> None:
    """Security 24: after a denial there is no code to repeat."""
    edge.deliver(load(HELLO[Platform.DISCORD]), OWNER_USER_IDS="")
    edge.deliver(edge.press(edge.contact(Platform.DISCORD), Action.DENY))
    again = edge.deliver(load(HELLO[Platform.DISCORD]).another(1), T0 + 5, OWNER_USER_IDS="")
    assert told(again) == texts.PRIVATE


def test_the_log_says_why_in_the_reference_s_words(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    """A new code and a limited one are logged as the reference does, without the code."""
    edge.deliver(load(HELLO[Platform.TELEGRAM]))
    edge.deliver(load(HELLO[Platform.TELEGRAM]).another(1), T0 + 120)
    assert "Generated pairing code for 987654321 on telegram" in caplog.messages
    assert "Rate limited channel 987654321 (last code: 120.0s ago)" in caplog.messages
    assert edge.code(edge.contact(Platform.TELEGRAM)) not in str(caplog.messages)


@EACH
@pytest.mark.parametrize("owner", [True, False])
def test_the_same_delivery_gets_the_same_answer(edge: Edge, platform: Platform, owner: bool) -> None:
    """Security 4: a platform's retry gets the same answer, with the same code, and changes nothing."""
    settings = {} if owner else {"OWNER_USER_IDS": ""}
    first = edge.deliver(load(HELLO[platform]), **settings)
    before = edge.items()
    assert edge.deliver(load(HELLO[platform]), T0 + 60, **settings) == first
    assert edge.items() == before


@EACH
def test_a_full_room_turns_strangers_away(edge: Edge, platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    """Security 26, 34: beyond the seats a stranger is dropped with its reason."""
    edge.put(_waiting(platform, "1"))
    response = edge.deliver(load(HELLO[platform]), MAX_PENDING="1")
    assert told(response) == (texts.PRIVATE if platform is Platform.DISCORD else None)
    assert [getattr(record, "reason", "") for record in caplog.records][-1] == "waiting_room_full"
    assert edge.contact(platform).state is State.NONE


@EACH
def test_approve_and_talk(edge: Edge, platform: Platform) -> None:
    """Stranger → request → the owner's press → the next message is handed off, in the documented form."""
    edge.deliver(load(HELLO[platform]))
    edge.deliver(edge.press(edge.contact(platform)))
    contact = edge.contact(platform)
    assert (contact.state, contact.decided_by, contact.decided_via) == (State.PAIRED, OWNER[platform], "button")
    response = edge.deliver(load(HELLO[platform]).another(1))
    [handed] = edge.handed_off()
    assert set(handed) == {
        "version", "type", "id", "platform", "conversation", "chat", "user", "admitted_by", "messages", "history",
        "reply", "reply_to",
    }  # fmt: skip
    [said] = handed["messages"]
    assert (handed["version"], handed["admitted_by"], said["text"]) == (2, "paired", "Hello, may I come in?")
    assert response["statusCode"] == 200
    if platform is Platform.DISCORD:
        assert body_of(response)["type"] == 5


@EACH
def test_a_consumer_of_ones_own_gets_an_address_to_answer_at(edge: Edge, platform: Platform) -> None:
    """Security 41: who may answer later gets a sealed address, in the queue alone for the platform's own; others none."""
    edge.put(
        Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1, label="Alice of accounting")
    )
    edge.deliver(load(HELLO[platform]))
    edge.deliver(load(HELLO[platform]).another(1), AGENT="queue")
    plain, handed = edge.handed_off()
    assert plain["reply_to"] == ""
    assert "reply" not in handed
    address = unseal(handed["reply_to"], GATEWAY, T0)
    assert (address.platform, address.user_id) == (platform, STRANGER[platform])
    assert json.loads(address.reply).keys() == plain["reply"].keys()
    assert handed["conversation"] == plain["conversation"]
    assert (handed["user"]["label"], handed["user"]["role"]) == ("Alice of accounting", "user")
    for number, kind in enumerate((AgentKind.WEBHOOK, AgentKind.FUNCTION, AgentKind.AGENTCORE), 2):
        url = "https://agent.example/hook"
        edge.deliver(
            load(HELLO[platform]).another(number), AGENT=kind, AGENT_URL=url, AGENT_ARN=ARN_EXAMPLES.get(kind, "")
        )
        [answered_here] = edge.handed_off()
        assert unseal(answered_here["reply_to"], GATEWAY, T0).reply == json.dumps(
            answered_here["reply"], separators=(",", ":")
        )


@EACH
def test_the_same_admitted_delivery_is_handed_off_once(edge: Edge, platform: Platform) -> None:
    """Security 4: a retry of an admitted message arrives at the agent once, in the order of its conversation."""
    edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
    for number in (0, 0, 1, 1, 2):
        edge.deliver(load(HELLO[platform]).another(number))
    ids = [handed["messages"][0]["id"] for handed in edge.handed_off()]
    assert len(ids) == len(set(ids)) or platform is Platform.TELEGRAM
    sent = edge.clients["sqs"].arguments
    assert len({call["MessageDeduplicationId"] for call in sent}) == 3
    assert len({call["MessageGroupId"] for call in sent}) == 1


@EACH
@pytest.mark.parametrize("action", [Action.APPROVE, Action.DENY, Action.BLOCK])
def test_a_stranger_s_press_does_nothing(edge: Edge, platform: Platform, action: Action) -> None:
    """Security 15: a perfect button pressed by anybody else changes nothing, and only they are told so."""
    edge.deliver(load(HELLO[platform]))
    before = edge.items()
    press = edge.press(edge.contact(platform), action).replaced(
        OWNER[platform], "US.999" if platform is Platform.WHATSAPP else "999"
    )
    if platform is Platform.TELEGRAM:
        press.body["callback_query"]["from"]["id"] = 999
    response = edge.deliver(press)
    assert edge.items() == before
    if platform is Platform.SLACK:
        [call] = edge.calls_made
        assert call.url.startswith("https://hooks.slack.com/")
        assert b'"ephemeral"' in call.body
        assert b"Only the owner can do this." in call.body
    else:
        assert (told(response) or edge.words()[-1]) == "Only the owner can do this."


@EACH
def test_the_requester_cannot_approve_himself(edge: Edge, platform: Platform) -> None:
    """Security 15: not even one who is an owner decides on his own request."""
    mine = _waiting(platform, OWNER[platform])
    edge.put(mine)
    before = edge.items()
    edge.deliver(edge.press(mine))
    assert edge.items() == before


@EACH
@pytest.mark.parametrize("action", [Action.APPROVE, Action.DENY])
def test_a_press_costs_one_read_and_one_transaction(edge: Edge, platform: Platform, action: Action) -> None:
    """A press is GetItem and one transaction; one that is refused for its presser asks nothing."""
    edge.deliver(load(HELLO[platform]))
    contact = edge.contact(platform)
    with edge.clients["dynamodb"].counting() as calls:
        edge.deliver(edge.press(contact, action))
    assert calls == ["get_item", "transact_write_items"]


def test_discord_s_press_redraws_the_prompt(edge: Edge) -> None:
    """On Discord the press is answered with the prompt as it is now: who decided, and no button but Block."""
    platform = Platform.DISCORD
    edge.deliver(load(HELLO[platform]))
    body = body_of(edge.deliver(edge.press(edge.contact(platform), Action.DENY)))
    assert body["type"] == 7
    assert "discord 200000000000000001" in body["data"]["content"]
    assert f"Denied by \\@owner ({OWNER[platform]}, button)" in body["data"]["content"]
    [[button]] = [row["components"] for row in body["data"]["components"]]
    assert button["label"] == "🚫 Block"
    edge.deliver(edge.press(edge.contact(platform), data=button["custom_id"]).another(1))
    assert edge.contact(platform).state is State.BLOCKED


def test_telegram_s_press_is_always_answered(edge: Edge) -> None:
    """Every press on Telegram gets answerCallbackQuery, also one of a message that is gone and one that is not ours."""
    edge.deliver(load(HELLO[Platform.TELEGRAM]))
    callback = edge.button(edge.contact(Platform.TELEGRAM))
    for name in ("callback_query_inaccessible_message", "callback_query_inline_message", "callback_query_foreign_data"):
        event = load(f"telegram/{name}")
        response = edge.deliver(event.replaced(event.expect["callback"], callback) if "foreign" not in name else event)
        assert body_of(response)["method"] == "answerCallbackQuery"
    assert edge.contact(Platform.TELEGRAM).state is State.PAIRED


@EACH
def test_the_second_owner_is_told_who_was_first(edge: Edge, platform: Platform) -> None:
    """Security 17: whoever presses second is told the real final state, not a failure."""
    edge.deliver(load(HELLO[platform]))
    contact = edge.contact(platform)
    edge.deliver(edge.press(contact, Action.APPROVE))
    response = edge.deliver(edge.press(contact, Action.DENY))
    sign = "\\@" if platform is Platform.DISCORD else "@"
    expected = f"Already approved by {sign}owner ({OWNER[platform]}, button)."
    if platform is Platform.SLACK:
        assert expected.encode() in edge.calls_made[-1].body
    else:
        assert (told(response) or edge.words()[-1].replace("\u2060", "")) == expected
    assert edge.contact(platform).state is State.PAIRED


@EACH
def test_a_replayed_press_after_a_revocation_does_not_pair_again(edge: Edge, platform: Platform) -> None:
    """Security 18: the very press that once approved does nothing after a revocation."""
    edge.deliver(load(HELLO[platform]))
    press = edge.press(edge.contact(platform))
    edge.deliver(press)
    approved = edge.contact(platform)
    edge.put(_as(approved, State.REVOKED))
    before = edge.items()
    edge.deliver(press)
    assert edge.items() == before


@EACH
def test_a_button_of_an_old_request_does_not_act_on_a_new_one(edge: Edge, platform: Platform) -> None:
    """Security 16: after a new request the old prompt's buttons are dead."""
    edge.deliver(load(HELLO[platform]))
    old = edge.press(edge.contact(platform))
    edge.deliver(load(HELLO[platform]).another(1), T0 + COOLDOWN)
    before = edge.items()
    response = edge.deliver(old, T0 + COOLDOWN)
    assert edge.items() == before
    text = told(response) if platform is not Platform.SLACK else edge.calls_made[-1].body.decode()
    text = edge.words()[-1] if platform is Platform.WHATSAPP else text
    assert "newer request" in str(text)


@EACH
def test_a_press_after_the_time_is_up(edge: Edge, platform: Platform) -> None:
    """Security 14: an expired request is not approved, although its items still exist."""
    edge.deliver(load(HELLO[platform]))
    edge.deliver(edge.press(edge.contact(platform)), T0 + TTL)
    assert edge.contact(platform).state is State.PENDING


@EACH
def test_a_changed_button_does_nothing(edge: Edge, platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    """Security 16: any changed byte of a callback fails, and its content is not logged."""
    edge.deliver(load(HELLO[platform]))
    contact = edge.contact(platform)
    data = edge.button(contact)
    before = edge.items()
    for position in range(0, len(data), 3):
        changed = data[:position] + ("0" if data[position] != "0" else "1") + data[position + 1 :]
        caplog.clear()
        edge.deliver(edge.press(contact, data=changed))
        assert edge.items() == before, f"byte {position}"
        # On WhatsApp somebody else's button is what it says: a message of the owner's.
        others = platform is Platform.WHATSAPP and not is_ours(changed)
        expected = Reason.OWNER if others else CallbackError.reason
        assert expected in [getattr(record, "reason", "") for record in caplog.records], f"byte {position}"
        logged = str([record.__dict__ for record in caplog.records if record.name.startswith("doorcode")])
        assert changed not in logged, f"byte {position}"


@pytest.mark.parametrize("on", list(Platform))
@EACH
def test_an_owner_on_another_platform_may_decide(edge: Edge, platform: Platform, on: Platform) -> None:
    """An owner decides from wherever he is an owner, on requests from anywhere."""
    edge.deliver(load(HELLO[platform]))
    edge.deliver(edge.press(edge.contact(platform), on=on))
    assert edge.contact(platform).decided_by == OWNER[on]


def test_an_owner_s_id_on_another_platform_is_nobody_s(edge: Edge) -> None:
    """Security 7: the same number elsewhere is not an owner."""
    edge.deliver(load(HELLO[Platform.TELEGRAM]))
    contact = edge.contact(Platform.TELEGRAM)
    telegram, discord = OWNER[Platform.TELEGRAM], OWNER[Platform.DISCORD]
    press = edge.press(contact, on=Platform.DISCORD).replaced(discord, telegram)
    edge.deliver(press, OWNER_USER_IDS=f"telegram:{telegram}")
    assert edge.contact(Platform.TELEGRAM).state is State.PENDING


def test_the_first_stranger_never_becomes_owner(edge: Edge) -> None:
    """Security 21: without an owner nobody becomes one by being first, nor by pressing."""
    edge.deliver(load(HELLO[Platform.TELEGRAM]), OWNER_USER_IDS="")
    contact = edge.contact(Platform.TELEGRAM)
    edge.deliver(edge.press(contact), OWNER_USER_IDS="")
    assert edge.contact(Platform.TELEGRAM).state is State.PENDING


@EACH
def test_revocation_and_policy_hold_from_the_next_message(edge: Edge, platform: Platform) -> None:
    """Security 23: what was revoked, blocked or denied by policy since is not admitted, in a warm door too."""
    paired = Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1)
    edge.put(paired)
    edge.deliver(load(HELLO[platform]))
    edge.put(_as(paired, State.BLOCKED))
    edge.deliver(load(HELLO[platform]).another(1))
    edge.put(_as(paired, State.REVOKED))
    edge.deliver(load(HELLO[platform]).another(2), UNKNOWN_USER_POLICY="deny")
    assert len(edge.handed_off()) == 1


@EACH
def test_the_message_budget_under_allow(edge: Edge, platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    """Under the policy allow a stranger is admitted within the budget, then dropped with its reason."""
    settings = {"UNKNOWN_USER_POLICY": "allow", "MESSAGE_BUDGET": "2"}
    responses = [edge.deliver(load(HELLO[platform]).another(n), **settings) for n in range(3)]
    assert len(edge.handed_off()) == 2
    assert getattr(caplog.records[-1], "reason", "") == "over_budget"
    assert told(responses[2]) == (texts.PRIVATE if platform is Platform.DISCORD else None)


@EACH
def test_a_decision_between_the_gate_s_read_and_the_request_is_heard(edge: Edge, platform: Platform) -> None:
    """Security 17: a person who is approved in the very moment of asking is admitted, not asked again."""

    def add_meanwhile(name: str) -> None:
        if name == "transact_write_items":
            edge.clients["dynamodb"].before = lambda _: None
            edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1, paired_at=T0))

    edge.clients["dynamodb"].before = add_meanwhile
    edge.deliver(load(HELLO[platform]))
    assert [handed["admitted_by"] for handed in edge.handed_off()] == ["paired"]


def _waiting(platform: Platform, user_id: str) -> Contact:
    return Contact(
        platform=platform, user_id=user_id, state=State.PENDING, rev=1, nonce=f"nonce of {user_id}",
        key_id="4050fc1c", seat="00", requested_at=T0, code_expires_at=T0 + TTL, next_code_at=T0 + COOLDOWN,
    )  # fmt: skip


def _as(contact: Contact, state: State) -> Contact:
    return replace(contact, state=state, rev=contact.rev + 1)


def test_the_key_id_used_here_is_the_gateway_s() -> None:
    """The requests laid down in these tests are made with the secret that the door has."""
    assert key_id(GATEWAY.newest) == "4050fc1c"
    assert webhooks.names()


@EACH
@pytest.mark.parametrize("action", list(Action))
def test_with_a_closed_desk_no_press_decides(
    edge: Edge, platform: Platform, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Security 19: every button asks the desk; when that refuses, nothing has moved."""

    def closed(*_: object) -> None:
        raise ForbiddenError("The desk is closed.")

    edge.deliver(load(HELLO[platform]))
    contact = edge.contact(platform)
    monkeypatch.setattr(Desk, "decide", closed)
    assert edge.deliver(edge.press(contact, action), T0 + 1)["statusCode"] == 200
    assert edge.contact(platform) == contact
