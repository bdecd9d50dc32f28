"""Tabs to try a page in, which notice what no page may do, and say what hinders people in using it."""

import functools
import json
import os
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

from tests.eventually import PATIENCE_SECONDS

AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
# Width and height in CSS pixels.
PHONE = (360, 740)
DESKTOP = (1280, 860)
# A clock can be stopped at a moment to come alone.
AHEAD_SECONDS = 60
# The page asks, and hears no: the browser itself reports that, and nobody can keep it from doing so.
REFUSED = re.compile(r"Failed to load resource: .*(status of [45]\d\d|net::ERR_\w+)")
VIOLATIONS = """
  addEventListener('securitypolicyviolation', (event) => {
    (globalThis.violations ??= []).push(`${event.violatedDirective}: ${event.blockedURI}`);
  });
"""
AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass(eq=False)
class Tab:
    """A page in a browser of its own: no cookie is shared with another tab, save one made by ``beside``."""

    page: Page
    origin: str
    problems: list[str] = field(default_factory=list)
    _on_the_way: set[Request] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.add_init_script(VIOLATIONS)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.problems.append(f"uncaught: {error}"))
        self.page.on("request", self._request)
        self.page.on("requestfinished", self._over)
        self.page.on("requestfailed", self._over)
        self.page.set_default_timeout(PATIENCE_SECONDS * 1000)

    def beside(self) -> "Tab":
        """Open another window of the same browser, with the same cookies."""
        return Tab(self.page.context.new_page(), self.origin, self.problems)

    def answered(self) -> bool:
        """Say whether the page has the answer to everything that it has asked for. No request that is held back is answered."""
        self.page.wait_for_timeout(10)
        return not self._on_the_way

    def troubles(self) -> list[str]:
        """Return what the page did that no page may: errors, console output, foreign requests, refusals by its CSP."""
        found = [] if self.page.is_closed() else self.page.evaluate("globalThis.violations ?? []")
        return [*self.problems, *(f"content security policy: {violation}" for violation in found)]

    def barriers(self) -> list[str]:
        """Return what axe finds serious or critical on the page as it is: rule, and where. No standing clock: axe waits."""
        if not self.page.evaluate("'axe' in globalThis"):
            session = self.page.context.new_cdp_session(self.page)
            # Not as a script of the page, which its content security policy forbids.
            session.send("Runtime.evaluate", {"expression": f"{_axe()};0"})
            session.detach()
        options = json.dumps({"runOnly": AXE_RULES, "resultTypes": ["violations"]})
        violations = self.page.evaluate(f"async () => (await axe.run(document, {options})).violations")
        return [
            f"{violation['id']}: {node['target']} {node.get('failureSummary', '')}"
            for violation in violations
            if violation["impact"] in {"serious", "critical"}
            for node in violation["nodes"]
        ]

    def _console(self, message: ConsoleMessage) -> None:
        if not REFUSED.match(message.text):
            self.problems.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        self._on_the_way.add(request)
        url = urlsplit(request.url)
        if f"{url.scheme}://{url.netloc}" != self.origin and url.scheme not in {"data", "blob"}:
            self.problems.append(f"foreign request: {request.url}")

    def _over(self, request: Request) -> None:
        self._on_the_way.discard(request)


class Windows:
    """The windows that a test has opened."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._tabs: list[Tab] = []

    def open(self, url: str, **how: Any) -> Tab:
        """Open one, with a profile of its own; see ``open_tab``."""
        self._tabs.append(open_tab(self._browser, url, **how))
        return self._tabs[-1]

    def close(self) -> list[str]:
        """Close them all; return what any of them did that no page may."""
        troubles = [trouble for tab in self._tabs for trouble in tab.troubles()]
        for tab in self._tabs:
            tab.page.context.close()
        self._tabs.clear()
        return troubles


def open_tab(  # noqa: PLR0913 (each is one thing that people differ in)
    browser: Browser,
    url: str,
    *,
    size: tuple[int, int] = DESKTOP,
    scheme: Literal["light", "dark"] = "light",
    moving: bool = False,
    clock: Literal["real", "running", "standing"] = "real",
) -> Tab:
    """Open a window with a profile of its own at ``url``; animations are off unless ``moving``.

    A ``running`` clock goes as everywhere, and faster by ``page.clock``; a ``standing`` one goes by that alone.
    """
    context: BrowserContext = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=scheme,
        reduced_motion="no-preference" if moving else "reduce",
        locale="en-GB",
        timezone_id="Europe/Berlin",
        has_touch=size == PHONE,
    )
    if clock != "real":
        context.clock.install()
    if clock == "standing":
        context.clock.pause_at(time.time() + AHEAD_SECONDS)
    parts = urlsplit(url)
    tab = Tab(context.new_page(), f"{parts.scheme}://{parts.netloc}")
    tab.page.goto(url)
    return tab


@functools.cache
def _axe() -> str:
    if not AXE.exists():
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("axe-core is not installed: run `make dynamodb-local`, which fetches all that comes from npm")
    return AXE.read_text(encoding="utf-8")
