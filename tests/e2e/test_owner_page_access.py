"""The owner's page for everybody, and for nobody else: markup, keyboard, screens, its content policy. Some 12 seconds."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from doorcode.pairing.contact import Platform, State
from doorcode.pairing.transitions import Operation
from doorcode.web.page import files
from tests.browser.tabs import DESKTOP, PHONE
from tests.e2e.owner_harness import ANN, LINGER_SECONDS, OwnerHarness

MARKUP = "<img src=x onerror=alert(1)>"
OVERFLOW = """() => [...document.querySelectorAll('body *')]
  .filter((element) => element.checkVisibility() && !element.closest('.for-readers, .figures-scroll, svg'))
  .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
  .map((element) => element.outerHTML.slice(0, 80))"""


def furnish(harness: OwnerHarness) -> None:
    """Have some of everything."""
    harness.asks()
    harness.asks("U07ABC1234X", "Ada Lovelace", Platform.SLACK, ago=3500)
    harness.asks("123456789012345678", "", Platform.DISCORD)
    for number in range(2):
        harness.lets_in(
            f"5550{number}", f"@person{number}" + "_and_so_on" * 5, label="a label that is rather long " * 2
        )
    harness.lets_in("4242", "@spammer")
    harness.commands(Operation.BLOCK, "4242")
    harness.lets_in("4343", "@guest", until=harness.now + 86_400)
    harness.owns()


def opened(page: Page) -> None:
    """Open every form that a button opens."""
    closed = page.locator("button[aria-expanded=false]:visible")
    while closed.count():
        closed.first.click()


# Colours are the same on every screen, and places in every light.
@pytest.mark.parametrize(("scheme", "size"), [("light", PHONE), ("dark", DESKTOP)], ids=["light-phone", "dark-desktop"])
def test_no_barrier(harness: OwnerHarness, scheme: Literal["light", "dark"], size: tuple[int, int]) -> None:
    """No barrier that axe calls serious stands on the page, in a question, on a closed request and in the notice; nothing is cut off."""
    furnish(harness)
    # What looks for barriers takes its time on the page's own clock.
    owner = harness.come_in(scheme=scheme, size=size, clock="running")
    expect(owner.person("@spammer")).to_be_attached()
    owner.page.get_by_text("As a table").click()
    for tab in ("People", "Access", "Waiting"):
        if size == PHONE:
            owner.tab_of(tab).click()
        opened(owner.page)
        if tab == "Access":
            owner.page.locator("#invite").get_by_role("button", name="Make it").click()
            expect(owner.invites.get_by_text("It is shown this once.")).to_be_visible()
        if size == PHONE or tab == "Waiting":
            # What has been scrolled under the tabs is small there, and nowhere else.
            owner.page.evaluate("scrollTo(0, 0)")
            assert owner.tab.barriers() == []
            assert owner.page.evaluate(OVERFLOW) == []
    owner.button("Deny @ann").click()
    expect(owner.row("@ann")).to_contain_text("Denied by you")
    if size == PHONE:
        owner.tab_of("People").click()
    owner.button("Revoke @person1").click()
    expect(owner.page.get_by_role("dialog")).to_be_visible()
    owner.page.evaluate("scrollTo(0, 0)")
    assert owner.tab.barriers() == []
    assert owner.page.evaluate(OVERFLOW) == []
    owner.page.keyboard.press("Escape")
    harness.signs_everybody_out()
    owner.later()
    expect(owner.notice).to_be_visible()
    assert owner.tab.barriers() == []


def test_markup_is_text(harness: OwnerHarness) -> None:
    """Security 28: a name, a label and an error that hold markup are shown as the text that they are.

    What is written in the other direction turns nothing around it.
    """
    harness.asks(name=MARKUP)
    harness.asks("555002", "שלום 12345")
    harness.lets_in("555001", MARKUP, label="<b>bold</b>")
    owner = harness.come_in()
    expect(owner.row(ANN).get_by_role("heading")).to_have_text(MARKUP)
    expect(owner.person("555001").get_by_text("<b>bold</b>", exact=True)).to_be_visible()
    owner.button("Revoke").click()
    expect(owner.page.get_by_role("dialog").get_by_role("heading")).to_have_text(f"Revoke {MARKUP}?")
    assert owner.page.locator("main img, dialog img, main b").count() == 0
    row = owner.row("555002")
    expect(row.locator("h3 bdi")).to_have_text("שלום 12345")
    assert row.locator(".identity").evaluate("(element) => getComputedStyle(element).direction") == "ltr"


def test_by_keyboard_alone(harness: OwnerHarness) -> None:
    """Tab, Enter and Escape are enough: approve with a label, go on from there, revoke, sign out."""
    harness.asks(ago=120)
    harness.asks("555001", "@bob")
    owner = harness.come_in()
    keys = owner.page.keyboard
    expect(owner.button("Approve @bob")).to_be_visible()
    tab_to(owner.page, f"Label for @ann (Telegram {ANN}), if you like")
    keys.type("sister")
    keys.press("Enter")
    expect(owner.row("@ann")).to_contain_text("Approved by you")
    assert harness.comes_to(State.PAIRED).label == "sister"
    assert owner.focused() == "@ann"
    owner.later(LINGER_SECONDS)
    expect(owner.row("@ann")).to_have_count(0)
    assert owner.focused() == "@bob"
    tab_to(owner.page, "Deny @bob (Telegram 555001)")
    keys.press("Space")
    expect(owner.row("@bob")).to_contain_text("Denied by you")
    tab_to(owner.page, f"Revoke @ann (Telegram {ANN})")
    keys.press("Enter")
    tab_to(owner.page, "Revoke")
    keys.press("Enter")
    expect(owner.person("@ann")).to_contain_text("Revoked")
    tab_to(owner.page, "Sign out everywhere")
    keys.press("Shift+Tab")
    keys.press("Home")
    tab_to(owner.page, "Sign out")
    keys.press("Enter")
    expect(owner.notice).to_be_visible()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has that name has the focus, and can be seen to."""
    for _ in range(60):
        page.keyboard.press("Tab")
        found, ring = page.evaluate(
            """() => {
              const focused = document.activeElement;
              return [focused.ariaLabel || focused.textContent.trim(), getComputedStyle(focused).outlineStyle];
            }"""
        )
        if found == name:
            assert ring == "solid"
            return
    pytest.fail(f"Tab does not lead to {name}")


def test_landmarks_and_headings(harness: OwnerHarness) -> None:
    """The page has one main part, one first heading, and a name for each of its sections and lists."""
    furnish(harness)
    page = harness.come_in().page
    for role in ("banner", "main", "contentinfo"):
        expect(page.get_by_role(role)).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_text("Who may talk to your bot")
    for name in ("Waiting", "Questions", "Paired", "Last 7 days", "Invites", "Owners", "Blocked"):
        expect(page.get_by_role("region", name=name)).to_have_count(1)
        expect(page.get_by_role("heading", level=2, name=name)).to_have_count(1)
    names = page.get_by_role("list").evaluate_all(
        "(lists) => lists.map((list) => list.getAttribute('aria-labelledby'))"
    )
    # There are no invites and no questions, and an empty list is not shown.
    assert names == ["waiting-title", "paired-title", "owners-title", "blocked-title"]


def test_targets_are_large_enough_for_thumbs(harness: OwnerHarness) -> None:
    """On a phone, whatever is pressed is at least 40 pixels high."""
    furnish(harness)
    page = harness.come_in(size=PHONE).page
    heights: list[float] = []
    for tab in ("Waiting", "People", "Access"):
        page.get_by_role("navigation").get_by_role("link", name=tab).click()
        opened(page)
        heights += page.locator("button:visible, input:visible, select:visible, nav a:visible").evaluate_all(
            "(controls) => controls.map((control) => control.getBoundingClientRect().height)"
        )
    assert len(heights) > 30
    assert min(heights) >= 40


def test_whoever_likes_less_motion_gets_none(harness: OwnerHarness) -> None:
    """Nothing moves for those who asked for that; for the others, arrivals do."""
    for moving in (False, True):
        owner = harness.come_in(moving=moving)
        harness.asks(f"5550{moving}", "@bob", ago=1)
        owner.later()
        expect(owner.row(f"5550{moving}")).to_be_visible()
        animations = owner.row(f"5550{moving}").evaluate("(row) => getComputedStyle(row).animationName")
        assert animations == ("arrive" if moving else "none")


def test_a_slow_network_shows_the_page_at_once(harness: OwnerHarness) -> None:
    """Before anything else has come, the page's head is there, in its own colours, and where the rest will stand."""
    owner = harness.visit()
    page = owner.page
    page.route("**/owner/**", lambda _: None)  # never answered
    page.goto(f"{harness.url}/owner", wait_until="commit")
    expect(page.locator(".brand")).to_be_visible()
    assert page.locator("header.top").evaluate("(top) => getComputedStyle(top).display") == "flex"
    expect(page.get_by_text("Opening …")).to_be_visible()
    page.unroute("**/owner/**")


def test_the_content_policy_holds(harness: OwnerHarness) -> None:
    """Security 28: even a script that got onto the page could load nothing, write no markup and send nothing away."""
    owner = harness.visit()
    page = owner.page
    assert "Content-Security-Policy" in str(page.request.get(f"{harness.url}/owner").headers_array)
    refused = page.evaluate(
        """async () => {
          const refused = [];
          try { document.body.innerHTML = '<b>'; } catch { refused.push('markup'); }
          try { await fetch('http://127.0.0.1:9/'); } catch { refused.push('elsewhere'); }
          const script = document.createElement('script');
          try { script.text = '1'; } catch { refused.push('script'); }
          return refused;
        }"""
    )
    assert refused == ["markup", "elsewhere", "script"]
    told = owner.tab.troubles()
    assert len(told) >= 3
    assert all(re.search("Content Security Policy|content security policy|TrustedHTML|Trusted", line) for line in told)
    owner.tab.problems.clear()
    page.evaluate("globalThis.violations = []")


def test_every_file_is_used_and_nothing_else_is_inline() -> None:
    """What is served is what the page loads, in few requests; the one style sheet that is inline is known to the policy."""
    index = files()["index.html"].content.decode()
    named = set(re.findall(r'(?:href|src)="owner/([^"]+)"', index))
    assert named == files().keys() - {"index.html"}
    assert not re.search(r"<style(?!>)|<script(?! type=\"module\" src)|\son\w+=|\sstyle=|https?://", index)
    assert index.count("<style>") == 1
    script = files()["owner.js"].content.decode()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|console\.", script)
