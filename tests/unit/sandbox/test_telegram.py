"""The stand-in for Telegram does what Telegram's documentation says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from doorcode_sandbox.platforms.telegram.stand_in import MAX_TEXT, TelegramStandIn, entities
from tests.unit.sandbox.http import call

NOW = 1_800_000_000.0
GROUP = "-100123"


@pytest.fixture
def telegram() -> Iterator[TelegramStandIn]:
    """Give a stand-in with a person and a group that know the bot."""
    with TelegramStandIn(clock=lambda: NOW) as stand_in:
        stand_in.open_chat("5", heard=(70,))
        stand_in.open_chat(GROUP, topics=(9,))
        yield stand_in


def _do(stand_in: TelegramStandIn, method: str, fields: Any = None, **options: Any) -> Any:
    return call(stand_in, "POST", f"/bot{stand_in.token}/{method}", fields or {}, **options)[1]


def _text(text: str = "hello", chat: Any = 5, **more: Any) -> dict[str, Any]:
    return {"chat_id": chat, "text": text, **more}


def _button(**button: Any) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": "x", **button}]]}


@pytest.mark.parametrize(
    ("path", "status", "description"),
    [
        ("/bot7000000001:wrong/getMe", 401, "Unauthorized"),
        ("/botnonsense/getMe", 404, "Not Found"),
        ("/", 404, "Not Found"),
        ("/bot7000000001:stand-in/getYou", 404, "Not Found: method not found"),
        ("/bot7000000001:stand-in/getMe/x", 404, "Not Found"),
    ],
)
def test_token_and_method(telegram: TelegramStandIn, path: str, status: int, description: str) -> None:
    """A wrong token is 401; a malformed one, and a method that there is not, are 404."""
    answer = call(telegram, "POST", path, {})
    assert answer[:2] == (status, {"ok": False, "error_code": status, "description": description})


@pytest.mark.parametrize(
    ("body", "form"), [(b"{", False), (b"[]", False), (b"\xff", True), (b"reply_markup=%7B", True)]
)
def test_unreadable(telegram: TelegramStandIn, body: bytes, *, form: bool) -> None:
    """What is neither JSON nor a form is refused."""
    assert "can't parse" in _do(telegram, "sendMessage", body, form=form)["description"]


def test_me(telegram: TelegramStandIn) -> None:
    """The bot can ask who it is."""
    result = _do(telegram, "getMe")["result"]
    assert (result["id"], result["username"], result["is_bot"]) == (7000000001, "doorcode_bot", True)


def test_send(telegram: TelegramStandIn) -> None:
    """A message comes back as Telegram shows it, with what it links by itself."""
    markup = _button(callback_data="pair:x")
    result = _do(telegram, "sendMessage", _text("see https://a.example", reply_markup=markup))["result"]
    assert result["chat"] == {"id": 5, "type": "private"}
    assert result["date"] == NOW
    assert result["reply_markup"] == markup
    assert [entity["type"] for entity in result["entities"]] == ["url"]
    assert _do(telegram, "sendMessage", _text())["result"]["message_id"] == result["message_id"] + 1


def test_form(telegram: TelegramStandIn) -> None:
    """Fields may come as a form, nested ones as JSON in it."""
    fields = {
        "chat_id": "5",
        "text": "42",
        "disable_notification": "true",
        "reply_markup": json.dumps(_button(url="x")),
    }
    assert _do(telegram, "sendMessage", fields, form=True)["result"]["text"] == "42"


def test_refused(telegram: TelegramStandIn) -> None:
    """What Telegram refuses is refused in its words."""
    for fields, code, description in (
        (_text(chat=6), 403, "Forbidden: bot can't initiate conversation with a user"),
        (_text(chat=-6), 400, "Bad Request: chat not found"),
        (_text(chat="@channel"), 400, "Bad Request: chat not found"),
        (_text(""), 400, "Bad Request: message text is empty"),
        (_text(" \n"), 400, "Bad Request: message text is empty"),
        (_text("😀" * (MAX_TEXT // 2) + "x"), 400, "Bad Request: message is too long"),
        (_text(message_thread_id=8, chat=int(GROUP)), 400, "Bad Request: message thread not found"),
        (_text(reply_parameters={"message_id": 1}), 400, "Bad Request: message to be replied not found"),
        (_text(reply_markup=_button(callback_data="x" * 65)), 400, "Bad Request: BUTTON_DATA_INVALID"),
        (_text(reply_markup=_button(callback_data="é" * 33)), 400, "Bad Request: BUTTON_DATA_INVALID"),
        (_text(reply_markup=_button(callback_data="")), 400, "Bad Request: BUTTON_DATA_INVALID"),
        (_text(reply_markup=_button()), 400, "Bad Request: text buttons are unallowed in the inline keyboard"),
        (_text(reply_markup={}), 400, "Bad Request: Object missing required field `inline_keyboard` (reply_markup)"),
        (_text(parse_mode="HTML"), 400, "Bad Request: can't parse entities: only plain text is meant to be sent"),
        (_text(colour=1), 400, "Bad Request: unknown field (colour)"),
        ({"chat_id": 5}, 400, "Bad Request: Object missing required field `text` ()"),
    ):
        answer = _do(telegram, "sendMessage", fields)
        assert answer == {"ok": False, "error_code": code, "description": description}, fields
        assert telegram.in_chat("5") == [], fields


def test_limits_are_inclusive(telegram: TelegramStandIn) -> None:
    """4096 code units and 64 bytes pass."""
    markup = _button(callback_data="x" * 64)
    assert _do(telegram, "sendMessage", _text("😀" * (MAX_TEXT // 2), reply_markup=markup))["ok"]


def test_not_strict() -> None:
    """Only the strict stand-in refuses what Telegram would take."""
    with TelegramStandIn(strict=False) as telegram:
        telegram.open_chat("5")
        assert _do(telegram, "sendMessage", _text("<b>x</b>", parse_mode="HTML", colour=1))["ok"]


def test_blocked(telegram: TelegramStandIn) -> None:
    """Somebody who blocked the bot, and a group that threw it out, get nothing until they let it in again."""
    telegram.block("5")
    telegram.block(GROUP)
    assert _do(telegram, "sendMessage", _text())["description"] == "Forbidden: bot was blocked by the user"
    kicked = _do(telegram, "sendMessage", _text(chat=int(GROUP)))["description"]
    assert kicked == "Forbidden: bot was kicked from the supergroup chat"
    telegram.block("5", blocked=False)
    assert _do(telegram, "sendMessage", _text())["ok"]


def test_replies(telegram: TelegramStandIn) -> None:
    """A reply to what is there says so; to what is gone it is sent without, if that is allowed."""
    _do(telegram, "sendMessage", _text(reply_parameters={"message_id": 70}))
    mine = _do(telegram, "sendMessage", _text())["result"]["message_id"]
    _do(telegram, "sendMessage", _text(reply_parameters={"message_id": mine}))
    gone = {"message_id": 1, "allow_sending_without_reply": True}
    _do(telegram, "sendMessage", _text(reply_parameters=gone))
    assert [message.shown["reply_to"] for message in telegram.in_chat("5")] == [70, 0, mine, 0]


def test_edit(telegram: TelegramStandIn) -> None:
    """An edit replaces text and buttons, and without buttons takes them away; the same again is an error."""
    sent = _do(telegram, "sendMessage", _text(reply_markup=_button(callback_data="a")))["result"]["message_id"]
    edit = _text("other", message_id=sent)
    assert "reply_markup" not in _do(telegram, "editMessageText", edit)["result"]
    again = _do(telegram, "editMessageText", edit)
    assert again["error_code"] == 400
    assert again["description"].startswith("Bad Request: message is not modified: ")
    markup = {"chat_id": 5, "message_id": sent, "reply_markup": _button(callback_data="b")}
    assert _do(telegram, "editMessageReplyMarkup", markup)["result"]["text"] == "other"
    assert "not modified" in _do(telegram, "editMessageReplyMarkup", markup)["description"]
    (message,) = telegram.in_chat("5")
    assert [shown["text"] for shown in message.before] == ["hello", "other"]


@pytest.mark.parametrize(("message", "why"), [(70, "message can't be edited"), (71, "message to edit not found")])
def test_edit_refused(telegram: TelegramStandIn, message: int, why: str) -> None:
    """A person's message, and one that is gone, cannot be edited."""
    assert _do(telegram, "editMessageText", _text(message_id=message))["description"] == f"Bad Request: {why}"


def test_answer_to_a_press() -> None:
    """A press is answered once, while it waits, in 200 characters."""
    now = [NOW]
    with TelegramStandIn(clock=lambda: now[0]) as telegram:
        telegram.press("q1")
        telegram.press("q2")
        answer = {"callback_query_id": "q1", "text": "Done", "show_alert": True}
        assert "TOO_LONG" in _do(telegram, "answerCallbackQuery", answer | {"text": "x" * 201})["description"]
        assert _do(telegram, "answerCallbackQuery", answer)["result"] is True
        assert telegram.queries["q1"].answer == {"text": "Done", "show_alert": True}
        now[0] += 60
        for query in ("q1", "q2", "q3"):
            late = _do(telegram, "answerCallbackQuery", {"callback_query_id": query})
            assert late["description"].startswith("Bad Request: query is too old")


def test_chat_action(telegram: TelegramStandIn) -> None:
    """The bot can be seen typing, where it may write and only in words that there are."""
    assert _do(telegram, "sendChatAction", {"chat_id": 5, "action": "typing"})["result"] is True
    wrong = _do(telegram, "sendChatAction", {"chat_id": 5, "action": "dancing"})
    assert wrong["description"] == "Bad Request: wrong parameter action in request"
    assert telegram.actions == [("5", "typing")]


def test_webhook(telegram: TelegramStandIn) -> None:
    """A webhook is set, shown without its secret, and deleted."""
    hook = {"url": "https://a.example/telegram", "secret_token": "s-_1", "allowed_updates": ["message"]}
    assert _do(telegram, "setWebhook", hook)["result"] is True
    info = _do(telegram, "getWebhookInfo")["result"]
    assert (info["url"], info["allowed_updates"], info["max_connections"]) == (hook["url"], ["message"], 40)
    assert "secret_token" not in info
    assert telegram.hook.secret_token == "s-_1"
    _do(telegram, "deleteWebhook", {"drop_pending_updates": True})
    assert _do(telegram, "getWebhookInfo")["result"]["url"] == ""


def test_webhook_refused(telegram: TelegramStandIn) -> None:
    """A webhook needs https, except on this machine, and a secret of allowed characters."""
    for hook, ok in (
        ({"url": "http://a.example/"}, False),
        ({"url": "http://127.0.0.1:8787/telegram"}, True),
        ({"url": ""}, True),
        ({"url": "https://a.example/", "secret_token": "not allowed"}, False),
        ({"url": "https://a.example/", "secret_token": "x" * 257}, False),
        ({"url": "https://a.example/", "max_connections": 101}, False),
    ):
        assert _do(telegram, "setWebhook", hook)["ok"] is ok, hook


@pytest.mark.parametrize(
    ("body", "done"),
    [
        (json.dumps({"method": "sendMessage", **_text()}).encode(), True),
        (json.dumps({"method": "sendMessage", **_text(chat=6)}).encode(), False),
        (json.dumps({"method": "dance"}).encode(), False),
        (b"", False),
        (b"[]", False),
        (b"\xff", False),
    ],
)
def test_method_in_the_response(telegram: TelegramStandIn, body: bytes, *, done: bool) -> None:
    """A webhook's response may hold one method, whose result nobody learns."""
    assert telegram.take(body) is done
    assert len(telegram.in_chat("5")) == done


def test_rate_limit(telegram: TelegramStandIn) -> None:
    """A rate limit says for how many seconds, in the body."""
    telegram.inject(status=429, delay=34)
    answer = _do(telegram, "sendMessage", _text())
    assert answer["parameters"] == {"retry_after": 34}
    assert answer["description"] == "Too Many Requests: retry after 34"


def test_entities() -> None:
    """What apps link by themselves is told, and what a word joiner keeps apart is not linked."""
    for text, kinds in (
        ("@somebody", ["mention"]),
        ("😀 @somebody", ["mention"]),
        ("@abc a@somebody", []),
        ("https://a.example t.me/x", ["url", "url"]),
        ("#tag #1", ["hashtag"]),
        ("$CASH $cash", ["cashtag"]),
        ("/start a/b", ["bot_command"]),
        ("@\u2060somebody https:\u2060/\u2060/a.\u2060example #\u2060tag /\u2060start $\u2060CASH", []),
    ):
        assert [entity["type"] for entity in entities(text)] == kinds, (text, kinds)
        for entity in entities(text):
            units = text.encode("utf-16-le")[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])]
            assert not units.decode("utf-16-le").isspace(), (text, kinds)
