"""The owner's page when the server has trouble, or takes its time, or nobody looks. Some 8 seconds."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import APIResponse, Route, expect

from doorcode.pairing.contact import State
from tests.e2e.owner_harness import POLL_SECONDS, OwnerHarness
from tests.eventually import eventually


def answering(status: int, **body: object) -> Callable[[Route], None]:
    """Return what answers a request in the server's place."""

    def answer(route: Route) -> None:
        route.fulfill(status=status, content_type="application/json", body=json.dumps(body))

    return answer


def test_a_decision_that_does_not_work(harness: OwnerHarness) -> None:
    """The row says what is wrong; pressing again, when it is over, decides.

    After too many wrong codes it says until when nothing is accepted, and stays open.
    """
    unavailable = "No answer came in time, so it may have been done or not."
    answers: dict[str, Callable[[Route], None]] = {
        unavailable: answering(503, error=unavailable, reason="unavailable"),
        "You may look, but not decide here.": answering(403),
        "That did not work (500).": answering(500),
        "No answer from Doorcode.": lambda route: route.abort(),
    }
    people = [f"@person{number}" for number in range(len(answers))]
    harness.asks(ago=120)
    for number, name in enumerate(people):
        harness.asks(str(555001 + number), name)
    owner = harness.come_in()
    owner.page.route("**/approve", answering(429, error="no", reason="locked_out", retry_after_seconds=300))
    owner.button("Approve @ann").click()
    expect(owner.row("@ann").get_by_role("alert")).to_have_text(
        re.compile(r"^Too many attempts\. Locked out until \d\d:\d\d\.$")
    )
    expect(owner.button("Approve @ann")).to_be_focused()
    # From below, so that no row moves under a press.
    for number, (says, answer) in reversed(list(enumerate(answers.items()))):
        owner.page.unroute("**/approve")
        owner.page.route("**/approve", answer)
        row = owner.row(people[number])
        row.get_by_role("textbox").fill("friend")
        owner.button(f"Approve {people[number]}").click()
        expect(row.get_by_role("alert")).to_contain_text(says)
        owner.page.unroute("**/approve")
        owner.button(f"Approve {people[number]}").click()
        expect(row).to_contain_text("Approved by you")
        assert harness.comes_to(State.PAIRED, str(555001 + number)).label == "friend"


def test_a_button_at_work(harness: OwnerHarness) -> None:
    """While a decision is on its way its button says so, keeps the focus, and sends nothing twice."""
    harness.asks()
    owner = harness.come_in()
    held: list[Route] = []
    owner.page.route("**/approve", lambda route: held.append(route))  # noqa: PLW0108 (Playwright marks what it calls)
    owner.button("Approve @ann").press("Enter")
    working = owner.button("Approving … @ann")
    expect(working).to_be_focused()
    expect(working).to_have_attribute("aria-disabled", "true")
    working.press("Enter")
    owner.button("Deny @ann").press("Enter")
    assert len(held) == 1
    held[0].continue_()
    expect(owner.row("@ann")).to_contain_text("Approved by you")


def test_trouble(harness: OwnerHarness) -> None:
    """While the server has trouble it is asked ever more rarely, and the page says so; then it says no more."""
    owner = harness.come_in()
    asked: list[str] = []

    def unavailable(route: Route) -> None:
        asked.append(route.request.url)
        answering(503, error="no", reason="unavailable")(route)

    owner.page.route("**/pending", unavailable)
    trouble = owner.page.locator("#trouble")
    expect(owner.page.locator("#live")).to_have_text("Live")
    for wait in (6, 12, 24):
        owner.later(wait / 2)
        expect(trouble).to_have_text(re.compile(rf"What you see may be out of date\. Next try in {wait} seconds\."))
        if wait == 6:
            expect(owner.announced).to_have_text("Doorcode has trouble. What you see may be out of date.")
        owner.later(wait / 2 - 1)
    assert len(asked) == 3
    owner.page.unroute("**/pending")
    harness.asks()
    owner.button("Try now").click()
    expect(owner.button("Approve @ann")).to_be_visible()
    expect(trouble).to_be_hidden()


def test_a_hidden_page_asks_nothing(harness: OwnerHarness) -> None:
    """Nobody looks, nothing is asked; with the first look everything is."""
    owner = harness.come_in()
    owner.page.evaluate(
        """() => {
          Object.defineProperty(document, 'hidden', { get: () => globalThis.away, configurable: true });
          globalThis.away = true;
          document.dispatchEvent(new Event('visibilitychange'));
        }"""
    )
    asked: list[str] = []
    owner.page.on("request", lambda request: asked.append(request.url))
    owner.later(POLL_SECONDS * 20)
    assert asked == []
    harness.asks()
    owner.page.evaluate("globalThis.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(owner.button("Approve @ann")).to_be_visible()


def test_an_answer_that_comes_after_signing_out(harness: OwnerHarness) -> None:
    """Who was waiting or paired is neither shown nor read out to whoever is at the screen next."""
    harness.asks()
    harness.lets_in("555001", "@bob")
    owner = harness.come_in()
    for late in ("pending", "revoke", "approve"):
        expect(owner.button("Approve @ann")).to_be_visible()
        held: list[tuple[Route, APIResponse]] = []
        owner.page.route(f"**/{late}", lambda route: held.append((route, route.fetch())))  # noqa: B023 (till it is unrouted)
        if late == "approve":
            owner.button("Approve @ann").click()
        elif late == "revoke":
            owner.button("Revoke @bob").click()
            owner.page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        else:
            owner.later()

        def has_answered() -> bool:
            owner.page.wait_for_timeout(50)
            return bool(held)  # noqa: B023 (called at once)

        assert eventually(has_answered)
        owner.button("Sign out").first.click()
        expect(owner.notice).to_be_visible()
        route, answer = held[0]
        with owner.page.expect_response(f"**/{late}"):
            route.fulfill(response=answer)
        owner.later(1)
        assert "@ann" not in owner.page.content(), late
        assert "@bob" not in owner.page.content(), late
        owner.page.unroute(f"**/{late}")
        owner.page.evaluate("(link) => { location.hash = `token=${link}`; }", harness.link())
        expect(owner.notice).to_be_hidden()
        owner.sees_everything()


def test_an_answer_from_before_signing_in_again(harness: OwnerHarness) -> None:
    """A late "nobody is signed in" about the session before does not send away whoever has a new one: it is asked anew."""
    owner = harness.come_in()
    held: list[Route] = []
    owner.page.route("**/pending", lambda route: held.append(route), times=1)  # noqa: PLW0108 (Playwright marks it)
    harness.signs_everybody_out()
    owner.later()
    # The lists are asked for as soon as somebody is signed in.
    with owner.page.expect_request("**/paired"):
        owner.page.evaluate("(link) => { location.hash = `token=${link}`; }", harness.link())
    harness.asks()
    [route] = held
    answering(401, error="no", reason="not_signed_in")(route)
    expect(owner.button("Approve @ann")).to_be_visible()
    expect(owner.notice).to_be_hidden()
    expect(owner.announced).not_to_contain_text("trouble")


def test_whoever_may_only_look_has_nothing_to_press(harness: OwnerHarness) -> None:
    """Security 20: with the scope read there are no buttons to decide with."""
    harness.asks()
    harness.lets_in("555001", "@bob")
    owner = harness.come_in()
    eve = {"actor": "eve@desk", "scope": "read", "via": "web", "expires_at": None, "platforms": ["telegram"]}
    owner.page.route("**/api/session", answering(200, **eve))
    owner.page.reload()
    expect(owner.page.get_by_text("Signed in as eve@desk")).to_be_visible()
    expect(owner.row("@ann")).to_be_visible()
    expect(owner.person("@bob")).to_be_visible()
    for name in ("Approve", "Deny", "Revoke", "Block", "Edit", "Add", "Make", "Remove"):
        expect(owner.button(name)).to_have_count(0)
