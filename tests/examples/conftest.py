"""The examples' gates, before their frameworks' own dispatchers, asking a real web function over HTTP."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorcode.pairing.access import Scope
from doorcode.pairing.contact import Platform
from doorcode_sandbox.platforms.server import StandIn
from tests.behind.harness import standing_ins
from tests.web.conftest import clients, web
from tests.web.gateway import serving
from tests.web.harness import WebHarness, load_handler
from tests.webhooks import OWNER

__all__ = ["clients", "web"]


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


def button(web: WebHarness, platform: Platform, user_id: str) -> str:
    """Return what the owner's Approve carries for somebody's request."""
    from doorcode.pairing.callbacks import Action, Callback, sign  # noqa: PLC0415
    from doorcode.pairing.keyring import Keyring  # noqa: PLC0415

    keys = Keyring((b"the callback secret",))
    return sign(Callback(Action.APPROVE, platform, user_id, web.code(user_id, platform)), keys)
