"""``doorcode whatsapp``: where Meta sends what people write to the number, and the template that asks an owner who was silent."""

from __future__ import annotations

import json
import re
import time
from typing import Annotated, Any

import typer
from msgspec import Struct

from doorcode.pairing.contact import Platform
from doorcode_cli.deployment import SETTLING_SECONDS, Deployment
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.options import JsonOption
from doorcode_cli.output import note
from doorcode_cli.platform_api import PlatformError, Trouble
from doorcode_cli.platforms.whatsapp.api import BOT, SCOPES, PhoneNumber, Subscriptions, TokenFacts, WhatsAppApi
from doorcode_cli.platforms.whatsapp.secrets import APP_SECRET, SET_WEBHOOK, TOKEN, VERIFY_TOKEN
from doorcode_cli.platforms.whatsapp.template import LANGUAGE, NAME, TEMPLATE, drawn
from doorcode_cli.program import as_called
from doorcode_cli.secret_forms import lines
from doorcode_cli.setting_up.questions import Questions
from doorcode_cli.shown import moment, shown
from doorcode_cli.target import Target, targeted

# Meta tries the address at once. A function may have read its secrets just before they were stored.
ATTEMPTS = 3
TEMPLATE_NAME, LANGUAGE_CODE = re.compile(r"[a-z0-9_]{1,512}"), re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
CREATE = "doorcode whatsapp template create"

app = typer.Typer(no_args_is_help=True, help="Set up the number on WhatsApp.")
webhook = typer.Typer(no_args_is_help=True, help="Where Meta sends what people write.")
template = typer.Typer(no_args_is_help=True, help="What asks an owner who has not written for a day.")
app.add_typer(webhook, name="webhook")
app.add_typer(template, name="template")

AccountOption = Annotated[
    str, typer.Option("--account", metavar="ID", help="The WhatsApp account, where the token reaches several.")
]
NumberOption = Annotated[
    str, typer.Option("--number", metavar="NUMBER", help="The bot's number or its id, where the account has several.")
]
TakeOverOption = Annotated[
    bool, typer.Option("--take-over", help="Do not ask before webhooks that go elsewhere are made to go here.")
]
NameOption = Annotated[str, typer.Option("--name", help="What the template is called.")]
LanguageOption = Annotated[str, typer.Option("--language", help="The language's code, such as en or pt_BR.")]


class Reached(Struct, frozen=True, kw_only=True):
    """What the token leads to: its app, the account, the number, and where webhooks go so far."""

    facts: TokenFacts
    account: str
    line: PhoneNumber
    so_far: Subscriptions


@webhook.command("set", epilog=examples("doorcode whatsapp webhook set", "doorcode whatsapp webhook set --take-over"))
@targeted
def set_webhook(
    target: Target, *, account: AccountOption = "", number: NumberOption = "", take_over: TakeOverOption = False
) -> None:
    """Have Meta send what people write to the number to this stack, and keep which number it is.

    An app has one address for all its webhooks: one that sends elsewhere is asked about before, or takes --take-over.
    """
    deployment = Deployment(target)
    ours = deployment.webhook_url(Platform.WHATSAPP)
    api = WhatsAppApi.of(deployment)
    found = connection(deployment, api, account, number)
    if is_elsewhere(found, ours) and not take_over:
        fact = f"{api.identity()} sends to {shown(found.so_far.effective)} so far."
        if not Questions().agree(fact, "Have it sent here instead?", "--take-over"):
            raise CommandError("WhatsApp is left as it is.")
    for line in send_here(deployment, api, found):
        typer.echo(line)


@webhook.command(epilog=examples("doorcode whatsapp webhook info", "doorcode whatsapp webhook info --json"))
@targeted
def info(
    target: Target, *, account: AccountOption = "", number: NumberOption = "", as_json: JsonOption = False
) -> None:
    """Show the number, its health, and where Meta sends what people write to it."""
    deployment = Deployment(target)
    ours = deployment.webhook_url(Platform.WHATSAPP)
    api = WhatsAppApi.of(deployment)
    found = connection(deployment, api, account, number)
    health = api.health(found.line.id)
    facts: dict[str, Any] = {
        "number": found.line.number,
        "phone_number_id": found.line.id,
        "account_id": found.account,
        "app_id": found.facts.app_id,
        "url": shown(found.so_far.effective),
        "ours": found.so_far.effective == ours,
        "fields": sorted(found.so_far.fields),
        "subscribed": found.so_far.subscribed,
        "status": shown(health.get("status"), 40),
        "quality": shown(health.get("quality_rating"), 40),
        "can_send": can_send(health),
        "payment_method": api.is_funded(found.account),
        "token_expires_at": found.facts.expires_at or None,
    }
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
        return
    whose = "this stack's" if facts["ours"] else f"not this stack's. Set it with: {SET_WEBHOOK}"
    typer.echo(f"Number:    {found.line}, id {found.line.id}")
    typer.echo(f"Account:   {found.account}{'' if found.so_far.subscribed else ', which sends the app nothing'}")
    typer.echo(f"Webhook:   {facts['url'] or 'none'} ({as_called(whose)})")
    typer.echo(f"Fields:    {', '.join(facts['fields']) or 'none'}")
    typer.echo(f"State:     {facts['status']}, quality {facts['quality']}, sending {facts['can_send']}")
    typer.echo(f"Payment:   {'a payment method is there' if facts['payment_method'] else 'no payment method'}")
    expires = f"{moment(found.facts.expires_at)} UTC" if found.facts.expires_at else "never"
    typer.echo(f"The token expires: {expires}")


@template.command(
    epilog=examples("doorcode whatsapp template create", "doorcode whatsapp template create --name ask_me --language en_US")
)  # fmt: skip
@targeted
def create(
    target: Target, *, name: NameOption = NAME, language: LanguageOption = LANGUAGE, account: AccountOption = ""
) -> None:
    """Hand in the template that asks an owner who has not written for a day, and use it. Meta reviews it, for up to a day.

    Each message made from it is charged. The text is English; a template of your own may have another, with the same two
    variables (who asks, and their id) and the same two buttons: name it, and what is there is used.
    """
    if not TEMPLATE_NAME.fullmatch(name):
        raise CommandError("--name has the characters a-z, 0-9 and _ alone.", Exit.USAGE)
    if not LANGUAGE_CODE.fullmatch(language):
        raise CommandError("--language is a code such as en or pt_BR.", Exit.USAGE)
    deployment = Deployment(target)
    api = WhatsAppApi.of(deployment)
    _ = deployment.outputs
    number = api.account(api.facts(), account)
    there = next((one for one in api.templates(number, name) if one.get("language") == language), None)
    made = there or api.make_template(number, drawn(name, language))
    deployment.parameter_store.write(TEMPLATE, f"{name}:{language}", kind="String")
    state = shown(made.get("status"), 40)
    typer.echo(f"✅ The template {name} ({language}) is {'there' if there else 'handed in'}: {state}")
    if (category := str(made.get("category", "UTILITY"))) != "UTILITY":
        note(f"⚠️  Meta has made it {shown(category, 40)}, which costs more and is kept from some people.")
    if state != "APPROVED":
        note("It is used once it is approved; doorcode whatsapp template status tells.")


@template.command(epilog=examples("doorcode whatsapp template status", "doorcode whatsapp template status --json"))
@targeted
def status(target: Target, *, account: AccountOption = "", as_json: JsonOption = False) -> None:
    """Show what became of the template in Meta's review."""
    deployment = Deployment(target)
    api = WhatsAppApi.of(deployment)
    name, language = used_template(deployment)
    if not name:
        raise CommandError(f"No template is used. Hand one in with: {CREATE}")
    found = review_of(api, api.account(api.facts(), account), name, language)
    if as_json:
        typer.echo(json.dumps({"name": name, "language": language, **found}, indent=2))
        return
    typer.echo(f"Template: {name} ({language})")
    typer.echo(f"State:    {found['status'] or 'not there'}")
    typer.echo(f"Category: {found['category'] or '-'}")
    if found["rejected_reason"]:
        typer.echo(f"Reason:   {found['rejected_reason']}")


def connection(deployment: Deployment, api: WhatsAppApi, account: str = "", number: str = "") -> Reached:
    """Find out what the token leads to. Raises CommandError for a token that is no good."""
    facts = api.facts()
    if problem := token_problem(facts):
        raise CommandError(f"{problem}. {TOKEN.sets}, with one {TOKEN.found}")
    found = api.account(facts, account)
    secret = lines(deployment.parameter_store.take(APP_SECRET.name))[0]
    return Reached(
        facts=facts,
        account=found,
        line=api.line(found, number),
        so_far=api.subscriptions(facts, found, secret),
    )


def token_problem(facts: TokenFacts) -> str:
    """Say why the token is no good; empty where it is."""
    if not facts.valid:
        return f"{TOKEN.name} has expired or was revoked"
    missing = [scope for scope in SCOPES if scope not in facts.scopes]
    return f"{TOKEN.name} lacks {' and '.join(missing)}" if missing else ""


def is_elsewhere(found: Reached, ours: str) -> bool:
    """Tell whether what people write goes to somebody else so far."""
    return any(url not in {"", ours} for url in (found.so_far.url, found.so_far.override))


def send_here(deployment: Deployment, api: WhatsAppApi, found: Reached) -> list[str]:
    """Have Meta send to the stack, and keep which number it is; return lines about it. Raises CommandError."""
    url = deployment.webhook_url(Platform.WHATSAPP)
    secret = lines(deployment.parameter_store.take(APP_SECRET.name))[0]
    word = lines(deployment.parameter_store.take(VERIFY_TOKEN.name))[0]
    deployment.parameter_store.write(BOT, found.line.bot, kind="String")
    _subscribe(api, found, secret, url, word)
    api.subscribe_account(found.account)
    return [f"✅ Meta sends what people write to {found.line} to {url}"]


def _subscribe(api: WhatsAppApi, found: Reached, secret: str, url: str, word: str) -> None:
    refusal: PlatformError | None = None
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(SETTLING_SECONDS)
        try:
            api.subscribe(found.facts, secret, url, word)
        except PlatformError as error:
            if error.trouble is not Trouble.REFUSED:
                raise
            refusal = error
        else:
            return
    raise CommandError(
        f"Meta could not verify {url}. {refusal} Run this again in some minutes: {SET_WEBHOOK}"
    ) from None


def used_template(deployment: Deployment) -> tuple[str, str]:
    """Return name and language of the template that is used; empty where none is."""
    kept = deployment.parameter_store.read([TEMPLATE]).get(TEMPLATE)
    name, _, language = kept.value.strip().partition(":") if kept else ("", "", "")
    return name, language


def review_of(api: WhatsAppApi, account: str, name: str, language: str) -> dict[str, str]:
    """Return what Meta's review said of a template; empty where there is no such template."""
    found: dict[str, Any] = next((one for one in api.templates(account, name) if one.get("language") == language), {})
    reason = found.get("rejected_reason")
    return {
        "status": shown(found.get("status") or "", 40),
        "category": shown(found.get("category") or "", 40),
        "rejected_reason": "" if reason in {None, "NONE"} else shown(reason, 200),
    }


def can_send(health: dict[str, Any]) -> str:
    """Return how well the number can send, in Meta's word."""
    said = health.get("health_status")
    return shown(said.get("can_send_message") if isinstance(said, dict) else "unknown", 40)
