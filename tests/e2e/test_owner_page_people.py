"""The paired, the blocked, and the picture of the last days on the owner's page. Some 12 seconds."""

import json
import re
from datetime import UTC, datetime

from playwright.sync_api import Route, expect

from doorcode.pairing.contact import Platform, State
from doorcode.pairing.transitions import Operation
from tests.browser.tabs import PHONE
from tests.e2e.owner_harness import ANN, SETTLE_SECONDS, OwnerHarness
from tests.web.harness import NAMESPACE

PEOPLE_SECONDS = 16


def test_the_paired(harness: OwnerHarness) -> None:
    """Name, platform and id, since when, by whom and how, the label, and until when.

    Revoking asks first, with the name and what tells who it is. Cancel and Escape change nothing, and give the focus back;
    yes revokes, and the row says so and goes.
    """
    harness.lets_in(label="my sister", until=harness.now + 86400)
    owner = harness.come_in()
    row = owner.person("@ann")
    for text in ("@ann", "Telegram", ANN, "my sister"):
        expect(row.get_by_text(text, exact=True)).to_be_visible()
    expect(row).to_contain_text(re.compile(r"Since \d\d:\d\d|Since \d+ \w+ 20\d\d"))
    expect(row).to_contain_text(", by alice@laptop (cli), until ")
    # Since when, until when, and the clock that runs to it.
    expect(row.locator("time")).to_have_count(3)
    question = owner.page.get_by_role("dialog", name="Revoke @ann?")
    for answer in ("Escape", "Enter"):
        owner.button("Revoke @ann").press("Enter")
        expect(question).to_be_visible()
        expect(question.get_by_text(f"Telegram {ANN}")).to_be_visible()
        expect(question.get_by_role("button", name="Cancel")).to_be_focused()
        owner.page.keyboard.press(answer)
        expect(question).to_be_hidden()
        expect(owner.button("Revoke @ann")).to_be_focused()
    harness.comes_to(State.PAIRED)
    owner.button("Revoke @ann").click()
    question.get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("Revoked")
    harness.comes_to(State.REVOKED)
    expect(owner.announced).to_contain_text(f"@ann (Telegram {ANN}): Revoked")
    owner.later(5)
    expect(row).to_have_count(0)
    expect(owner.paired.get_by_text("Nobody is paired yet.")).to_be_visible()


def test_block_and_unblock(harness: OwnerHarness) -> None:
    """Blocking moves a person to the blocked; unblocking makes a stranger of them; what cannot be done is said beside the row."""
    harness.lets_in()
    harness.lets_in("555001", "@bob")
    owner = harness.come_in()
    harness.commands(Operation.REVOKE, "555001")
    owner.button("Revoke @bob").click()
    owner.page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(owner.person("@bob").get_by_role("alert")).to_contain_text("is not paired")
    owner.button("Block @ann").click()
    owner.page.get_by_role("dialog", name="Block @ann?").get_by_role("button", name="Block").click()
    expect(owner.blocked.get_by_text(ANN)).to_be_visible()
    harness.comes_to(State.BLOCKED)
    owner.later(SETTLE_SECONDS)
    owner.button("Unblock @ann").click()
    expect(owner.blocked).to_contain_text("Unblocked: they may ask again")
    harness.comes_to(State.REVOKED)
    owner.later(5)
    expect(owner.blocked.get_by_text("Nobody is blocked.")).to_be_visible()


def test_decisions_elsewhere_show_in_the_lists(harness: OwnerHarness) -> None:
    """The lists follow what is done elsewhere, without reloading."""
    # Nothing on the page tells when both lists have been read, and so wait for their next turn.
    owner = harness.come_in(clock="running")
    harness.lets_in()
    owner.later(PEOPLE_SECONDS)
    expect(owner.paired.get_by_text(ANN)).to_be_visible()
    harness.commands(Operation.BLOCK)
    owner.later(PEOPLE_SECONDS)
    expect(owner.blocked.get_by_text(ANN)).to_be_visible()
    expect(owner.paired.get_by_text(ANN)).to_be_hidden()


def test_search(harness: OwnerHarness) -> None:
    """The search is the server's: by part of a name, label or id, in any case."""
    for number in range(8):
        harness.lets_in(f"5550{number}", f"@person{number}", label=f"Desk {number}")
    owner = harness.come_in()
    search = owner.page.get_by_role("searchbox", name="Search paired people by name, label or id")
    for text, found in (("PERSON3", "@person3"), ("desk 5", "@person5"), ("55507", "@person7")):
        search.fill(text)
        owner.later(1)
        expect(owner.paired.get_by_role("listitem")).to_have_count(1)
        expect(owner.person(found)).to_be_visible()
    search.fill("nobody at all")
    owner.later(1)
    expect(owner.paired.get_by_text("Nobody found.")).to_be_visible()
    expect(search).to_be_focused()
    search.fill("")
    owner.later(1)
    expect(owner.paired.get_by_role("listitem")).to_have_count(8)


def test_more_than_a_page(harness: OwnerHarness) -> None:
    """A long list comes in parts."""
    harness.put_listed(120, name="@many")
    harness.put_listed(3, platform=Platform.SLACK, name="@few")
    owner = harness.come_in()
    expect(owner.button("Show more")).to_be_visible()
    shown = owner.paired.get_by_role("listitem")
    before = shown.count()
    while owner.button("Show more").is_visible():
        owner.button("Show more").click()
        expect(shown).not_to_have_count(before)
        before = shown.count()
    expect(shown).to_have_count(123)


def test_a_long_list_on_a_phone(harness: OwnerHarness) -> None:
    """However many are paired, what stands below is a few screens away; who has a label and no name goes by it."""
    harness.put_listed(60, label="Desk")
    owner = harness.come_in(size=PHONE)
    owner.tab_of("People").click()
    expect(owner.paired.get_by_role("listitem")).to_have_count(8)
    expect(owner.paired.get_by_role("heading", name="Desk").first).to_be_visible()
    expect(owner.paired.get_by_text("No name")).to_have_count(0)
    box = owner.blocked.bounding_box()
    assert box is not None
    assert box["y"] < 4 * PHONE[1]


def test_focus_survives_the_lists_refresh(harness: OwnerHarness) -> None:
    """Whoever stands on a person's button stays there when another person comes in above."""
    harness.lets_in()
    owner = harness.come_in()
    owner.button("Revoke @ann").focus()
    harness.now += 5
    harness.lets_in("555001", "@bob")
    owner.later(PEOPLE_SECONDS)
    expect(owner.person("@bob")).to_be_visible()
    expect(owner.button("Revoke @ann")).to_be_focused()


def test_the_last_days(harness: OwnerHarness) -> None:
    """The picture says its sums in words, and holds the same figures as a table."""
    counted = [("Requests", "reason", "pairing_requested", 3), ("Requests", "reason", "rate_limited", 7)]
    counted += [("Decisions", "event", "pairing_approved", 2), ("Decisions", "event", "pairing_denied", 1)]
    harness.clients["cloudwatch"].put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[
            {
                "MetricName": metric,
                "Dimensions": [{"Name": name, "Value": value}],
                "Timestamp": datetime.fromtimestamp(harness.now, UTC),
                "Value": number,
            }
            for metric, name, value, number in counted
        ],
    )
    owner = harness.come_in()
    section = owner.page.get_by_role("region", name="Last 7 days")
    expect(section.get_by_role("img", name="last 7 days: 3 requests, 2 approved, 1 denied, 7 dropped")).to_be_visible()
    expect(section.get_by_text("Dropped: 7 asked again too soon.")).to_be_visible()
    section.get_by_text("As a table").click()
    table = section.get_by_role("table", name="The last 7 days")
    expect(table.get_by_role("row")).to_have_count(8)
    expect(table.get_by_role("row").last.get_by_role("cell")).to_have_text(["3", "2", "1", "7"])


def test_no_figures(harness: OwnerHarness) -> None:
    """Figures that cannot be read are said to be missing, and nothing else suffers."""

    def unavailable(route: Route) -> None:
        route.fulfill(status=503, content_type="application/json", body=json.dumps({"error": "", "reason": ""}))

    owner = harness.visit()
    owner.page.route("**/api/activity**", unavailable)
    owner.page.evaluate("(link) => { location.hash = `token=${link}`; }", harness.link())
    expect(owner.page.get_by_text("The figures could not be read just now.")).to_be_visible()
    expect(owner.waiting.get_by_text("Nobody is waiting.")).to_be_visible()
