"""What an owner does at the page without anybody's asking: adding, guests, labels, everybody at once. Some 12 seconds."""

import re
from datetime import UTC, datetime

from playwright.sync_api import expect

from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.keyring import key_id
from doorcode.pairing.transitions import Operation
from tests.browser.tabs import PHONE
from tests.e2e.owner_harness import ANN, LINGER_SECONDS, SETTLE_SECONDS, OwnerHarness
from tests.e2e.test_owner_page_access import tab_to
from tests.harness import COOLDOWN, TTL

DAY = 86_400


def test_somebody_is_added_by_keyboard_alone(harness: OwnerHarness) -> None:
    """Platform, id, label and for how long; what the server refuses is said beside the form, which keeps what was typed."""
    owner = harness.come_in()
    form, keys = owner.page.locator("#add"), owner.page.keyboard
    tab_to(owner.page, "Add somebody")
    keys.press("Enter")
    assert owner.page.evaluate("document.activeElement.id") == "add-platform"
    keys.type("Slack")
    keys.press("Tab")
    keys.type("@bob")
    keys.press("Tab")
    keys.type("my brother")
    keys.press("Tab")
    keys.type("Other")
    # The field for any other time comes next.
    keys.press("Tab")
    assert owner.page.evaluate("document.activeElement.placeholder") == "12h, 3d, 2w"
    keys.type("36h")
    keys.press("Enter")
    expect(form.get_by_role("alert")).to_contain_text("capitals and digits, such as U1234ABCD")
    owner.page.get_by_label("User id").first.fill("U1234ABCD")
    keys.press("Enter")
    expect(owner.person("U1234ABCD")).to_contain_text("my brother")
    contact = harness.comes_to(State.PAIRED, "U1234ABCD", Platform.SLACK)
    assert (contact.label, contact.paired_until) == ("my brother", harness.now + 36 * 3600)
    expect(form).to_be_hidden()
    assert owner.focused() == "Add somebody"
    expect(owner.announced).to_contain_text("someone without a name (Slack U1234ABCD): let in")
    keys.press("Enter")
    keys.press("Escape")
    expect(form).to_be_hidden()
    assert owner.focused() == "Add somebody"


def test_a_time_that_is_none_is_not_sent(harness: OwnerHarness) -> None:
    """What the command would not take for a duration, the form does not either."""
    harness.asks()
    owner = harness.come_in()
    row = owner.row("@ann")
    row.get_by_role("combobox").select_option("other")
    row.get_by_placeholder("12h, 3d, 2w").fill("soon")
    owner.button("Approve @ann").click()
    assert row.get_by_placeholder("12h, 3d, 2w").evaluate("(field) => !field.validity.valid")
    harness.comes_to(State.PENDING)
    # It stands in the way of an approval alone.
    owner.button("Deny @ann").click()
    expect(row).to_contain_text("Denied by you")


def test_a_guest(harness: OwnerHarness) -> None:
    """Approved for a while, somebody is shown with a clock, which runs; and is gone when it is over."""
    harness.asks()
    # Nothing on the page tells when a list has been read, and so waits for its next turn.
    owner = harness.come_in(clock="running")
    owner.row("@ann").get_by_role("combobox").select_option("1 hour")
    owner.button("Approve @ann").click()
    guest = owner.person("@ann")
    expect(guest).to_be_visible()
    until = harness.comes_to(State.PAIRED).paired_until
    assert until == harness.now + 3600
    clock = guest.locator(".guest time")
    expect(clock).to_have_attribute("datetime", datetime.fromtimestamp(until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    before = clock.text_content()
    owner.later(60)
    expect(clock).to_have_text(re.compile(r"^(1:0)?\d*:\d\d$"))
    assert clock.text_content() != before
    harness.now += 3601
    owner.later(20)
    expect(guest).to_have_count(0)


def test_label_and_end_are_edited_in_place(harness: OwnerHarness) -> None:
    """A new label keeps the end, a new end the label; Escape changes nothing; the focus goes back to where it came from.

    Security 23: an edit that comes late changes nobody who is out, and says so.
    """
    harness.lets_in(label="sister", until=harness.now + DAY)
    owner = harness.come_in()
    keys = owner.page.keyboard
    edit = owner.button("Edit @ann")
    edit.press("Enter")
    form = owner.person("@ann").locator("form")
    expect(form.get_by_role("textbox", name="Label for @ann")).to_be_focused()
    keys.type("my sister")
    keys.press("Escape")
    expect(form).to_have_count(0)
    expect(edit).to_be_focused()
    edit.press("Enter")
    keys.type("big sister")
    # What is listed anew meanwhile takes nothing away.
    owner.later(16)
    keys.press("Enter")
    expect(owner.person("@ann").locator(".label")).to_have_text("big sister")
    expect(edit).to_be_focused()
    assert (harness.contact().label, harness.contact().paired_until) == ("big sister", harness.now + DAY)
    edit.press("Enter")
    form.get_by_role("combobox").select_option("For ever")
    form.get_by_role("button", name="Save").click()
    expect(owner.person("@ann").locator(".guest")).to_be_hidden()
    assert (harness.contact().label, harness.contact().paired_until) == ("big sister", 0)
    edit.click()
    harness.commands(Operation.REVOKE)
    keys.type("friend")
    keys.press("Enter")
    expect(owner.person("@ann").get_by_role("alert")).to_contain_text("is not paired")
    harness.comes_to(State.REVOKED)


def test_everybody_is_revoked(harness: OwnerHarness) -> None:
    """On the platform that the list is narrowed to, or on all; after a question. Who never wrote is blocked by platform and id."""
    harness.lets_in()
    for number in range(5):
        harness.lets_in(f"U1234ABC{number}", f"@person{number}", Platform.SLACK)
    owner = harness.come_in()
    owner.button("Block somebody").click()
    owner.page.locator("#block-id").fill("666")
    owner.page.locator("#block").get_by_role("button", name="Block", exact=True).click()
    expect(owner.blocked.get_by_text("666")).to_be_visible()
    harness.comes_to(State.BLOCKED, "666")
    owner.page.get_by_label("Platform of paired people").select_option("Slack")
    expect(owner.paired.locator("li")).to_have_count(5)
    owner.button("Revoke all").click()
    question = owner.page.get_by_role("dialog", name="Revoke everybody on Slack?")
    question.get_by_role("button", name="Revoke all").click()
    expect(owner.announced).to_contain_text("5 revoked")
    expect(owner.paired.get_by_text("Nobody found.")).to_be_visible()
    harness.comes_to(State.PAIRED)
    harness.comes_to(State.REVOKED, "U1234ABC3", Platform.SLACK)


def test_a_crowd(harness: OwnerHarness) -> None:
    """Three hundred wait: how many, where and until when stands above; it is narrowed by platform, name and id, and stays quick."""
    for platform, form in (
        (Platform.TELEGRAM, "55{:04}"),
        (Platform.SLACK, "U12345{:04}"),
        (Platform.DISCORD, "12345678901234{:04}"),
    ):
        for number in range(100):
            asked = harness.now - 60 - number
            # Laid there, for to ask three hundred times takes minutes.
            contact = Contact(
                platform=platform, user_id=form.format(number), state=State.PENDING, rev=1, seat=f"{number:02}",
                nonce=f"{number:032x}", key_id=key_id(harness.secrets.ring.newest), delivery_id="1",
                name=f"@person{number}" if number else "שלום 7",
                requested_at=asked, code_expires_at=asked + TTL, next_code_at=asked + COOLDOWN,
            )  # fmt: skip
            harness.put_waiting(contact)
    owner = harness.come_in()
    digest = owner.page.locator("#waiting-digest")
    expect(digest).to_contain_text(re.compile(r"300 people wait: (100 on (Telegram|Slack|Discord),? ?){3}\. The first"))
    rows = owner.waiting.locator("li")
    expect(rows).to_have_count(300)
    owner.page.get_by_label("Platform of who waits").select_option("Slack")
    expect(rows).to_have_count(100)
    search = owner.page.get_by_role("searchbox", name="Search who waits by name or id")
    search.fill("PERSON4")
    expect(rows).to_have_count(11)
    owner.later(3 + SETTLE_SECONDS)
    expect(rows).to_have_count(11)
    owner.button("Approve @person42 (Slack").click()
    expect(owner.row("@person42")).to_contain_text("Approved by you")
    search.fill("nobody")
    expect(owner.waiting.get_by_text("Nobody who waits fits.")).to_be_visible()


def test_tabs_on_a_phone(harness: OwnerHarness) -> None:
    """One part at a time; which one stands in the address, so that back and reload do what they do; a wide screen has none."""
    harness.asks()
    harness.lets_in("555001", "@bob")
    owner = harness.come_in(size=PHONE, clock="running")
    page = owner.page
    expect(owner.tab_of("Waiting")).to_have_attribute("aria-current", "true")
    expect(owner.tab_of("Waiting")).to_contain_text("1")
    expect(owner.paired).to_be_hidden()
    owner.tab_of("People").focus()
    page.keyboard.press("Enter")
    expect(owner.person("@bob")).to_be_visible()
    expect(owner.waiting).to_be_hidden()
    assert page.url.endswith("/owner#people")
    page.reload()
    expect(owner.tab_of("Waiting")).to_contain_text("1")
    expect(owner.person("@bob")).to_be_visible()
    owner.tab_of("Access").click()
    expect(owner.owners).to_be_visible()
    page.go_back()
    expect(owner.paired).to_be_visible()
    # What is empty leads to where something can be done about it.
    harness.commands(Operation.DENY, ANN)
    owner.tab_of("Waiting").click()
    owner.later(3)
    expect(owner.row("@ann")).to_contain_text("Denied by alice@laptop")
    owner.later(LINGER_SECONDS)
    page.get_by_role("link", name="make an invite").click()
    expect(page.locator("#invite-platform")).to_be_focused()
    expect(harness.come_in().tab_of("People")).to_have_count(0)
