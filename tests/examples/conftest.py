"""The examples' gates, before their frameworks' own dispatchers, asking a real web function over HTTP."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorcode.pairing.access import Scope
from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring
from doorcode_sandbox.platforms.server import StandIn
from tests.behind.harness import standing_ins
from tests.web.conftest import clients, web
from tests.web.gateway import serving
from tests.web.harness import WebHarness, load_handler
from tests.webhooks import OWNER

__all__ = ["clients", "web"]

KEYS = Keyring((b"the callback secret",))


@pytest.fixture
def stand_ins() -> Iterator[dict[Platform, StandIn]]:
    """Run the platforms' stand-ins."""
    yield from standing_ins()


@pytest.fixture
def gate(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebHarness]:
    """Serve the web function, and tell the examples where it is."""
    monkeypatch.setenv("UNKNOWN_USER_POLICY", "pair")
    monkeypatch.setenv("OWNER_USER_IDS", ",".join(f"{platform}:{user_id}" for platform, user_id in OWNER.items()))
    web.handler = load_handler()
    token, _ = web.tokens.create("bot", {Scope.GATE, Scope.PRESSES}, "alice@laptop", web.now)
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs/examples"))
    monkeypatch.setenv("DOORCODE_TOKEN", token)
    with serving(web.handler) as url:
        monkeypatch.setenv("DOORCODE_API", url)
        yield web
    for name in ("doorcode_gate", "aiogram_bot", "bolt_bot", "discord_bot", "python_telegram_bot"):
        sys.modules.pop(name, None)


def asked(web: WebHarness) -> tuple[str, str]:
    """Have a program ask the owner first; return the question's id, and what Approve carries."""
    from doorcode.asking.buttons import AskAction, sign_button  # noqa: PLC0415

    token, _ = web.tokens.create("ci", {Scope.ASKS}, "alice@laptop", web.now)
    question = web.with_token(token).ask("POST", "/api/asks", {"title": "Delete 3 files?"}).body
    return question["id"], sign_button(AskAction.APPROVE, question["id"], question["digest"], KEYS)


def button(web: WebHarness, platform: Platform, user_id: str) -> str:
    """Return what the owner's Approve carries for somebody's request."""
    from doorcode.pairing.callbacks import Action, Callback, sign  # noqa: PLC0415

    return sign(Callback(Action.APPROVE, platform, user_id, web.code(user_id, platform)), KEYS)
