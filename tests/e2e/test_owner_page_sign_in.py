"""Signing in to the owner's page and out of it, in a browser. All of it takes some 8 seconds."""

from playwright.sync_api import expect

from tests.e2e.owner_harness import Owner, OwnerHarness
from tests.harness import TTL

COMMAND = "doorcode web"
REACHABLE = """() => [...document.querySelectorAll('button, input')]
  .filter((control) => control.checkVisibility() && !control.closest('[inert]')).map((control) => control.textContent)"""


def signed_in(owner: Owner) -> None:
    """Expect to be in."""
    expect(owner.page.get_by_text("Signed in as alice@laptop")).to_be_visible()
    expect(owner.notice).to_be_hidden()


def told_to_sign_in(owner: Owner, title: str) -> None:
    """Expect the notice in front, read out, and nothing to press behind it."""
    expect(owner.notice.get_by_role("heading", name=title)).to_be_focused()
    expect(owner.notice.get_by_text(COMMAND, exact=True)).to_be_visible()
    assert owner.page.evaluate(REACHABLE) == ["Try again"]


def test_a_link_signs_in(harness: OwnerHarness) -> None:
    """The link opens the page; its token is gone from the address and the history, and does not come back.

    Whoever is signed in and opens an old link stays signed in.
    """
    link = harness.link()
    owner = harness.visit(f"#token={link}")
    signed_in(owner)
    assert owner.page.url == f"{harness.url}/owner"
    assert owner.page.evaluate("history.length") <= 2
    owner.page.reload()
    signed_in(owner)
    assert link not in owner.page.content()
    owner.page.evaluate("location.hash = 'token=aaaa.bbbb'")
    expect(owner.page).to_have_url(f"{harness.url}/owner")
    signed_in(owner)


def test_the_token_is_gone_before_anything_is_asked(harness: OwnerHarness) -> None:
    """Security 20: the address is clean when the first request leaves, and no request names the token in its URL."""
    asked: list[str] = []
    link, owner = harness.link(), harness.visit()
    expect(owner.notice).to_be_visible()
    owner.page.on("request", lambda request: asked.append(request.url))
    # The page's own view: the browser tells others of addresses and of requests in any order.
    owner.page.evaluate(
        """() => {
          const ask = fetch;
          globalThis.addresses = [];
          globalThis.fetch = (...request) => { addresses.push(location.href); return ask(...request); };
        }"""
    )
    owner.page.evaluate("(link) => { location.hash = `token=${link}`; }", link)
    signed_in(owner)
    assert f"{harness.url}/api/session" in asked
    assert set(owner.page.evaluate("addresses")) == {f"{harness.url}/owner"}
    assert link not in str(asked)


def test_a_link_that_is_spent(harness: OwnerHarness) -> None:
    """An expired link and a used one say so, and how to get another."""
    expired = harness.link()
    harness.now += 300
    used = harness.link()
    harness.sign_ins.redeem(used, harness.now)
    owner = harness.visit(f"#token={expired}")
    told_to_sign_in(owner, "This link does not work any more")
    assert owner.page.url == f"{harness.url}/owner"
    owner.page.goto("about:blank")
    owner.page.goto(f"{harness.url}/owner#token={used}")
    told_to_sign_in(owner, "This link does not work any more")
    assert owner.page.url == f"{harness.url}/owner"


def test_doorcode_does_not_answer(harness: OwnerHarness) -> None:
    """Without a session, the page says how to get one; a link that could not be used up is not lost: trying again signs in."""
    owner = harness.visit()
    told_to_sign_in(owner, "Sign in")
    owner.page.context.set_offline(True)
    owner.page.evaluate("(link) => { location.hash = `token=${link}`; }", harness.link())
    expect(owner.notice.get_by_role("heading", name="Doorcode does not answer")).to_be_visible()
    owner.page.context.set_offline(False)
    owner.button("Try again").click()
    signed_in(owner)


def test_signed_out_elsewhere(harness: OwnerHarness) -> None:
    """The notice takes the page's place with the next request, and names nobody; a new link brings it back as it was."""
    harness.asks()
    owner = harness.come_in()
    label = owner.row("@ann").get_by_role("textbox")
    label.fill("friend")
    harness.signs_everybody_out()
    owner.later()
    told_to_sign_in(owner, "You are signed out")
    expect(owner.page.get_by_text("@ann").first).to_be_hidden()
    owner.page.evaluate("(link) => { location.hash = `token=${link}`; }", harness.link())
    signed_in(owner)
    expect(owner.row("@ann")).to_be_visible()
    expect(label).to_have_value("friend")
    expect(label).to_be_focused()


def test_nobody_is_read_out_behind_the_notice(harness: OwnerHarness) -> None:
    """What was announced is taken back, and what happens behind the notice is not announced."""
    harness.asks(ago=TTL - 100)
    owner = harness.come_in()
    harness.asks("555001", "@bob")
    owner.later()
    expect(owner.announced).to_contain_text("@bob")
    harness.signs_everybody_out()
    owner.later()
    told_to_sign_in(owner, "You are signed out")
    expect(owner.announced).to_be_empty()
    owner.later(101)
    expect(owner.page.locator("#requests")).to_contain_text("Expired")
    expect(owner.announced).to_be_empty()


def test_a_decision_after_signing_out_elsewhere(harness: OwnerHarness) -> None:
    """A press that comes too late decides nothing, and asks to sign in."""
    harness.asks()
    owner = harness.come_in()
    harness.signs_everybody_out()
    owner.button("Approve @ann").click()
    told_to_sign_in(owner, "You are signed out")
    assert harness.contact().state == "pending"


def test_signing_in_again_in_another_window(harness: OwnerHarness) -> None:
    """What one window does to the session they share, the others follow."""
    owner = harness.come_in()
    other = harness.beside(owner)
    signed_in(other)
    other.button("Sign out").first.click()
    told_to_sign_in(other, "You are signed out")
    told_to_sign_in(owner, "You are signed out")
    other.page.evaluate("(link) => { location.hash = `token=${link}`; }", harness.link())
    signed_in(other)
    signed_in(owner)


def test_sign_out_leaves_nothing_behind(harness: OwnerHarness) -> None:
    """After signing out, nobody's name is left on the page."""
    harness.asks()
    harness.lets_in("555001", "@bob")
    owner = harness.come_in()
    expect(owner.person("@bob")).to_be_visible()
    owner.button("Approve @ann").click()
    expect(owner.announced).to_contain_text("@ann")
    owner.button("Sign out").first.click()
    told_to_sign_in(owner, "You are signed out")
    assert "@ann" not in owner.page.content()
    assert "@bob" not in owner.page.content()
    assert owner.page.title() == "Doorcode"


def test_signing_out_of_a_session_that_is_over_leaves_nothing_behind_either(harness: OwnerHarness) -> None:
    """Whoever signs out has signed out, although the session ended elsewhere a moment before."""
    harness.asks()
    owner = harness.come_in()
    expect(owner.row("@ann")).to_be_visible()
    harness.signs_everybody_out()
    owner.button("Sign out").first.click()
    told_to_sign_in(owner, "You are signed out")
    expect(owner.notice.get_by_text("See you.")).to_be_visible()
    assert "@ann" not in owner.page.content()


def test_sign_out_everywhere(harness: OwnerHarness) -> None:
    """Signing out everywhere asks first, and then ends the sessions of other browsers too."""
    owner, elsewhere = harness.come_in(), harness.come_in()
    owner.button("Sign out everywhere").click()
    owner.button("Cancel").click()
    signed_in(owner)
    owner.button("Sign out everywhere").click()
    owner.page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
    expect(owner.notice.get_by_text("Everywhere: 2 sessions and links ended.")).to_be_visible()
    elsewhere.later()
    told_to_sign_in(elsewhere, "You are signed out")
