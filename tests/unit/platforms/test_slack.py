"""What Slack's events and presses are read as, and how they are answered."""

from typing import Any

import msgspec
import pytest

from doorcode.pairing.gate import Reason
from doorcode.pairing.messages import ChatType, Ignored, Press
from doorcode.pairing.texts import english
from doorcode.platforms.inbound import Handshake, UnusablePayloadError, WebhookAnswer
from doorcode.platforms.slack import inbound as slack
from tests.cases import each
from tests.unit.platforms.deliveries import (
    event,
    message,
    only_ignored,
    only_message,
    only_press,
    parsed,
    prompt,
    raw,
    signed,
)

SLACK = slack.PLATFORM
DEFAULT = "https://slack.com/api"
APPROVE = "slack/block_actions_approve"


def test_message() -> None:
    """A message keeps its channel and time, and nobody's name: Slack sends none."""
    read = only_message("slack/message_im")
    assert (read.chat, read.thread, read.message_id) == ("D0STRANGER", "", "1776858323.112648")
    assert (read.sent_at, read.name, read.username) == (1776858323, "", "")
    assert msgspec.json.decode(read.reply) == {"channel": "D0STRANGER", "ts": "1776858323.112648"}


def test_thread() -> None:
    """A message in a thread is answered there."""
    read = only_message("slack/app_mention_in_thread")
    assert read.thread == "1776858325.128486"
    assert msgspec.json.decode(read.reply)["thread_ts"] == "1776858325.128486"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("&lt;&gt;&amp;", "<>&"),
        ("&amp;lt;", "&lt;"),
        ("&amp;gt;&amp;amp;", "&gt;&amp;"),
        ("&quot;&#39;", "&quot;&#39;"),
    ],
    ids=["three", "twice", "ampersand", "no others"],
)
def test_unescaped(sent: str, meant: str) -> None:
    """The three characters that Slack escapes are unescaped once, and no others."""
    assert only_message("slack/message_im", ("event.text", sent)).text == meant


@each(
    ("share", "text"),
    [
        ({"text": "one\ntwo"}, "\n> one\n> two"),
        ({"author_name": "Olivia", "text": "&lt;b&gt;"}, "\n> Olivia: <b>"),
        ({"fallback": "[time] olivia: blocks"}, "\n> [time] olivia: blocks"),
        ({}, ""),
        ({"author_name": "O\nForwarded message:\n\u202e", "text": "x"}, "\n> O Forwarded message:: x"),
        ({"text": "a\n\nb\r\nc\u2028d\x0be\x85f\n"}, "\n> a\n> \n> b\n> c\n> d\n> e\n> f"),
    ],
    ids=["lines", "escaped", "blocks only", "nothing", "hostile name", "every kind of line"],
)
def test_forwarded(share: dict[str, Any], text: str) -> None:
    """What was forwarded is handed on, each line of it marked, so that none reads as a word of who forwards it."""
    forwarded = [("event.text", "See:"), ("event.attachments", [{"is_share": True} | share])]
    assert only_message("slack/message_im", *forwarded).text == f"See:\n\nForwarded message:{text}"
    assert only_message("slack/message_im", *forwarded, ("event.text", "")).text == f"Forwarded message:{text}"


def test_several_forwarded() -> None:
    """Several forwards stand one after the other; a preview of a link is none; a file in one makes it a document."""
    shares = [{"is_share": True, "text": "1"}, {"text": "preview"}, {"is_share": True, "text": "2", "files": [{}]}]
    read = only_message("slack/message_im", ("event.text", ""), ("event.attachments", shares))
    assert read.text == "Forwarded message:\n> 1\n\nForwarded message:\n> 2"
    assert read.kind == "document"


def test_null_text() -> None:
    """A message whose text is null has none."""
    assert only_message("slack/message_im_file_share", ("event.text", None)).text == ""


def test_retry() -> None:
    """A retry is the same delivery as its first try. Security 4."""
    first = only_message("slack/message_im_retry")
    assert first.delivery_id == "D0STRANGER:1776858328.152243"
    assert event("slack/message_im_retry")["headers"]["X-Slack-Retry-Num"]


@each(
    ("name", "what"),
    [
        ("slack/own_message_im", "bot"),
        ("slack/app_mention_from_bot", "bot"),
        ("slack/app_mention_edited", "edited_message"),
        ("slack/message_changed", "message_event"),
        ("slack/message_deleted", "message_event"),
        ("slack/bot_message", "message_event"),
        ("slack/unknown_notice_subtype", "message_event"),
        ("slack/message_channel", "not_addressed"),
        ("slack/message_channel_with_mention", "not_addressed"),
        ("slack/message_mpim", "not_addressed"),
        ("slack/reaction_added", "unknown_event"),
        ("slack/app_home_opened", "unknown_event"),
        ("slack/app_rate_limited", "unknown_request"),
        ("slack/view_submission", "unknown_interaction"),
        ("slack/block_actions_foreign_action", "unknown_action"),
        ("slack/block_actions_select", "unknown_action"),
    ],
)
def test_ignored(name: str, what: str) -> None:
    """What is no message and no press of ours is ignored, by a word of ours. Security 27, 34."""
    assert only_ignored(name) == what


@each(
    ("changes", "what"),
    [
        ([("event.user", "U0BOT00001")], "bot"),
        ([("event.user", "USLACKBOT")], "bot"),
        ([("event.user", "USLACK")], "bot"),
        ([("event.user", "UREVOKEDU")], "bot"),
        ([("event.bot_id", "B1")], "bot"),
        ([("event.bot_profile", {"id": "B1"})], "bot"),
        ([("event.edited", {"user": "U1", "ts": "1.1"})], "edited_message"),
        ([("event.user", None)], "no_sender"),
        ([("event.user", "")], "no_sender"),
        ([("event.type", "app_mention")], "not_addressed"),
        ([("event.type", "app_mention"), ("event.channel_type", None)], "not_addressed"),
        ([("event.channel_type", "channel"), ("event.channel", "C1")], "not_addressed"),
        ([("event.channel_type", "mpim"), ("event.channel", "G1")], "not_addressed"),
    ],
    ids=[
        "itself", "Slackbot", "Slack", "revoked", "bot id", "bot profile", "edited", "null", "empty", "mention in an IM",
        "mention in an IM by channel", "channel", "group message",
    ],
)  # fmt: skip
def test_ignored_message(changes: list[tuple[str, Any]], what: str) -> None:
    """A message that no person wrote to the bot is ignored. Security 27."""
    assert only_ignored("slack/message_im", *changes) == what


def test_owner_installed() -> None:
    """Who installed the app is no bot: only authorizations of bots name us."""
    authorizations = [{"user_id": "U0STRANGER", "is_bot": False}, {"user_id": None, "is_bot": True}]
    assert only_message("slack/message_im", ("authorizations", authorizations)).user_id == "U0STRANGER"


@each(
    "value",
    [None, "", 1, "D0:1", "D0/1", "D 0", "D0\n", "D" * 65, "\uff24\uff10"],
    ids=["null", "empty", "number", "colon", "slash", "space", "line break", "long", "full width"],
)
def test_channel(value: Any) -> None:
    """A channel that is none makes an event unusable: it is part of the delivery's id. Security 4."""
    with pytest.raises(UnusablePayloadError):
        parsed("slack/message_im", ("event.channel", value))


@each(
    "value",
    [None, "", 1.5, "1", "1.", ".1", "+1.1", "1.1\n", "1.1.1", "\u0661.\u0661", "9" * 400 + ".1", "NaN"],
    ids=["null", "empty", "number", "whole", "dot", "fraction", "sign", "line break", "two", "digits", "400", "NaN"],
)
@each("field", ["ts", "thread_ts"])
def test_ts(field: str, value: Any) -> None:
    """A time that is none makes an event unusable, save a thread's that is null."""
    if (field, value) == ("thread_ts", None):
        assert only_message("slack/message_im", ("event.thread_ts", None)).thread == ""
        return
    with pytest.raises(UnusablePayloadError):
        parsed("slack/message_im", (f"event.{field}", value))


@each("challenge", [None, 1, "", "x" * 1001, ["x"]], ids=["null", "number", "empty", "long", "array"])
def test_challenge(challenge: Any) -> None:
    """Only a short text is repeated to whoever asks whether we are there."""
    with pytest.raises(UnusablePayloadError):
        parsed("slack/url_verification", ("challenge", challenge))


def test_challenge_is_json() -> None:
    """The challenge goes back inside JSON, never as a page of its own making."""
    (one,) = parsed("slack/url_verification", ("challenge", '<script>"'))
    assert isinstance(one, Handshake)
    assert one.answer.body == b'{"challenge":"<script>\\""}'
    assert one.answer.content_type == "application/json"


def test_press() -> None:
    """A press keeps who pressed, and where to tell them. Security 15."""
    press = only_press(APPROVE)
    assert (press.user_id, press.name) == ("U0OWNER001", "@owner")
    assert msgspec.json.decode(press.reply) == {
        "response_url": "https://hooks.slack.com/actions/T0DOOR0001/1234567890123/abcdef",
        "channel": "D0OWNER001",
        "ts": "1776858342.263109",
    }


def test_several_actions() -> None:
    """Each action of a request is a press or ignored by itself."""
    action = event(APPROVE)["body"]["actions"][0]
    events = parsed(
        APPROVE, ("actions", [action, action | {"action_id": "show_balance"}, action | {"action_id": "pair_deny"}])
    )
    assert [type(one) for one in events] == [Press, Ignored, Press]


def test_no_actions() -> None:
    """A request without any action is ignored."""
    assert only_ignored(APPROVE, ("actions", [])) == "unknown_interaction"


def test_press_without_place() -> None:
    """A press without message, channel, value and response_url is still a press, of nothing."""
    action = {"action_id": "pair_approve", "action_ts": "1776858342.263109"}
    bare = {"type": "block_actions", "user": {"id": "U1", "team_id": "T1"}, "actions": [action]}
    (press,) = slack.parse(signed("slack", raw(bare, form=True), content_type=slack.FORM), "")
    assert isinstance(press, Press)
    assert press.data == ""
    assert msgspec.json.decode(press.reply) == {"response_url": "", "channel": "", "ts": ""}
    assert slack.follow_up(press, "text", DEFAULT) is None


@each("action_id", ["pair:approve2", "pair:", "PAIR:APPROVE", "approve", "pair:revoke", ""])
def test_foreign_action(action_id: str) -> None:
    """Only the three buttons there are count as ours. Security 16."""
    assert only_ignored(APPROVE, ("actions.0.action_id", action_id)) == "unknown_action"


def test_silence() -> None:
    """Slack shows nothing from a response, so all of them are empty."""
    press = only_press(APPROVE)
    assert slack.notice(message(SLACK), "text") is None
    assert slack.rate_limited(message(SLACK), "text") is None
    assert slack.admitted(message(SLACK)) is None
    assert slack.ignored(Ignored(platform=SLACK, what="bot"), english) is None
    assert slack.pressed(press, "text", None) is None
    assert slack.pressed(press, "text", prompt("@stranger")) is None
    for reason in Reason:
        assert slack.dropped(message(SLACK, ChatType.GROUP), reason, english) is None


def test_failed() -> None:
    """A failure is answered 503: Slack tries events again, people presses."""
    assert slack.failed(english) == WebhookAnswer(status=503)


def _told(url: str, api_url: str = DEFAULT, text: str = "Only the owner can do this.") -> Any:
    return slack.follow_up(only_press(APPROVE, ("response_url", url)), text, api_url)


def test_follow_up() -> None:
    """The presser alone is told through response_url, and the prompt stays."""
    call = _told("https://hooks.slack.com/actions/T0/1/abc", text="Already denied by <@U1> & others")
    assert call.url == "https://hooks.slack.com/actions/T0/1/abc"
    assert msgspec.json.decode(call.body) == {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": "Already denied by &lt;@U1&gt; &amp; others",
    }


@each(
    "url",
    [
        "",
        "https://hooks.slack.com",
        "http://hooks.slack.com/actions",
        "HTTPS://hooks.slack.com/actions",
        "https://HOOKS.slack.com/actions",
        "//hooks.slack.com/actions",
        "https://hooks.slack.com.evil.example/actions",
        "https://evil.example/hooks.slack.com/",
        "https://evil.example/?https://hooks.slack.com/actions",
        "https://hooks.slack.com@evil.example/actions",
        "https://hooks.slack.com:443/actions",
        "https://hooks.slack.com:pw@evil.example/actions",
        "https://user@hooks.slack.com/actions",
        "https://user:pw@hooks.slack.com/actions",
        "https://hooks.slack.com\\@evil.example/",
        "https://hooks.slack.com/\\evil.example",
        "https://hooks.slack.com\t/actions",
        "https://hooks.slack.com/actions\r\nHost: evil.example",
        "https://hooks.slack.com/ actions",
        "https://hooks.slack.com/actions\n",
        " https://hooks.slack.com/actions",
        "https://hooks.slack.com/actions#fragment",
        "https://hooks.slack.com/actions?query",
        "https://hooks.slack.com/äctions",
        "https://hooks.slack.com。evil.example/",
        "https://hooks.slack.com./actions",
        "https://xhooks.slack.com/actions",
        "https://slack.com/api/chat.postMessage",
        "https://169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ],
)
def test_follow_up_elsewhere(url: str) -> None:
    """Nothing is posted to an address that is not exactly Slack's. Security 29."""
    assert _told(url) is None


@each(
    ("api_url", "url", "called"),
    [
        ("http://127.0.0.1:8790/slack/api", "http://127.0.0.1:8790/actions/T0", True),
        ("http://127.0.0.1:8790/slack/api", "https://hooks.slack.com/actions/T0", True),
        ("http://127.0.0.1:8790/slack/api", "http://127.0.0.1:8791/actions/T0", False),
        ("http://127.0.0.1:8790/slack/api", "http://127.0.0.1:87901/actions/T0", False),
        ("http://127.0.0.1:8790/slack/api", "http://127.0.0.1:8790@evil.example/", False),
        ("http://127.0.0.1:8790/slack/api", "https://127.0.0.1:8790/actions/T0", False),
        ("https://slack.stand-in.example", "https://slack.stand-in.example/actions", True),
        ("https://slack.stand-in.example", "https://slack.stand-in.example.evil/actions", False),
        (DEFAULT, "https://slack.com/actions/T0", False),
    ],
    ids=["its own", "Slack's", "port", "longer port", "user", "scheme", "no path", "suffix", "default"],
)
def test_follow_up_stand_in(api_url: str, url: str, called: bool) -> None:
    """A stand-in's own origin counts as Slack's, exactly, and only where there is a stand-in. Security 29."""
    assert (_told(url, api_url) is not None) is called


def test_form_body_is_utf8() -> None:
    """A form's payload arrives in the characters that were typed, and in no others."""
    assert only_press(APPROVE, ("user.username", "Zoë")).name == "@Zoë"
    body = raw(event(APPROVE)["body"], form=True).replace(b"%22owner%22", b"%22owner%FF%22")
    with pytest.raises(UnusablePayloadError):
        slack.parse(signed("slack", body, content_type=slack.FORM), "")


@each("action_id", [f"pair{sign}{action}" for action in ("approve", "deny", "block") for sign in "_:"])
def test_own_buttons(action_id: str) -> None:
    """Buttons of prompts that were sent under the former ids are still understood."""
    assert only_press("slack/block_actions_approve", ("actions.0.action_id", action_id)).data
