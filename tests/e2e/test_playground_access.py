"""The playground's page for a newcomer, with a keyboard, in any light, on any screen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.tabs import DESKTOP, PHONE, Tab
from tests.e2e.playground_scene import IDS, Scene, pane

NOTE = "Only the owner can do this."


def test_guide(scene: Scene, page: Page) -> None:
    """The steps tick themselves off as they happen; the guide can be put away."""
    steps = page.locator(".steps li")

    def states() -> list[str]:
        return [str(step.get_attribute("data-state")) for step in steps.all()]

    expect(steps.nth(0)).to_have_attribute("data-state", "next")
    scene.message("d-2001", {"text": "Hello"}, **{"from": "2001", "call": "", "delivery": "w1"})
    scene.change()
    expect(steps.nth(1)).to_have_attribute("data-state", "next")
    scene.message("d-2001", {"text": "You've been approved! Send me a message."})
    scene.change()
    expect(steps.nth(2)).to_have_attribute("data-state", "next")
    scene.message("d-2001", {"text": "Hi?"}, **{"from": "2001", "call": ""})
    scene.change()
    expect(pane(page, "stranger").locator(".message")).to_have_count(3)
    assert states()[2] == "next"
    scene.message("d-2001", {"text": "Hi there! How can I help you today?"})
    scene.change()
    expect(steps.nth(3)).to_have_attribute("data-state", "next")
    page.get_by_role("button", name="Behind the door").click()
    expect(steps.nth(4)).to_have_attribute("data-state", "next")
    scene.note("d-1001", "2002", NOTE, alert=True)
    scene.change()
    expect(steps.nth(5)).to_have_attribute("data-state", "next")
    page.get_by_role("button", name="deliver again").first.click()
    expect(page.locator(".hint")).to_contain_text("All done")
    page.get_by_role("button", name="Hide").click()
    expect(steps.first).to_be_hidden()
    page.reload()
    expect(page.get_by_role("button", name="Show the guide")).to_be_visible()


def test_keyboard(scene: Scene, page: Page) -> None:
    """Everything is reached with the keyboard: the way past the head, tabs by arrows, a button by Enter."""
    scene.ask("slack", {"text": "", "blocks": [{"type": "actions"}]}, id="m1")
    scene.change()
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the chats")).to_be_focused()
    page.get_by_role("tab", name="Telegram").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Slack")).to_be_focused()
    approve = pane(page, "owner").get_by_role("button", name="Approve")
    for _ in range(20):
        page.keyboard.press("Tab")
        if approve.evaluate("(button) => button === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert scene.asked[0][1]["button"] == "0.0"
    page.get_by_role("tab", name="Slack").focus()
    page.keyboard.press("End")
    expect(page.locator("#panel-whatsapp")).to_be_visible()
    assert page.url.endswith("#whatsapp")


# Colours are the same on every screen, and places in every light.
@pytest.mark.parametrize(("scheme", "size"), [("light", PHONE), ("dark", DESKTOP)], ids=["light-phone", "dark-desktop"])
def test_no_barriers(scene: Scene, window: Callable[..., Tab], scheme: str, size: tuple[int, int]) -> None:
    """Nothing on the page hinders people seriously, in light and dark, wide and narrow; nothing is wider than the page."""
    for platform in IDS:
        _converse(scene, platform)
    tab = window(scene.url, size=size, scheme=scheme)
    for platform in IDS:
        tab.page.get_by_role("tab", name=platform).click()
        assert tab.page.evaluate("(list => list.scrollWidth <= list.clientWidth)(document.querySelector('.platforms'))")
        expect(pane(tab.page, "owner").get_by_role("button", name="Approve")).to_be_visible()
        assert tab.barriers() == []
    tab.page.get_by_role("button", name="Behind the door").click()
    for part in ("Table", "Commands", "Webhooks"):
        tab.page.get_by_role("tab", name=part).click()
        expect(tab.page.locator(".door-panel:visible :is(.entry, .way)")).not_to_have_count(0)
        summaries = tab.page.locator(".door-panel:visible .entry > summary")
        summaries.evaluate_all("(all) => all.forEach((one) => one.click())")
    expect(tab.page.locator(".door-panel .json").first).to_be_visible()
    assert tab.barriers() == []
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _converse(scene: Scene, platform: str) -> None:
    """Have one of everything that can be seen."""
    key = "content" if platform == "discord" else "text"
    owner, sam, _ = IDS[platform]
    scene.message(f"d-{sam}", {key: "Hello, I am Sam"}, **{"from": sam, "call": "", "delivery": platform})
    scene.message(f"d-{sam}", {key: "Your request has been sent"}, call="response", only_for=sam)
    scene.message(f"d-{sam}", {key: "`code` <@41> https://e.x"}, edited=True)
    scene.message(f"d-{sam}", {key: ""}, deferred=platform == "discord")
    scene.ask(platform, {key: "User @sam wants to chat."})
    scene.note(f"d-{owner}", owner, NOTE)
    scene.inside["items"] += [
        {"pk": f"{platform}#{sam}", "sk": "contact", "state": "pending", "rev": 1},
        {"pk": f"seats#{platform}", "sk": "00", "user_id": sam},
    ]
    scene.delivery(platform)
