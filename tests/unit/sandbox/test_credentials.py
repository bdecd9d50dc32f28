"""The sandbox's tokens and secrets: what is missing is filled, and what somebody set stays."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from doorcode.pairing.contact import Platform
from doorcode_cli.known_secrets import FORMS
from doorcode_cli.platforms.discord.api import DiscordApi
from doorcode_cli.platforms.registry import PLATFORMS
from doorcode_cli.platforms.slack.api import SlackApi
from doorcode_cli.platforms.telegram.api import TelegramApi
from doorcode_cli.secret_forms import doubt, problem
from doorcode_sandbox import credentials
from doorcode_sandbox.credentials import MADE_UP
from doorcode_sandbox.loopback import LoopbackServer
from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn
from doorcode_sandbox.platforms.telegram.stand_in import TelegramStandIn
from doorcode_sandbox.stand_ins import TOKENS, StandIns

PREFIX = "/doorcode/doorcode"
SEED = bytes(range(32))


@pytest.fixture
def stand_ins() -> StandIns:
    """Give the platforms, on ports of their own."""
    return StandIns(dict.fromkeys(Platform, 0), lambda _: SEED)


def test_everything_that_a_platform_needs_is_given(stand_ins: StandIns) -> None:
    """The stand-ins' credentials are complete, and pass for real ones wherever they are looked at."""
    given = stand_ins.credentials()
    for platform, parts in PLATFORMS.items():
        assert set(parts.needed) <= given[platform].keys()
        for name in parts.needed:
            assert problem(FORMS[name], given[platform][name]) == ""
            assert doubt(FORMS[name], given[platform][name]) == ""
    assert stand_ins.credentials()[Platform.SLACK] != given[Platform.SLACK]


def test_only_what_is_missing_is_filled(ssm: Any) -> None:
    """Security 1: a token that somebody set is never overwritten, and one that is missing is there afterwards."""
    ssm.put_parameter(Name=f"{PREFIX}/slack/bot-token", Value="xoxb-real", Type="SecureString")
    wanted = {"slack/bot-token": "xoxb-made-up", "slack/signing-secret": "0" * 32, "telegram/bot": "1:bot"}
    credentials.fill(ssm, PREFIX, wanted)
    credentials.fill(ssm, PREFIX, wanted | {"slack/signing-secret": "1" * 32})
    assert credentials.read(ssm, PREFIX, [*wanted, "discord/bot-token"]) == {**wanted, "slack/bot-token": "xoxb-real"}
    kinds = {found["Name"]: found["Type"] for found in ssm.describe_parameters()["Parameters"]}
    assert kinds[f"{PREFIX}/slack/signing-secret"] == "SecureString"
    assert kinds[f"{PREFIX}/telegram/bot"] == "String"


def test_a_token_of_one_s_own_makes_a_platform_real(ssm: Any) -> None:
    """No token, or the stand-in's: a stand-in. Any other: the platform itself."""
    assert credentials.real(ssm, PREFIX) == frozenset()
    credentials.fill(ssm, PREFIX, {name: f"{MADE_UP[platform]}\n" for platform, name in TOKENS.items()})
    assert credentials.real(ssm, PREFIX) == frozenset()
    ssm.put_parameter(Name=f"{PREFIX}/discord/bot-token", Value="a.b.c", Type="SecureString", Overwrite=True)
    assert credentials.real(ssm, PREFIX) == {Platform.DISCORD}


def test_webhooks_are_proven_by_the_newest_secret(ssm: Any) -> None:
    """Of a secret that is being replaced the first line counts; a platform without one has none."""
    credentials.fill(ssm, PREFIX, {"telegram/webhook-secret": " newest\nolder\n", "slack/signing-secret": "0" * 32})
    assert credentials.verifying(ssm, PREFIX) == {Platform.TELEGRAM: "newest", Platform.SLACK: "0" * 32}


def test_the_set_up_commands_find_everything_set_up(stand_ins: StandIns) -> None:
    """The platforms send to the sandbox from its start, and take its tokens."""
    with stand_ins.running():
        stand_ins.register("http://127.0.0.1:8787", {Platform.TELEGRAM: "a-secret"})
        telegram = TelegramApi(MADE_UP[Platform.TELEGRAM], stand_ins.each[Platform.TELEGRAM].api_url)
        assert telegram.webhook()["url"] == "http://127.0.0.1:8787/telegram"
        stand_in = stand_ins.each[Platform.TELEGRAM]
        assert isinstance(stand_in, TelegramStandIn)
        assert stand_in.hook.secret_token == "a-secret"
        discord = DiscordApi(MADE_UP[Platform.DISCORD], stand_ins.each[Platform.DISCORD].api_url).application()
        assert discord["interactions_endpoint_url"] == "http://127.0.0.1:8787/discord"
        assert discord["verify_key"] == stand_ins.credentials()[Platform.DISCORD]["discord/public-key"]
        assert SlackApi(MADE_UP[Platform.SLACK], stand_ins.each[Platform.SLACK].api_url).test()[0]["ok"]


class Endpoint(BaseHTTPRequestHandler):
    """An interactions endpoint that checks signatures, or does not."""

    server: "Checking"

    def do_POST(self) -> None:
        """Answer a PING."""
        stamp, signature = self.headers["X-Signature-Timestamp"], self.headers["X-Signature-Ed25519"]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            VerifyKey(bytes.fromhex(self.server.key)).verify(stamp.encode() + body, bytes.fromhex(signature))
            status = 200
        except BadSignatureError:
            status = 200 if self.server.careless else 401
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Checking(LoopbackServer):
    """Serves the endpoint: by which key it checks, and whether it does."""

    key = ""
    careless = False


@pytest.fixture
def endpoint(stand_ins: StandIns) -> Iterator[Checking]:
    """Give an endpoint that knows the key."""
    server = Checking(0, Endpoint)
    server.key = stand_ins.credentials()[Platform.DISCORD]["discord/public-key"]
    server.run("endpoint")
    yield server
    server.end()


def test_discord_tries_an_endpoint(stand_ins: StandIns, endpoint: Checking) -> None:
    """Only one that answers the right signature and refuses a wrong one is taken."""
    url = f"http://127.0.0.1:{endpoint.server_port}/discord"
    discord = stand_ins.each[Platform.DISCORD]
    assert isinstance(discord, DiscordStandIn)
    assert discord.probe(url)
    endpoint.careless = True
    assert not discord.probe(url)
    endpoint.key, endpoint.careless = "00" * 32, False
    assert not discord.probe(url)
    assert not discord.probe("http://127.0.0.1:9/discord")
