"""Discord's HTTP API, as far as setting up calls it.

https://docs.discord.com/developers/reference
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from doorcode.pairing.contact import Platform
from doorcode_cli.platform_api import SERVER_ERROR, SUCCESS, TEST_TEXT, TOO_MANY_REQUESTS, UNAUTHORIZED, PlatformApi
from doorcode_cli.platforms.discord.secrets import TOKEN
from doorcode_cli.shown import shown

# Discord asks for this form, and blocks libraries' own.
USER_AGENT = "DiscordBot (https://github.com/doorcode/doorcode, 1)"


class DiscordApi(PlatformApi):
    """Discord's HTTP API."""

    platform = Platform.DISCORD
    token = TOKEN
    owner_remedy = "share a server with the bot, let its members write to you, and look whether {user_id} is right"

    def call(self, verb: str, path: str, fields: Any = None) -> Any:
        """Return what a call answers. Raises PlatformError."""
        headers = {"Authorization": f"Bot {self._token}", "User-Agent": USER_AGENT}
        answer = self._request(verb, path, headers=headers, json=fields)
        if answer.status_code == UNAUTHORIZED:
            # Discord bans an address for 10,000 such calls in 10 minutes.
            raise self._bad_token()
        if answer.status_code == TOO_MANY_REQUESTS or answer.status_code >= SERVER_ERROR:
            raise self._strange(answer)
        if answer.status_code not in SUCCESS:
            raise self._refused(_reason(self._decoded(answer)))
        try:
            return msgspec.json.decode(answer.content)
        except (ValueError, RecursionError):
            raise self._strange(answer) from None

    def application(self) -> dict[str, Any]:
        """Return the application that the token is of."""
        found = self.call("GET", "/applications/@me")
        if not isinstance(found, dict) or not re.fullmatch(r"[0-9]{1,20}", str(found.get("id", ""))):
            raise self._refused("an answer of another form")
        return found

    def identity(self) -> str:
        """Ask which application it is."""
        application = self.application()
        return f"{shown(application.get('name'), 40)} ({shown(application['id'], 20)})"

    def edit_application(self, **fields: Any) -> None:
        """Change the application."""
        self.call("PATCH", "/applications/@me", fields)

    def reach(self, user_id: str, *, send: bool) -> str:
        """Send a test to a person, without which Discord tells nothing."""
        if not send:
            return "was not tried: only sending tells"
        channel = self.call("POST", "/users/@me/channels", {"recipient_id": user_id})
        fields = {"content": TEST_TEXT, "allowed_mentions": {"parse": []}}
        self.call("POST", f"/channels/{int(channel['id'])}/messages", fields)
        return "was sent a test"


def _reason(said: dict[str, Any]) -> str:
    """Return Discord's words for a refusal: the innermost of a form's problems, where there are any."""
    found = _messages(said.get("errors"))
    return " ".join([str(said.get("message", "no reason given")), *found[:3]])


def _messages(value: Any, depth: int = 0) -> list[str]:
    if not isinstance(value, dict) or depth > 8:  # noqa: PLR2004 (deeper than any form)
        return []
    found = [
        str(error["message"])
        for error in value.get("_errors", [])
        if isinstance(error, dict) and "message" in error
    ]  # fmt: skip
    return found + [message for inner in value.values() for message in _messages(inner, depth + 1)]
