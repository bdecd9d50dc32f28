"""The owner's page over the web function in process, and the owner who uses it in a browser."""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.decisions import Actor
from doorcode.pairing.transitions import Operation
from tests.browser.tabs import Tab, Windows
from tests.harness import OWNER, TELEGRAM
from tests.web.gateway import serving
from tests.web.harness import WebHarness

ANN = "987654321"
COMMAND = Actor(via=OWNER.via, id="alice@laptop")
POLL_SECONDS = 3
LINGER_SECONDS = 7
# Rows that have just moved take no press for so long.
SETTLE_SECONDS = 1


class Owner:
    """Somebody at the page. Time goes on there where a test says so, and only then, if its clock stands."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.page: Page = tab.page
        self.waiting = self.page.get_by_role("region", name="Waiting")
        self.paired = self.page.get_by_role("region", name="Paired")
        self.blocked = self.page.get_by_role("region", name="Blocked")
        self.notice = self.page.locator("#curtain")
        self.announced = self.page.locator("#announcer")

    def row(self, about: str) -> Locator:
        """Find the request of whoever has that name or id."""
        return self.waiting.get_by_role("listitem").filter(has_text=about)

    def person(self, about: str) -> Locator:
        """Find whoever has that name or id among the paired and the blocked."""
        return self.page.locator(".person").filter(has_text=about)

    def button(self, name: str) -> Locator:
        """Find a button by how its name begins: what it does, and to whom."""
        return self.page.get_by_role("button", name=re.compile(rf"^{re.escape(name)}"))

    def later(self, seconds: float = POLL_SECONDS) -> None:
        """Let time pass in the page, at once."""
        self.page.clock.run_for(int(seconds * 1000))

    def focused(self) -> str:
        """Say what has the focus: its name, or its text."""
        told: str = self.page.evaluate(
            "() => document.activeElement.ariaLabel || document.activeElement.textContent.trim()"
        )
        return told


class OwnerHarness(WebHarness):
    """A harness with the page in it. What the test does and what the function does never happen at once: moto has no locks."""

    def __init__(self, clients: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, windows: Windows) -> None:
        super().__init__(clients, monkeypatch)
        self._windows = windows
        self._lock = threading.RLock()
        self.url = ""

    @contextmanager
    def running(self) -> Iterator["OwnerHarness"]:
        """Serve it, and end with every window closed and nothing on its way."""
        over = False

        def handler(event: Mapping[str, Any], context: object) -> Any:
            with self._lock:
                return {"statusCode": 503} if over else self.handler(event, context)

        with serving(handler) as url:
            self.url = url
            try:
                yield self
            finally:
                troubles = self._windows.close()
                with self._lock:
                    over = True
        assert troubles == []

    def visit(self, fragment: str = "", **how: Any) -> Owner:
        """Open the page in a browser of its own; its clock stands, unless it is to be ``running``."""
        return Owner(self._windows.open(f"{self.url}/owner{fragment}", **{"clock": "standing"} | how))

    def come_in(self, **how: Any) -> Owner:
        """Open the page by a link, and wait until everything is there."""
        owner = self.visit(f"#token={self.link()}", **how)
        expect(owner.page.locator("#activity-picture")).to_be_visible()
        for part in (owner.waiting, owner.paired, owner.blocked):
            expect(part.locator("li, .empty:visible").first).to_be_visible()
        owner.later(SETTLE_SECONDS)
        return owner

    def beside(self, owner: Owner) -> Owner:
        """Open the page in another window of the same browser."""
        tab = owner.tab.beside()
        tab.page.goto(f"{self.url}/owner")
        return Owner(tab)

    def asks(self, user_id: str = ANN, name: str = "@ann", platform: Platform = TELEGRAM, ago: int = 60) -> None:
        """Have somebody ask, some seconds ago."""
        with self._lock:
            self.request(user_id, self.now - ago, platform=platform, name=name)

    def lets_in(self, user_id: str = ANN, name: str = "@ann", platform: Platform = TELEGRAM, **order: Any) -> None:
        """Have somebody who asked be paired, by the command."""
        self.asks(user_id, name, platform)
        self.commands(Operation.APPROVE, user_id, platform, **order)

    def commands(self, operation: Operation, user_id: str = ANN, platform: Platform = TELEGRAM, **order: Any) -> None:
        """Decide as the command does."""
        with self._lock:
            self.decide(operation, self.now, COMMAND, platform=platform, user_id=user_id, **order)

    def contact(self, user_id: str = ANN, platform: Platform = TELEGRAM) -> Contact:
        """Read somebody's contact."""
        with self._lock:
            return self.room.get(platform, user_id)

    def signs_everybody_out(self) -> None:
        """Do what ``doorcode web --sign-out`` does."""
        with self._lock:
            self.sign_ins.end_all(self.now)

    def comes_to(self, state: State, user_id: str = ANN, platform: Platform = TELEGRAM) -> Contact:
        """Return the contact, which must have come to that state."""
        contact = self.contact(user_id, platform)
        assert contact.state is state
        return contact
