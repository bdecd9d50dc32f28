"""What only Slack does."""

import json

import pytest
from msgspec.structs import replace

from doorcode.pairing.names import Names
from doorcode.platforms.send_errors import (
    BadTokenError,
    PassingError,
    PermanentRefusalError,
    RateLimitedError,
    SendRefusal,
)
from doorcode.platforms.sender import OutgoingText
from doorcode.platforms.slack.sender import SlackSender
from doorcode_sandbox.platforms.server import json_answer
from tests.cases import each
from tests.unit.senders.wires import NOW, Wire, prompt


def _answering(wired: Wire, monkeypatch: pytest.MonkeyPatch, answer: dict[str, object], status: int = 200) -> None:
    monkeypatch.setattr(wired.stand_in, "perform", lambda _: json_answer(answer, status))


def test_thread(slack: Wire) -> None:
    """An answer goes into the thread that it answers, and to the channel where there is none."""
    slack.stand_in.add_channel("C1")
    for address in ({"channel": "C1", "ts": "1.000002", "thread_ts": "1.000001"}, {"channel": "C1", "ts": "1.000003"}):
        slack.sender.send_text(
            OutgoingText(reply=json.dumps(address), user_id=slack.stranger, text="hello", key="k"), NOW
        )
    assert [message.shown["thread_ts"] for message in slack.stand_in.in_chat("C1")] == ["1.000001", ""]


def test_plain(slack: Wire) -> None:
    """A text shows exactly what it says: no markup, no mentions, no links of its own, no previews."""
    slack.stand_in.open_chat(slack.stranger)
    text = "<!channel> & <@U0OWNER001> *bold* <https://evil.example|here> &amp;"
    slack.sender.notify(OutgoingText(reply=slack.reply, user_id=slack.stranger, text=text, key="k"), NOW)
    (call,) = slack.stand_in.named("chat.postMessage")
    escaped = call.fields["text"]
    assert escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text
    assert (call.fields["mrkdwn"], call.fields["unfurl_links"], call.fields["unfurl_media"]) == (False, False, False)


def test_long_text(slack: Wire) -> None:
    """A text is split at 4000 characters as they are sent, escaped."""
    slack.stand_in.open_chat(slack.stranger)
    slack.sender.send_text(OutgoingText(reply=slack.reply, user_id=slack.stranger, text="a<b " * 900, key="k"), NOW)
    said = slack.said("D0STRANGER")
    assert len(said) == 2
    assert max(map(len, said)) <= 4000
    assert " ".join(said).split() == ["a&lt;b"] * 900


def test_direct_channel_is_remembered(slack: Wire) -> None:
    """A person's direct messages are opened once."""
    for number in range(3):
        slack.sender.send_prompt(slack.owner, slack.drawn(prompt()), key=str(number))
    assert slack.calls() == ["conversations.open", *["chat.postMessage"] * 3]


def test_typing(slack: Wire) -> None:
    """Slack's bots cannot show that they are typing."""
    slack.sender.typing(slack.reply, NOW)
    assert slack.calls() == []


@each(
    ("name", "real_name", "names"),
    [
        ("bob", "Robert", Names("@bob", "Robert")),
        ("", "Robert", Names("Robert")),
        ("", "@owner", Names("owner")),
        ("\u202ebob", "", Names("@bob")),
        ("", "", Names()),
    ],
)
def test_names(slack: Wire, name: str, real_name: str, names: Names) -> None:
    """A person is called by username, else by name, made safe; and has a language, as Slack writes it."""
    slack.stand_in.add_user("U5", name, real_name).locale = "pt-BR"
    assert slack.sender.lookup_names("U5") == replace(names, language="pt-br")


def test_no_name(slack: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the scope, without the person or without a name there is none, and that stops nothing."""
    assert slack.sender.lookup_names("U0NOBODY") == Names()
    slack.stand_in.scopes.discard("users:read")
    assert slack.sender.lookup_names(slack.stranger) == Names()
    slack.stand_in.scopes.add("users:read")
    _answering(slack, monkeypatch, {"ok": True, "user": {"id": "U5", "name": None}})
    assert slack.sender.lookup_names("U5") == Names()


def test_another_workspace_s_person(slack: Wire) -> None:
    """Security 39: they are looked up and written to by the id alone, and only if it is theirs here, too."""
    slack.stand_in.add_user("U5", "fay").team = "T0OTHER001"
    assert slack.sender.lookup_names("T0OTHER001:U5") == Names("@fay", language="en-us")
    slack.sender.notify(OutgoingText(user_id="T0OTHER001:U5", text="hello", key="k"), NOW)
    assert slack.said("D5") == ["hello"]
    assert slack.sender.lookup_names("T0ELSE0001:U5") == Names()
    with pytest.raises(PermanentRefusalError):
        slack.sender.notify(OutgoingText(user_id="T0ELSE0001:U5", text="hello", key="k"), NOW)
    assert slack.said("D5") == ["hello"]


@each(
    ("error", "refusal"),
    [
        ("channel_not_found", SendRefusal.UNREACHABLE),
        ("user_disabled", SendRefusal.UNREACHABLE),
        ("messages_tab_disabled", SendRefusal.UNREACHABLE),
        ("message_not_found", SendRefusal.GONE),
        ("cant_update_message", SendRefusal.GONE),
        ("edit_window_closed", SendRefusal.GONE),
        ("missing_scope", SendRefusal.REFUSED),
        ("of_a_time_to_come", SendRefusal.REFUSED),
    ],
)
def test_not_ok(slack: Wire, monkeypatch: pytest.MonkeyPatch, error: str, refusal: SendRefusal) -> None:
    """``ok: false`` is a failure although the status is 200."""
    _answering(slack, monkeypatch, {"ok": False, "error": error})
    with pytest.raises(PermanentRefusalError, match=error) as caught:
        slack.sender.notify(OutgoingText(reply=slack.reply, user_id=slack.stranger, text="hello", key="k"), NOW)
    assert caught.value.refusal is refusal


@pytest.mark.parametrize("error", ["invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"])
def test_bad_token(slack: Wire, monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    """Every word for a token that does not work stops the sender."""
    _answering(slack, monkeypatch, {"ok": False, "error": error})
    for _ in range(2):
        with pytest.raises(BadTokenError):
            slack.sender.lookup_names(slack.stranger)
    assert len(slack.stand_in.calls) == 1


@each("error", ["internal_error", "fatal_error", "service_unavailable", "request_timeout"])
@each("status", [200, 503])
def test_passing(slack: Wire, monkeypatch: pytest.MonkeyPatch, error: str, status: int) -> None:
    """Trouble of Slack's is passing, with whatever status it comes."""
    _answering(slack, monkeypatch, {"ok": False, "error": error}, status)
    with pytest.raises(PassingError):
        slack.sender.lookup_names(slack.stranger)


@each("error", ["ratelimited", "rate_limited", "message_limit_exceeded"])
def test_rate_limited_in_words(slack: Wire, monkeypatch: pytest.MonkeyPatch, error: str) -> None:
    """A rate limit may come as a word with status 200."""
    _answering(slack, monkeypatch, {"ok": False, "error": error})
    with pytest.raises(RateLimitedError):
        slack.sender.lookup_names(slack.stranger)


@each("error", [None, "", "a sentence, with a name", "x" * 65])
def test_no_word(slack: Wire, monkeypatch: pytest.MonkeyPatch, error: str | None) -> None:
    """A failure whose reason is no word of Slack's is not repeated, and not final."""
    _answering(slack, monkeypatch, {"ok": False, "error": error}, 404)
    with pytest.raises(PassingError, match="no answer of Slack's"):
        slack.sender.lookup_names(slack.stranger)


def test_disabled_owner(slack: Wire) -> None:
    """An owner whose account was closed is unreachable."""
    slack.stand_in.users[slack.owner].disabled = True
    with pytest.raises(PermanentRefusalError, match="user_disabled"):
        slack.sender.send_prompt(slack.owner, slack.drawn(prompt()), key="k")


def test_proxy(monkeypatch: pytest.MonkeyPatch, slack: Wire) -> None:
    """A proxy of the environment's is not used for what NO_PROXY names."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    sender = SlackSender(slack.stand_in.token, slack.stand_in.api_url)
    assert sender.lookup_names(slack.stranger) == Names("@stranger", "A Stranger", "en-us")
