"""What the playground's page does by itself: news come in, and nobody is disturbed."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.backends.emulators import free_port
from tests.browser.tabs import Tab
from tests.e2e import playground_scene
from tests.e2e.playground_scene import Scene, box, pane


def test_typing_is_left_alone(scene: Scene, page: Page) -> None:
    """While somebody types, news changes nothing about it: neither focus, nor text, nor where the cursor is."""
    box(page).fill("Hello there")
    box(page).press("ArrowLeft")
    for number in range(3):
        scene.message("d-2001", {"text": f"News {number}"})
        scene.change()
        expect(pane(page, "stranger").locator(".message")).to_have_count(number + 1)
    expect(box(page)).to_be_focused()
    assert box(page).evaluate("(box) => [box.value, box.selectionStart]") == ["Hello there", 10]


def test_only_what_changed_is_drawn(scene: Scene, page: Page) -> None:
    """A message that stays as it is keeps its element, and what was opened in it stays open."""
    first = scene.message("d-2001", {"text": "First"})
    scene.message("d-2001", {"text": "Second"})
    scene.change()
    messages = pane(page, "stranger").locator(".message")
    messages.nth(0).locator("summary").click()
    messages.nth(1).evaluate("(element) => { element.kept = true }")
    first |= {"shown": {"text": "Changed"}, "edited": True}
    scene.change()
    expect(messages.nth(0).locator(".text")).to_have_text("Changed")
    expect(messages.nth(0).locator(".source pre")).to_contain_text('"Changed"')
    assert messages.nth(1).evaluate("(element) => element.kept")


def test_focus_after_a_press(scene: Scene, page: Page) -> None:
    """Where the pressed button goes away, the focus stays on its message."""
    message = scene.ask("telegram", {"text": "User @sam wants to chat."})
    scene.change()
    pane(page, "owner").get_by_role("button", name="Approve").focus()
    message |= {"buttons": [], "edited": True}
    scene.change()
    expect(pane(page, "owner").locator(".edited")).to_be_visible()
    expect(pane(page, "owner").locator(".message")).to_be_focused()


def test_scrolling(scene: Scene, page: Page) -> None:
    """The newest message is in sight, unless the reader went up: then a button says that there is more.

    Who goes up in the very moment of a change is not taken down again: the browser tells of it a frame later.
    """
    for number in range(40):
        scene.message("d-2001", {"text": f"Message {number}"})
    scene.change()
    messages, newer = pane(page, "stranger").locator(".messages"), page.get_by_role("button", name="New messages")
    expect(messages.get_by_text("Message 39", exact=True)).to_be_in_viewport()
    messages.evaluate("(list) => { list.scrollTop = 0 }")
    expect(messages.get_by_text("Message 0", exact=True)).to_be_in_viewport()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    scene.message("d-2001", {"text": "The newest"})
    scene.change()
    expect(messages.get_by_text("Message 0", exact=True)).to_be_in_viewport()
    newer.click()
    expect(messages.get_by_text("The newest", exact=True)).to_be_in_viewport()
    expect(newer).to_be_hidden()
    messages.evaluate(
        """(list) => {
          list.scrollTop = 0;
          list.closest('.pane').querySelector('select').dispatchEvent(new Event('change'));
        }"""
    )
    assert messages.evaluate("(list) => list.scrollTop") == 0
    expect(messages.get_by_text("Message 0", exact=True)).to_be_in_viewport()


def test_news_elsewhere(scene: Scene, page: Page) -> None:
    """A tab shows that the bot said something on its platform meanwhile."""
    tab = page.get_by_role("tab", name="Slack")
    scene.message("d-U0SAM", {"text": "News"}, call="chat.postMessage")
    scene.change()
    expect(tab).to_have_accessible_name("Slack (new messages)")
    tab.click()
    expect(tab).to_have_accessible_name("Slack")


def test_stopped_and_back(window: Callable[..., Tab]) -> None:
    """A sandbox that stops is told of, with what to do; one that is back shows what is new, without reloading."""
    # Not one that the machine may give to anybody while nobody listens there.
    with playground_scene.running(free_port()) as other:
        page = window(other.url).page
        expect(page.locator("#status")).to_have_text("Live")
        port = int(other.url.rsplit(":", 1)[1])
        box(page).fill("Half a sen")
    expect(page.locator("#status")).to_have_text("Stopped")
    expect(page.get_by_role("alert")).to_contain_text("make run")
    with playground_scene.running(port) as again:
        again.message("d-2001", {"text": "Here again"})
        expect(page.locator("#status")).to_have_text("Live")
        expect(page.get_by_role("alert")).to_be_hidden()
        expect(pane(page, "stranger").locator(".message")).to_contain_text("Here again")
        expect(box(page)).to_have_value("Half a sen")
