"""Telegram's Bot API, as far as setting up calls it.

https://core.telegram.org/bots/api
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from doorcode.pairing.contact import Platform
from doorcode.platforms.telegram.deeds import KINDS
from doorcode_cli.deployment import Deployment
from doorcode_cli.platform_api import NOT_FOUND, SERVER_ERROR, TEST_TEXT, TOO_MANY_REQUESTS, UNAUTHORIZED, PlatformApi
from doorcode_cli.platforms.port import SecretHolder
from doorcode_cli.platforms.telegram.secrets import TOKEN, WEBHOOK_SECRET
from doorcode_cli.shown import shown

# Without messages and presses of buttons nobody comes in.
NEEDED_UPDATES = ("message", "callback_query")
# All that the edge reads: see doorcode/platforms/telegram/inbound.py. Edits change what is kept of somebody who waits.
ALLOWED_UPDATES = (*NEEDED_UPDATES, "edited_message")
# What a bot behind the door may be passed: every kind that somebody does. Telegram itself leaves some out unless asked.
BOT_UPDATES = tuple(kind for kind, by in KINDS.items() if by)
# Each is a function at work at the same time. A new AWS account may run ten of them in all, and one does a hundred
# updates a second.
MAX_CONNECTIONS = 10


class TelegramApi(PlatformApi):
    """Telegram's Bot API."""

    platform = Platform.TELEGRAM
    token = TOKEN
    owner_remedy = "write /start to the bot from that account, and look whether the id is right"

    def call(self, method: str, **fields: Any) -> Any:
        """Return a method's result. Raises PlatformError."""
        answer = self._request("POST", f"/bot{self._token}/{method}", json=fields)
        # 404 is the answer to a malformed token: every method that is called here exists.
        if answer.status_code in {UNAUTHORIZED, NOT_FOUND}:
            raise self._bad_token()
        said = self._decoded(answer)
        if answer.status_code == TOO_MANY_REQUESTS or answer.status_code >= SERVER_ERROR:
            raise self._strange(answer)
        if said.get("ok") is not True:
            raise self._refused(said.get("description", f"HTTP {answer.status_code}"))
        return said.get("result")

    def me(self) -> dict[str, Any]:
        """Return who the bot is."""
        return self._object(self.call("getMe"))

    def webhook(self) -> dict[str, Any]:
        """Return what Telegram knows of the webhook."""
        return self._object(self.call("getWebhookInfo"))

    def identity(self) -> str:
        """Ask who the bot is."""
        bot = self.me()
        return f"@{shown(bot.get('username'), 40)} ({shown(bot.get('id'), 20)})"

    def introduction(self) -> dict[str, Any]:
        """Return what people see of the bot before they write: its commands and its two descriptions, as far as there are any."""
        return {
            "commands": self.call("getMyCommands"),
            "description": self._object(self.call("getMyDescription")).get("description"),
            "short_description": self._object(self.call("getMyShortDescription")).get("short_description"),
        }

    def set_webhook(self, url: str, secret: str, updates: Sequence[str] = ALLOWED_UPDATES) -> None:
        """Have updates of these kinds sent there, with that secret in each."""
        self.call(
            "setWebhook",
            url=url,
            secret_token=secret,
            allowed_updates=list(updates),
            max_connections=MAX_CONNECTIONS,
        )

    def reach(self, user_id: str, *, send: bool) -> str:
        """Show "typing…" to a person, or send them a test."""
        if send:
            self.call("sendMessage", chat_id=user_id, text=TEST_TEXT)
            return "was sent a test"
        self.call("sendChatAction", chat_id=user_id, action="typing")
        return "can be reached"

    def _object(self, result: Any) -> dict[str, Any]:
        if not isinstance(result, dict):
            raise self._refused("an answer of another form")
        return result


class WebhookHolder(SecretHolder):
    """The webhook, whose every update has the secret in a header."""

    secret = WEBHOOK_SECRET

    def __init__(self, deployment: Deployment, token: str) -> None:
        """Ask for the webhook."""
        self._api = TelegramApi.of(deployment, token)
        self._url = deployment.webhook_url(Platform.TELEGRAM)
        hook = self._api.webhook()
        self.ours = hook.get("url") == self._url
        # A bot behind the door may have asked for more than we do.
        self._updates = hook.get("allowed_updates") or ALLOWED_UPDATES

    def give(self, secret: str) -> None:
        """Set the webhook once more, with that secret."""
        if self.ours:
            self._api.set_webhook(self._url, secret, self._updates)
