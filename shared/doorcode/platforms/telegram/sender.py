"""Telegram, on python-telegram-bot.

https://core.telegram.org/bots/api#making-requests

Telegram knows no idempotency key: a message whose answer was lost is sent again at the next try. Edits are not: the
second one changes nothing.

What cannot be said where it was asked is said without the topic, in the chat that a group has become, or at last to the
person alone. Only a channel's direct messages have no chat without a topic: there each topic is one person's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from math import ceil
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from telegram import Bot, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.error import InvalidToken, TelegramError
from telegram.request import HTTPXRequest

from doorcode.pairing.contact import Platform
from doorcode.pairing.names import Names
from doorcode.platforms.send_errors import (
    BadTokenError,
    PassingError,
    PermanentRefusalError,
    RateLimitedError,
    SendError,
    SendRefusal,
)
from doorcode.platforms.sender import (
    CONNECT_TIMEOUT,
    DEFAULT_DELAY_SECONDS,
    READ_TIMEOUT,
    Abilities,
    Drawn,
    Moves,
    MovesOfThisProcess,
    OutgoingText,
    Sender,
    read_address,
    write_address,
)
from doorcode.platforms.silence import silence_libraries
from doorcode.platforms.text_parts import Send, deliver, falling_back, split_each

T = TypeVar("T")

DEFAULT_API_URL = "https://api.telegram.org"
# In UTF-16 code units.
MAX_TEXT = 4096
NO_PREVIEW = LinkPreviewOptions(is_disabled=True)

BAD_REQUEST, FORBIDDEN, TOO_MANY_REQUESTS, SERVER_ERROR = 400, 403, 429, 500
# 404 is the answer to a malformed token: every method that is called here exists.
BAD_TOKEN = frozenset({401, 404})
NOT_MODIFIED = "message is not modified"
# What the descriptions of refusals (400) say, as far as it matters.
REFUSALS = {
    "chat not found": SendRefusal.UNREACHABLE,
    "user not found": SendRefusal.UNREACHABLE,
    "peer_id_invalid": SendRefusal.UNREACHABLE,
    "input_user_deactivated": SendRefusal.UNREACHABLE,
    "not enough rights": SendRefusal.UNREACHABLE,
    "have no rights": SendRefusal.UNREACHABLE,
    "chat_write_forbidden": SendRefusal.UNREACHABLE,
    "chat_restricted": SendRefusal.UNREACHABLE,
    "message to edit not found": SendRefusal.GONE,
    "message_id_invalid": SendRefusal.GONE,
    "message can't be edited": SendRefusal.GONE,
    "message thread not found": SendRefusal.GONE,
    "topic_deleted": SendRefusal.GONE,
    "topic_closed": SendRefusal.GONE,
}


# Ids of basic groups lie between these; supergroups and channels, which do not move, have lower ones.
FIRST_SUPERGROUP = -1_000_000_000_000


class _Address(Struct):
    chat_id: int
    message_id: int = 0
    message_thread_id: int = 0
    # The one member of a group who is to see the answer.
    receiver_user_id: int = 0
    direct_messages_topic_id: int = 0


class _Parameters(Struct, frozen=True):
    retry_after: float = 0
    migrate_to_chat_id: int = 0


class _Failure(Struct):
    ok: bool = False
    description: str = ""
    parameters: _Parameters = _Parameters()


class _AnswerError(TelegramError):
    """An answer other than success, as Telegram gave it."""

    def __init__(self, status: int, failure: _Failure) -> None:
        super().__init__("not successful")
        self.status = status
        self.delay = ceil(failure.parameters.retry_after)
        self.moved_to = failure.parameters.migrate_to_chat_id
        self.description = failure.description.lower()


class _MovedError(PermanentRefusalError):
    """The group became a supergroup, which is another chat."""

    to = 0


class _Request(HTTPXRequest):
    """The library's HTTP client, but with status, description and delay kept instead of turned into a sentence."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        status, body = await super().do_request(*args, **kwargs)
        try:
            failure = msgspec.json.decode(body, type=_Failure)
        except (ValueError, RecursionError):
            failure = _Failure()
        if not failure.ok:
            raise _AnswerError(status, failure)
        return status, body


class TelegramSender:
    """Says things on Telegram. See ``outbound.port.Sender``."""

    platform = Platform.TELEGRAM
    abilities = Abilities(edits=True, types=True, names=False)

    def __init__(
        self,
        token: str,
        api_url: str = DEFAULT_API_URL,
        *,
        timeout: float = READ_TIMEOUT,
        moves: Moves | None = None,
    ) -> None:
        """Build the client; nothing is called yet. Raises BadTokenError for an empty token.

        ``moves`` remembers which chats groups have become; without it, that is known as long as the sender lives.
        """
        silence_libraries("telegram")
        self._moves: Moves = moves or MovesOfThisProcess()
        self._request = _Request(
            connection_pool_size=1,
            connect_timeout=min(CONNECT_TIMEOUT, timeout),
            read_timeout=timeout,
            write_timeout=timeout,
            pool_timeout=timeout,
        )
        # The loop lives as long as the client: the connections belong to it.
        self._runner = asyncio.Runner()
        self._token_is_bad = False
        try:
            # The second client would be for polling; a connection pool that is never used still costs a TLS context.
            self._bot = Bot(
                token.strip(), f"{api_url.rstrip('/')}/bot", request=self._request, get_updates_request=self._request
            )
        except InvalidToken:
            self.close()
            raise BadTokenError(self.platform) from None

    def send_text(self, outgoing: OutgoingText, now: int) -> None:
        """Answer in the chat and topic that the message came from; in a group, to that message."""
        user_id = outgoing.user_id
        address = read_address(outgoing.reply, _Address) if outgoing.reply else self._private(user_id)
        ways = [self._way(address, now)]
        alone = address.direct_messages_topic_id or address.receiver_user_id
        if not alone and (address.message_thread_id or (address.message_id and address.chat_id < 0)):
            # The reply goes too: it would lead into the topic again.
            ways.append(self._way(_Address(address.chat_id), now))
        if user_id.isdecimal() and address.chat_id != int(user_id):
            ways.append(self._way(self._private(user_id), now))
        deliver(split_each([outgoing.text, *outgoing.more], MAX_TEXT), outgoing.done, falling_back(*ways))

    def notify(self, outgoing: OutgoingText, now: int) -> None:
        """Tell a requester, in the chat that they wrote from."""
        self.send_text(outgoing, now)

    def _way(self, address: _Address, now: int) -> Send:
        def send(number: int, part: str) -> None:
            try:
                self._say(self._as_now(address, now), number, part)
            except _MovedError as moved:
                # Before it is sent, so that what fails here is not sent twice.
                self._moves.note_moved(self.platform, str(address.chat_id), str(moved.to), now)
                self._say(self._as_now(address, now), number, part)

        return send

    def _as_now(self, address: _Address, now: int) -> _Address:
        """Return where a chat is now. Its messages have other numbers there, so nothing is replied to."""
        if not FIRST_SUPERGROUP < address.chat_id < 0:
            return address
        to = self._moves.moved_to(self.platform, str(address.chat_id), now)
        return _Address(int(to), receiver_user_id=address.receiver_user_id) if to else address

    def _say(self, address: _Address, number: int, part: str) -> None:
        # Only groups have negative ids. Whoever asked may have deleted the question since.
        to = None
        if address.chat_id < 0 and address.message_id and not number:
            to = ReplyParameters(address.message_id, allow_sending_without_reply=True)
        self._run(
            "send a message",
            self._bot.send_message(
                address.chat_id,
                part,
                message_thread_id=address.message_thread_id or None,
                direct_messages_topic_id=address.direct_messages_topic_id or None,
                link_preview_options=NO_PREVIEW,
                reply_parameters=to,
                # The library does not know it yet.
                api_kwargs={"receiver_user_id": address.receiver_user_id} if address.receiver_user_id else None,
            ),
        )

    def send_prompt(self, owner_id: str, drawn: Drawn, *, key: str) -> str:  # noqa: ARG002 (the port's)
        """Ask an owner in their private chat, whose id is theirs."""
        call = self._bot.send_message(self._private(owner_id).chat_id, **_drawn(drawn))
        message = self._run("send a prompt", call)
        return write_address({"chat_id": message.chat.id, "message_id": message.message_id})

    def edit_prompt(self, location: str, drawn: Drawn) -> None:
        """Put ``drawn`` in a prompt's place."""
        address = read_address(location, _Address)
        self._run("edit a prompt", self._edit(address, drawn))

    async def _edit(self, address: _Address, drawn: Drawn) -> None:
        try:
            await self._bot.edit_message_text(chat_id=address.chat_id, message_id=address.message_id, **_drawn(drawn))
        except _AnswerError as answer:
            if NOT_MODIFIED not in answer.description:
                raise

    def typing(self, reply: str, now: int) -> None:
        """Show "typing…" for the next five seconds or until something is sent; a channel's direct messages cannot."""
        address = self._as_now(read_address(reply, _Address), now)
        if address.receiver_user_id or address.direct_messages_topic_id:
            # The whole group would see it; or there is no such thing.
            return
        self._run(
            "show that the bot is typing",
            self._bot.send_chat_action(address.chat_id, "typing", message_thread_id=address.message_thread_id or None),
        )

    def lookup_names(self, user_id: str) -> Names:  # noqa: ARG002 (the port's)
        """Tell nothing: every message brings its sender's name."""
        return Names()

    def close(self) -> None:
        """Close the connections and the loop they belong to."""
        self._runner.run(self._request.shutdown())
        self._runner.close()

    def _private(self, user_id: str) -> _Address:
        try:
            return _Address(int(user_id))
        except ValueError:
            raise PermanentRefusalError(
                self.platform, "open a chat", SendRefusal.UNREACHABLE, "not an id of Telegram's"
            ) from None

    def _run(self, doing: str, call: Coroutine[Any, Any, T]) -> T:
        if self._token_is_bad:
            call.close()
            raise BadTokenError(self.platform)
        try:
            return self._runner.run(call)
        except _AnswerError as answer:
            raise self._refused(doing, answer) from None
        except TelegramError as error:
            # Network and timeouts. The library's sentence may hold an address, its class does not.
            raise PassingError(self.platform, doing, type(error).__name__) from None

    def _refused(self, doing: str, answer: _AnswerError) -> SendError:
        if answer.status in BAD_TOKEN:
            self._token_is_bad = True
            return BadTokenError(self.platform)
        if answer.status == TOO_MANY_REQUESTS:
            return RateLimitedError(self.platform, answer.delay or DEFAULT_DELAY_SECONDS)
        if answer.status == FORBIDDEN:
            return PermanentRefusalError(self.platform, doing, SendRefusal.UNREACHABLE, str(answer.status))
        if answer.moved_to:
            error = _MovedError(self.platform, doing, SendRefusal.UNREACHABLE, "the group was upgraded")
            error.to = answer.moved_to
            return error
        if BAD_REQUEST <= answer.status < SERVER_ERROR:
            said = next((said for said in REFUSALS if said in answer.description), "")
            refusal = REFUSALS.get(said, SendRefusal.REFUSED)
            return PermanentRefusalError(self.platform, doing, refusal, said or str(answer.status))
        return PassingError(self.platform, doing, f"HTTP {answer.status}")


def _drawn(drawn: Drawn) -> dict[str, Any]:
    rows = drawn["reply_markup"]["inline_keyboard"]
    return {
        "text": drawn["text"],
        "link_preview_options": LinkPreviewOptions(**drawn["link_preview_options"]),
        # The library makes of an empty keyboard something that Telegram refuses. An edit without one takes it away.
        "reply_markup": InlineKeyboardMarkup.de_json({"inline_keyboard": rows}, None) if any(rows) else None,
    }


def make_sender(token: str, api_url: str, moves: Moves) -> Sender:
    """Make a sender: ``MakeSender``."""
    return TelegramSender(token, api_url, moves=moves)
