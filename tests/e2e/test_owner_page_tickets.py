"""Invites and owners at the owner's page. Some 8 seconds."""

import re

from playwright.sync_api import Page, expect

from doorcode.pairing.contact import Platform, State
from tests.e2e.owner_harness import SETTLE_SECONDS, OwnerHarness
from tests.e2e.test_owner_page_trouble import answering

ACCESS_SECONDS = 61
CODE = re.compile(r"(?:[A-Z2-9]{4}-){2,3}[A-Z2-9]{4}")


def code_on(page: Page) -> str:
    """Read the code that is shown."""
    found = CODE.search(page.locator(".ticket .sendable").first.inner_text())
    assert found
    return found[0]


def test_an_invite(harness: OwnerHarness) -> None:
    """Security 44: its link, text and QR code are shown this once; the list has what is left of it; it works, and is revoked."""
    harness.named()
    owner = harness.come_in()
    page = owner.page
    expect(owner.invites.get_by_text("No invite works now.")).to_be_visible()
    owner.button("Make an invite").click()
    form = page.locator("#invite")
    form.get_by_label("For how many people").fill("3")
    form.get_by_label("Label, if you like").fill("workshop")
    form.get_by_role("combobox", name="They stay").select_option("1 week")
    form.get_by_role("combobox", name="It works for").select_option("1 hour")
    form.get_by_role("button", name="Make it").click()
    card = owner.invites.locator(".ticket")
    expect(card.get_by_text("It is shown this once.")).to_be_visible()
    expect(card.get_by_role("heading", name="Invite for workshop")).to_be_focused()
    expect(card).to_contain_text("stays for 1 week. It works for 3 people.")
    code = code_on(page)
    expect(card.get_by_text(f"https://t.me/my_bot?start={code}")).to_be_visible()
    expect(card.get_by_role("img", name="The link for Telegram as a QR code")).to_be_visible()
    expect(card.get_by_role("img")).to_have_count(1)
    # The other platforms have no link: the text is sent to the bot.
    expect(card.locator(".way")).to_have_count(len(Platform))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    card.get_by_role("button", name="Copy the link for Telegram").click()
    expect(owner.announced).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"https://t.me/my_bot?start={code}"
    row = owner.invites.locator("li.person")
    expect(row).to_contain_text("For 3 more of 3 people, for 1 week.")
    guest = harness.sends(code, "7", "@zoe")
    assert (guest.label, guest.paired_until) == ("workshop", harness.now + 7 * 86_400)
    owner.later(ACCESS_SECONDS)
    expect(row).to_contain_text("For 2 more of 3 people")
    card.get_by_role("button", name="Done").click()
    expect(card).to_have_count(0)
    assert code not in page.content()
    page.reload()
    expect(row).to_contain_text("workshop")
    assert code not in page.content()
    owner.later(SETTLE_SECONDS)
    owner.button("Revoke the invite workshop").click()
    page.get_by_role("dialog", name="Revoke the invite workshop?").get_by_role("button", name="Revoke").click()
    expect(owner.invites.get_by_text("No invite works now.")).to_be_visible()
    assert harness.tickets.invites(harness.now) == []


def test_a_copy_that_the_browser_forbids(harness: OwnerHarness) -> None:
    """It is marked at least, and said so."""
    owner = harness.come_in()
    owner.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    owner.button("Make an invite").click()
    owner.page.locator("#invite").get_by_role("button", name="Make it").click()
    owner.page.get_by_role("button", name="Copy the text for Slack").click()
    expect(owner.page.get_by_role("button", name="Copy the text for Slack")).to_have_text("Marked: copy it")
    assert owner.page.evaluate("getSelection().toString()").strip() == code_on(owner.page)


def test_what_was_made_is_nobody_elses(harness: OwnerHarness) -> None:
    """Security 44: a session that ends covers what was made; it comes back with its owner, and to nobody else."""
    owner = harness.come_in()
    page = owner.page
    owner.button("Make an invite").click()
    page.locator("#invite").get_by_role("button", name="Make it").click()
    expect(page.locator(".ticket")).to_be_visible()
    code = code_on(page)
    owner.button("Make an owner").click()
    harness.signs_everybody_out()
    page.locator("#claim").get_by_role("button", name="Make a claim").click()
    expect(owner.notice).to_be_visible()
    expect(page.locator(".ticket")).to_be_hidden()
    page.evaluate("(link) => { location.hash = `token=${link}`; }", harness.link())
    expect(page.locator(".ticket")).to_contain_text(code)
    harness.signs_everybody_out()
    owner.later()
    expect(owner.notice).to_be_visible()
    page.evaluate("(link) => { location.hash = `token=${link}`; }", harness.link("bob@desk"))
    expect(page.locator("#actor")).to_have_text("bob@desk")
    assert code not in page.content()


def test_owners(harness: OwnerHarness) -> None:
    """A claim makes one; the last one is removed only after a second question."""
    harness.named()
    owner = harness.come_in()
    page = owner.page
    expect(owner.owners.get_by_text("Nobody owns the bot")).to_be_visible()
    owner.button("Make an owner").click()
    page.locator("#claim-platform").select_option("Telegram")
    page.locator("#claim").get_by_role("button", name="Make a claim").click()
    card = owner.owners.locator(".ticket")
    expect(card.get_by_text("Whoever sends it to the bot first owns it there.")).to_be_visible()
    expect(card.get_by_role("img", name="The link for Telegram as a QR code")).to_be_visible()
    harness.sends(code_on(page), "1000", "@olivia")
    owner.later(ACCESS_SECONDS)
    row = owner.owners.locator("li.person")
    expect(row).to_contain_text("@olivia")
    expect(row).to_contain_text("By a claim, since ")
    owner.later(SETTLE_SECONDS)
    remove = owner.button("Remove @olivia (Telegram 1000) as an owner")
    question = page.get_by_role("dialog")
    for answers in (("Cancel",), ("Remove", "Cancel"), ("Remove", "Remove the last owner")):
        remove.click()
        for answer in answers:
            question.get_by_role("button", name=answer, exact=True).click()
        if answers[-1] == "Cancel":
            expect(question).to_be_hidden()
            harness.comes_to(State.PAIRED, "1000")
    expect(owner.owners.get_by_text("Nobody owns the bot")).to_be_visible()
    harness.comes_to(State.REVOKED, "1000")


def test_trouble(harness: OwnerHarness) -> None:
    """What cannot be made is said beside the form, which keeps what was typed; a list that cannot be read says so."""
    owner = harness.come_in()
    owner.page.route("**/api/invites", answering(503, error="Not now.", reason="unavailable"))
    owner.button("Make an invite").click()
    form = owner.page.locator("#invite")
    form.get_by_label("Label, if you like").fill("workshop")
    form.get_by_role("button", name="Make it").click()
    expect(form.get_by_role("alert")).to_have_text("Not now.")
    expect(form.get_by_label("Label, if you like")).to_have_value("workshop")
    owner.later(ACCESS_SECONDS)
    expect(owner.invites.get_by_text("This list may be out of date.")).to_be_visible()
