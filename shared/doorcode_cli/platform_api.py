"""The platforms' APIs, as far as setting up calls them. No error holds a token or an address with one in it.

https://core.telegram.org/bots/api, https://docs.slack.dev/apis/web-api, https://docs.discord.com/developers/reference
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import httpx
import msgspec

from doorcode.pairing.contact import Platform
from doorcode.platforms.silence import silence_libraries
from doorcode_cli.deployment import Deployment
from doorcode_cli.exit_codes import CommandError
from doorcode_cli.secret_forms import DISCORD_TOKEN, FORMS, SLACK_TOKEN, TELEGRAM_TOKEN
from doorcode_cli.shown import shown

TIMEOUT = httpx.Timeout(10, connect=5)
# Discord asks for this form, and blocks libraries' own.
USER_AGENT = "DiscordBot (https://github.com/doorcode/doorcode, 1)"
OK, UNAUTHORIZED, NOT_FOUND, TOO_MANY_REQUESTS, SUCCESS, SERVER_ERROR = 200, 401, 404, 429, range(200, 300), 500
BAD_SLACK_TOKEN = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})

# Messages and presses of buttons are all that the edge reads: see platforms/telegram/inbound.py.
ALLOWED_UPDATES = ("message", "callback_query")
# Each is a function at work at the same time. A new AWS account may run ten of them in all, and one does a hundred
# updates a second.
MAX_CONNECTIONS = 10


class Trouble(StrEnum):
    """Why a call did not do what it should."""

    BAD_TOKEN = "bad_token"  # noqa: S105 (a word, not a token)
    REFUSED = "refused"
    SILENT = "silent"


class PlatformError(CommandError):
    """A platform refused, or did not answer."""

    def __init__(self, message: str, trouble: Trouble) -> None:
        """Say what happened and what to do."""
        self.trouble = trouble
        super().__init__(message)


class PlatformApi:
    """One platform's API, called with the bot's token."""

    platform: Platform
    token_name: str

    def __init__(self, token: str, base_url: str) -> None:
        """Keep the token; nothing is called yet. Raises PlatformError for a token that cannot be one."""
        silence_libraries()
        self._token = token.strip()
        self._base_url = base_url.rstrip("/")
        if not re.fullmatch(FORMS[self.token_name].must, self._token):
            raise self._bad_token()

    @property
    def name(self) -> str:
        """The platform's name, as it is written."""
        return self.platform.title()

    def _request(self, verb: str, path: str, **options: Any) -> httpx.Response:
        try:
            return httpx.request(
                verb, f"{self._base_url}{path}", timeout=TIMEOUT, follow_redirects=False, **options
            )  # fmt: skip
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # Its sentence may hold the address, and that the token.
            raise PlatformError(
                f"{self.name} does not answer at {self._base_url} ({type(error).__name__}). Try again in a moment.",
                Trouble.SILENT,
            ) from None

    def _bad_token(self) -> PlatformError:
        return PlatformError(
            f"{self.name} does not accept {self.token_name}. Set it with: doorcode secrets set {self.token_name}",
            Trouble.BAD_TOKEN,
        )

    def _refused(self, what: object) -> PlatformError:
        said = shown(str(what).replace(self._token, "…"))
        return PlatformError(f"{self.name} refused: {said}", Trouble.REFUSED)

    def _strange(self, answer: httpx.Response) -> PlatformError:
        if answer.status_code == TOO_MANY_REQUESTS:
            wait = shown(answer.headers.get("retry-after", "some"), 10)
            return PlatformError(f"{self.name} asks to wait {wait} s. Try again then.", Trouble.SILENT)
        return PlatformError(
            f"{self.name} answers HTTP {answer.status_code}, and nothing that can be read. Try again in a moment.",
            Trouble.SILENT,
        )

    def _decoded(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            return msgspec.json.decode(answer.content, type=dict[str, Any])
        except (ValueError, RecursionError):
            raise self._strange(answer) from None


class TelegramApi(PlatformApi):
    """Telegram's Bot API."""

    platform = Platform.TELEGRAM
    token_name = TELEGRAM_TOKEN

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

    def set_webhook(self, url: str, secret: str) -> None:
        """Have updates sent there, with that secret in each."""
        self.call(
            "setWebhook",
            url=url,
            secret_token=secret,
            allowed_updates=list(ALLOWED_UPDATES),
            max_connections=MAX_CONNECTIONS,
        )

    def _object(self, result: Any) -> dict[str, Any]:
        if not isinstance(result, dict):
            raise self._refused("an answer of another form")
        return result


class SlackApi(PlatformApi):
    """Slack's Web API."""

    platform = Platform.SLACK
    token_name = SLACK_TOKEN

    def call(self, method: str, **fields: str) -> tuple[dict[str, Any], httpx.Headers]:
        """Return a method's answer and its headers. Raises PlatformError."""
        answer = self._request(
            "POST", f"/{method}", data=fields, headers={"Authorization": f"Bearer {self._token}"}
        )  # fmt: skip
        if answer.status_code == UNAUTHORIZED:
            raise self._bad_token()
        if answer.status_code != OK:
            raise self._strange(answer)
        said = self._decoded(answer)
        if said.get("ok") is not True:
            if said.get("error") in BAD_SLACK_TOKEN:
                raise self._bad_token()
            raise self._refused(said.get("error", "an answer without a reason"))
        return said, answer.headers

    def test(self) -> tuple[dict[str, Any], frozenset[str] | None]:
        """Return who the app is, and its scopes where Slack tells them."""
        said, headers = self.call("auth.test")
        scopes = headers.get("x-oauth-scopes")
        if scopes is None:
            return said, None
        return said, frozenset(scope.strip() for scope in scopes.split(",") if scope.strip())


class DiscordApi(PlatformApi):
    """Discord's HTTP API."""

    platform = Platform.DISCORD
    token_name = DISCORD_TOKEN

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

    def edit_application(self, **fields: Any) -> None:
        """Change the application."""
        self.call("PATCH", "/applications/@me", fields)


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


def telegram_api(deployment: Deployment, token: str | None = None) -> TelegramApi:
    """Return Telegram's API for a stack, with its token. Raises CommandError if that is not set."""
    return TelegramApi(token or deployment.shelf.take(TELEGRAM_TOKEN), deployment.api_url(Platform.TELEGRAM))


def discord_api(deployment: Deployment) -> DiscordApi:
    """Return Discord's API for a stack, with its token. Raises CommandError if that is not set."""
    return DiscordApi(deployment.shelf.take(DISCORD_TOKEN), deployment.api_url(Platform.DISCORD))
