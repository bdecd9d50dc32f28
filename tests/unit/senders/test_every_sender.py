"""What holds for every platform's sender."""

import json
import logging
import re
from typing import Any

import pytest

from doorcode.errors import DoorcodeError
from doorcode.pairing.names import display_name
from doorcode.platforms.send_errors import (
    AddressError,
    BadTokenError,
    PassingError,
    PermanentRefusalError,
    RateLimitedError,
    SendError,
    SendRefusal,
)
from doorcode.platforms.sender import DEFAULT_DELAY_SECONDS, OutgoingText, Sender
from doorcode_sandbox.platforms.discord.stand_in import live_markup as live_on_discord
from doorcode_sandbox.platforms.server import ALWAYS, Answer
from doorcode_sandbox.platforms.slack.stand_in import live_markup as live_on_slack
from doorcode_sandbox.platforms.telegram.stand_in import entities as live_on_telegram
from tests.cases import each
from tests.unit.senders.wires import EDITS, NOW, PEOPLE, SENDERS, SENDS, TOKENS, Wire, prompt, wire

TEXT = "A secret text of nobody's business"


def _say(wired: Wire, text: str = TEXT, key: object = "k") -> None:
    wired.sender.notify(OutgoingText(user_id=wired.stranger, text=text, key=str(key)), NOW)


def test_prompt(any_wire: Wire) -> None:
    """An owner is asked in a direct chat, with both buttons."""
    any_wire.sender.send_prompt(any_wire.owner, any_wire.drawn(prompt()), key="k")
    (message,) = any_wire.stand_in.in_chat(any_wire.chat(any_wire.owner))
    shown = json.dumps(message.shown, ensure_ascii=False)
    assert "stranger" in shown
    assert "telegram 987654321" in shown
    assert "✅ Approve" in shown
    assert "pair:deny:telegram:987654321:ABCD2345:0123abcd" in shown


def test_prompt_closes(any_wire: Wire) -> None:
    """A closed prompt says what became of it and has no buttons; closing it twice is no error."""
    location = any_wire.sender.send_prompt(any_wire.owner, any_wire.drawn(prompt()), key="k")
    closed = any_wire.drawn(prompt(outcome="✅ Approved by alice (cli)", buttons=False))
    any_wire.sender.edit_prompt(location, closed)
    any_wire.sender.edit_prompt(location, closed)
    messages = any_wire.stand_in.in_chat(any_wire.chat(any_wire.owner))
    # Where nothing can be changed, it is said further down, of the prompt that it quotes.
    assert len(messages) == (1 if any_wire.sender.abilities.edits else 3)
    shown = json.dumps(messages[-1].shown, ensure_ascii=False)
    assert "✅ Approved by alice" in shown
    assert "pair:" not in shown


def test_prompt_is_gone(any_wire: Wire) -> None:
    """A prompt that somebody deleted is a permanent refusal."""
    location = any_wire.sender.send_prompt(any_wire.owner, any_wire.drawn(prompt()), key="k")
    any_wire.stand_in.messages.clear()
    if any_wire.platform == "whatsapp":
        # There it goes with the time in which its owner may be written to.
        any_wire.stand_in.close_window(any_wire.owner)
    with pytest.raises(PermanentRefusalError) as caught:
        any_wire.sender.edit_prompt(location, any_wire.drawn(prompt()))
    assert caught.value.refusal is SendRefusal.GONE


def test_notify_without_an_address(any_wire: Wire) -> None:
    """Whoever was added without a request is told in a direct chat."""
    _say(any_wire)
    assert any_wire.said(any_wire.chat(any_wire.stranger)) == [TEXT]
    any_wire.sender.send_text(OutgoingText(user_id=any_wire.stranger, text="And more", key="l"), NOW)
    assert any_wire.said(any_wire.chat(any_wire.stranger)) == [TEXT, "And more"]


@each(
    "address",
    ["{}", "[]", "not JSON", "[" * 100_000, '{"chat_id": "x", "channel": 1}'],
    ids=["empty", "list", "no JSON", "deep", "types"],
)
def test_unreadable_address(any_wire: Wire, address: str) -> None:
    """An address of another form is refused without repeating it, and nothing is sent."""
    with pytest.raises(AddressError) as caught:
        any_wire.sender.send_text(OutgoingText(reply=address, user_id=any_wire.stranger, text=TEXT, key="k"), NOW)
    assert len(str(caught.value)) < 100
    with pytest.raises(AddressError):
        any_wire.sender.edit_prompt(address, any_wire.drawn(prompt()))
    assert any_wire.calls() == []


def test_blank_text(any_wire: Wire) -> None:
    """A text of nothing is not sent: every platform would refuse it."""
    _say(any_wire, " \n")
    assert SENDS[any_wire.platform] not in any_wire.calls()


@each(("asked", "told"), [(7, 7), (0.2, 1), (61.5, 62)])
def test_rate_limited(any_wire: Wire, asked: float, told: int) -> None:
    """A rate limit is reported with its delay in whole seconds, and nothing waits or tries again by itself."""
    any_wire.forget()
    if any_wire.platform == "telegram":
        asked = told
    if any_wire.platform == "whatsapp":
        # It does not say for how long.
        told = DEFAULT_DELAY_SECONDS
    any_wire.stand_in.inject(status=429, delay=asked, name=SENDS[any_wire.platform])
    with pytest.raises(RateLimitedError) as caught:
        _say(any_wire, key=asked)
    assert caught.value.delay == told
    assert any_wire.calls().count(SENDS[any_wire.platform]) == 1
    _say(any_wire, key=asked)
    assert any_wire.said(any_wire.chat(any_wire.stranger)) == [TEXT]


@each("header", ["", "soon", "inf", "nan"])
def test_rate_limited_without_a_delay(any_wire: Wire, monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    """A rate limit that does not say for how long, as of something before the API, gets a delay of ours."""
    page = Answer(429, b"<html>", {"Retry-After": header} if header else {})
    monkeypatch.setattr(any_wire.stand_in, "limited", lambda _: page)
    any_wire.stand_in.inject(status=429)
    with pytest.raises(RateLimitedError) as caught:
        _say(any_wire)
    assert caught.value.delay == DEFAULT_DELAY_SECONDS


@each("status", [500, 502, 503, 302])
def test_trouble(any_wire: Wire, status: int) -> None:
    """Trouble of the platform's passes; a redirect is not followed to another host."""
    any_wire.forget()
    any_wire.stand_in.inject(status=status)
    with pytest.raises(PassingError):
        _say(any_wire, key=status)
    _say(any_wire, key=status)
    assert any_wire.said(any_wire.chat(any_wire.stranger)) == [TEXT]


@each("body", [b"", b"<html>", b"[]", b"\xff\xff", b"[" * 100_000], ids=["empty", "HTML", "list", "no text", "deep"])
def test_unreadable_answer(any_wire: Wire, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    """A success that cannot be read is no success, and no reason to break."""
    _say(any_wire)
    with monkeypatch.context() as patch:
        patch.setattr(any_wire.stand_in, "perform", lambda _: Answer(200, body))
        with pytest.raises(PassingError):
            any_wire.sender.send_prompt(any_wire.owner, any_wire.drawn(prompt()), key="k")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_connection_lost(any_wire: Wire, *, after: bool) -> None:
    """A lost connection passes, and the library does not try again by itself, for that may send twice."""
    name = SENDS[any_wire.platform]
    any_wire.stand_in.inject(drop=True, after=after, name=name)
    with pytest.raises(PassingError):
        _say(any_wire)
    assert len(any_wire.said(any_wire.chat(any_wire.stranger))) == after


@pytest.mark.parametrize("platform", SENDERS)
def test_no_answer_in_time(platform: str) -> None:
    """Waiting for an answer ends."""
    with wire(platform, timeout=0.2) as wired:
        wired.stand_in.inject(hang=30)
        with pytest.raises(PassingError):
            _say(wired)


@pytest.mark.parametrize("platform", SENDERS)
def test_nobody_there(platform: str) -> None:
    """A platform that cannot be reached is a passing trouble."""
    with wire(platform) as wired:
        wired.stand_in.stop()
        with pytest.raises(PassingError):
            _say(wired)


@each("platform", SENDERS)
@each("kind", ["wrong", "malformed"])
def test_bad_token(platform: str, kind: str) -> None:
    """A bad token is one clear line, which does not hold it, and the platform is called no more."""
    token = TOKENS[platform].replace("secret", "changed") if kind == "wrong" else "a changed! token"
    with wire(platform, token) as wired:
        for _ in range(3):
            with pytest.raises(BadTokenError) as caught:
                _say(wired)
            assert str(caught.value).endswith(f"Set it with: doorcode secrets set {platform}/bot-token")
            assert "changed" not in str(caught.value)
        assert len(wired.stand_in.calls) == 1


@pytest.mark.parametrize("platform", SENDERS)
def test_empty_token(platform: str) -> None:
    """An empty token is a bad one, as soon as anything is to be sent."""
    with pytest.raises(BadTokenError), wire(platform, " ") as wired:
        _say(wired)


NOWHERE = {
    "telegram": '{"chat_id": 1, "message_id": 1}',
    "slack": '{"channel": "D1", "ts": "1.000001"}',
    "discord": '{"channel_id": "1", "message_id": "1"}',
    "whatsapp": '{"to": "US.5", "message_id": "wamid.none"}',
}


@pytest.mark.parametrize("trouble", [{"status": 429, "delay": 3}, {"status": 502}, {"drop": True}, {}], ids=repr)
def test_nothing_secret_is_told(any_wire: Wire, trouble: dict[str, object], caplog: pytest.LogCaptureFixture) -> None:
    """No error and no log, of ours or of a library's, holds a token, a text, a name, or an address with one of them."""
    caplog.set_level(logging.DEBUG)
    platform, sender, told = any_wire.platform, any_wire.sender, []
    drawn = any_wire.drawn(prompt("@nobodys_name"))
    for name in (SENDS[platform], EDITS[platform]):
        if trouble:
            any_wire.stand_in.inject(name=name, times=ALWAYS, **trouble)
    for call in (
        lambda: _say(any_wire),
        lambda: sender.send_prompt(any_wire.owner, drawn, key="k"),
        lambda: sender.edit_prompt(NOWHERE[platform], drawn),
    ):
        try:
            call()
        except SendError as error:
            told.append(str(error))
    assert len(told) == (3 if trouble else 1)
    everything = "\n".join([*told, caplog.text])
    for secret in (TOKENS[platform], TOKENS[platform].split(":")[-1], "business", "nobodys", any_wire.stand_in.api_url):
        assert secret not in everything


@pytest.mark.parametrize("unreachable", PEOPLE)
def test_unreachable(unreachable: str) -> None:
    """Somebody who never wrote, or shares no server or workspace, is a permanent refusal."""
    nobody = {"telegram": "5", "slack": "U0NOBODY", "discord": "5", "whatsapp": "US.5"}[unreachable]
    with wire(unreachable) as wired, pytest.raises(PermanentRefusalError) as caught:
        wired.sender.send_prompt(nobody, wired.drawn(prompt()), key="k")
    assert caught.value.refusal is SendRefusal.UNREACHABLE


def test_refused_for_another_reason(any_wire: Wire) -> None:
    """What the platform will not take is refused for good, and says that nobody is to blame but us."""
    drawn = any_wire.drawn(prompt())
    drawn = json.loads(json.dumps(drawn).replace("pair:deny", "x" * 3000))
    with pytest.raises(PermanentRefusalError) as caught:
        any_wire.sender.send_prompt(any_wire.owner, drawn, key="k")
    assert caught.value.refusal is SendRefusal.REFUSED
    assert "x" * 20 not in str(caught.value)


def test_abilities(any_wire: Wire) -> None:
    """On WhatsApp alone nothing can be edited, nor written at any time; only Slack looks names up, and only its bots cannot type."""
    sender: Sender = any_wire.sender
    is_slack = any_wire.platform == "slack"
    assert sender.platform == any_wire.platform
    is_whatsapp = any_wire.platform == "whatsapp"
    assert (sender.abilities.edits, sender.abilities.reopens) == (not is_whatsapp, is_whatsapp)
    assert (sender.abilities.names, sender.abilities.types) == (is_slack, not is_slack)


def test_connections_are_reused(any_wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """What keeps connections alive opens one for many calls. Slack's library keeps none."""
    opened: list[object] = []
    server = any_wire.stand_in._server
    process = server.process_request
    monkeypatch.setattr(server, "process_request", lambda *args: (opened.append(args), process(*args)))
    for _ in range(4):
        _say(any_wire)
    assert len(opened) == (5 if any_wire.platform == "slack" else 1)


@each("error", [AddressError, BadTokenError, PassingError, PermanentRefusalError, RateLimitedError])
def test_errors_are_doorcodes(error: type[DoorcodeError]) -> None:
    """Every error belongs to the tree and has a reason of its own."""
    assert issubclass(error, DoorcodeError)
    assert re.fullmatch("[a-z_]+", error.reason)
    assert error.reason not in {DoorcodeError.reason, SendError.reason}


# Bold and its like, lists and quotations, and what looks like an address.
LIVE_ON_WHATSAPP = re.compile(r"(?m)[*~`]|(?<!\w)_\S.*?_(?!\w)|^[->] |^[0-9]+[.] |[./:](?=\w)(?<=\w.)")
NAMES = {
    "channel": "<!channel>",
    "everyone": "@everyone @here",
    "link": "](http://evil.example)",
    "masked link": "[Approve](https://evil.example)",
    "slack link": "<https://evil.example|Approve>",
    "mention": "<@U0OWNER001> <@200000000000000002>",
    "markup": "*_[~`|",
    "bold": "**not you** __really__ ~~no~~ ||hidden|| `code`",
    "right to left": "\u202eevorppA \u2066x\u2069",
    "lines": "x\n# Approved\n> yes\n- no",
    "entities": "&lt;!channel&gt; &amp;",
    "html": "<b>x</b> <a href='http://evil.example'>x</a>",
    "command": "/start #tag $CASH mail@evil.example t.me/evil www.evil.example",
    "time": "<t:1800000000:R> :smile: <:a:1>",
    "look-alike": "@\u043ewner",
    "backslash": "\\*x\\* \\<@1> \\",
    "ten kilobytes": "<!channel>*" * 1000,
}


@each("name", NAMES.values(), ids=NAMES)
@each("as_username", [False, True], ids=["name", "username"])
def test_attacking_names(any_wire: Wire, name: str, *, as_username: bool) -> None:
    """Security 28: whatever a person is called, the platform takes the prompt and nothing in it is live."""
    who = display_name(name, "") if as_username else display_name("", name)
    asked = prompt(who or "987654321", "slack U0STRANGER", "✅ Approved by arn:aws:iam::1:user/x (cli)")
    any_wire.forget()
    any_wire.sender.send_prompt(any_wire.owner, any_wire.drawn(asked), key=f"{as_username} {name}")
    (message,) = any_wire.stand_in.in_chat(any_wire.chat(any_wire.owner))
    live: list[Any]
    if any_wire.platform == "telegram":
        text, live = message.shown["text"], live_on_telegram(message.shown["text"])
    elif any_wire.platform == "slack":
        text = message.shown["blocks"][0]["text"]["text"]
        first, *live = live_on_slack(text)
        # The one thing that is drawn is ours: the name in bold.
        assert text.startswith(first)
    elif any_wire.platform == "whatsapp":
        text = message.shown["interactive"]["body"]["text"]
        live = LIVE_ON_WHATSAPP.findall(text.partition("\n")[0])
    else:
        text, live = message.shown["content"], live_on_discord(message.shown["content"])
        # The sign before a username, which notifies nobody.
        live = [found for found in live if not (as_username and found == "@everyone")]
        assert not message.shown["mention_everyone"]
        assert message.shown["mentions"] == []
    assert live == []
    assert "slack U0STRANGER" in text.split("\n")
    assert len(text.split("\n")) == 3
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", text)
