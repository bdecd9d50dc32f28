"""What one does on the playground's page: typing, pressing, choosing."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.tabs import Tab
from tests.e2e.playground_scene import IDS, Scene, box, pane
from tests.eventually import eventually

NOTE = "Only the owner can do this."


def test_say(scene: Scene, page: Page) -> None:
    """Enter sends, as the person and in the chat that are shown; Shift+Enter is a new line; blanks are not sent."""
    text = box(page)
    text.press("Enter")
    text.press_sequentially("Hello")
    text.press("Shift+Enter")
    text.press_sequentially("there")
    text.press("Enter")
    expect(text).to_have_value("")
    # The box is empty before the word has gone out.
    assert eventually(lambda: scene.asked)
    said = {"platform": "telegram", "chat": "d-2001", "person": "2001", "text": "Hello\nthere", "mention": False}
    assert scene.asked == [("say", said)]
    expect(text).to_be_focused()


def test_say_what_is_refused(scene: Scene, page: Page) -> None:
    """What could not be sent is back in the box, with the reason; what was typed meanwhile is not overwritten."""
    scene.refuse = "The text is too long."
    box(page).fill("Hello")
    box(page).press("Enter")
    expect(pane(page, "stranger").locator(".toast")).to_contain_text("The text is too long.")
    expect(box(page)).to_have_value("Hello")
    scene.refuse = "The text is still too long."
    scene.hold.clear()
    box(page).press("Enter")
    box(page).fill("More")
    scene.hold.set()
    # By its words: the first one passes by itself.
    expect(pane(page, "stranger").locator(".toast", has_text="still too long")).to_be_visible()
    expect(box(page)).to_have_value("More")


def test_say_in_a_group(scene: Scene, page: Page) -> None:
    """In a group the bot may be mentioned; on Discord there is the command, which names it anyhow."""
    for number, platform in enumerate(IDS):
        mentioned = platform != "discord"
        page.get_by_role("tab", name=platform).click()
        toggle = pane(page, "stranger").get_by_role("checkbox")
        expect(toggle).to_be_hidden()
        pane(page, "stranger").get_by_label("Chat of the stranger").select_option(f"g-{platform}")
        if mentioned:
            toggle.check()
        expect(pane(page, "stranger").locator(".slash")).to_be_visible(visible=not mentioned)
        box(page).fill("Hi")
        pane(page, "stranger").get_by_role("button", name="Send").click()
        expect(box(page)).to_have_value("")
        assert eventually(lambda: len(scene.asked) > number)  # noqa: B023 (called at once)
        said = scene.asked[number][1]
        assert said | {"platform": platform, "mention": mentioned, "chat": f"g-{platform}"} == said


def test_press(scene: Scene, page: Page) -> None:
    """A button is pressed as whoever is shown, once; and as somebody else, if that is chosen."""
    scene.ask("telegram", {"text": "User @sam wants to chat."}, id="m1")
    scene.change()
    owner = pane(page, "owner")
    approve = owner.get_by_role("button", name="Approve")
    scene.hold.clear()
    approve.click()
    expect(approve).to_have_attribute("aria-busy", "true")
    approve.click()
    scene.hold.set()
    expect(approve).not_to_have_attribute("aria-busy", "true")
    pressed = {"platform": "telegram", "chat": "d-1001", "person": "1001", "message": "m1", "button": "0.0"}
    assert scene.asked == [("press", pressed)]
    owner.get_by_label("Press buttons as").select_option("2002")
    owner.get_by_role("button", name="Deny").click()
    expect(owner.get_by_role("button", name="Deny")).not_to_have_attribute("aria-busy", "true")
    assert scene.asked[1] == ("press", pressed | {"person": "2002", "button": "0.1"})


def test_answers_to_presses(scene: Scene, window: Callable[..., Tab]) -> None:
    """An alert stays until it is closed; a line passes by itself; both say whom it is for; old ones are not told again."""
    page = window(scene.url).page
    toasts = pane(page, "owner").locator(".toast")
    expect(pane(page, "owner").locator(".empty")).to_be_visible()
    # Before there is anything to show: a page that is still reading would set its real timer.
    page.clock.install()
    scene.note("d-1001", "2002", NOTE, alert=True)
    scene.note("d-1001", "1001", "✅ Approved")
    scene.change()
    expect(toasts).to_have_text([f"Only kim sees this: {NOTE}OK", "✅ Approved\u00d7"])
    page.clock.fast_forward(8000)
    expect(toasts).to_have_text([f"Only kim sees this: {NOTE}OK"])
    toasts.get_by_role("button").click()
    expect(toasts).to_have_count(0)
    page.reload()
    expect(pane(page, "owner").locator(".empty")).to_be_visible()
    expect(toasts).to_have_count(0)


def test_whispers(scene: Scene, page: Page) -> None:
    """On Slack and Discord the answer to a press is a message, which only the presser sees."""
    for platform in ("slack", "discord"):
        owner, sam, _ = IDS[platform]
        page.get_by_role("tab", name=platform).click()
        scene.message(f"d-{owner}", {"text": "For the owner"})
        scene.message(f"d-{owner}", {"text": NOTE}, only_for=sam)
        scene.change()
        messages = pane(page, "owner").locator(".message")
        expect(messages).to_have_count(1)
        pane(page, "owner").get_by_label("Press buttons as").select_option(sam)
        expect(messages).to_have_count(2)
        expect(messages.nth(1).locator(".alone")).to_contain_text("Sam")


def test_redeliver(scene: Scene, page: Page) -> None:
    """A person's message can be delivered again."""
    scene.message("d-2001", {"text": "Hello"}, **{"from": "2001", "call": "", "delivery": "w1"})
    scene.change()
    page.get_by_role("button", name="deliver again").click()
    expect(pane(page, "stranger").locator(".toast")).to_contain_text("Delivered once more")
    assert scene.asked == [("redeliver", {"delivery": "w1"})]


def test_another_stranger(scene: Scene, page: Page) -> None:
    """A stranger can be added, with a language, and is shown then, with the cursor where they type."""
    pane(page, "stranger").get_by_text("+ Another stranger").click()
    expect(pane(page, "stranger").get_by_label("Name of the new stranger")).to_be_focused()
    page.keyboard.type("Mallory")
    pane(page, "stranger").get_by_label("Language of the new stranger").select_option("de")
    pane(page, "stranger").get_by_label("Name of the new stranger").press("Enter")
    expect(pane(page, "stranger").get_by_label("Stranger", exact=True)).to_have_value(re.compile(r"telegram new\d+"))
    expect(pane(page, "stranger").locator(".caption")).to_contain_text("Mallory is a stranger")
    expect(box(page)).to_be_focused()
    stranger = {"platform": "telegram", "role": "stranger", "name": "Mallory", "language": "de"}
    assert scene.asked == [("people", stranger)]


def test_owner_elsewhere(scene: Scene, window: Callable[..., Tab]) -> None:
    """Where a platform has no owner of its own, another platform's is shown beside the stranger, with its looks."""
    scene.people = [one for one in scene.people if (one["platform"], one["role"]) != ("slack", "owner")]
    scene.ask("telegram", {"text": "User @sam wants to chat.\nslack U0SAM"}, id="m1")
    page = window(f"{scene.url}/#slack").page
    owner = pane(page, "owner")
    expect(owner).to_have_attribute("data-platform", "telegram")
    owner.get_by_label("Owner", exact=True).select_option("discord 31")
    expect(owner).to_have_attribute("data-platform", "discord")
    owner.get_by_label("Owner", exact=True).select_option("telegram 1001")
    owner.get_by_role("button", name="Approve").click()
    expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert scene.asked[0][1]["platform"] == "telegram"


def test_real_platform(scene: Scene, window: Callable[..., Tab]) -> None:
    """A platform that is the real one is not written to from here."""
    scene.platforms[0]["real"] = True
    page = window(scene.url).page
    expect(pane(page, "stranger").get_by_role("button", name="Send")).to_be_disabled()
    expect(box(page)).to_have_attribute("placeholder", "Connected to the real platform: write there")
