"""The view behind the door: what the sandbox tells of itself, and how it is read."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.tabs import PHONE, Tab
from tests.e2e.playground_scene import Scene, pane
from tests.eventually import eventually

CONTACT = {"pk": "telegram#2001", "sk": "contact", "state": "pending", "rev": 1, "nonce": "5f2c"}


@pytest.fixture
def page(page: Page) -> Page:
    """Give its page, with the door open."""
    if not page.locator("#door").is_visible():
        page.get_by_role("button", name="Behind the door").click()
    expect(_part(page, "Webhooks").locator(".nothing")).to_have_text(
        "Nothing was sent yet. Write something as a stranger."
    )
    return page


def _part(page: Page, name: str) -> Locator:
    page.get_by_role("tab", name=name).click()
    return page.locator(".door-panel:visible")


def test_on_a_phone_it_opens_in_view(scene: Scene, window: Callable[..., Tab]) -> None:
    """It is below the chats there, where nobody would look for it; one that only stays open moves nothing."""
    page = window(scene.url, size=PHONE).page
    page.get_by_role("button", name="Behind the door").click()
    expect(page.get_by_role("heading", name="Behind the door")).to_be_in_viewport()
    page.evaluate("scrollTo(0, 0)")
    page.reload()
    expect(page.locator("#door")).to_be_visible()
    expect(page.get_by_role("heading", name="Doorcode playground")).to_be_in_viewport()


def test_webhooks(scene: Scene, page: Page) -> None:
    """A webhook tells its signature, whether it fits, status, time and reason; opened, all that was said, to be copied."""
    scene.delivery("w1")
    scene.delivery(
        "w2", signature={"kind": "v0 HMAC", "fits": False}, status=401, log=[], path="/slack", body="a=b&c", answer=""
    )
    scene.delivery("w3", again_of="w1")
    scene.change()
    entries = page.locator(".door-panel:visible .entry")
    expect(entries.locator("> summary")).to_have_text(
        [
            "/telegramagain✓ secret tokenpairing_requested200 12 ms",
            "/slack✗ v0 HMAC401 12 ms",
            "/telegram✓ secret tokenpairing_requested200 12 ms",
        ]
    )
    entries.nth(1).locator("> summary").click()
    expect(entries.nth(1).locator(".detail")).to_contain_text("The signature does not fit")
    expect(entries.nth(1).get_by_label("Body")).to_have_text("a=b&c")
    entries.nth(2).locator("> summary").click()
    expect(entries.nth(2).get_by_label("Our answer")).to_contain_text('"method": "sendMessage"')
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    entries.nth(2).get_by_role("button", name="Copy").nth(1).click()
    expect(entries.nth(2).get_by_role("button", name="Copied")).to_be_visible()
    assert '"update_id": 1' in page.evaluate("navigator.clipboard.readText()")


def test_a_message_leads_to_its_webhook(scene: Scene, page: Page) -> None:
    """Under a person's message stands what was decided, and the way to its webhook."""
    scene.delivery("w1", log=[{"reason": "rate_limited"}])
    scene.delivery("w2")
    scene.message("d-2001", {"text": "Hello"}, **{"from": "2001", "call": "", "delivery": "w1"})
    scene.change()
    page.get_by_role("tab", name="Log").click()
    pane(page, "stranger").get_by_role("button", name="webhook: rate_limited").click()
    expect(page.locator("[data-delivery=w1] .detail")).to_be_visible()
    expect(page.locator("[data-delivery=w2] .detail")).to_be_hidden()
    expect(page.locator("[data-delivery=w1] > summary")).to_be_focused()


def test_table(scene: Scene, page: Page) -> None:
    """The items stand by what they are; an opened one stays open when it changes, and tells what it says now."""
    table = _part(page, "Table")
    expect(table.locator(".nothing")).to_contain_text("The table is empty")
    scene.inside["items"] = [
        {"pk": "seats#telegram", "sk": "00", "user_id": "2001"},
        {"pk": "seats#telegram", "sk": "01", "freed_at": 5},
        CONTACT,
        {"pk": "prompts#telegram#2001", "sk": "5f2c#telegram#1001"},
        {"pk": "sessions", "sk": "a"},
    ]
    scene.change()
    expect(table.locator("h3")).to_contain_text(["Contacts", "Prompts", "Seats", "Others"])
    expect(table.locator(".chip")).to_have_text(["pending", "held", "free"])
    table.locator(".entry > summary").first.click()
    scene.inside["items"][2] = CONTACT | {"state": "paired", "decided_via": "cli"}
    scene.change()
    expect(table.get_by_label("Item").first).to_contain_text('"state": "paired"')
    expect(pane(page, "stranger").locator(".caption")).to_contain_text("Sam is paired")
    expect(pane(page, "stranger").locator(".caption")).to_contain_text("decided by cli")


def test_what_the_agent_was_given_and_answered(scene: Scene, page: Page) -> None:
    """Each conversation stands with its turns, as text, and takes up what is said next."""
    turns = [{"role": "user", "text": "<b>Hello</b>"}, {"role": "assistant", "text": "Hi there!"}]
    scene.inside["conversations"] = [{"conversation": "telegram#2001#", "until": 2, "turns": turns}]
    scene.change()
    agent = _part(page, "Agent")
    expect(agent.locator("dt")).to_have_text(["given", "answered"])
    expect(agent.locator("dd")).to_have_text(["<b>Hello</b>", "Hi there!"])
    scene.inside["conversations"] = [
        {"conversation": "telegram#2001#", "until": 3, "turns": [*turns, {"role": "user", "text": "And you?"}]}
    ]
    scene.change()
    expect(agent.locator("dd").last).to_have_text("And you?")


def test_events_and_log(scene: Scene, page: Page) -> None:
    """Events and log lines stand newest first, with what happened to whom, and why."""
    scene.inside["events"] = [
        {
            "at": f"2026-11-21T10:00:0{number}Z",
            "detail-type": kind,
            "detail": {"platform": "telegram", "user_id": "2001"},
        }
        for number, kind in enumerate(("pairing_requested", "pairing_approved"))
    ]
    scene.inside["log"] = [
        {"at": "2026-11-21T10:00:00Z", "function": "telegram", "level": "INFO", "message": "Hello", "reason": "owner"},
        {"at": "2026-11-21T10:00:01Z", "function": "relay", "level": "ERROR", "message": "Trouble", "reason": ""},
    ]
    scene.change()
    expect(_part(page, "Events").locator("summary code")).to_have_text(["pairing_approved", "pairing_requested"])
    log = _part(page, "Log")
    expect(log.locator("summary .words")).to_have_text(["Trouble", "Hello"])
    expect(log.locator("summary .chip")).to_have_text(["error", "owner"])


STATES = {
    "none": ["pairing add telegram 2001", "pairing block telegram 2001"],
    "pending": ["pairing approve telegram --user 2001", "pairing block telegram 2001"],
    "paired": ["pairing revoke telegram 2001", "pairing add telegram 2001 --for 7d", "pairing block telegram 2001"],
    "blocked": ["pairing unblock telegram 2001"],
}


def test_commands(scene: Scene, page: Page) -> None:
    """The commands fit whoever is shown, and how they stand."""
    commands = _part(page, "Commands").locator("code")
    general = ["pairing list", "web", "doctor"]
    for state, own in STATES.items():
        scene.inside["items"] = [CONTACT | {"state": state}]
        scene.change()
        expect(commands).to_have_text([f"doorcode {line} --local" for line in (*own, *general)])


def test_a_reason_that_is_logged_late(scene: Scene, window: Callable[..., Tab]) -> None:
    """Nobody has to do anything for it: it is looked for until it is there, and then no more."""
    page = window(scene.url, clock="standing").page
    expect(pane(page, "stranger").locator(".empty")).to_be_visible()
    scene.delivery("w1", log=[])
    scene.message("d-2001", {"text": "Hello"}, **{"from": "2001", "call": "", "delivery": "w1"})
    scene.change()
    expect(pane(page, "stranger").get_by_role("button", name="webhook", exact=True)).to_be_visible()
    looks: list[str] = []
    page.on("response", lambda response: looks.append(response.url) if response.url.endswith("/deliveries") else None)

    def looks_again() -> bool:
        looks.clear()
        page.clock.run_for(1000)
        page.wait_for_timeout(20)
        return bool(looks)

    assert eventually(looks_again)
    assert eventually(looks_again)
    scene.deliveries[0]["log"] = [{"reason": "paired"}]
    reason = pane(page, "stranger").get_by_role("button", name="webhook: paired")
    assert eventually(lambda: looks_again() and reason.is_visible())
    looks.clear()
    page.clock.run_for(120_000)
    page.wait_for_timeout(200)
    assert looks == []


def test_it_looks_by_itself(scene: Scene, window: Callable[..., Tab]) -> None:
    """While it is open it looks again by itself, for not everything that happens is a message; closed, it rests."""
    page = window(scene.url, clock="standing").page
    page.get_by_role("button", name="Behind the door").click()
    table = _part(page, "Table")
    expect(table.locator(".nothing")).to_contain_text("The table is empty")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    def asks() -> bool:
        asked.clear()
        page.clock.run_for(10_000)
        return bool(asked)

    scene.inside["items"] = [CONTACT]
    assert asks()
    expect(table.locator(".entry")).to_have_count(1)
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Behind the door")).to_be_focused()
    # What was on its way when it was closed comes to its end.
    assert eventually(lambda: not asks())
    assert not asks()


def test_it_stays_open(scene: Scene, page: Page) -> None:
    """It is open again after reloading."""
    scene.delivery("w1")
    page.reload()
    expect(page.locator(".door-panel:visible .entry")).to_have_count(1)
