"""What only Telegram does."""

import json

import pytest

from doorcode.pairing.names import Names
from doorcode.platforms.send_errors import PermanentRefusalError, RateLimitedError, SendRefusal
from doorcode.platforms.sender import OutgoingText
from tests.unit.senders.wires import NOW, Wire, prompt

GROUP = "-1001234567890"


def test_long_text(telegram: Wire) -> None:
    """A text over 4096 UTF-16 code units is sent in parts, between words."""
    telegram.sender.send_text(
        OutgoingText(reply=telegram.reply, user_id=telegram.stranger, text="😀 " * 2000, key="k"), NOW
    )
    first, second = telegram.said("987654321")
    assert len(first.encode("utf-16-le")) // 2 <= 4096
    assert f"{first} {second}".split() == ["😀"] * 2000


def test_goes_on_where_it_stopped(telegram: Wire) -> None:
    """After a failure half way, the parts that were sent are not sent again."""
    text = "a" * 4096 + "b" * 4096 + "c"
    sent = telegram.stand_in.inject(status=429, delay=1, times=0)
    telegram.sender.send_text(OutgoingText(reply=telegram.reply, user_id=telegram.stranger, text="first", key="k"), NOW)
    original = telegram.stand_in.perform

    def perform(call: object) -> object:
        sent.times = len(telegram.said("987654321")) == 1
        return original(call)

    telegram.stand_in.perform = perform
    with pytest.raises(RateLimitedError) as caught:
        telegram.sender.send_text(
            OutgoingText(reply=telegram.reply, user_id=telegram.stranger, text=text, key="k"), NOW
        )
    assert caught.value.done == 1
    telegram.sender.send_text(
        OutgoingText(reply=telegram.reply, user_id=telegram.stranger, text=text, key="k", done=caught.value.done), NOW
    )
    assert [said[:1] for said in telegram.said("987654321")] == ["f", "a", "b", "c"]


def test_topic_and_reply(telegram: Wire) -> None:
    """In a group the answer goes into the topic, its first part to the message that asked."""
    telegram.stand_in.open_chat(GROUP, topics=(5,), heard=(70,))
    reply = json.dumps({"chat_id": int(GROUP), "message_id": 70, "message_thread_id": 5})
    telegram.sender.send_text(OutgoingText(reply=reply, user_id=telegram.stranger, text="a" * 5000, key="k"), NOW)
    telegram.sender.typing(reply, NOW)
    shown = [message.shown for message in telegram.stand_in.in_chat(GROUP)]
    assert [(one["message_thread_id"], one["reply_to"]) for one in shown] == [(5, 70), (5, 0)]
    assert telegram.stand_in.actions == [(GROUP, "typing")]


def test_question_was_deleted(telegram: Wire) -> None:
    """The answer to a message that is gone still goes to the group."""
    telegram.stand_in.open_chat(GROUP)
    telegram.sender.send_text(
        OutgoingText(reply=json.dumps({"chat_id": int(GROUP), "message_id": 70}), user_id="1", text="hello", key="k"),
        NOW,
    )
    assert telegram.said(GROUP) == ["hello"]


def test_no_markup(telegram: Wire) -> None:
    """A text is plain, and no preview of a link is shown."""
    telegram.sender.send_text(
        OutgoingText(reply=telegram.reply, user_id=telegram.stranger, text="*a* <b>b</b> https://example.org", key="k"),
        NOW,
    )
    (call,) = telegram.stand_in.named("sendMessage")
    assert set(call.fields) == {"chat_id", "text", "link_preview_options"}
    assert call.fields["link_preview_options"] == {"is_disabled": True}
    assert call.fields["text"] == "*a* <b>b</b> https://example.org"


def test_blocked(telegram: Wire) -> None:
    """An owner who blocked the bot is unreachable, and so is a group that threw it out."""
    telegram.stand_in.block(telegram.owner)
    with pytest.raises(PermanentRefusalError, match="unreachable"):
        telegram.sender.send_prompt(telegram.owner, telegram.drawn(prompt()), key="k")


def test_nowhere(telegram: Wire) -> None:
    """What neither topic nor group nor person takes is a permanent refusal."""
    telegram.stand_in.open_chat(GROUP, topics=(5,))
    telegram.stand_in.block(GROUP)
    reply = json.dumps({"chat_id": int(GROUP), "message_thread_id": 6})
    with pytest.raises(PermanentRefusalError) as caught:
        telegram.sender.send_text(OutgoingText(reply=reply, user_id="555", text="hello", key="k"), NOW)
    assert caught.value.refusal is SendRefusal.UNREACHABLE
    assert [call.chat for call in telegram.stand_in.calls] == [GROUP, GROUP, "555"]


def test_the_rest_of_a_text_follows_its_beginning(telegram: Wire) -> None:
    """Once a place is refused, further parts are not tried there, and without a table a move is known to the sender."""
    telegram.stand_in.open_chat("-5")
    telegram.stand_in.upgrade("-5", GROUP)
    telegram.sender.send_text(
        OutgoingText(reply=json.dumps({"chat_id": -5}), user_id=telegram.stranger, text="a" * 5000, key="k"), NOW
    )
    assert [call.chat for call in telegram.stand_in.calls] == ["-5", GROUP, GROUP]
    telegram.sender.typing(json.dumps({"chat_id": -5}), NOW)
    assert telegram.stand_in.actions == [(GROUP, "typing")]


def test_not_ours_to_edit(telegram: Wire) -> None:
    """A message that cannot be edited counts as gone."""
    telegram.stand_in.chats[telegram.owner].heard.add(7)
    with pytest.raises(PermanentRefusalError) as caught:
        telegram.sender.edit_prompt(
            json.dumps({"chat_id": int(telegram.owner), "message_id": 7}), telegram.drawn(prompt())
        )
    assert caught.value.refusal is SendRefusal.GONE


@pytest.mark.parametrize("user_id", ["U0OWNER001", "@owner", ""])
def test_not_an_id(telegram: Wire, user_id: str) -> None:
    """What is no id of Telegram's is refused before anything is called."""
    with pytest.raises(PermanentRefusalError):
        telegram.sender.send_prompt(user_id, telegram.drawn(prompt()), key="k")
    assert telegram.calls() == []


def test_names(telegram: Wire) -> None:
    """Names are not looked up."""
    assert telegram.sender.lookup_names(telegram.stranger) == Names()
    assert telegram.calls() == []
