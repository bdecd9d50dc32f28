"""``doorcode telegram webhook``: where Telegram sends what people write to the bot."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from doorcode.pairing.contact import Platform
from doorcode_cli.deployment import Deployment
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.options import ConfirmOption, JsonOption
from doorcode_cli.platforms.telegram.api import ALLOWED_UPDATES, BOT_UPDATES, NEEDED_UPDATES, TelegramApi
from doorcode_cli.platforms.telegram.secrets import WEBHOOK_SECRET
from doorcode_cli.program import as_called
from doorcode_cli.secret_forms import lines
from doorcode_cli.shown import iso, moment, shown
from doorcode_cli.target import Target, targeted

# Who the bot itself is, ``{id}:{username}``: used for mentions in groups. No secret.
TELEGRAM_BOT = "telegram/bot"

UpdatesOption = Annotated[
    str | None,
    typer.Option(
        "--updates", help="What else a bot behind the door is sent, by Telegram's names, with commas; by default all."
    ),
]

app = typer.Typer(no_args_is_help=True, help="Set up the bot on Telegram.")
webhook = typer.Typer(no_args_is_help=True, help="Where Telegram sends what people write.")
app.add_typer(webhook, name="webhook")


@webhook.command(
    "set",
    epilog=examples(
        "doorcode telegram webhook set", "doorcode telegram webhook set --updates inline_query,poll_answer"
    ),
)
@targeted
def set_webhook(target: Target, *, updates: UpdatesOption = None) -> None:
    """Have Telegram send messages, edits of them and presses of buttons to this stack, with its secret token.

    For a bot behind the door (Agent=bot) everything that people do, or what --updates names beside those. Keeps the bot's
    id and username, too, by which mentions in groups are noticed.
    """
    deployment = Deployment(target)
    kinds = _updates(deployment, updates)
    _ = deployment.webhook_url(Platform.TELEGRAM)
    typer.echo(send_here(deployment, TelegramApi.of(deployment), kinds))


def send_here(deployment: Deployment, api: TelegramApi, kinds: Sequence[str]) -> str:
    """Have Telegram send updates of these kinds to the stack, and keep who the bot is; return a line about it."""
    url, bot = deployment.webhook_url(Platform.TELEGRAM), bot_of(api)
    newest = lines(deployment.parameter_store.take(WEBHOOK_SECRET.name))[0]
    deployment.parameter_store.write(TELEGRAM_BOT, bot, kind="String")
    api.set_webhook(url, newest, kinds)
    return f"✅ Telegram sends what people write to @{bot.partition(':')[2]} to {url}"


@webhook.command(epilog=examples("doorcode telegram webhook info", "doorcode telegram webhook info --json"))
@targeted
def info(target: Target, *, as_json: JsonOption = False) -> None:
    """Show where Telegram sends to, what waits there, and what it last complained of."""
    deployment = Deployment(target)
    ours = deployment.webhook_url(Platform.TELEGRAM)
    api = TelegramApi.of(deployment)
    bot, found = bot_of(api), api.webhook()
    facts = _facts(bot, found, ours)
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
        return
    typer.echo(f"Bot:             @{facts['username']} ({facts['bot_id']})")
    if not facts["url"]:
        typer.echo(as_called("Webhook:         none. Set it with: doorcode telegram webhook set"))
        return
    whose = "this stack's" if facts["ours"] else "not this stack's. Set it with: doorcode telegram webhook set"
    typer.echo(f"Webhook:         {facts['url']} ({as_called(whose)})")
    typer.echo(f"Updates:         {', '.join(facts['allowed_updates']) or 'all kinds'}")
    typer.echo(f"Connections:     {facts['max_connections']}")
    typer.echo(f"Pending updates: {facts['pending_updates']}")
    if facts["last_error_at"]:
        typer.echo(f"Last complaint:  {moment(found['last_error_date'])} UTC: {facts['last_error']}")
    else:
        typer.echo("Last complaint:  none")


@webhook.command(epilog=examples("doorcode telegram webhook delete", "doorcode telegram webhook delete --confirm"))
@targeted
def delete(target: Target, *, confirm: ConfirmOption = False) -> None:
    """Have Telegram send nothing any more. What people write meanwhile waits there for up to a day."""
    deployment = Deployment(target)
    ours = deployment.webhook_url(Platform.TELEGRAM)
    api = TelegramApi.of(deployment)
    url = shown(api.webhook().get("url", ""))
    if not url:
        typer.echo("Telegram has no webhook for this bot.")
        return
    if not confirm:
        whose = "" if url == ours else ", which is not this stack's"
        typer.confirm(f"Delete the webhook {url}{whose}? The bot will hear nothing any more.", abort=True)
    api.call("deleteWebhook")
    typer.echo(f"✅ Deleted the webhook {url}")


def _updates(deployment: Deployment, named: str | None) -> tuple[str, ...]:
    """Return the kinds of updates to ask for. Raises CommandError."""
    if not deployment.has_bot(Platform.TELEGRAM):
        if named is not None:
            raise CommandError(
                "--updates is for a bot behind the door (Agent=bot): no other agent reads more.", Exit.USAGE
            )
        return ALLOWED_UPDATES
    if named is None:
        return BOT_UPDATES
    kinds = [kind.strip() for kind in named.split(",") if kind.strip()]
    odd = [kind for kind in kinds if kind not in BOT_UPDATES]
    if odd:
        raise CommandError(
            f"{shown(odd[0])} is nothing that somebody does. Use some of: {', '.join(BOT_UPDATES)}", Exit.USAGE
        )
    return tuple(dict.fromkeys([*NEEDED_UPDATES, *kinds]))


def bot_of(api: TelegramApi) -> str:
    """Return who the bot is, ``{id}:{username}``. Raises PlatformError."""
    me = api.me()
    bot = f"{me.get('id')}:{me.get('username')}"
    if not re.fullmatch(r"[0-9]{1,20}:[A-Za-z0-9_]{1,64}", bot):
        raise CommandError("Telegram does not say who the bot is. Look whether TELEGRAM_API_URL is Telegram's.")
    return bot


def _facts(bot: str, found: dict[str, Any], ours: str) -> dict[str, Any]:
    bot_id, _, username = bot.partition(":")
    failed_at = found.get("last_error_date")
    updates = found.get("allowed_updates")
    return {
        "bot_id": bot_id,
        "username": username,
        "url": shown(found.get("url", "")),
        "ours": found.get("url") == ours,
        "allowed_updates": [shown(kind, 40) for kind in updates] if isinstance(updates, list) else [],
        "complete": not updates or set(NEEDED_UPDATES) <= set(updates),
        "max_connections": found.get("max_connections"),
        "pending_updates": int(found.get("pending_update_count", 0)),
        "last_error_at": iso(failed_at) if isinstance(failed_at, int) else None,
        "last_error": shown(found.get("last_error_message", "")),
    }
