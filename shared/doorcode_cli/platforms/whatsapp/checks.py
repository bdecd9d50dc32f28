"""What ``doorcode doctor`` asks Meta: the token, where webhooks go, whether the number can send, and the template."""

from __future__ import annotations

from collections.abc import Iterator

from doorcode.pairing.contact import Platform
from doorcode_cli.examination import Examination, Finding, ok, warn, wrong
from doorcode_cli.platforms.whatsapp.api import BOT, FIELD, WhatsAppApi
from doorcode_cli.platforms.whatsapp.commands import (
    CREATE,
    Reached,
    can_send,
    review_of,
    token_problem,
    used_template,
)
from doorcode_cli.platforms.whatsapp.secrets import APP_SECRET, SET_WEBHOOK, TOKEN
from doorcode_cli.secret_forms import lines
from doorcode_cli.shown import duration, moment, shown

# A token that ends within this is to be renewed.
SOON_SECONDS = 7 * 86_400
MANAGER = "https://business.facebook.com/wa/manage"
AVAILABLE, LIMITED, CONNECTED, APPROVED = "AVAILABLE", "LIMITED", "CONNECTED", "APPROVED"


def token_and_webhook(examined: Examination) -> Iterator[Finding]:
    """Ask Meta whether it takes the token, sends here, and delivers what is sent."""
    api = examined.api(WhatsAppApi)
    if api is None:
        return
    facts = examined.once("what WhatsApp's token is", api.facts)
    if problem := token_problem(facts):
        yield wrong("whatsapp", problem, TOKEN.sets)
        return
    yield ok("whatsapp", f"the token is that of {api.identity()}")
    if facts.expires_at:
        left = facts.expires_at - examined.now
        level = wrong if left <= 0 else warn
        text = f"the token expires in {duration(left)}: at {moment(facts.expires_at)} UTC nothing is sent any more"
        yield level("whatsapp", text, f"{TOKEN.sets}, with a system user's, which never expires")
    found = examined.once("WhatsApp's number", lambda: _connection(examined, api))
    if found is None:
        # The secrets' check has said that it is missing.
        return
    yield from _webhook(examined, found)
    yield from _number(api, found)


def _connection(examined: Examination, api: WhatsAppApi) -> Reached | None:
    kept = examined.secrets.get(APP_SECRET.name)
    secrets = lines(kept.value) if kept else []
    if not secrets:
        return None
    facts = examined.once("what WhatsApp's token is", api.facts)
    account = api.account(facts)
    return Reached(
        facts=facts,
        account=account,
        line=api.line(account),
        so_far=api.subscriptions(facts, account, secrets[0]),
    )


def _webhook(examined: Examination, found: Reached) -> Iterator[Finding]:
    kept = examined.deployment.parameter_store.read([BOT]).get(BOT)
    if kept is None or kept.value.strip() != found.line.bot:
        yield wrong(
            "whatsapp", f"it is not stored that the bot's number is {found.line}: nothing can be sent", SET_WEBHOOK
        )
    so_far, ours = found.so_far, examined.deployment.webhook_url(Platform.WHATSAPP)
    if not so_far.url:
        yield wrong("whatsapp", "there is no webhook: the bot hears nothing", SET_WEBHOOK)
    elif so_far.effective != ours:
        whose = "the account's own" if so_far.override else "the app's"
        yield wrong("whatsapp", f"{whose} webhook is {shown(so_far.effective)}, not this stack's {ours}", SET_WEBHOOK)
    elif FIELD not in so_far.fields:
        yield wrong("whatsapp", f"the webhook gets no {FIELD}", SET_WEBHOOK)
    elif not so_far.subscribed:
        yield wrong("whatsapp", "the app hears nothing of this account's numbers: it is not subscribed", SET_WEBHOOK)
    else:
        yield ok("whatsapp", f"the webhook is ours, for {found.line}")


def _number(api: WhatsAppApi, found: Reached) -> Iterator[Finding]:
    health = api.health(found.line.id)
    state = str(health.get("status", CONNECTED))
    if state != CONNECTED:
        yield wrong("whatsapp", f"the number is {shown(state, 40)}", f"register and verify it in {MANAGER}")
    sends = can_send(health)
    if sends == AVAILABLE:
        yield ok("whatsapp", f"the number can send; its quality is {shown(health.get('quality_rating'), 40)}")
    else:
        level = warn if sends == LIMITED else wrong
        yield level("whatsapp", f"the number's sending is {sends}: {_why(health)}", f"see the number in {MANAGER}")
    if not api.is_funded(found.account):
        text = "there is no payment method: of what is sent in a month beyond 1,000, nothing is delivered, and nothing says so"
        yield warn("whatsapp", text, f"add one in {MANAGER}, under Payment settings")


def _why(health: dict[str, object]) -> str:
    """Return what Meta says of the parts that keep a number from sending."""
    status = health.get("health_status")
    entities = status.get("entities") if isinstance(status, dict) else None
    said = []
    for one in entities if isinstance(entities, list) else []:
        said += [str(error.get("error_description", "")) for error in one.get("errors") or ()]
        said += [str(more) for more in one.get("additional_info") or ()]
    return shown(" ".join(filter(None, said)) or "Meta does not say why", 200)


def template(examined: Examination) -> Iterator[Finding]:
    """Look whether an owner can be asked who has not written for a day."""
    api = examined.api(WhatsAppApi)
    if api is None:
        return
    name, language = used_template(examined.deployment)
    has_owner = any(platform is Platform.WHATSAPP for platform, _ in examined.owners)
    if not name:
        if has_owner:
            text = "owners who have not written to the number for 24 hours cannot be asked there: no template is used"
            yield warn("templates", text, f"{CREATE}, or an owner on another platform, too")
        else:
            yield ok("templates", "no template is used, and no owner is asked there")
        return
    found = examined.once("WhatsApp's number", lambda: _connection(examined, api))
    account = found.account if found else api.account(examined.once("what WhatsApp's token is", api.facts))
    review = review_of(api, account, name, language)
    if review["status"] == APPROVED:
        yield ok("templates", f"{name} ({language}) is approved: owners are asked whenever it is")
        return
    said = review["status"] or "not there"
    reason = f" ({review['rejected_reason']})" if review["rejected_reason"] else ""
    text = f"{name} ({language}) is {said}{reason}: owners who have not written for 24 hours are not asked"
    yield warn("templates", text, CREATE if said == "not there" else f"wait for the review, or change it in {MANAGER}")
