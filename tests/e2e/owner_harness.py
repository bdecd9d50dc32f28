"""The owner's page over the web function in process, and the owner who uses it in a browser."""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from doorcode.aws.tickets import Tickets
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.decisions import Actor
from doorcode.pairing.tickets import entered
from doorcode.pairing.transitions import Asked, Operation
from tests.browser.tabs import Tab, Windows
from tests.eventually import eventually
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
        self.invites = self.page.get_by_role("region", name="Invites")
        self.owners = self.page.get_by_role("region", name="Owners")
        self.notice = self.page.locator("#curtain")
        self.announced = self.page.locator("#announcer")

    def row(self, about: str) -> Locator:
        """Find the request of whoever has that name or id."""
        return self.waiting.get_by_role("listitem").filter(has_text=about)

    def person(self, about: str) -> Locator:
        """Find whoever has that name or id among the paired and the blocked."""
        return self.page.locator(".person").filter(has_text=about)

    def tab_of(self, name: str) -> Locator:
        """Find a tab, which there are on a phone alone."""
        return self.page.get_by_role("navigation").get_by_role("link", name=re.compile(name))

    def button(self, name: str) -> Locator:
        """Find a button by how its name begins: what it does, and to whom."""
        return self.page.get_by_role("button", name=re.compile(rf"^{re.escape(name)}"))

    def sees_everything(self) -> None:
        """Wait until every list has come, in whatever order, and its rows take presses."""
        expect(self.page.locator("#activity-picture")).to_be_visible()
        # On a phone, what is in another tab is there, too.
        for part in ("waiting", "questions", "paired", "blocked", "invites", "owners"):
            expect(self.page.locator(f"#{part} > ul > li, #{part} > .empty:not([hidden])").first).to_be_attached()
        self.later(SETTLE_SECONDS)

    def later(self, seconds: float = POLL_SECONDS) -> None:
        """Let time pass in the page, at once, when no answer is on its way: what that is to set off would find it over."""
        assert eventually(self.tab.answered)
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
        self.tickets = Tickets(self.table)
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
        """Open the page by a link, and see everything that is there."""
        owner = self.visit(f"#token={self.link()}", **how)
        owner.sees_everything()
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

    def owns(self, user_id: str = "1000", name: str = "@olivia") -> None:
        """Have somebody become an owner on Telegram, by a claim that the command has made."""
        with self._lock:
            code, _ = self.tickets.claim("", "alice@laptop", self.now)
        self.sends(code, user_id, name)

    def sends(self, code: str, user_id: str, name: str) -> Contact:
        """Have somebody send a claim or an invite to the bot on Telegram."""
        with self._lock:
            ticket = entered(code, TELEGRAM)
            found = ticket and self.tickets.find(ticket)
            assert found
            asked = Asked(delivery_id=f"sent-by-{user_id}", name=name)
            return self.desk.redeem(found, self.room.get(TELEGRAM, user_id), asked, self.now)

    def named(self) -> None:
        """Have it be known who the bot is on Telegram, so that there are links to it."""
        name = f"{self.prefix}/telegram/bot"
        with self._lock:
            self.clients["ssm"]._client.put_parameter(Name=name, Value="7:my_bot", Type="String", Overwrite=True)

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
