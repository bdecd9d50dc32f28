"""``doorcode discord register``: the application's key, command and endpoint, all from its bot token.

https://docs.discord.com/developers/resources/application, https://docs.discord.com/developers/interactions/application-commands
"""

from __future__ import annotations

import json
import re
import time
from typing import Annotated, Any
from urllib.parse import urlencode

import typer
from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode.platforms.discord.inbound import CHAT_INPUT, COMMAND, DOOR_COMMAND, MAX_TEXT, OPTION, STRING
from doorcode_cli.deployment import SETTLING_SECONDS, Deployment
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.options import JsonOption
from doorcode_cli.platform_api import PlatformError, Trouble
from doorcode_cli.platforms.discord.api import DiscordApi
from doorcode_cli.platforms.discord.secrets import PUBLIC_KEY
from doorcode_cli.shown import duration, shown
from doorcode_cli.target import Target, targeted

AUTHORIZE_URL = "https://discord.com/oauth2/authorize"
DESCRIPTION = "A private bot. Write to it with /chat, and its owner decides who may talk to it."
MAX_DESCRIPTION = 400
GUILD, USER = 0, 1
GUILD_CONTEXT, BOT_DM_CONTEXT, PRIVATE_CONTEXT = 0, 1, 2
SCOPES = {GUILD: ("applications.commands", "bot"), USER: ("applications.commands",)}
# Discord tries the endpoint at once. A function may have read its secrets just before the key was stored.
ATTEMPTS = 3

CHAT = {
    "name": COMMAND,
    "type": CHAT_INPUT,
    "description": "Write to the bot",
    "contexts": [GUILD_CONTEXT, BOT_DM_CONTEXT, PRIVATE_CONTEXT],
    "integration_types": [GUILD, USER],
    "options": [
        {
            "type": STRING,
            "name": OPTION,
            "description": "What you want to say",
            "required": True,
            "min_length": 1,
            "max_length": MAX_TEXT,
        }
    ],
}

# In the bot's own direct messages alone: elsewhere it is nothing special.
DOOR = {
    "name": DOOR_COMMAND,
    "type": CHAT_INPUT,
    "description": "For the owner: who waits, and a link to the page",
    "contexts": [BOT_DM_CONTEXT],
    "integration_types": [GUILD, USER],
}

app = typer.Typer(no_args_is_help=True, help="Set up the application on Discord.")

DescriptionOption = Annotated[
    str | None,
    typer.Option("--description", help="What the bot's profile says; by default what it says already, if anything."),
]


ChatOption = Annotated[
    bool, typer.Option("--chat", help=f"Register /{COMMAND} beside the commands of a bot behind the door, too.")
]
DoorOption = Annotated[
    bool, typer.Option("--door", help=f"Register /{DOOR_COMMAND}, the owner's, beside the commands of such a bot, too.")
]


@app.callback()
def discord() -> None:
    """Set up the application on Discord."""


@app.command(
    epilog=examples(
        "doorcode discord register",
        "doorcode discord register --description 'The concierge of Acme'",
        "doorcode discord register --door --json",
    )
)
@targeted
def register(
    target: Target,
    *,
    description: DescriptionOption = None,
    chat: ChatOption = False,
    door: DoorOption = False,
    as_json: JsonOption = False,
) -> None:
    """Store the public key, register /chat and /door, have interactions sent to this stack, and print the install links.

    The application's other global commands, if it has any, are removed. Those of a bot behind the door (Agent=bot) stay, as
    does all else that it has set up; /chat is only added with --chat, and the owner's /door with --door.
    """
    if description is not None and not 1 <= len(description) <= MAX_DESCRIPTION:
        raise CommandError(f"--description has 1 to {MAX_DESCRIPTION} characters.", Exit.USAGE)
    deployment = Deployment(target)
    _ = deployment.webhook_url(Platform.DISCORD)
    api = DiscordApi.of(deployment)
    done = registered(deployment, api, api.application(), description=description, chat=chat, door=door)
    if as_json:
        url = done.url
        typer.echo(
            json.dumps(
                {"application_id": done.id, "interactions_endpoint_url": url, **install_links(done.id)}, indent=2
            )
        )
        return
    for line in done.lines:
        typer.echo(line)


class Registration(Struct, frozen=True):
    """An application that sends here, and lines about it."""

    id: str
    url: str
    lines: tuple[str, ...]


def registered(  # noqa: PLR0913 (each is an option of the command)
    deployment: Deployment,
    api: DiscordApi,
    application: dict[str, Any],
    *,
    description: str | None = None,
    chat: bool = False,
    door: bool = False,
) -> Registration:
    """Store the application's key, register its commands and have interactions sent to the stack. Raises CommandError."""
    url = deployment.webhook_url(Platform.DISCORD)
    stored = _store_key(deployment, application)
    own = deployment.has_bot(Platform.DISCORD)
    added = [command for command, wanted in ((CHAT, chat), (DOOR, door)) if wanted or not own]
    changes: dict[str, Any] = {}
    if not own or description:
        changes["description"] = description or _profile(application) or DESCRIPTION
    if added:
        # Installing for users has to be possible before a command can be for users.
        changes["integration_types_config"] = _installations(application)
    if changes:
        api.edit_application(**changes)
    commands = commands_of(application)
    if not own:
        api.call("PUT", commands, added)
    else:
        for command in added:
            # Adds it, or replaces the one of that name.
            api.call("POST", commands, command)
    _set_endpoint(deployment, api, url, wait=stored)
    links = install_links(str(application["id"]))
    name = shown(application.get("name", "the application"), 64)
    names = " and ".join(f"/{command['name']}" for command in added)
    first = (
        f"✅ Registered {names} for {name} at {url}"
        if added
        else f"✅ Interactions of {name} go to {url}; its commands are left as they are"
    )
    return Registration(
        str(application["id"]),
        url,
        (
            first,
            f"   Install on a server:   {links['guild_install']}",
            f"   Install for yourself:  {links['user_install']}",
        ),
    )


def commands_of(application: dict[str, Any]) -> str:
    """Return where the application's global commands are."""
    return f"/applications/{application['id']}/commands"


def install_links(application_id: str) -> dict[str, str]:
    """Return where the application is added to a server and to a person's account."""

    def link(kind: int) -> str:
        asked = {"client_id": application_id, "scope": " ".join(SCOPES[kind]), "integration_type": kind}
        return f"{AUTHORIZE_URL}?{urlencode(asked | ({'permissions': 0} if kind == GUILD else {}))}"

    return {"guild_install": link(GUILD), "user_install": link(USER)}


def _profile(application: dict[str, Any]) -> str:
    return shown(application.get("description") or "", MAX_DESCRIPTION)


def _installations(application: dict[str, Any]) -> dict[str, Any]:
    """Have both kinds of installation, and leave what is set up for them."""
    given = application.get("integration_types_config")
    kept = given if isinstance(given, dict) else {}
    return {
        str(kind): kept.get(str(kind)) or {"oauth2_install_params": {"scopes": list(asked), "permissions": "0"}}
        for kind, asked in SCOPES.items()
    }


def _store_key(deployment: Deployment, application: dict[str, Any]) -> bool:
    """Keep the public key, without which the endpoint cannot answer; tell whether it was not the one that is there."""
    key = str(application.get("verify_key", ""))
    if not re.fullmatch(PUBLIC_KEY.must, key):
        raise CommandError(
            "Discord does not tell the application's public key. Look whether DISCORD_API_URL is Discord's."
        )
    kept = deployment.parameter_store.read([PUBLIC_KEY.name]).get(PUBLIC_KEY.name)
    if kept is not None and kept.value.strip() == key:
        return False
    deployment.parameter_store.write(PUBLIC_KEY.name, key)
    return True


def _set_endpoint(deployment: Deployment, api: DiscordApi, url: str, *, wait: bool) -> None:
    refusal: PlatformError | None = None
    for attempt in range(ATTEMPTS):
        if wait or attempt:
            time.sleep(SETTLING_SECONDS)
        try:
            api.edit_application(interactions_endpoint_url=url)
        except PlatformError as error:
            if error.trouble is not Trouble.REFUSED:
                raise
            refusal = error
        else:
            return
    within = duration(deployment.secrets_max_age())
    raise CommandError(
        f"Discord could not verify {url}. {refusal} The key is stored and /{COMMAND} is registered; functions take a "
        f"new key within {within}. Run doorcode discord register again then, and if it fails still: doorcode doctor"
    ) from None
