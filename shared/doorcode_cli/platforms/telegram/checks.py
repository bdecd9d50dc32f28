"""What ``doorcode doctor`` asks Telegram: the token, the webhook, and who the bot is."""

from __future__ import annotations

from collections.abc import Iterator

from doorcode.pairing.contact import Platform
from doorcode.pairing.settings import GroupPolicy
from doorcode_cli.examination import Examination, Finding, ok, warn, wrong
from doorcode_cli.platforms.telegram.api import NEEDED_UPDATES, TelegramApi
from doorcode_cli.platforms.telegram.commands import TELEGRAM_BOT
from doorcode_cli.platforms.telegram.secrets import SET_WEBHOOK
from doorcode_cli.shown import counted, moment, shown

# A complaint that is older is over, unless updates wait.
RECENT_SECONDS = 3600


def bot_and_webhook(examined: Examination) -> Iterator[Finding]:
    """Ask Telegram whether it takes the token and sends to this stack, and what waits there."""
    api = examined.api(TelegramApi)
    if api is None:
        return
    bot = examined.once("who Telegram's bot is", api.me)
    yield ok("telegram", f"the token is that of @{shown(bot.get('username'), 40)} ({shown(bot.get('id'), 20)})")
    hook = examined.once("Telegram's webhook", api.webhook)
    url, ours = hook.get("url") or "", examined.deployment.webhook_url(Platform.TELEGRAM)
    if not url:
        yield wrong("telegram", f"there is no webhook: the bot hears nothing{_by(examined)}", SET_WEBHOOK)
        return
    if url != ours:
        yield wrong("telegram", f"the webhook is {shown(url)}, not this stack's {ours}{_by(examined)}", SET_WEBHOOK)
        return
    kinds = hook.get("allowed_updates")
    if kinds and not set(NEEDED_UPDATES) <= set(kinds):
        yield wrong("telegram", f"the webhook gets {shown(', '.join(map(str, kinds)))} only", SET_WEBHOOK)
    pending, failed_at = int(hook.get("pending_update_count", 0)), int(hook.get("last_error_date", 0))
    complaint = f"{moment(failed_at)} UTC: {shown(hook.get('last_error_message', ''))}"
    waiting = f"{counted(pending, 'update')} waiting"
    if failed_at and pending:
        yield wrong("telegram", f"{waiting}; last complaint {complaint}", _complaint_remedy(examined, complaint))
    elif failed_at and examined.now - failed_at < RECENT_SECONDS:
        yield warn(
            "telegram", f"the webhook is ours, but had trouble: {complaint}", _complaint_remedy(examined, complaint)
        )
    else:
        yield ok("telegram", f"the webhook is ours, {waiting}")


def _by(examined: Examination) -> str:
    """Say who may have moved the webhook, where somebody's own bot could: many do whenever they start."""
    if not examined.deployment.has_bot(Platform.TELEGRAM):
        return ""
    return "; if the bot sets or deletes it whenever it starts, have it set this stack's, or none (docs/agents.md)"


def _complaint_remedy(examined: Examination, complaint: str) -> str:
    # 401: the secret token is another one.
    return SET_WEBHOOK if "401" in complaint else f"aws logs tail {examined.deployment.target.prefix}/edge --since 1h"


def mentions(examined: Examination) -> Iterator[Finding]:
    """Look whether mentions in Telegram's groups can be noticed."""
    api = examined.api(TelegramApi)
    if examined.settings.group_policy is not GroupPolicy.MENTION_ONLY or not api:
        return
    known = examined.deployment.parameter_store.read([TELEGRAM_BOT]).get(TELEGRAM_BOT)
    bot = examined.once("who Telegram's bot is", api.me)
    if known is None or known.value.strip() != f"{bot.get('id')}:{bot.get('username')}":
        text = "GroupPolicy is mention_only, but it is not known who the bot is: no mention is noticed"
        yield wrong("groups", text, SET_WEBHOOK)
    else:
        yield ok("groups", f"mentions of @{shown(bot.get('username'), 40)} are noticed")
