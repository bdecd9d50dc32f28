"""Setting the app up on Slack, for ``doorcode init``: it is made from the stack's manifest, by a link or by itself.

https://docs.slack.dev/app-manifests/configuring-apps-with-app-manifests
"""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import quote

from doorcode.pairing.contact import Platform
from doorcode.pairing.settings import GroupPolicy
from doorcode_cli.deployment import SETTLING_SECONDS, Deployment
from doorcode_cli.output import note, say
from doorcode_cli.platform_api import PlatformError
from doorcode_cli.platforms.port import SettingUp
from doorcode_cli.platforms.slack.api import ConfigurationApi, SlackApi
from doorcode_cli.platforms.slack.commands import app_manifest, bot_changes, store_workspace
from doorcode_cli.platforms.slack.secrets import CONFIGURATION_TOKEN, SIGNING_SECRET, TOKEN
from doorcode_cli.shown import shown

HOW = "Slack's token belongs to an app that is made for this stack; you are asked for it once the stack is there."
NEW_APP = "https://api.slack.com/apps?new_app=1&manifest_json="
APPS = "https://api.slack.com/apps"
NAME = "Doorcode"


def set_up(setting_up: SettingUp) -> None:
    """Have an app that sends to this stack, its secrets where they belong, and its workspace noted."""
    deployment, desk = setting_up.deployment, setting_up.desk
    url = deployment.webhook_url(Platform.SLACK)
    new = not desk.has(SIGNING_SECRET) and not desk.is_given(SIGNING_SECRET)
    if new and deployment.has_bot(Platform.SLACK):
        desk.questions.explain(
            f"In the manifest of your app, at {APPS}, have this (and give its slash commands the URL {url}):",
            json.dumps(bot_changes(url)),
        )
    elif new:
        _make_app(setting_up, url)
    desk.questions.explain(
        *([] if desk.has(SIGNING_SECRET) else ["Its Signing Secret stands under Basic Information."])
    )
    desk.obtain(SIGNING_SECRET)
    if not desk.has(TOKEN):
        desk.questions.explain("Under Install App, install it to your workspace; its token stands there then, xoxb-….")
    desk.obtain(TOKEN, lambda token: SlackApi.of(deployment, token).identity())
    desk.questions.refuse_missing()
    say(f"✅ {store_workspace(deployment)}")
    if new:
        note(
            f"Slack tried {url} before it had the secret: under Event Subscriptions, at {APPS}, have it Retry if that is not "
            "Verified."
        )


def link(manifest: dict[str, Any]) -> str:
    """Return the link that makes an app of that manifest: Slack asks for the workspace, shows it, and Create does it."""
    return NEW_APP + quote(json.dumps(manifest, separators=(",", ":")), safe="")


def _make_app(setting_up: SettingUp, url: str) -> None:
    deployment, desk = setting_up.deployment, setting_up.desk
    groups = deployment.environment("SlackFunction").get("GROUP_POLICY") == GroupPolicy.MENTION_ONLY
    manifest = app_manifest(NAME, url, groups=groups)
    desk.questions.explain(
        "The app can be made by itself, with a configuration token (Your App Configuration Tokens, at "
        f"{APPS}; it is not kept). Or press Enter, and make it with a link."
    )
    token = desk.look_at(CONFIGURATION_TOKEN, optional=True)
    if token:
        _made_by_itself(deployment, token, manifest)
        return
    say("   Open this link, choose the workspace, and press Create:")
    say(f"   {link(manifest)}")


def _made_by_itself(deployment: Deployment, token: str, manifest: dict[str, Any]) -> None:
    api = ConfigurationApi(token, deployment.api_url(Platform.SLACK))
    made = api.create(manifest)
    # At once: with it the app is ours, whatever happens then.
    deployment.parameter_store.write(SIGNING_SECRET.name, made.signing_secret)
    say(f"✅ Made the app {NAME}: {APPS}/{shown(made.app_id, 20)}")
    # Slack tries the address when it is given, and a function may have looked for the secret just before it was there.
    time.sleep(SETTLING_SECONDS)
    try:
        api.update(made.app_id, manifest)
    except PlatformError as error:
        note(f"⚠️  {error}")
