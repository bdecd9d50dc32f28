"""The checks of ``doorcode doctor`` that ask the platforms: tokens, webhooks, and whether owners can be reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from doorcode.pairing.contact import Platform
from doorcode.pairing.settings import GroupPolicy
from doorcode_cli.checks import ok, warn, wrong
from doorcode_cli.examination import Examination, Finding
from doorcode_cli.platform_api import (
    ALLOWED_UPDATES,
    DiscordApi,
    PlatformError,
    SlackApi,
    TelegramApi,
    Trouble,
)
from doorcode_cli.platforms.slack import SLACK_TEAM, team_of
from doorcode_cli.platforms.slack import scopes as slack_scopes
from doorcode_cli.secret_forms import DISCORD_KEY
from doorcode_cli.shown import counted, moment, shown

# A complaint that is older is over, unless updates wait.
RECENT_SECONDS = 3600
SEND_TEST = "doorcode doctor --send-test"
TEST_TEXT = "This is a test by doorcode doctor. Pairing requests will reach you here."
SET_WEBHOOK = "doorcode telegram webhook set"


def telegram(examined: Examination) -> Iterator[Finding]:
    """Ask Telegram whether it takes the token and sends to this stack, and what waits there."""
    api = examined.telegram
    if api is None:
        return
    bot = examined.once("who the bot is", api.me)
    yield ok("telegram", f"the token is that of @{shown(bot.get('username'), 40)} ({shown(bot.get('id'), 20)})")
    hook = examined.once("the webhook", api.webhook)
    url, ours = hook.get("url") or "", examined.deployment.webhook_url(Platform.TELEGRAM)
    if not url:
        yield wrong("telegram", "there is no webhook: the bot hears nothing", SET_WEBHOOK)
        return
    if url != ours:
        yield wrong("telegram", f"the webhook is {shown(url)}, not this stack's {ours}", SET_WEBHOOK)
        return
    kinds = hook.get("allowed_updates")
    if kinds and not set(ALLOWED_UPDATES) <= set(kinds):
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


def _complaint_remedy(examined: Examination, complaint: str) -> str:
    # 401: the secret token is another one.
    return SET_WEBHOOK if "401" in complaint else f"aws logs tail {examined.deployment.target.prefix}/edge --since 1h"


def slack(examined: Examination) -> Iterator[Finding]:
    """Ask Slack whether it takes the token, and whether the app is allowed what it needs."""
    api = examined.slack
    if api is None:
        return
    said, granted = examined.once("who the app is", api.test)
    yield ok("slack", f"the token is that of {shown(said.get('user'), 40)} in {shown(said.get('team'), 40)}")
    known = examined.deployment.shelf.read([SLACK_TEAM]).get(SLACK_TEAM)
    if known is None or known.value.strip() != team_of(said):
        text = "it is not stored which workspace the app is in: people of others may pass for its own"
        yield wrong("slack", text, "doorcode slack workspace")
    if granted is None:
        return
    needed = slack_scopes(groups=examined.settings.group_policy is GroupPolicy.MENTION_ONLY)
    missing = [scope for scope in needed if scope not in granted]
    if missing:
        yield wrong(
            "slack",
            f"the app lacks {', '.join(missing)}",
            "doorcode slack manifest, put it in the app's App Manifest, and install the app again",
        )


def discord(examined: Examination) -> Iterator[Finding]:
    """Ask Discord whether it takes the token, and sends here, signed with the key that is stored."""
    api = examined.discord
    if api is None:
        return
    application = examined.once("the application", api.application)
    yield ok("discord", f"the token is that of {shown(application.get('name'), 40)} ({shown(application['id'], 20)})")
    kept = examined.secrets.get(DISCORD_KEY)
    register = "doorcode discord register"
    if kept and str(application.get("verify_key", "")).lower() not in kept.value.lower().split():
        yield wrong("discord", "discord/public-key is that of another application", register)
    url, ours = application.get("interactions_endpoint_url") or "", examined.deployment.webhook_url(Platform.DISCORD)
    if not url:
        yield wrong("discord", "there is no interactions endpoint: the bot hears nothing", register)
    elif url != ours:
        yield wrong("discord", f"the interactions endpoint is {shown(url)}, not this stack's {ours}", register)
    else:
        yield ok("discord", "the interactions endpoint is ours")


def owners(examined: Examination) -> Iterator[Finding]:
    """Look whether every owner can be asked. Without --send-test, only as far as that shows nothing to them but "typing…"."""
    for platform, user_id in examined.settings.owners:
        who = f"{platform}:{user_id}"
        try:
            reach = _reach(examined, platform)
            if reach is None:
                yield wrong("owners", f"{who} cannot be asked: {platform}/bot-token is missing",
                            f"doorcode secrets set {platform}/bot-token")  # fmt: skip
                continue
            told = reach(user_id)
        except PlatformError as error:
            if error.trouble is Trouble.REFUSED:
                yield wrong("owners", f"{who} is not reached: {error}", _owner_remedy(platform, user_id))
            else:
                yield warn("owners", f"{who}: {error}", "")
        else:
            yield ok("owners", f"{who} {told}", SEND_TEST if "only sending" in told else "")


def _owner_remedy(platform: Platform, user_id: str) -> str:
    if platform is Platform.TELEGRAM:
        return "write /start to the bot from that account, and look whether the id is right"
    if platform is Platform.DISCORD:
        return f"share a server with the bot, let its members write to you, and look whether {user_id} is right"
    return f"look whether {user_id} is a member of the workspace, and the app's messages tab is on"


def _reach(examined: Examination, platform: Platform) -> Callable[[str], str] | None:
    if platform is Platform.TELEGRAM and (telegram := examined.telegram):
        return lambda user_id: _reach_telegram(telegram, user_id, send=examined.send_test)
    if platform is Platform.SLACK and (slack := examined.slack):
        return lambda user_id: _reach_slack(slack, user_id, send=examined.send_test)
    if platform is Platform.DISCORD and (discord := examined.discord):
        return lambda user_id: _reach_discord(discord, user_id, send=examined.send_test)
    return None


def _reach_telegram(api: TelegramApi, user_id: str, *, send: bool) -> str:
    if send:
        api.call("sendMessage", chat_id=user_id, text=TEST_TEXT)
        return "was sent a test"
    api.call("sendChatAction", chat_id=user_id, action="typing")
    return "can be reached"


def _reach_slack(api: SlackApi, user_id: str, *, send: bool) -> str:
    opened, _ = api.call("conversations.open", users=user_id.rpartition(":")[2])
    if not send:
        return "has a chat with the app; only sending tells more"
    api.call("chat.postMessage", channel=str(opened["channel"]["id"]), text=TEST_TEXT)
    return "was sent a test"


def _reach_discord(api: DiscordApi, user_id: str, *, send: bool) -> str:
    if not send:
        return "was not tried: only sending tells"
    channel = api.call("POST", "/users/@me/channels", {"recipient_id": user_id})
    fields = {"content": TEST_TEXT, "allowed_mentions": {"parse": []}}
    api.call("POST", f"/channels/{int(channel['id'])}/messages", fields)
    return "was sent a test"
