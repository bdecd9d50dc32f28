"""Setting the number up on WhatsApp, for ``doorcode init``: its secrets, its webhook, and the template if it is wanted."""

from __future__ import annotations

from doorcode.pairing.contact import Platform
from doorcode_cli.output import note, say
from doorcode_cli.platforms.port import SettingUp
from doorcode_cli.platforms.whatsapp.api import WhatsAppApi
from doorcode_cli.platforms.whatsapp.commands import CREATE, connection, is_elsewhere, send_here, used_template
from doorcode_cli.platforms.whatsapp.secrets import ACCOUNT, APP_SECRET, NUMBER, SET_WEBHOOK
from doorcode_cli.shown import shown

HOW = (
    "For a number on WhatsApp: an app with the WhatsApp use case (https://developers.facebook.com/apps), a number that nothing "
    "else depends on, and a system user's token, which never expires: docs/setup.md leads through it. Paste the token."
)


def set_up(setting_up: SettingUp) -> None:
    """Have Meta send to this stack."""
    deployment, desk = setting_up.deployment, setting_up.desk
    api = WhatsAppApi.of(deployment)
    facts = api.facts()
    desk.obtain(APP_SECRET, lambda secret: _app_of(api, secret))
    desk.questions.refuse_missing()
    # Nearly always the token leads to one account with one number; else they are said.
    account = desk.look_at(ACCOUNT, optional=True, ask=len(facts.accounts) != 1)
    number = desk.look_at(NUMBER, optional=True, ask=False)
    found = connection(deployment, api, account, number)
    ours = deployment.webhook_url(Platform.WHATSAPP)
    if is_elsewhere(found, ours):
        fact = f"{api.identity()} sends to {shown(found.so_far.effective)} so far."
        if not setting_up.may_take_over(fact):
            note(f"   WhatsApp is left as it is: {SET_WEBHOOK} has it send here")
            return
    for line in send_here(deployment, api, found):
        say(line)
    if not used_template(deployment)[0]:
        note(f"   Owners who have not written for a day can be asked by a template alone, which costs: {CREATE}")
    if not api.is_funded(found.account):
        note("   ⚠️  There is no payment method: after 1,000 answers in a month nothing is delivered any more")


def _app_of(api: WhatsAppApi, secret: str) -> str:
    """Try an app secret. Raises PlatformError."""
    facts = api.facts()
    api.callback(facts, secret)
    return f"{shown(facts.app, 40)} ({shown(facts.app_id, 20)})"
