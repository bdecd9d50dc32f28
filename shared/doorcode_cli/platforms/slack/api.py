"""Slack's Web API, as far as setting up calls it.

https://docs.slack.dev/apis/web-api
"""

from __future__ import annotations

from typing import Any

import httpx

from doorcode.pairing.contact import Platform
from doorcode_cli.platform_api import OK, TEST_TEXT, UNAUTHORIZED, PlatformApi
from doorcode_cli.platforms.slack.secrets import TOKEN

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

    def reach(self, user_id: str, *, send: bool) -> str:
        """Open the chat with a person, or send a test there."""
        opened, _ = self.call("conversations.open", users=user_id.rpartition(":")[2])
        if not send:
            return "has a chat with the app; only sending tells more"
        self.call("chat.postMessage", channel=str(opened["channel"]["id"]), text=TEST_TEXT)
        return "was sent a test"
