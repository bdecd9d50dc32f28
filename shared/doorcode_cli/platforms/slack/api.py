"""Slack's Web API, as far as setting up calls it.

https://docs.slack.dev/apis/web-api
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode_cli.platform_api import OK, TEST_TEXT, UNAUTHORIZED, PlatformApi
from doorcode_cli.platforms.slack.secrets import CONFIGURATION_TOKEN, SIGNING_SECRET, TOKEN
from doorcode_cli.secret_forms import problem
from doorcode_cli.shown import shown

if TYPE_CHECKING:
    import httpx

BAD_TOKEN = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})


class SlackApi(PlatformApi):
    """Slack's Web API."""

    platform = Platform.SLACK
    token = TOKEN
    owner_remedy = "look whether {user_id} is a member of the workspace, and the app's messages tab is on"

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
            if said.get("error") in BAD_TOKEN:
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

    def identity(self) -> str:
        """Ask who the app is."""
        said, _ = self.test()
        return f"{shown(said.get('user'), 40)} in {shown(said.get('team'), 40)}"

    def reach(self, user_id: str, *, send: bool) -> str:
        """Open the chat with a person, or send a test there."""
        opened, _ = self.call("conversations.open", users=user_id.rpartition(":")[2])
        if not send:
            return "has a chat with the app; only sending tells more"
        self.call("chat.postMessage", channel=str(opened["channel"]["id"]), text=TEST_TEXT)
        return "was sent a test"


class MadeApp(Struct, frozen=True):
    """An app that was just made."""

    app_id: str
    signing_secret: str


class ConfigurationApi(SlackApi):
    """The part of Slack's Web API that makes apps, called with the configuration token of whoever owns them.

    https://docs.slack.dev/reference/methods/apps.manifest.create
    """

    token = CONFIGURATION_TOKEN

    def create(self, manifest: dict[str, Any]) -> MadeApp:
        """Make an app. Raises PlatformError."""
        said, _ = self.call("apps.manifest.create", manifest=json.dumps(manifest))
        credentials = said.get("credentials")
        secret = credentials.get("signing_secret") if isinstance(credentials, dict) else None
        app_id = said.get("app_id")
        if not isinstance(secret, str) or not isinstance(app_id, str) or problem(SIGNING_SECRET, secret):
            raise self._refused("an answer of another form")
        return MadeApp(app_id, secret)

    def update(self, app_id: str, manifest: dict[str, Any]) -> None:
        """Give an app its manifest once more, for which Slack tries its addresses. Raises PlatformError."""
        self.call("apps.manifest.update", app_id=app_id, manifest=json.dumps(manifest))
