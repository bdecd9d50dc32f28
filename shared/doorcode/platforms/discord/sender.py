"""Discord, on httpx: it has no maintained library for HTTP alone.

https://docs.discord.com/developers/reference, https://docs.discord.com/developers/interactions/receiving-and-responding

While an interaction's token lives (15 minutes), its answer is edited: sent twice it is the same, and it needs no right
to write to the person. After that a direct message is sent, whose ``nonce`` Discord compares for some minutes. What has
neither, and may come twice, are the further parts of a long answer to an interaction.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from math import ceil
from typing import Any
from urllib.parse import quote as url_quote

import httpx
import msgspec
from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode.pairing.names import Names
from doorcode.platforms.send_errors import (
    AddressError,
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
    OutgoingText,
    Sender,
    read_address,
    write_address,
)
from doorcode.platforms.silence import silence_libraries
from doorcode.platforms.text_parts import deliver, split_each

DEFAULT_API_URL = "https://discord.com/api/v10"
# Discord asks for this form, and blocks libraries' own.
USER_AGENT = "DiscordBot (https://github.com/doorcode/doorcode, 1)"
MAX_TEXT = 2000
MAX_QUOTE = 200
MAX_NONCE = 25
# Flags of a message: seen by one person, and still the word that the bot is thinking.
EPHEMERAL, LOADING = 64, 128
TOKEN_LIFETIME_SECONDS = 15 * 60
# An answer may be ready before Discord has taken in that there will be one.
SETTLING_SECONDS = 10
SETTLING_DELAY = 1
NO_MENTIONS: Drawn = {"parse": []}
# Direct-message channels that are remembered: Discord limits how many are opened.
MAX_CHANNELS = 1000

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY_REQUESTS = 401, 403, 404, 429
NO_CONTENT = 204
SUCCESS, BAD_REQUEST, SERVER_ERROR = range(200, 300), 400, 500
# Discord's own codes: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json
OPENING_TOO_FAST = 40003
REFUSALS = {
    10003: SendRefusal.GONE,  # unknown channel
    10008: SendRefusal.GONE,  # unknown message
    10013: SendRefusal.UNREACHABLE,  # unknown user
    50001: SendRefusal.UNREACHABLE,  # missing access
    50007: SendRefusal.UNREACHABLE,  # takes no messages from us
    50013: SendRefusal.UNREACHABLE,  # missing permissions
    50033: SendRefusal.UNREACHABLE,  # invalid recipient
    50278: SendRefusal.UNREACHABLE,  # no mutual server
    50005: SendRefusal.GONE,  # somebody else's message
    50083: SendRefusal.GONE,  # archived thread
}
# What a Cloudflare block answers with: https://github.com/discord/discord-api-docs/issues/6473
BLOCKED_ON_THE_WAY = 40333

# What could start any markup in one line of text.
MARKUP = re.compile(r"[\\*_~`|<>\[\]#@]")
SNOWFLAKE = re.compile(r"[0-9]{1,20}")


class _Address(Struct):
    application_id: str
    channel_id: str
    token: str
    expires: int


class _Location(Struct):
    channel_id: str
    message_id: str


class _Failure(Struct):
    code: int = 0
    retry_after: float = 0


class _NoInteractionError(Exception):
    """The interaction's token is no longer good for anything, or not yet."""


class DiscordSender:
    """Says things on Discord. See ``outbound.port.Sender``."""

    platform = Platform.DISCORD
    abilities = Abilities(edits=True, types=True, names=False)

    def __init__(self, token: str, api_url: str = DEFAULT_API_URL, *, timeout: float = READ_TIMEOUT) -> None:
        """Build the client; nothing is called yet. Raises BadTokenError for one that fits in no header."""
        silence_libraries()
        token = token.strip()
        if not token or not token.isascii() or not token.isprintable():
            raise BadTokenError(self.platform)
        self._authorization = f"Bot {token}"
        self._client = httpx.Client(
            base_url=api_url,
            timeout=httpx.Timeout(timeout, connect=min(CONNECT_TIMEOUT, timeout)),
            headers={"User-Agent": USER_AGENT},
        )
        self._token_is_bad = False
        self._direct_channel = lru_cache(MAX_CHANNELS)(self._open)

    def send_text(self, outgoing: OutgoingText, now: int) -> None:
        """Edit the deferred answer, with follow-ups for what does not fit; without its token, write directly.

        A slash command is not shown in the chat, so the question stands above the answer.
        """
        self._send_parts(outgoing, f"{_quoted(outgoing.quote)}{outgoing.text}", now)

    def notify(self, outgoing: OutgoingText, now: int) -> None:
        """Put the notice in place of what the requester was answered; without its token, write directly."""
        self._send_parts(outgoing, outgoing.text, now)

    def _send_parts(self, outgoing: OutgoingText, text: str, now: int) -> None:
        address = self._address(outgoing.reply) if outgoing.reply else None
        answering = (
            _Answering(self, address, now, further=outgoing.further) if address and now < address.expires else None
        )

        def send(number: int, part: str) -> None:
            nonlocal answering
            if answering:
                try:
                    answering.send(number, part)
                except (_NoInteractionError, PermanentRefusalError):
                    # Its time is over; or its channel, its thread or what it answered is gone.
                    answering = None
                else:
                    return
            fields = {"content": part, "allowed_mentions": NO_MENTIONS}
            self._write(outgoing.user_id, fields, f"{outgoing.key}#{number}")

        deliver(split_each([text, *outgoing.more], MAX_TEXT), outgoing.done, send)

    def send_prompt(self, owner_id: str, drawn: Drawn, *, key: str) -> str:
        """Ask an owner in the bot's direct messages with them."""
        message = self._write(owner_id, drawn, key)
        return write_address({"channel_id": message["channel_id"], "message_id": message["id"]})

    def edit_prompt(self, location: str, drawn: Drawn) -> None:
        """Put ``drawn`` in a prompt's place."""
        at = read_address(location, _Location)
        self.call("edit a prompt", "PATCH", f"/channels/{_id(at.channel_id)}/messages/{_id(at.message_id)}", drawn)

    def typing(self, reply: str, now: int) -> None:
        """Show "typing…", except while the interaction shows that the bot is thinking."""
        address = self._address(reply)
        if now >= address.expires and address.channel_id:
            self.call("show that the bot is typing", "POST", f"/channels/{address.channel_id}/typing")

    def lookup_names(self, user_id: str) -> Names:  # noqa: ARG002 (the port's)
        """Tell nothing: every interaction brings its invoker's name."""
        return Names()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(self, doing: str, verb: str, path: str, fields: Drawn | None = None) -> dict[str, Any]:
        """Call with the bot's token. Raises what ``Sender`` does."""
        if self._token_is_bad:
            raise BadTokenError(self.platform)
        answer = self._request(doing, verb, path, fields, {"Authorization": self._authorization})
        if answer.status_code == UNAUTHORIZED:
            # Discord bans an address for 10,000 such calls in 10 minutes.
            self._token_is_bad = True
            raise BadTokenError(self.platform)
        return self._result(doing, answer)

    def call_interaction(self, doing: str, verb: str, path: str, fields: Drawn | None = None) -> dict[str, Any]:
        """Call with an interaction's token, which stands in the path. Raises _NoInteractionError, too."""
        answer = self._request(doing, verb, path, fields, {})
        if answer.status_code in {UNAUTHORIZED, NOT_FOUND}:
            raise _NoInteractionError
        return self._result(doing, answer)

    def _address(self, reply: str) -> _Address:
        address = read_address(reply, _Address)
        _id(address.application_id)
        if address.channel_id:
            _id(address.channel_id)
        return address

    def _open(self, user_id: str) -> str:
        channel = self.call("open a direct message", "POST", "/users/@me/channels", {"recipient_id": user_id})
        return str(channel["id"])

    def _write(self, user_id: str, fields: Drawn, key: str) -> dict[str, Any]:
        # The nonce is compared among all that the bot sends, so it is the receiver's, too.
        nonce = hashlib.sha256(f"{user_id}|{key}".encode()).hexdigest()[:MAX_NONCE]
        path = f"/channels/{self._direct_channel(user_id)}/messages"
        return self.call("send a direct message", "POST", path, {**fields, "nonce": nonce, "enforce_nonce": True})

    def _request(
        self, doing: str, verb: str, path: str, fields: Drawn | None, headers: dict[str, str]
    ) -> httpx.Response:
        try:
            return self._client.request(verb, path, json=fields, headers=headers)
        except httpx.HTTPError as error:
            # Its sentence may hold the address, and that a token.
            raise PassingError(self.platform, doing, type(error).__name__) from None

    def _result(self, doing: str, answer: httpx.Response) -> dict[str, Any]:
        if answer.status_code not in SUCCESS:
            raise self._refused(doing, answer)
        if answer.status_code == NO_CONTENT:
            return {}
        try:
            return msgspec.json.decode(answer.content, type=dict[str, Any])
        except (ValueError, RecursionError):
            raise PassingError(self.platform, doing, "an answer that cannot be read") from None

    def _refused(self, doing: str, answer: httpx.Response) -> SendError:
        status = answer.status_code
        try:
            failure = msgspec.json.decode(answer.content, type=_Failure)
        except (ValueError, RecursionError):
            failure = _Failure()
        if status == TOO_MANY_REQUESTS or failure.code == OPENING_TOO_FAST:
            return RateLimitedError(self.platform, _delay(failure, answer))
        # A refusal without one of Discord's codes comes from what stands before Discord.
        blocked = status == FORBIDDEN and failure.code in {0, BLOCKED_ON_THE_WAY}
        if blocked or not BAD_REQUEST <= status < SERVER_ERROR:
            return PassingError(self.platform, doing, f"HTTP {status}")
        refusal = REFUSALS.get(failure.code, SendRefusal.REFUSED)
        return PermanentRefusalError(self.platform, doing, refusal, f"{status}, code {failure.code}")


class _Answering:
    """The answer to one interaction: first its original response, then follow-ups that are seen by the same people."""

    def __init__(self, sender: DiscordSender, address: _Address, now: int, *, further: bool) -> None:
        self._sender = sender
        self._further = further
        self._path = f"/webhooks/{address.application_id}/{url_quote(address.token, safe='')}"
        # Discord made it, by a clock of its own: one that is far ahead makes nothing new for hours.
        self._is_new = abs(now - (address.expires - TOKEN_LIFETIME_SECONDS)) < SETTLING_SECONDS
        self._flags: int | None = None

    def send(self, number: int, part: str) -> None:
        fields: dict[str, Any] = {"content": part, "allowed_mentions": NO_MENTIONS}
        if not number and not self._further:
            self._flags = self._flags_of(self._original("PATCH", fields))
            return
        if self._flags is None:
            original = self._original("GET", None)
            self._flags = self._flags_of(original)
            if not number and int(original.get("flags", 0)) & LOADING:
                self._original("PATCH", fields)
                return
        self._sender.call_interaction("answer further", "POST", self._path, fields | {"flags": self._flags})

    def _flags_of(self, message: Mapping[str, Any]) -> int:
        return int(message.get("flags", 0)) & EPHEMERAL

    def _original(self, verb: str, fields: Drawn | None) -> dict[str, Any]:
        try:
            return self._sender.call_interaction("answer", verb, f"{self._path}/messages/@original", fields)
        except _NoInteractionError:
            if not self._is_new:
                raise
            raise PassingError(
                self._sender.platform, "answer", "the interaction has no response yet", delay=SETTLING_DELAY
            ) from None


def _id(text: str) -> str:
    # It becomes part of a path.
    if not SNOWFLAKE.fullmatch(text):
        raise AddressError("A stored address is none of this platform's (not an id).")
    return text


def _quoted(question: str) -> str:
    line = " ".join(question.split())
    if not line:
        return ""
    shown = line if len(line) <= MAX_QUOTE else f"{line[:MAX_QUOTE]}…"
    escaped = MARKUP.sub(r"\\\g<0>", shown)
    return f"> {escaped}\n"


def _delay(failure: _Failure, answer: httpx.Response) -> int:
    try:
        said = failure.retry_after or float(answer.headers.get("Retry-After", DEFAULT_DELAY_SECONDS))
        return max(ceil(said), 1)
    except (ValueError, OverflowError):
        return DEFAULT_DELAY_SECONDS


def make_sender(token: str, api_url: str, _moves: Moves) -> Sender:
    """Make a sender: ``MakeSender``."""
    return DiscordSender(token, api_url)
