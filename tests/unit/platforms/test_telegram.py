"""What Telegram's updates are read as, and the methods that answer them."""

import re
from typing import Any

import msgspec
import pytest
from telegram import Message as ApiMessage
from telegram.constants import MessageAttachmentType

from doorcode.pairing.gate import Reason
from doorcode.pairing.messages import ChatType, Ignored
from doorcode.pairing.texts import english
from doorcode.platforms.inbound import UnusablePayloadError, WebhookAnswer
from doorcode.platforms.telegram import inbound as telegram
from tests.cases import each
from tests.unit.platforms.deliveries import (
    event,
    message,
    names,
    only_ignored,
    only_message,
    only_press,
    parsed,
    prompt,
    raw,
    signed,
)

TELEGRAM = telegram.PLATFORM
GROUP_MENTION = "telegram/group_mention"


def _body(answer: WebhookAnswer | None) -> dict[str, Any]:
    assert answer is not None
    assert (answer.status, answer.content_type) == (200, "application/json")
    body: dict[str, Any] = msgspec.json.decode(answer.body)
    return body


def test_message() -> None:
    """A message keeps who wrote it, where and when, and where to answer."""
    read = only_message("telegram/private_text")
    sent = event("telegram/private_text")["body"]["message"]
    assert (read.name, read.username, read.chat, read.thread) == ("@stranger", "stranger", "987654321", "")
    assert (read.message_id, read.sent_at) == (str(sent["message_id"]), sent["date"])
    assert msgspec.json.decode(read.reply) == {"chat_id": 987654321, "message_id": sent["message_id"]}


def test_name_without_username() -> None:
    """Without a username the name is the full name, made safe. Security 6, 28."""
    assert only_message("telegram/private_text_without_username").username == ""
    assert only_message("telegram/private_text_without_username").name == "Nora"
    bidi = event("telegram/private_text_bidi_name")["body"]["message"]["from"]["first_name"]
    name = only_message("telegram/private_text_bidi_name").name
    assert "\u202e" in bidi
    assert not set("\u202e\u200b") & set(name)


def test_name_is_no_identity() -> None:
    """A name that looks like another's username changes neither the id nor the username. Security 5, 6."""
    read = only_message("telegram/private_text_without_username", ("message.from.first_name", "@owner"))
    assert (read.user_id, read.username) == ("987654322", "")
    assert not read.name.startswith("@")


@pytest.mark.parametrize(
    ("name", "thread"),
    [
        ("telegram/private_topic_message", "5150"),
        ("telegram/group_topic_mention", "700"),
        ("telegram/group_reply_to_bot", ""),
        ("telegram/group_text", ""),
    ],
)
def test_thread(name: str, thread: str) -> None:
    """Only a topic is a thread of its own, and is answered in."""
    read = only_message(name)
    assert read.thread == thread
    assert msgspec.json.decode(read.reply).get("message_thread_id") == (int(thread) if thread else None)


def test_thread_of_a_reply() -> None:
    """A reply in a group has a thread id, but no topic to answer in."""
    assert only_message("telegram/group_reply_to_bot", ("message.message_thread_id", 900)).thread == ""


@each(
    ("name", "what"),
    [
        ("telegram/edited_message", "edited_message"),
        ("telegram/channel_post", "channel_post"),
        ("telegram/message_reaction", "message_reaction"),
        ("telegram/my_chat_member_blocked", "my_chat_member"),
        ("telegram/business_message", "business_message"),
        ("telegram/guest_message", "guest_message"),
        ("telegram/new_chat_members", "service_message"),
        ("telegram/pinned_message_private", "service_message"),
        ("telegram/group_anonymous_admin", "sender_chat"),
        ("telegram/group_automatic_forward", "sender_chat"),
        ("telegram/other_bot_in_group", "bot"),
        ("telegram/unknown_update_kind", "unknown_update"),
        ("telegram/update_id_only", "unknown_update"),
    ],
)
def test_ignored(name: str, what: str) -> None:
    """What is no message is ignored, by a word of ours. Security 27, 34."""
    assert only_ignored(name) == what


@each(
    ("changes", "what"),
    [
        ([("message.business_connection_id", "abc")], "business_message"),
        ([("message.chat.type", "channel")], "unknown_chat"),
        ([("message.chat.type", "hypergroup")], "unknown_chat"),
        ([("message.from.is_bot", True)], "bot"),
        ([("message.sender_chat", {"id": 1, "type": "channel"})], "sender_chat"),
    ],
    ids=["business", "channel", "unknown chat", "bot", "as a chat"],
)
def test_ignored_message(changes: list[tuple[str, Any]], what: str) -> None:
    """A message that no person sent to the bot itself is ignored. Security 27."""
    assert only_ignored("telegram/private_text", *changes) == what


def test_ignored_words() -> None:
    """An update's own key is never repeated, only words that we know."""
    (one,) = telegram.parse(signed("telegram", raw({"update_id": 1, "<b>text</b>": {}})), "")
    assert one == Ignored(platform=TELEGRAM, what="unknown_update")


@each(
    ("sent", "kind"),
    [
        ({"voice": {}}, "voice"),
        ({"photo": [{}]}, "photo"),
        ({"giveaway_winners": {}, "forward_origin": {}}, "giveaway_winners"),
        ({"reply_to_message": {"message_id": 1}, "of_next_year": {}}, "of_next_year"),
        ({"<b>": {}}, "unknown"),
        ({"of_next_year": 7, "is_of_next_year": True}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_kind(sent: dict[str, Any], kind: str) -> None:
    """Whatever a person sends is a message, of the kind that its field says, also if the field is new."""
    recorded = event("telegram/private_text")["body"]
    del recorded["message"]["text"]
    recorded["message"] |= sent
    (one,) = telegram.parse(signed("telegram", raw(recorded)), "")
    assert getattr(one, "kind", None) == kind


# What another library knows of a message, by its own word: which fields are a service message's.
SAID_BY_TELEGRAM = set(re.findall(r"^ +(\w+) \([^\n]*\n?[^\n]*Service message:", str(ApiMessage.__doc__), re.MULTILINE))


def test_service_messages_are_known() -> None:
    """None of what another library documents as a service message is taken for something that a person sent."""
    assert len(SAID_BY_TELEGRAM) > 30
    assert not SAID_BY_TELEGRAM - telegram.SERVICE
    # Newer than that library.
    assert {"community_chat_added", "community_chat_joined", "community_chat_removed"} <= telegram.SERVICE


def test_contents_are_known() -> None:
    """None of what another library documents as an attachment is taken for a service message, save what was paid."""
    known = {str(kind) for kind in MessageAttachmentType} - {"passport_data", "successful_payment"}
    assert not known & (telegram.SERVICE | telegram.ABOUT)


def test_what_telegram_says_itself() -> None:
    """No service message is a person's, whatever else it holds. Security 27."""
    for kind in telegram.SERVICE:
        assert (
            only_ignored("telegram/private_text", ("message.text", None), (f"message.{kind}", {})) == "service_message"
        )


@pytest.mark.parametrize(("also", "kind"), [("document", "animation"), ("location", "venue")], ids=["GIF", "venue"])
def test_kind_of_two(also: str, kind: str) -> None:
    """What comes twice, for old clients, is the more telling of the two."""
    recorded = event("telegram/private_text")["body"]
    del recorded["message"]["text"]
    recorded["message"] |= {also: {}, kind: {}}
    (one,) = telegram.parse(signed("telegram", raw(recorded)), "")
    assert getattr(one, "kind", None) == kind


@pytest.mark.parametrize("bot", ["", ":", "7000000001:", "7000000001"], ids=["empty", "colon", "id", "id alone"])
def test_bot_unknown(bot: str) -> None:
    """Whoever does not know the bot's username finds no mention of it, and whoever does not know its id no reply."""
    for name in names("telegram"):
        if name.startswith("telegram/group_") and event(name)["expect"]["kind"] == "message":
            (one,) = telegram.parse(signed("telegram", raw(event(name)["body"])), bot)
            by_id = name in {"telegram/group_reply_to_bot", "telegram/group_text_mention"} and bot.startswith("7")
            # What Telegram shows to nobody but us is ours without a name.
            assert getattr(one, "addressed", None) is (by_id or event(name)["expect"].get("private", False))


@each(
    ("entity", "addressed"),
    [
        ({"type": "mention", "offset": 0, "length": 13}, True),
        ({"type": "mention", "offset": 0, "length": 12}, False),
        ({"type": "mention", "offset": 0, "length": 14}, False),
        ({"type": "mention", "offset": 1, "length": 12}, False),
        ({"type": "mention", "offset": 10**15, "length": 10**15}, False),
        ({"type": "code", "offset": 0, "length": 13}, False),
        ({"type": "url", "offset": 0, "length": 13}, False),
        ({"type": "bot_command", "offset": 0, "length": 13}, True),
        ({"type": "text_mention", "offset": 0, "length": 13}, False),
        ({"type": "text_mention", "offset": 0, "length": 13, "user": {"id": 987654321}}, False),
        ({"type": "text_mention", "offset": 0, "length": 1, "user": {"id": 7000000001}}, True),
    ],
    ids=[
        "mention", "short", "long", "shifted", "beyond", "code", "url", "command", "nobody", "somebody", "the bot",
    ],
)  # fmt: skip
def test_entity(entity: dict[str, Any], addressed: bool) -> None:
    """Only an entity that is exactly the bot addresses it."""
    assert only_message(GROUP_MENTION, ("message.entities", [entity])).addressed is addressed


@each("value", [-28, 10**30, True, "0", None], ids=["negative", "huge", "bool", "text", "null"])
@each("field", ["offset", "length"])
def test_entity_unusable(field: str, value: Any) -> None:
    """An entity that stands nowhere makes an update unusable: it is not counted from the end."""
    with pytest.raises(UnusablePayloadError):
        parsed(GROUP_MENTION, (f"message.entities.0.{field}", value))


@pytest.mark.parametrize(
    ("text", "length", "addressed"),
    [("/chat hello", 5, False), ("/chat@doorcode_bot", 18, True), ("/chat@other_doorcode_bot", 24, False)],
    ids=["bare", "named", "another whose name ends alike"],
)
def test_command(text: str, length: int, addressed: bool) -> None:
    """In a group a command addresses the bot only by its name: every bot there sees a bare one."""
    entities = [{"type": "bot_command", "offset": 0, "length": length}]
    read = only_message(GROUP_MENTION, ("message.text", text), ("message.entities", entities))
    assert read.addressed is addressed


def test_reply_without_sender() -> None:
    """A reply to a channel's post addresses nobody."""
    replied = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "supergroup"}}
    assert not only_message("telegram/group_text", ("message.reply_to_message", replied)).addressed


def test_press() -> None:
    """A press keeps who pressed, and how to answer the button and find the message. Security 15."""
    press = only_press("telegram/callback_query_approve")
    sent = event("telegram/callback_query_approve")["body"]["callback_query"]
    assert (press.user_id, press.name) == ("123456789", "@owner")
    assert msgspec.json.decode(press.reply) == {
        "callback_query_id": sent["id"],
        "chat_id": 123456789,
        "message_id": 2001,
    }


def test_press_inaccessible() -> None:
    """A message too old to be read still says where it is; one of another chat's does not."""
    read = msgspec.json.decode(only_press("telegram/callback_query_inaccessible_message").reply)
    assert read["message_id"] == 2001
    assert "chat_id" not in msgspec.json.decode(only_press("telegram/callback_query_inline_message").reply)


def test_press_presser_is_no_parameter() -> None:
    """Who presses is who Telegram says, whatever the button's data name. Security 15."""
    press = only_press("telegram/callback_query_by_stranger", ("callback_query.user_id", 123456789))
    assert press.user_id == "987654321"


@each("value", [1, True, {}], ids=["number", "bool", "object"])
@each("path", ["callback_query.id", "callback_query.data"])
def test_press_unusable(path: str, value: Any) -> None:
    """A press that cannot be answered, or whose data are no text, is unusable."""
    with pytest.raises(UnusablePayloadError):
        parsed("telegram/callback_query_approve", (path, value))


@each("value", [True, "1", 1.0, 1.5, -(2**53), 2**53, 10**400, None, []])
@each("path", ["update_id", "message.message_id", "message.chat.id", "message.date"])
def test_number(path: str, value: Any) -> None:
    """A number that is none, or none of Telegram's, makes an update unusable."""
    with pytest.raises(UnusablePayloadError):
        parsed("telegram/private_text", (path, value))


def test_notice() -> None:
    """A notice is a plain message into the chat that it answers."""
    assert _body(telegram.notice(message(TELEGRAM), "Wait *here*")) == {
        "method": "sendMessage",
        "chat_id": 987654321,
        "text": "Wait *here*",
    }


def test_notice_in_a_topic() -> None:
    """A notice goes into the topic that it answers."""
    assert _body(telegram.notice(message(TELEGRAM, thread="5150"), "Wait"))["message_thread_id"] == 5150


def test_silence() -> None:
    """Whatever is dropped, admitted, ignored or asked too soon gets no answer."""
    for reason in Reason:
        assert telegram.dropped(message(TELEGRAM), reason, english) is None
        assert telegram.dropped(message(TELEGRAM, ChatType.GROUP), reason, english) is None
    assert telegram.rate_limited(message(TELEGRAM), "text") is None
    assert telegram.admitted(message(TELEGRAM)) is None
    assert telegram.ignored(Ignored(platform=TELEGRAM, what="bot"), english) is None


def test_pressed_refused() -> None:
    """A press that changes nothing is answered with a dialog that only the presser sees. Security 15."""
    press = only_press("telegram/callback_query_by_stranger")
    assert _body(telegram.pressed(press, "Only the owner can do this.", None)) == {
        "method": "answerCallbackQuery",
        "callback_query_id": "530242830000000075",
        "text": "Only the owner can do this.",
        "show_alert": True,
    }


def test_pressed() -> None:
    """A press that decides is answered with a passing line: the prompt will say it, too."""
    press = only_press("telegram/callback_query_approve")
    body = _body(telegram.pressed(press, "✅ Approved", prompt("@stranger", closed=True)))
    assert (body["method"], body["text"], body["show_alert"]) == ("answerCallbackQuery", "✅ Approved", False)


def test_follow_up() -> None:
    """Nothing is called: the response says it all. Security 29."""
    press = only_press("telegram/callback_query_approve")
    assert telegram.follow_up(press, "text", "https://api.telegram.org") is None


def test_failed() -> None:
    """A failure is answered 503, and Telegram tries again."""
    assert telegram.failed(english) == WebhookAnswer(status=503)
