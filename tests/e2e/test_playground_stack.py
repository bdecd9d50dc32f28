"""The playground before the real sandbox: what a newcomer tries in the first minutes, on all platforms.

One sandbox serves all tests, each with a stranger of its own. The last test restarts it.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.tabs import open_tab
from tests.e2e.playground_scene import box, pane
from tests.e2e.sandbox_process import Machine, Run

EACH = pytest.mark.parametrize("platform", ["telegram", "slack", "discord", "whatsapp"])
# How often a message that comes twice is answered: Telegram shows what stands in each response, Discord the first alone, and
# on Slack and WhatsApp the answer is sent once.
ANSWERS = {"telegram": 2, "slack": 1, "discord": 1, "whatsapp": 1}
REQUESTED = "Your request has been sent to the owner for approval."
APPROVED = "You've been approved! Send me a message"
GREETING = "Hi there! How can I help you today?"


@pytest.fixture(scope="module")
def sandbox(machine: Machine, kept: Path) -> Iterator[Run]:
    """Give the sandbox that is up."""
    yield machine.run(shutil.copytree(kept, machine.folder / "playground").name).is_up()
    machine.end()


@pytest.fixture(scope="module")
def page(sandbox: Run, browser: Browser) -> Iterator[Page]:
    """Give its page, opened once."""
    found = re.search(r"Playground +(\S+)", sandbox.said)
    assert found
    tab = open_tab(browser, found[1])
    yield tab.page
    assert tab.troubles() == []
    tab.page.context.close()


@pytest.fixture
def stranger(page: Page) -> Callable[[str], str]:
    """Give a function that has somebody new on a platform, shows them, and returns their id."""

    def arrive(platform: str) -> str:
        page.get_by_role("tab", name=platform).click()
        side = pane(page, "stranger")
        known = side.get_by_label("Stranger", exact=True)
        before = known.input_value()
        side.get_by_text("+ Another stranger").click()
        side.get_by_placeholder("Name").fill("Nora Newcomer")
        side.get_by_placeholder("Name").press("Enter")
        expect(known).not_to_have_value(before)
        return known.input_value().split(" ")[1]

    return arrive


def _say(page: Page, text: str) -> None:
    box(page).fill(text)
    box(page).press("Enter")


def _told(page: Page, text: str, side: str = "stranger") -> Locator:
    """Return the last message with that text, once it is there."""
    found = pane(page, side).locator(".message").filter(has=page.locator(".text", has_text=text)).last
    expect(found).to_be_visible()
    return found


def _press(page: Page, user_id: str, button: str) -> None:
    _told(page, user_id, "owner").get_by_role("button", name=button).click()


def _becomes(page: Page, state: str) -> None:
    expect(pane(page, "stranger").locator(".caption")).to_have_attribute("data-state", state)


def _reason(page: Page, reason: str) -> None:
    """Wait until the last message of the stranger tells what was decided about it."""
    last = pane(page, "stranger").locator(".message[data-from=person]").last
    expect(last.get_by_role("button", name=f"webhook: {reason}")).to_be_visible()


@EACH
def test_pair_and_talk(page: Page, stranger: Callable[[str], str], platform: str) -> None:
    """A stranger asks, the owner approves, and the stranger talks to the agent."""
    user_id = stranger(platform)
    _becomes(page, "stranger")
    _say(page, "Hello?")
    _told(page, REQUESTED)
    _becomes(page, "pending")
    _press(page, user_id, "Approve")
    _told(page, APPROVED)
    prompt = _told(page, user_id, "owner")
    expect(prompt).to_contain_text("✅ Approved by")
    expect(prompt.locator(".press")).to_have_count(0)
    _becomes(page, "paired")
    _say(page, "What do we read next?")
    _told(page, GREETING)
    _reason(page, "paired")


@EACH
def test_turned_away(page: Page, stranger: Callable[[str], str], platform: str) -> None:
    """Nothing that a stranger does makes a second request, and one who is denied, then blocked, is told so or nothing.

    The same message delivered again asks the owner nothing, and its answer is the same. Who writes again at once is not answered; on
    Discord, where something must be said, as before. Whoever presses the owner's button without being an owner is told so, alone, and
    changes nothing.
    """
    user_id = stranger(platform)
    _say(page, "Hello?")
    _told(page, user_id, "owner")
    message = pane(page, "stranger").locator(".message[data-from=person]").last
    message.get_by_role("button", name="deliver again").click()
    page.get_by_role("button", name="Behind the door").click()
    again = page.locator(".door-panel:visible .entry > summary").first
    expect(again).to_contain_text("again")
    expect(again).to_contain_text("✓")
    page.get_by_role("button", name="Close").click()
    answers = pane(page, "stranger").locator(".message[data-from=bot]")
    expect(answers.filter(has_text=REQUESTED)).to_have_count(ANSWERS[platform])
    prompts = pane(page, "owner").locator(".message", has=page.locator(".text", has_text=user_id))
    expect(prompts).to_have_count(1)
    expect(prompts.locator(".edited")).to_have_count(0)

    _say(page, "Are you there?")
    _reason(page, "rate_limited")
    expect(answers).to_have_count(ANSWERS[platform] + (platform == "discord"))
    expect(prompts).to_have_count(1)

    pressers = pane(page, "owner").get_by_label("Press buttons as")
    owner = pressers.input_value()
    pressers.select_option(user_id)
    _press(page, user_id, "Approve")
    # On WhatsApp a press waits for no answer: it comes to the presser's own chat.
    side = "stranger" if platform == "whatsapp" else "owner"
    refusal = pane(page, side).locator(".toast, .message", has_text="Only the owner can do this.").last
    expect(refusal).to_be_visible()
    pressers.select_option(owner)
    _becomes(page, "pending")

    _press(page, user_id, "Deny")
    _told(page, "Your request was declined.")
    _becomes(page, "denied")
    expect(_told(page, user_id, "owner")).to_contain_text("❌ Denied by")
    _press(page, user_id, "Block")
    _becomes(page, "blocked")
    _say(page, "Hello? Hello?")
    _reason(page, "blocked")
    if platform == "discord":
        _told(page, "This bot is private.")


def test_decided_by_the_command(page: Page, stranger: Callable[[str], str], machine: Machine, sandbox: Run) -> None:
    """A decision of the command, by the code, shows in both chats, and behind the door."""

    def pairing(*arguments: str) -> str:
        done = machine.command("pairing", *arguments, "--local", "--store-dir", str(sandbox.store))
        assert done.code == 0, done.err
        return done.out

    platform = "discord"
    user_id = stranger(platform)
    _say(page, "Hello?")
    _told(page, user_id, "owner")
    waiting = json.loads(pairing("list", "--platform", platform, "--pending", "--json"))
    [code] = [request["code"] for request in waiting if request["user_id"] == user_id]
    pairing("approve", platform, code)
    _told(page, APPROVED)
    expect(_told(page, user_id, "owner")).to_contain_text("(cli)")
    _becomes(page, "paired")
    page.get_by_role("button", name="Behind the door").click()
    page.get_by_role("tab", name="Events").click()
    approved = page.locator(".door-panel:visible .entry", has_text=user_id).first
    expect(approved).to_contain_text("pairing_approved")
    page.get_by_role("tab", name="Commands").click()
    expect(page.locator(".door-panel:visible")).to_contain_text(f"doorcode pairing revoke {platform} {user_id}")
    page.get_by_role("button", name="Close").click()


def test_groups(page: Page, stranger: Callable[[str], str]) -> None:
    """Nobody gets a code in a group; what does not mention the bot does not even reach it."""
    stranger("telegram")
    side = pane(page, "stranger")
    side.get_by_label("Stranger", exact=True).select_option(index=0)
    side.get_by_label("Chat of the stranger").select_option(index=1)
    _say(page, "Hello all")
    expect(side.locator(".toast", has_text="Nothing is sent to the bot")).to_be_visible()
    side.get_by_role("checkbox").check()
    _say(page, "and you")
    _reason(page, "group_policy")
    expect(side.locator(".message[data-from=bot]")).to_have_count(0)


def test_a_command_asks_the_owner(page: Page, sandbox: Run, machine: Machine) -> None:
    """Security 47: ``doorcode ask`` needs no setting up here; a press in the owner's chat ends it, once, and the prompt says so."""
    page.get_by_role("tab", name="telegram").click()
    with ThreadPoolExecutor() as meanwhile:
        asking = meanwhile.submit(
            machine.command, "ask", "Delete 3 files?", "--wait", "5m", "--store-dir", str(sandbox.store)
        )
        _told(page, "Delete 3 files?", "owner").get_by_role("button", name="Approve").click()
        ended = asking.result()
    assert (ended.code, ended.out) == (0, "approved\n"), ended
    _told(page, "used at", "owner")


@pytest.mark.parametrize("platform", ["slack", "discord"])
def test_why_is_said(page: Page, sandbox: Run, machine: Machine, platform: str) -> None:
    """Whoever denies says why: in Slack's field under the question, or in Discord's modal, which they alone see and which closes."""
    page.get_by_role("tab", name=platform).click()
    ended = machine.command("ask", f"Delete {platform}?", "--store-dir", str(sandbox.store))
    assert ended.code == 5, ended
    question = _told(page, f"Delete {platform}?", "owner")
    question.get_by_role("button", name="Deny").click()
    if platform == "discord":
        question.get_by_role("button", name="Say why").click()
    where = pane(page, "owner")
    where.locator("form.field input").fill("Not on a Friday.")
    where.locator("form.field").get_by_role("button").click()
    _told(page, "A reason was given.", "owner")
    expect(where.locator("form.field")).to_have_count(0)


def test_restart(page: Page, stranger: Callable[[str], str], machine: Machine, sandbox: Run) -> None:
    """A restart forgets nobody who is paired, and the page that was open goes on."""
    user_id = stranger("telegram")
    _say(page, "Hello?")
    _press(page, user_id, "Approve")
    _becomes(page, "paired")
    assert sandbox.end() == 0
    expect(page.get_by_role("alert")).to_contain_text("The sandbox has stopped")
    machine.run(sandbox.store.name).is_up()
    expect(page.locator("#status")).to_have_text("Live")
    pane(page, "stranger").get_by_label("Stranger", exact=True).select_option(f"telegram {user_id}")
    _becomes(page, "paired")
    _say(page, "Still there?")
    _told(page, GREETING)
