"""Slack, on slack-sdk.

https://docs.slack.dev/apis/web-api, scopes ``chat:write``, ``im:write`` and, for names, ``users:read``.

Slack knows no idempotency key: a message whose answer was lost is sent again at the next try. Edits do no harm twice.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable
from functools import lru_cache
from http.client import HTTPException
from math import ceil
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from msgspec import Struct, structs
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from doorcode.pairing.contact import Platform
from doorcode.pairing.names import Names, names_of
from doorcode.pairing.wording import language_tag
from doorcode.platforms.send_errors import (
    BadTokenError,
    PassingError,
    PermanentRefusalError,
    RateLimitedError,
    SendError,
    SendRefusal,
)
from doorcode.platforms.sender import (
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
from doorcode.platforms.text_parts import Send, deliver, falling_back, split_each

DEFAULT_API_URL = "https://slack.com/api"
# What Slack recommends; it cuts a text off at ten times that.
MAX_TEXT = 4000
# Nothing else in a text is escaped, and with these nothing in it is a mention or a link of its own.
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
ESCAPE = str.maketrans(ESCAPES)

OK, BAD_REQUEST, UNAUTHORIZED, TOO_MANY_REQUESTS, SERVER_ERROR = 200, 400, 401, 429, 500
BAD_TOKEN = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})
RATE_LIMITED = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
PASSING = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
REFUSALS = {
    "channel_not_found": SendRefusal.UNREACHABLE,
    "user_not_found": SendRefusal.UNREACHABLE,
    "users_not_found": SendRefusal.UNREACHABLE,
    "user_disabled": SendRefusal.UNREACHABLE,
    "user_not_visible": SendRefusal.UNREACHABLE,
    "cannot_dm_bot": SendRefusal.UNREACHABLE,
    "messages_tab_disabled": SendRefusal.UNREACHABLE,
    "not_in_channel": SendRefusal.UNREACHABLE,
    "is_archived": SendRefusal.UNREACHABLE,
    "message_not_found": SendRefusal.GONE,
    "cant_update_message": SendRefusal.GONE,
    "edit_window_closed": SendRefusal.GONE,
    "thread_not_found": SendRefusal.GONE,
    "cannot_reply_to_message": SendRefusal.GONE,
    "restricted_action_thread_locked": SendRefusal.GONE,
    "restricted_action_non_threadable_channel": SendRefusal.GONE,
    "restricted_action": SendRefusal.UNREACHABLE,
    "restricted_action_read_only_channel": SendRefusal.UNREACHABLE,
    "restricted_action_thread_only_channel": SendRefusal.UNREACHABLE,
}
MAX_CODE_LENGTH = 64
# Direct-message channels that are remembered.
MAX_CHANNELS = 1000


class _Address(Struct):
    channel: str
    thread_ts: str = ""


class _Location(Struct):
    channel: str
    ts: str


class _NoRedirects(HTTPRedirectHandler):
    """Goes nowhere else: a redirect would take the token along."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _Client(WebClient):
    """The library's client, but no redirect is followed: urllib's own opener would."""

    def _perform_urllib_http_request_internal(self, url: str, req: Request) -> dict[str, Any]:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError("not an address of an API")
        opener = build_opener(HTTPSHandler(context=self.ssl), _NoRedirects)
        with opener.open(req, timeout=self.timeout) as response:
            charset = response.headers.get_content_charset() or "utf-8"
            return {"status": response.status, "headers": response.headers, "body": response.read().decode(charset)}


class SlackSender:
    """Says things on Slack. See ``outbound.port.Sender``."""

    platform = Platform.SLACK
    abilities = Abilities(edits=True, types=False, names=True)

    def __init__(self, token: str, api_url: str = DEFAULT_API_URL, *, timeout: float = READ_TIMEOUT) -> None:
        """Build the client; nothing is called yet."""
        silence_libraries("slack_sdk")
        self._client = _Client(
            token.strip(),
            base_url=f"{api_url.rstrip('/')}/",
            timeout=timeout,  # type: ignore[arg-type] # handed to urllib as it is, which takes fractions
            # The library opens a connection for every call, but need not read all certificates for each.
            ssl=ssl.create_default_context(),
            # By default it sleeps and tries again by itself after a lost connection, and sends twice.
            retry_handlers=[],
            # The library asks the logger that it is given for its own level, not for the one it inherits.
            logger=logging.getLogger("slack_sdk"),
        )
        # The library takes a proxy from the environment for every host; urllib does so itself, and minds NO_PROXY.
        self._client.proxy = None
        self._token_is_bad = False
        self._direct_channel = lru_cache(MAX_CHANNELS)(self._open)

    def send_text(self, outgoing: OutgoingText, now: int) -> None:  # noqa: ARG002 (the port's)
        """Answer in the channel and thread that the message came from."""
        direct = self._way(lambda: self._direct_channel(outgoing.user_id))
        ways = [direct]
        if outgoing.reply:
            address = read_address(outgoing.reply, _Address)
            ways = [self._way(lambda: address.channel), direct]
            if address.thread_ts:
                ways.insert(0, self._way(lambda: address.channel, address.thread_ts))
        deliver(split_each([outgoing.text, *outgoing.more], MAX_TEXT, _width), outgoing.done, falling_back(*ways))

    def notify(self, outgoing: OutgoingText, now: int) -> None:
        """Tell a requester, where they wrote from."""
        self.send_text(outgoing, now)

    def _way(self, channel: Callable[[], str], thread: str = "") -> Send:
        def send(_number: int, part: str) -> None:
            self._call(
                "send a message",
                self._client.chat_postMessage,
                channel=channel(),
                thread_ts=thread or None,
                text=part.translate(ESCAPE),
                mrkdwn=False,
                unfurl_links=False,
                unfurl_media=False,
            )

        return send

    def send_prompt(self, owner_id: str, drawn: Drawn, *, key: str) -> str:  # noqa: ARG002 (the port's)
        """Ask an owner in the app's direct messages with them."""
        answer = self._call(
            "send a prompt",
            self._client.chat_postMessage,
            channel=self._direct_channel(owner_id),
            unfurl_links=False,
            unfurl_media=False,
            **drawn,
        )
        return write_address({"channel": answer["channel"], "ts": answer["ts"]})

    def edit_prompt(self, location: str, drawn: Drawn) -> None:
        """Put ``drawn`` in a prompt's place."""
        at = read_address(location, _Location)
        self._call("edit a prompt", self._client.chat_update, channel=at.channel, ts=at.ts, **drawn)

    def typing(self, reply: str, now: int) -> None:
        """Show nothing: Slack's bots cannot."""

    def lookup_names(self, user_id: str) -> Names:
        """Return their names and language; empty where Slack does not tell, or the scope is missing."""
        try:
            user = self._person(user_id)
        except PermanentRefusalError:
            # A name only decorates the id.
            return Names()
        names = names_of(user.get("name") or "", user.get("real_name") or "")
        return structs.replace(names, language=language_tag(str(user.get("locale") or "")))

    def close(self) -> None:
        """Close nothing: the library keeps no connection."""

    def _open(self, user_id: str) -> str:
        if ":" in user_id:
            # The same id here may be somebody else's.
            self._person(user_id)
        plain = user_id.rpartition(":")[2]
        answer = self._call("open a direct message", self._client.conversations_open, users=plain)
        return str(answer["channel"]["id"])

    def _person(self, user_id: str) -> dict[str, Any]:
        """Look somebody up. Raises PermanentRefusalError where the id, here, is that of another workspace's person."""
        workspace, _, plain = user_id.rpartition(":")
        user: dict[str, Any] = self._call("look up a person", self._client.users_info, user=plain, include_locale=True)[
            "user"
        ]
        of = {user.get("team_id"), (user.get("enterprise_user") or {}).get("enterprise_id")}
        if workspace and workspace not in of:
            raise PermanentRefusalError(
                self.platform, "look up a person", SendRefusal.UNREACHABLE, "another workspace's"
            )
        return user

    def _call(self, doing: str, method: Callable[..., Any], **fields: Any) -> Any:
        if self._token_is_bad:
            raise BadTokenError(self.platform)
        try:
            return method(**fields).data
        except SlackApiError as error:
            raise self._refused(doing, error.response) from None
        except (SlackClientError, OSError, HTTPException, ValueError, AttributeError, RecursionError) as error:
            # Network, timeouts; answers that are cut off, no text, no object, or nested too deep for the library.
            raise PassingError(self.platform, doing, type(error).__name__) from None

    def _refused(self, doing: str, response: Any) -> SendError:
        status = response.status_code
        code = str(response.data.get("error") or "") if isinstance(response.data, dict) else ""
        if status == UNAUTHORIZED or code in BAD_TOKEN:
            self._token_is_bad = True
            return BadTokenError(self.platform)
        if status == TOO_MANY_REQUESTS or code in RATE_LIMITED:
            return RateLimitedError(self.platform, _delay(response.headers))
        if code in PASSING or not (status == OK or BAD_REQUEST <= status < SERVER_ERROR):
            return PassingError(self.platform, doing, f"HTTP {status}")
        # Where the answer is not JSON, the library puts a piece of it into its place.
        if not (code.isascii() and code.replace("_", "").isalnum() and len(code) <= MAX_CODE_LENGTH):
            return PassingError(self.platform, doing, f"HTTP {status}, and no answer of Slack's")
        return PermanentRefusalError(self.platform, doing, REFUSALS.get(code, SendRefusal.REFUSED), code)


def _width(character: str) -> int:
    return len(ESCAPES.get(character, character))


def _delay(headers: dict[str, str]) -> int:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            try:
                return max(ceil(float(value)), 1)
            except (ValueError, OverflowError):
                break
    return DEFAULT_DELAY_SECONDS


def make_sender(token: str, api_url: str, _moves: Moves) -> Sender:
    """Make a sender: ``MakeSender``."""
    return SlackSender(token, api_url)
