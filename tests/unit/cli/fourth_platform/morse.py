"""A made-up platform, as an operator has it: an office that takes telegrams for call signs, and seals them with a key."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from doorcode.pairing.platform import Platform
from doorcode_cli.deployment import Deployment
from doorcode_cli.examination import Examination, Finding, ok, wrong
from doorcode_cli.examples import examples
from doorcode_cli.output import note
from doorcode_cli.platform_api import TEST_TEXT, PlatformApi, PlatformError, Trouble
from doorcode_cli.platforms.port import OperatorPlatform, SecretHolder, SettingUp
from doorcode_cli.secret_forms import Form
from doorcode_cli.target import Target, targeted

WIRE = "doorcode morse wire"
TOKEN = Form("morse/bot-token", "at the office", r"morse-[a-z]+", "morse- and letters", prefix="morse-", next=WIRE)
KEY = Form("morse/key", "", r"[A-Za-z0-9_-]{16,}", "at least 16 characters", ring=True, next=WIRE)
# What the office has been told.
SENT: dict[str, list[str]] = {}
KEYS: list[str] = []

app = typer.Typer(no_args_is_help=True, help="Set up the bot at the office.")


class MorseApi(PlatformApi):
    """The office, without a wire between."""

    platform = Platform("morse")
    token = TOKEN
    owner_remedy = "look whether {user_id} is on the air"

    def identity(self) -> str:
        """Tell whose the token is."""
        return "the office's bot"

    def reach(self, user_id: str, *, send: bool) -> str:
        """Send a test to a call sign."""
        if user_id == "SILENT":
            raise PlatformError("Morse refused: nobody listens", Trouble.REFUSED)
        if send:
            SENT.setdefault(user_id, []).append(TEST_TEXT)
        return "listens"


class Seal(SecretHolder):
    """What the office seals with."""

    secret = KEY

    def __init__(self, deployment: Deployment, token: str) -> None:
        """Ask whether it sends here."""
        MorseApi.of(deployment, token)
        self.ours = True

    def give(self, secret: str) -> None:
        """Have it seal with another."""
        KEYS.append(secret)


@app.callback()
def morse() -> None:
    """Set up the bot at the office."""


@app.command(epilog=examples(WIRE))
@targeted
def wire(target: Target) -> None:
    """Have telegrams sent to this stack."""
    deployment = Deployment(target)
    MorseApi.of(deployment)
    typer.echo(f"✅ Telegrams go to {deployment.webhook_url(Platform('morse'))}")
    note("Then run: doorcode morse wire")


def office(examined: Examination) -> Iterator[Finding]:
    """Look whether the office has the key."""
    if examined.api(MorseApi):
        yield ok("morse", "the office has the key") if KEYS else wrong("morse", "the office has no key", WIRE)


def set_up(setting_up: SettingUp) -> None:
    """Have the office send here."""
    typer.echo(f"✅ Telegrams go to {setting_up.deployment.webhook_url(Platform('morse'))}")


MORSE = OperatorPlatform(
    api=MorseApi,
    commands=app,
    forms=(KEY, TOKEN),
    checks={"morse": office},
    mends_signatures=WIRE,
    set_up=set_up,
    how_to_get_token="Ask at the office.",
    token_was_set=lambda _: note("The office knows the bot."),
    holder=Seal,
)
