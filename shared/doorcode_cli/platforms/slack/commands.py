"""``doorcode slack manifest``: the Slack app of a stack, complete, with no more rights than it needs.

https://docs.slack.dev/reference/app-manifest
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from doorcode.pairing.contact import Platform
from doorcode.pairing.settings import GroupPolicy
from doorcode.platforms.slack.inbound import DOOR
from doorcode_cli.deployment import Deployment
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.output import note
from doorcode_cli.platforms.slack.api import SlackApi
from doorcode_cli.shown import shown
from doorcode_cli.target import Target, targeted

# Slack's limits.
MAX_NAME, MAX_DESCRIPTION = 35, 140
DESCRIPTION = "A private bot: write to it, and its owner decides who may talk to it."
# What each is for: sending, opening chats with owners, hearing direct messages, showing owners who asks.
SCOPES = ("chat:write", "im:history", "im:write", "users:read")
# The owner's /door. Without it all else works.
COMMAND_SCOPE = "commands"
# Hearing where the app is mentioned in channels; only with GROUP_POLICY=mention_only.
GROUP_SCOPE = "app_mentions:read"
# The app's own workspace and organization, as the edge reads them.
SLACK_TEAM = "slack/team"
EVENTS, GROUP_EVENT = ("message.im",), "app_mention"

app = typer.Typer(no_args_is_help=True, help="Set up the app on Slack.")

NameOption = Annotated[str, typer.Option("--name", help=f"What the app is called, in at most {MAX_NAME} characters.")]
YamlOption = Annotated[bool, typer.Option("--yaml/--json", help="Print YAML instead of JSON.")]
GroupsOption = Annotated[
    bool | None,
    typer.Option(
        "--groups/--no-groups", help="Hear mentions in channels; by default as the stack's GroupPolicy has it."
    ),
]


@app.callback()
def slack() -> None:
    """Set up the app on Slack."""


@app.command(
    epilog=examples(
        "doorcode slack manifest",
        "doorcode slack manifest --yaml > manifest.yaml",
        "doorcode slack manifest --name Concierge --groups",
    )
)
@targeted
def manifest(
    target: Target, *, name: NameOption = "Doorcode", as_yaml: YamlOption = False, groups: GroupsOption = None
) -> None:
    """Print the app's manifest, to create or update the app from at https://api.slack.com/apps.

    Of an app that has a bot of its own behind the door (Agent=bot), only what has to change in its manifest, unless
    --groups or --no-groups asks for all of it.
    """
    if not name.strip() or len(name) > MAX_NAME or shown(name) != name:
        raise CommandError(f"--name has 1 to {MAX_NAME} visible characters.", Exit.USAGE)
    deployment = Deployment(target)
    url = deployment.webhook_url(Platform.SLACK)
    if groups is None and deployment.has_bot(Platform.SLACK):
        changes = bot_changes(url)
        typer.echo(yaml(changes) if as_yaml else json.dumps(changes, indent=2, ensure_ascii=False))
        note(
            "Put this into the manifest that the app has at https://api.slack.com/apps, and give each of its slash commands "
            f"the URL {url}. With a command {DOOR} among them, an owner hears who waits. All else stays as it is; Doorcode itself uses the scopes {', '.join(scopes(groups=False))}."
        )
        return
    if groups is None:
        groups = deployment.environment("SlackFunction").get("GROUP_POLICY") == GroupPolicy.MENTION_ONLY
    made = app_manifest(name, url, groups=groups)
    typer.echo(yaml(made) if as_yaml else json.dumps(made, indent=2, ensure_ascii=False))
    note(
        "Create the app from it at https://api.slack.com/apps?new_app=1 and install it. Then run "
        "doorcode secrets set slack/signing-secret and doorcode secrets set slack/bot-token, "
        "and have Slack verify the request URL once more under Event Subscriptions."
    )


@app.command(epilog=examples("doorcode slack workspace"))
@targeted
def workspace(target: Target) -> None:
    """Store which workspace the app is in, as its token tells; setting the token does that, too."""
    deployment = Deployment(target)
    _ = deployment.outputs
    typer.echo(f"✅ {store_workspace(deployment)}")


def store_workspace(deployment: Deployment) -> str:
    """Ask Slack which workspace the app is in, and store it; return a line about it. Raises CommandError."""
    said, _ = SlackApi.of(deployment).test()
    deployment.parameter_store.write(SLACK_TEAM, team_of(said), kind="String")
    name, number = shown(said.get("team"), 40), shown(said.get("team_id"), 40)
    return f"The app is in {name} ({number}): ids of other workspaces are shown as T…:U…"


def note_workspace(deployment: Deployment) -> None:
    """Store the workspace and note which it is: Slack's ids count only there, and the token tells it."""
    try:
        note(store_workspace(deployment))
    except CommandError as error:
        note(f"⚠️  {error} Once that is mended, run: doorcode slack workspace")


def team_of(said: Mapping[str, Any]) -> str:
    """Return the app's workspace and organization from what auth.test says, as they are stored. Raises CommandError."""
    ids = [said.get(name) or "" for name in ("team_id", "enterprise_id")]
    if not any(ids) or not all(isinstance(one, str) and re.fullmatch(r"([TE][A-Z0-9]{2,30})?", one) for one in ids):
        raise CommandError("Slack does not tell which workspace the app is in.")
    return ":".join(ids)


def app_manifest(name: str, url: str, *, groups: bool) -> dict[str, Any]:
    """Return the manifest of an app of that name, whose events and presses go to ``url``."""
    return {
        "display_information": {"name": name, "description": DESCRIPTION},
        "features": {
            # Without the messages tab nobody can write to the app.
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": _handle(name), "always_online": True},
            "slash_commands": [door_command(url)],
        },
        "oauth_config": {"scopes": {"bot": scopes(groups=groups)}},
        "settings": {
            "event_subscriptions": {
                "request_url": url,
                "bot_events": sorted([*EVENTS, *([GROUP_EVENT] if groups else [])]),
            },
            "interactivity": {"is_enabled": True, "request_url": url},
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            # The token has to stay what it is.
            "token_rotation_enabled": False,
        },
    }


def door_command(url: str) -> dict[str, Any]:
    """Return the owner's command, as a manifest has it."""
    return {
        "command": DOOR,
        "url": url,
        "description": "For the owner: who waits, and a link to the page",
        "should_escape": False,
    }


def bot_changes(url: str) -> dict[str, Any]:
    """Return what of an app's own manifest has to change so that everything goes to ``url``."""
    return {
        "settings": {
            "event_subscriptions": {"request_url": url},
            "interactivity": {"is_enabled": True, "request_url": url},
            # With it, Slack sends nothing over HTTP.
            "socket_mode_enabled": False,
        }
    }


def _handle(name: str) -> str:
    """Return the name as Slack takes it for a bot: of a-z, 0-9, dots, hyphens and underscores."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-") or "doorcode"


def scopes(*, groups: bool) -> list[str]:
    """Return what the app has to be allowed."""
    return sorted([*SCOPES, COMMAND_SCOPE, *([GROUP_SCOPE] if groups else [])])


def yaml(value: Any, depth: int = 0) -> str:
    """Write a manifest as YAML: texts as JSON writes them, which YAML reads as they are meant."""
    indent = "  " * depth
    if isinstance(value, dict):
        return "\n".join(
            f"{indent}{key}:\n{yaml(inner, depth + 1)}" if isinstance(inner, dict | list)
            else f"{indent}{key}: {yaml(inner)}"
            for key, inner in value.items()
        )  # fmt: skip
    if isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        # Under the hyphen, an object's lines stand as far in as its first.
        objects = (yaml(inner, depth + 1) for inner in value)
        return "\n".join(f"{indent}- {lines[len(indent) + 2 :]}" for lines in objects)
    if isinstance(value, list):
        return "\n".join(f"{indent}- {yaml(inner)}" for inner in value)
    return json.dumps(value, ensure_ascii=False)
