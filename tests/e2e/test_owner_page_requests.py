"""Requests on the owner's page: they come, are decided on, here or elsewhere, and go. Some 20 seconds."""

import re

from playwright.sync_api import expect

from doorcode.pairing.contact import Platform, State
from doorcode.pairing.transitions import Operation
from tests.e2e.owner_harness import ANN, LINGER_SECONDS, SETTLE_SECONDS, OwnerHarness
from tests.harness import TTL


def test_what_is_shown(harness: OwnerHarness) -> None:
    """Security 28: platform and immutable id stand beside the name; code, time and what is left of it are there."""
    harness.asks(ago=600)
    harness.asks("U07ABC", "", Platform.SLACK, ago=30)
    owner = harness.come_in()
    row = owner.row("@ann")
    for text in ("Telegram", ANN, re.compile(harness.code(ANN)[:4])):
        expect(row.get_by_text(text, exact=isinstance(text, str))).to_be_visible()
    assert row.locator("code.code").inner_text() == harness.code(ANN)
    expect(row.locator(".countdown")).to_have_text(re.compile(r"^(50:00|49:\d\d)$"))
    since = row.locator("time").first
    expect(since).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$"))
    expect(since).to_have_attribute("datetime", re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"))
    expect(owner.row("U07ABC").get_by_role("heading", name="No name")).to_be_visible()
    expect(owner.waiting.get_by_role("listitem").first).to_contain_text("@ann")
    assert owner.page.title() == "(2) Doorcode"


def test_approve_with_a_label(harness: OwnerHarness) -> None:
    """Approving lets in at once, with the label, and the person moves to the paired."""
    harness.asks()
    owner = harness.come_in()
    owner.row("@ann").get_by_role("textbox").fill("  my sister ")
    owner.button(f"Approve @ann (Telegram {ANN})").click()
    expect(owner.row("@ann")).to_contain_text("Approved by you")
    contact = harness.comes_to(State.PAIRED)
    assert (contact.label, contact.decided_by, contact.decided_via) == ("my sister", "alice@laptop", "web")
    expect(owner.paired.get_by_text("my sister")).to_be_visible()
    expect(owner.announced).to_contain_text(f"@ann (Telegram {ANN}): Approved by you")
    owner.later(LINGER_SECONDS)
    expect(owner.row("@ann")).to_have_count(0)
    expect(owner.waiting.get_by_text("Nobody is waiting.")).to_be_visible()


def test_deny_and_block(harness: OwnerHarness) -> None:
    """Denying closes the request and offers to block, as the prompts do."""
    harness.asks()
    owner = harness.come_in()
    owner.button("Deny @ann").click()
    expect(owner.row("@ann")).to_contain_text("Denied by you")
    harness.comes_to(State.DENIED)
    owner.button("Block @ann").click()
    expect(owner.row("@ann")).to_contain_text("Denied and blocked by you")
    harness.comes_to(State.BLOCKED)
    expect(owner.blocked.get_by_text(ANN)).to_be_visible()
    owner.later(LINGER_SECONDS)
    expect(owner.row("@ann")).to_have_count(0)


def test_a_new_request_appears(harness: OwnerHarness) -> None:
    """Without reloading, at the end of the list, announced; what the owner types meanwhile stays, and so does the focus."""
    harness.asks()
    owner = harness.come_in()
    label = owner.row("@ann").get_by_role("textbox")
    label.press_sequentially("my si")
    harness.asks("555001", "@bob", Platform.DISCORD, ago=1)
    owner.later()
    expect(owner.waiting.get_by_role("listitem")).to_have_count(2)
    expect(owner.waiting.get_by_role("listitem").last).to_contain_text("@bob")
    expect(owner.announced).to_contain_text("New request from @bob (Discord 555001)")
    expect(label).to_be_focused()
    label.press_sequentially("ster")
    expect(label).to_have_value("my sister")


def test_decided_by_the_command(harness: OwnerHarness) -> None:
    """A request that is decided elsewhere says by whom and how before it goes, and has no buttons any more."""
    decided = {"@ann": Operation.APPROVE, "@bob": Operation.DENY, "@eve": Operation.BLOCK}
    ids = dict(zip(decided, (ANN, "555001", "555002"), strict=True))
    for name, user_id in ids.items():
        harness.asks(user_id, name)
    owner = harness.come_in()
    for (name, operation), done in zip(decided.items(), ("Approved", "Denied", "Blocked"), strict=True):
        expect(owner.button(f"Approve {name}")).to_be_visible()
        harness.commands(operation, ids[name])
        owner.later()
        expect(owner.row(name)).to_contain_text(f"{done} by alice@laptop (cli)")
        expect(owner.button(f"Approve {name}")).to_be_hidden()
        expect(owner.announced).to_contain_text(f"{done} by alice@laptop (cli)")
        owner.later(LINGER_SECONDS)
        expect(owner.row(name)).to_have_count(0)


def test_two_windows_agree(harness: OwnerHarness) -> None:
    """What is decided in one window shows in the other."""
    harness.asks()
    one = harness.come_in()
    other = harness.come_in()
    expect(other.button("Approve @ann")).to_be_visible()
    one.button("Approve @ann").click()
    expect(one.row("@ann")).to_contain_text("Approved by you")
    other.later()
    expect(other.row("@ann")).to_contain_text("Approved by alice@laptop (web)")
    expect(other.paired.get_by_text(ANN)).to_be_visible()


def test_a_press_is_about_what_was_shown(harness: OwnerHarness) -> None:
    """Security 17: whoever presses too late sees the real final state, never a mere failure.

    Security 16: the old row is about the old request, whatever its person has asked since.
    """
    harness.asks()
    harness.asks("555001", "@bob", ago=1300)
    owner = harness.come_in()
    expect(owner.button("Approve @bob")).to_be_visible()
    harness.asks("555001", "@bob", ago=0)
    owner.button("Approve @bob").click()
    expect(owner.row("@bob").filter(has_text="Asked again: see the new request")).to_be_visible()
    harness.comes_to(State.PENDING, "555001")
    owner.later()
    expect(owner.button("Approve @bob")).to_have_count(1)
    owner.later(SETTLE_SECONDS)
    harness.commands(Operation.APPROVE)
    owner.button("Deny @ann").click()
    expect(owner.row("@ann").locator(".outcome")).to_have_text("Already approved by alice@laptop (cli)")
    expect(owner.button("Deny @ann")).to_be_hidden()
    harness.comes_to(State.PAIRED)


def test_the_countdown_reaches_the_end(harness: OwnerHarness) -> None:
    """Security 14: at its end a request expires in front of the eyes, without asking the server."""
    harness.asks(ago=TTL - 100)
    owner = harness.come_in()
    row = owner.row("@ann")
    expect(row.locator(".countdown")).to_have_text(re.compile(r"^1:\d\d$"))
    owner.page.route("**/api/**", lambda route: route.abort())
    owner.later(101)
    expect(row).to_contain_text("Expired")
    expect(owner.button("Approve @ann")).to_be_hidden()


def test_an_expired_request_goes(harness: OwnerHarness) -> None:
    """What the server takes off its list because its time is over says so."""
    harness.asks()
    owner = harness.come_in()
    expect(owner.button("Approve @ann")).to_be_visible()
    harness.now += TTL
    owner.later()
    expect(owner.row("@ann")).to_contain_text("Expired")


def test_a_press_right_after_rows_moved_hits_nobody(harness: OwnerHarness) -> None:
    """When a row goes, a press that was aimed at what stood there decides on nobody else."""
    harness.asks(ago=120)
    harness.asks("555001", "@bob")
    owner = harness.come_in()
    expect(owner.button("Approve @bob")).to_be_visible()
    owner.button("Approve @ann").click()
    expect(owner.row("@ann")).to_contain_text("Approved by you")
    while owner.row("@ann").count():
        owner.later(0.1)
    box = owner.button("Approve @bob").bounding_box()
    assert box is not None
    owner.page.mouse.click(box["x"] + 10, box["y"] + 10)
    expect(owner.button("Approve @bob")).to_be_visible()
    owner.later(SETTLE_SECONDS)
    owner.page.mouse.click(box["x"] + 10, box["y"] + 10)
    expect(owner.row("@bob")).to_contain_text("Approved by you")


def test_everybody_is_turned_away(harness: OwnerHarness) -> None:
    """From two who wait on, all of them are denied or blocked at once, after a yes; each row says so, and goes."""
    harness.asks()
    owner = harness.come_in()
    expect(owner.button("Deny @ann")).to_be_visible()
    expect(owner.button("Deny all")).to_be_hidden()
    harness.asks("555001", "@bob")
    harness.asks("U1234ABCD", "@eve", Platform.SLACK)
    owner.later(4)
    owner.button("Deny all").click()
    question = owner.page.get_by_role("dialog", name="Deny everybody who waits?")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    owner.page.keyboard.press("Escape")
    harness.comes_to(State.PENDING)
    owner.button("Block all").click()
    owner.page.get_by_role("dialog", name="Deny and block everybody who waits?").get_by_role(
        "button", name="Block all"
    ).click()
    for name in ("@ann", "@bob", "@eve"):
        expect(owner.row(name)).to_contain_text("Denied and blocked by you")
    expect(owner.button("Deny all")).to_be_hidden()
    expect(owner.announced).to_contain_text("3 requests: Denied and blocked by you")
    harness.comes_to(State.BLOCKED)
    assert harness.room.get(Platform.SLACK, "U1234ABCD").state is State.BLOCKED
    owner.later(10)
    expect(owner.page.get_by_text("Nobody is waiting.")).to_be_visible()
