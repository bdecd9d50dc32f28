"""Others' code makes what we take, and takes what we make."""

import asyncio
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from nacl.signing import SigningKey
from slack_sdk.models.blocks import Block, BlockElement
from slack_sdk.signature import Clock, SignatureVerifier
from telegram import Bot, CallbackQuery, InlineKeyboardMarkup, LinkPreviewOptions, Update
from telegram.request import BaseRequest, RequestData

from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.messages import Message, Press
from doorcode.platforms.discord import inbound as discord
from doorcode.platforms.inbound import Webhook, WebhookAnswer
from doorcode.platforms.slack import inbound as slack
from doorcode.platforms.telegram import inbound as telegram
from tests.cases import each
from tests.unit.platforms.deliveries import (
    KEYRINGS,
    NOW,
    SIGNING_SECRET,
    delivered,
    event,
    message,
    names,
    only_press,
    parsed,
    prompt,
    raw,
)

PING = raw(event("discord/ping")["body"])
TELEGRAM, SLACK, DISCORD, *_ = Platform


class _Clock(Clock):
    def now(self) -> float:
        return float(NOW)


@each("name", names("slack"))
def test_slack_sdk_signs(name: str) -> None:
    """A request that slack_sdk signs is one that we accept, and the other way round."""
    webhook = delivered(event(name))
    verifier = SignatureVerifier(SIGNING_SECRET.decode(), _Clock())
    signature = verifier.generate_signature(timestamp=str(NOW), body=webhook.body)
    assert signature is not None
    theirs = {"x-slack-request-timestamp": str(NOW), "x-slack-signature": signature}
    assert slack.verify(Webhook(theirs, webhook.body), KEYRINGS["slack"], NOW)
    assert verifier.is_valid_request(webhook.body.decode(), dict(webhook.headers))


def _signed_by_nacl(signed: bytes) -> tuple[str, str]:
    key = SigningKey.generate()
    return key.verify_key.encode().hex(), key.sign(signed).signature.hex()


def _signed_by_cryptography(signed: bytes) -> tuple[str, str]:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return public.hex(), key.sign(signed).hex()


@pytest.mark.parametrize("sign", [_signed_by_nacl, _signed_by_cryptography], ids=["PyNaCl", "cryptography"])
def test_discord_signatures(sign: Any) -> None:
    """An Ed25519 signature is one, whoever's code made it, and only for what it was made."""
    public, signature = sign(str(NOW).encode() + PING)
    headers = {"x-signature-ed25519": signature, "x-signature-timestamp": str(NOW)}
    keyring = Keyring((public.encode(),))
    assert discord.verify(Webhook(headers, PING), keyring, NOW)
    assert not discord.verify(Webhook(headers, PING + b" "), keyring, NOW)
    assert not discord.verify(Webhook(headers | {"x-signature-timestamp": str(NOW + 1)}, PING), keyring, NOW)


class _Recorded(BaseRequest):
    """Stands in for Telegram, and keeps what python-telegram-bot would send."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    @property
    def read_timeout(self) -> float:
        return 1

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(
        self,
        url: str,
        method: str,  # noqa: ARG002
        request_data: RequestData | None = None,
        *_: Any,
        **__: Any,
    ) -> Any:
        name = url.rsplit("/", 1)[1]
        self.sent.append((name, request_data.parameters if request_data else {}))
        chat = {"id": 1, "type": "private"}
        result = True if name == "answerCallbackQuery" else {"message_id": 1, "date": 1, "chat": chat}
        return 200, json.dumps({"ok": True, "result": result}).encode()


def _sent_by_ptb(call: Any) -> tuple[str, dict[str, Any]]:
    recorded = _Recorded()

    async def run() -> None:
        await call(Bot("1:token", request=recorded, get_updates_request=recorded))

    asyncio.run(run())
    (sent,) = recorded.sent
    return sent


def _method(answer: WebhookAnswer | None) -> tuple[str, dict[str, Any]]:
    assert answer is not None
    body = json.loads(answer.body)
    return body.pop("method"), body


def test_telegram_send_message() -> None:
    """The method that answers a message is what python-telegram-bot's send_message sends."""
    ours = _method(telegram.notice(message(TELEGRAM, thread="5150"), "Wait."))
    assert ours == _sent_by_ptb(lambda bot: bot.send_message(987654321, "Wait.", message_thread_id=5150))


@pytest.mark.parametrize("alert", [True, False], ids=["alone", "with the prompt"])
def test_telegram_answer_callback_query(alert: bool) -> None:
    """The method that answers a button is what python-telegram-bot's answer_callback_query sends."""
    press = only_press("telegram/callback_query_approve")
    ours = _method(telegram.pressed(press, "Done.", None if alert else prompt("@stranger")))
    query_id = "530242830000000072"
    theirs = _sent_by_ptb(lambda bot: bot.answer_callback_query(query_id, "Done.", show_alert=alert))
    assert ours == theirs


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
def test_telegram_prompt(closed: bool) -> None:
    """The prompt is what python-telegram-bot sends for the keyboard and options that it reads from it."""
    drawn = telegram.draw_prompt(prompt("@stranger", outcome="✅ Approved" * closed, closed=closed))
    markup = InlineKeyboardMarkup.de_json(drawn["reply_markup"], None)
    options = LinkPreviewOptions.de_json(drawn["link_preview_options"], None)
    # It leaves out what is empty.
    assert markup.to_dict() == ({} if closed else drawn["reply_markup"])
    name, theirs = _sent_by_ptb(
        lambda bot: bot.send_message(1, drawn["text"], reply_markup=markup, link_preview_options=options)
    )
    assert name == "sendMessage"
    assert {key: theirs[key] for key in drawn} == drawn | {"reply_markup": markup.to_dict()}


@each("name", names("telegram"))
def test_telegram_reads_the_same(name: str) -> None:
    """Who wrote or pressed, where and what, is what python-telegram-bot reads from the same update."""
    (one,) = parsed(name)
    if not isinstance(one, Message | Press):
        return
    update = Update.de_json(event(name)["body"], None)
    assert update is not None
    assert update.effective_user is not None
    assert one.user_id == str(update.effective_user.id)
    if isinstance(one, Press) and one.said is not None:
        assert update.message is not None
        assert update.message.reply_to_message is not None
        markup = update.message.reply_to_message.reply_markup
        assert markup is not None
        assert (one.said, one.data) == (update.message.text, markup.inline_keyboard[0][0].callback_data)
        return
    if isinstance(one, Press):
        assert isinstance(update.callback_query, CallbackQuery)
        assert one.data == (update.callback_query.data or "")
        return
    theirs = update.message
    assert theirs is not None
    assert (one.delivery_id, one.chat, one.message_id) == (
        str(update.update_id),
        str(theirs.chat.id),
        str(theirs.message_id),
    )
    assert one.text == (theirs.text or theirs.caption or "")
    assert one.sent_at == int(theirs.date.timestamp())
    assert one.thread == (str(theirs.message_thread_id) if theirs.is_topic_message else "")
    entities = {**theirs.parse_entities(["mention"]), **theirs.parse_caption_entities(["mention"])}
    if "@doorcode_bot" in {text.lower() for text in entities.values()}:
        assert one.addressed


@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
def test_slack_prompt(closed: bool) -> None:
    """The prompt's blocks are valid by slack_sdk's own rules, and come back from its models unchanged."""
    drawn = slack.draw_prompt(prompt("@stranger", SLACK, closed=closed))
    # to_dict() checks lengths, numbers and styles.
    assert [block.to_dict() for block in Block.parse_all(drawn["blocks"])] == drawn["blocks"]
    buttons = [button for block in drawn["blocks"][1:] for button in block["elements"]]
    assert [button.to_dict() for button in BlockElement.parse_all(buttons)] == buttons
