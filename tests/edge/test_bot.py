"""The door before a bot: what goes on to it, and what does not."""

import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doorcode.pairing.contact import Contact, Platform, State
from doorcode.platforms.discord import deeds as discord_deeds
from doorcode.platforms.slack import deeds as slack_deeds
from doorcode.platforms.telegram import deeds as telegram_deeds
from doorcode.platforms.whatsapp import deeds as whatsapp_deeds
from tests import webhooks
from tests.certificates import self_signed
from tests.edge.harness import Edge, body_of
from tests.edge.loopback_bot import LoopbackBot, Received, loopback_bot
from tests.harness import T0
from tests.webhooks import HELLO, OWNER, STRANGER, Delivery, load

ROOMS = {
    Platform.TELEGRAM: telegram_deeds,
    Platform.SLACK: slack_deeds,
    Platform.DISCORD: discord_deeds,
    Platform.WHATSAPP: whatsapp_deeds,
}
PRIVATE = {
    "type": 4,
    "data": {"content": "This bot is private.", "flags": 64, "allowed_mentions": {"parse": []}},
}
WENT_WRONG = "Something went wrong. Please try again."
ADMITTED = {"owner", "paired", "policy_allow", "bot_itself"}


@pytest.fixture
def bot(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackBot]:
    """Run a bot, which has all the time in the world."""
    for room in ROOMS.values():
        monkeypatch.setattr(room, "SECONDS", 60.0)
    with loopback_bot() as running:
        yield running


def before(bot: LoopbackBot, **settings: str) -> dict[str, str]:
    """Return the settings of a stack whose agent is that bot."""
    return {"AGENT": "bot", "AGENT_URL": bot.url, "GROUP_POLICY": "mention_only"} | settings


def pair(edge: Edge, person: str, platform: Platform) -> None:
    """Let somebody in."""
    edge.put(Contact(platform=platform, user_id=person, state=State.PAIRED, rev=1))


def always(answer: bytes) -> Callable[[Received], bytes]:
    """Have the bot answer the same whatever it is told."""
    return lambda _: answer


def silent_on(connection: int) -> Callable[[Received], bytes | None]:
    """Have the bot hang up on one connection, and answer on every other."""
    return lambda got: None if got.connection == connection else b"HTTP/1.1 204 None\r\n\r\n"


def reasons(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the reason of each line that says what became of something, and forget them."""
    found = [
        record.__dict__["reason"] for record in caplog.records if getattr(record, "reason", "settings") != "settings"
    ]
    caplog.clear()
    return found


def test_a_request_goes_on_byte_for_byte(edge: Edge, bot: LoopbackBot, caplog: pytest.LogCaptureFixture) -> None:
    """Security 40: body and the platform's own headers as they came, to the bot's own path; what is ours is set anew."""
    for name in (
        "telegram/callback_query_foreign_data",
        "slack/view_submission",
        "discord/component_foreign_custom_id",
    ):
        event = load(name)
        pair(edge, OWNER[event.platform], event.platform)
        bot.received.clear()
        caplog.clear()
        bot.answers("200 OK", '{"said":"schön"}'.encode(), "Content-Type: application/json")
        request = webhooks.request(event, T0)
        sent = dict(request["headers"])
        request["headers"] |= {
            "host": "door.example", "content-length": "7", "x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "https",
            "x-amzn-trace-id": "Root=1", "accept-encoding": "gzip, deflate", "connection": "keep-alive, x-hop",
            "x-hop": "1", "x-doorcode-user": "forged", "x_doorcode_admitted_by": "forged", "x-slack-retry-num": "1",
            "bad header": "x", "worse": "a\r\nx-doorcode-user: forged",
        }  # fmt: skip
        request["requestContext"]["http"]["sourceIp"] = "149.154.167.197"
        response = edge.door(event.platform, **before(bot, OWNER_USER_IDS="")).serve(request, T0)
        (got,) = bot.received
        assert got.line == "POST /hook/s3cret?x=1&y=%2F HTTP/1.1"
        assert got.body == event.raw()
        assert dict(got.headers) == sent | {
            "host": bot.url.split("/")[2],
            "content-length": str(len(event.raw())),
            "x-forwarded-for": "149.154.167.197",
            "x-slack-retry-num": "1",
            "x-doorcode-admitted-by": "paired",
            "x-doorcode-user": OWNER[event.platform],
        }
        assert len(got.headers) == len(dict(got.headers))
        assert response == {
            "statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"said":"schön"}',
        }  # fmt: skip
        assert reasons(caplog) == ["paired"]
    assert edge.handed_off() == []


def test_an_admitted_message_costs_one_read(edge: Edge, bot: LoopbackBot) -> None:
    """One read of the contact, and nothing is sent to a queue; the connection to the bot is kept."""
    for platform in Platform:
        pair(edge, STRANGER[platform], platform)
        edge.deliver(load(HELLO[platform]), **before(bot))
        before_calls = len(edge.calls())
        for client in edge.clients.values():
            client.calls.clear()
        edge.deliver(load(HELLO[platform]).another(7), **before(bot))
        assert edge.calls() == ["get_item"], before_calls
    assert len(bot.received) == 2 * len(Platform)
    assert bot.connections == len(Platform)


def test_every_event_by_everybody(edge: Edge, bot: LoopbackBot, caplog: pytest.LogCaptureFixture) -> None:
    """Security 40: of all that the platforms send, a stranger's reaches the bot never, an admitted person's always."""
    passed: dict[str, set[str]] = {}
    for state, policy in ((State.NONE, "pair"), (State.NONE, "deny"), (State.BLOCKED, "allow"), (State.PAIRED, "deny")):
        edge.clear()
        people = {
            (load(name).platform, deed.user_id) for name in webhooks.names() if (deed := _deed(load(name))).user_id
        }
        for platform, person in people:
            edge.put(Contact(platform=platform, user_id=person, state=state, rev=1))
        settings = before(bot, UNKNOWN_USER_POLICY=policy, OWNER_USER_IDS="telegram:1")
        for name in webhooks.names():
            event, deed = load(name), _deed(load(name))
            bot.received.clear()
            caplog.clear()
            response = edge.deliver(event, **settings)
            handshake = event.expect["kind"] in {"ping", "url_verification"}
            ours = event.expect.get("callback", "").startswith(("pair:", "ask:"))
            (reason,) = [None] if handshake else reasons(caplog)
            goes_on = bool(bot.received)
            assert goes_on == (reason in ADMITTED), (name, reason)
            assert response["statusCode"] == 200
            if goes_on:
                passed.setdefault(f"{state} {policy}", set()).add(name)
                assert bot.received[0].body == event.raw()
                assert bot.received[0].header("x-doorcode-user") == (deed.user_id or None)
            elif event.platform is Platform.DISCORD:
                assert body_of(response)["type"] in {1, 4, 8}, name
            if handshake or ours:
                assert not goes_on, name
            elif state is State.PAIRED and deed.user_id and deed.addressed:
                assert goes_on, (name, reason)
    # What tells the bot about itself, and has no person, is nobody's to refuse.
    of_bot = {"slack/app_rate_limited", "slack/app_uninstalled", "slack/tokens_revoked"}
    assert {case: names - of_bot for case, names in passed.items() if not case.startswith("paired")} == {
        "none pair": set(), "none deny": set(), "blocked allow": set(),
    }  # fmt: skip
    assert len(passed["paired deny"]) > 100


def _deed(event: Delivery) -> Any:
    raw = event.raw()
    headers = {**event.headers, **webhooks.signed(event.platform, raw, T0)}
    known = {
        Platform.TELEGRAM: "7000000001:doorcode_bot",
        Platform.SLACK: "T0DOOR0001:E0DOOR0001",
        Platform.WHATSAPP: "1500000000000001:15550783881",
    }
    from doorcode.platforms.inbound import Webhook  # noqa: PLC0415

    webhook = Webhook({name.lower(): value for name, value in headers.items()}, raw)
    return ROOMS[event.platform].deed(webhook, known.get(event.platform, ""))


def test_only_a_message_asks_to_be_let_in(edge: Edge, bot: LoopbackBot) -> None:
    """Security 27 and 40: a stranger's button, edit or command starts no request, and is answered where it has to be."""
    events = {
        "telegram/edited_message": None, "telegram/inline_query": None, "slack/command": None,
        "slack/block_suggestion": None, "slack/reaction_added": None, "discord/unknown_command": PRIVATE,
        "discord/modal_submit": PRIVATE, "discord/autocomplete": {"type": 8, "data": {"choices": []}},
    }  # fmt: skip
    for name, answer in events.items():
        response = edge.deliver(load(name), **before(bot))
        assert (response["statusCode"], body_of(response)) == (200, answer), name
    assert edge.items() == []
    for platform in Platform:
        edge.deliver(load(HELLO[platform]), **before(bot))
        assert edge.contact(platform).state is State.PENDING
    assert bot.received == []


def test_doorcode_s_own_buttons_stay(edge: Edge, bot: LoopbackBot) -> None:
    """Security 16 and 40: the owner's Approve is never passed on, whoever presses it; then that person's messages are."""
    for platform in Platform:
        edge.deliver(load(HELLO[platform]), **before(bot))
        assert edge.deliver(edge.press(edge.contact(platform)), **before(bot))["statusCode"] == 200
        assert edge.contact(platform).state is State.PAIRED
        assert bot.received == []
        edge.deliver(load(HELLO[platform]).another(1), **before(bot))
        assert [got.header("x-doorcode-admitted-by") for got in bot.received] == ["paired"]
        bot.received.clear()


def test_what_looks_like_a_claim_is_not_passed_on(
    edge: Edge, bot: LoopbackBot, caplog: pytest.LogCaptureFixture
) -> None:
    """Security 40 and 44: an edit takes nobody in, and a code that stands in it reaches no bot."""
    for name, text in (("telegram/edited_message", "edited_message"), ("slack/message_changed", "event")):
        event = load(name)
        pair(edge, STRANGER[event.platform], event.platform)
        said = event.body[text].get("message", event.body[text])["text"]
        edge.deliver(event, **before(bot))
        assert len(bot.received) == 1
        edge.deliver(event.replaced(said, "AAAA-BBBB-CCCC").another(1), **before(bot))
        assert len(bot.received) == 1
        assert reasons(caplog)[-1] == "invite_refused"
        bot.received.clear()


def test_groups(edge: Edge, bot: LoopbackBot, caplog: pytest.LogCaptureFixture) -> None:
    """GROUP_POLICY and ALLOWED_GROUPS hold for whatever was done in a group; nobody has to address the bot by a press."""
    events = {
        "telegram/chat_member": "telegram:-1001234567890", "telegram/edited_message_group_mention": "telegram:-1001234567890",
        "slack/message_action": "slack:C0GENERAL1", "discord/user_command": "discord:500000000000000001",
    }  # fmt: skip
    for name, group in events.items():
        event = load(name)
        pair(edge, _deed(event).user_id, event.platform)
        for settings, reason in (
            ({"GROUP_POLICY": "off"}, "group_policy"),
            ({"ALLOWED_GROUPS": group[:-1]}, "group_policy"),
            ({"ALLOWED_GROUPS": group}, "paired"),
        ):
            bot.received.clear()
            caplog.clear()
            edge.deliver(event, **before(bot, OWNER_USER_IDS="", **settings))
            assert reasons(caplog)[-1] == reason, (name, settings)
            assert len(bot.received) == (reason == "paired")


def test_a_budget_counts_whatever_is_done(edge: Edge, bot: LoopbackBot) -> None:
    """Under the policy allow, MESSAGE_BUDGET holds for what goes on to the bot; the same delivery again is not counted."""
    settings = before(bot, UNKNOWN_USER_POLICY="allow", MESSAGE_BUDGET="2")
    event = load("telegram/inline_query")
    for number in (0, 0, 1, 2, 3):
        edge.deliver(event.another(number), **settings)
    assert len(bot.received) == 3


@pytest.mark.parametrize("platform", Platform)
def test_what_a_bot_does_wrong(
    edge: Edge, bot: LoopbackBot, platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    """Its fault is told to the platform, or to the person where the platform does not ask again, and to the log, once."""
    pair(edge, STRANGER[platform], platform)
    big = b"x" * (1024 * 1024)

    def told(**settings: str) -> tuple[int, str, list[str]]:
        caplog.clear()
        response = edge.deliver(load(HELLO[platform]), **before(bot, **settings))
        lines = [record.getMessage() for record in caplog.records if getattr(record, "reason", "") == "bot_failed"]
        assert len(reasons(caplog)) == 1
        body = response.get("body", "")
        if platform is Platform.DISCORD and lines:
            assert body_of(response)["data"] == {
                "content": WENT_WRONG, "flags": 64, "allowed_mentions": {"parse": []},
            }  # fmt: skip
            body = ""
        return response["statusCode"], body, lines

    failed = 200 if platform is Platform.DISCORD else 503
    told()
    for answer, line in {
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n": "The bot answered 302, of which the platform can make nothing.",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2097152\r\n\r\n" + big + big: "The bot gave an answer that cannot be used: too long.",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n100001\r\n" + big + b"x\r\n0\r\n\r\n": "The bot gave an answer that cannot be used: too long.",
        b"SSH-2.0-OpenSSH_9.6\r\n": "The bot gave an answer that cannot be used: no status.",
    }.items():  # fmt: skip
        bot.answer = always(answer)
        assert told() == (failed, "", [line])
    # Refusals are answers, where the platform does something with them.
    bot.answers("500 Oh", b"<html>", "Content-Type: text/html", "Retry-After: 7")
    status, body, lines = told()
    assert lines == ["The bot answered 500." if platform is not Platform.DISCORD else
                     "The bot answered 500, of which the platform can make nothing."]  # fmt: skip
    assert (status, body) == ((200, "") if platform is Platform.DISCORD else (500, "<html>"))
    bot.answers("200 OK", big, "Content-Type: application/json")
    assert told() == (200, big.decode(), [])
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        free = nobody.getsockname()[1]
    assert told(AGENT_URL=f"http://127.0.0.1:{free}/") == (
        failed, "", ["The bot cannot be reached: ConnectionRefusedError."],
    )  # fmt: skip


@pytest.mark.parametrize("platform", Platform)
def test_a_bot_that_is_late(
    edge: Edge, bot: LoopbackBot, platform: Platform, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Security 40: nobody waits for longer than the platform does, whether it never answers or never ends."""
    pair(edge, STRANGER[platform], platform)
    edge.deliver(load(HELLO[platform]), **before(bot))  # so that all that stands behind the door is warm
    monkeypatch.setattr(ROOMS[platform], "SECONDS", 0.7)

    def hang(_: object) -> None:
        bot.over.wait(30)

    begun = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"
    for answer in (lambda _: begun, hang):
        edge.forget()
        caplog.clear()
        bot.answer = answer
        response = edge.deliver(load(HELLO[platform]), **before(bot))
        assert response["statusCode"] == (200 if platform is Platform.DISCORD else 503)
        assert "The bot was late." in [record.getMessage() for record in caplog.records]
    bot.over.set()


def test_the_time_that_a_platform_gives() -> None:
    """Slack and Discord wait for three seconds; Telegram for longer than API Gateway does."""
    assert {platform: room.SECONDS for platform, room in ROOMS.items()} == {
        Platform.TELEGRAM: 25.0, Platform.SLACK: 2.5, Platform.DISCORD: 2.5, Platform.WHATSAPP: 8.0,
    }  # fmt: skip


def test_nothing_is_done_twice(edge: Edge, bot: LoopbackBot) -> None:
    """A kept connection that dies under a request: what the platform would send again is sent again, nothing else is."""
    for name, person, sent in (
        ("telegram/private_text", STRANGER[Platform.TELEGRAM], 2),
        ("slack/message_im", STRANGER[Platform.SLACK], 2),
        ("slack/command", STRANGER[Platform.SLACK], 1),
        ("discord/modal_submit", STRANGER[Platform.DISCORD], 1),
    ):
        event = load(name)
        pair(edge, person, event.platform)
        edge.forget()
        bot.answer = lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
        edge.deliver(event, **before(bot))
        bot.received.clear()
        # It reads the request, and is gone.
        bot.answer = silent_on(bot.connections)
        response = edge.deliver(event, **before(bot))
        assert len(bot.received) == sent, name
        failed = 200 if event.platform is Platform.DISCORD else 503
        assert response["statusCode"] == (204 if sent == 2 else failed)
        # A new connection is never tried twice.
        edge.forget()
        bot.received.clear()
        bot.answer = lambda _: None
        assert edge.deliver(event, **before(bot))["statusCode"] == failed
        assert len(bot.received) == 1, name


def test_a_connection_that_is_no_use_any_more(edge: Edge, bot: LoopbackBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the bot hung up on is opened anew before anything is sent; a command waits for no old one at all."""
    for name in ("telegram/private_text", "slack/command"):
        event = load(name)
        pair(edge, STRANGER[event.platform], event.platform)
        bot.hangs_up_after = True
        for _ in range(2):
            connections = bot.connections
            assert edge.deliver(event, **before(bot))["statusCode"] == 200
            assert bot.connections == connections + 1
            gone = edge.door(event.platform, **before(bot))._proxy._connection  # type: ignore[attr-defined]
            while gone._socket is not None and not gone._socket.is_stale():
                threading.Event().wait(0.01)
        bot.hangs_up_after = False
        edge.deliver(event, **before(bot))
        kept = bot.connections
        proxy: Any = edge.door(event.platform, **before(bot))
        wall = proxy._proxy._connection
        monkeypatch.setattr(wall, "_wall", lambda later=wall._used_at + 2: later)
        edge.deliver(event, **before(bot))
        assert bot.connections == kept + (name == "slack/command")


def test_answers_of_other_forms(edge: Edge, bot: LoopbackBot) -> None:
    """Bytes that are no text, no content type, no length, no body: whatever a server sends comes back as it was."""
    pair(edge, STRANGER[Platform.TELEGRAM], Platform.TELEGRAM)
    event = load("telegram/private_text")
    picture = bytes(range(256))
    bot.answers("200 OK", picture, "Content-Type: multipart/form-data; boundary=b", "Content-Encoding: x", "X-Slack-No-Retry: 1", "Set-Cookie: a=b", "Location: /")  # fmt: skip
    assert edge.deliver(event, **before(bot)) == {
        "statusCode": 200,
        "headers": {"content-type": "multipart/form-data; boundary=b", "content-encoding": "x"},
        "body": base64.b64encode(picture).decode(),
        "isBase64Encoded": True,
    }
    bot.answer = lambda _: b"HTTP/1.0 200 OK\r\nServer: simple\r\n\r\nuntil the end"
    bot.hangs_up_after = True
    assert edge.deliver(event, **before(bot)) == {"statusCode": 200, "body": "until the end"}
    bot.hangs_up_after = False
    bot.answers("503 Busy", b"", "Retry-After: 30")
    assert edge.deliver(event, **before(bot)) == {"statusCode": 503, "headers": {"retry-after": "30"}}
    slack = load("slack/message_im")
    pair(edge, STRANGER[Platform.SLACK], Platform.SLACK)
    bot.answers("500 No", b"", "X-Slack-No-Retry: 1")
    assert edge.deliver(slack, **before(bot)) == {"statusCode": 500, "headers": {"x-slack-no-retry": "1"}}


def test_a_bot_has_to_prove_who_it_is(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Security 29 and 40: nothing is sent to whoever has no certificate of that very name, from whom this machine trusts."""
    pair(edge, STRANGER[Platform.TELEGRAM], Platform.TELEGRAM)
    monkeypatch.setattr(telegram_deeds, "SECONDS", 60.0)
    certificate = self_signed(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with loopback_bot(tls) as bot:
        response = edge.deliver(load("telegram/private_text"), **before(bot))
        assert (response["statusCode"], bot.received) == (503, [])
        assert "The bot cannot be reached: SSLCertVerificationError." in [one.getMessage() for one in caplog.records]
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        edge.forget()
        assert edge.deliver(load("telegram/private_text"), **before(bot))["statusCode"] == 200
        assert len(bot.received) == 1


def test_an_address_that_leads_nowhere_stops_the_function(edge: Edge) -> None:
    """Nothing is served under settings that were not meant, and only the platform whose bot it is minds."""
    from doorcode.errors import SettingsError  # noqa: PLC0415

    for url, said in (
        ("slack=https://bot.example", "telegram, but AGENT_URL says no address"),
        ("https://a_b/", "a_b"),
    ):
        with pytest.raises(SettingsError, match=said):
            edge.door(Platform.TELEGRAM, AGENT="bot", AGENT_URL=url)
    edge.door(Platform.SLACK, AGENT="bot", AGENT_URL="slack=https://bot.example")
    edge.door(Platform.DISCORD, AGENT="python,slack=bot")
