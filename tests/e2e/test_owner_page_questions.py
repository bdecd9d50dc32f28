"""Questions at the owner's page: all of what is asked, decided once, with its history. Some 8 seconds."""

import re
from typing import Any

from playwright.sync_api import expect

from doorcode.asking.visible import visible, visible_line
from doorcode.pairing.access import Scope
from tests.browser.tabs import PHONE
from tests.e2e.owner_harness import SETTLE_SECONDS, Owner, OwnerHarness
from tests.e2e.test_owner_page_access import MARKUP, OVERFLOW
from tests.web.harness import Caller

POLL = 6
HOSTILE = (
    "plain ünï \U0001f600", "a\u202eb\u200bc\u00ad\ufe0f", "x" + "\u0301" * 6, "\u0301x", "\x00\x1b[2J\r", "y\u3164\u00a0\u2003z",
    f"s{' ' * 9}t{' ' * 8}u", "\u27e8U+202E\u27e9", "\U000e0041\U000e0100", "one\n\n\n\ntwo\n \n\nthree\n", "\n\n", "",
)  # fmt: skip


def a_program(harness: OwnerHarness) -> Caller:
    """Give a program that asks."""
    with harness._lock:
        token, _ = harness.tokens.create("ci", {Scope.ASKS}, "alice@laptop", harness.now)
    return harness.with_token(token)


def asks(harness: OwnerHarness, program: Caller, title: str, **body: Any) -> Any:
    """Have it ask."""
    with harness._lock:
        reply = program.post("/api/asks", title=title, **body)
    assert reply.status == 201, reply
    return reply.body


def at_the_page(harness: OwnerHarness, **how: Any) -> Owner:
    """Come in, and look at the questions."""
    owner = harness.come_in(**how)
    expect(owner.page.locator("#questions .empty:not([hidden]), #questions li").first).to_be_attached()
    return owner


def test_a_question_is_decided(harness: OwnerHarness) -> None:
    """Security 48: all that is asked stands there, markup as text; a decision with its reason is of that, is told, and joins the history."""
    program = a_program(harness)
    owner = at_the_page(harness)
    questions = owner.page.get_by_role("region", name="Questions")
    expect(questions.get_by_text('doorcode ask "Delete 3 files?" --wait 10m')).to_be_visible()
    asked = asks(
        harness,
        program,
        f"Delete {MARKUP}?",
        details="They are\nold\u202e",
        arguments={"files": ["a b", MARKUP], "n": 3},
    )
    owner.later(POLL)
    row = questions.get_by_role("listitem")
    expect(row.get_by_role("heading")).to_have_text(f"Delete {MARKUP}?")
    expect(row).to_contain_text("old⟨U+202E⟩")
    expect(row.locator("dd", has_text="a b")).to_have_text(f'["a b","{MARKUP}"]')
    expect(owner.announced).to_contain_text("token ci asks: Delete")
    assert owner.page.locator("main img").count() == 0
    owner.later(SETTLE_SECONDS)
    row.get_by_role("textbox").fill("Go on")
    # By keyboard: from the reason on to Approve.
    owner.page.keyboard.press("Tab")
    assert owner.focused().startswith("Approve: Delete")
    owner.page.keyboard.press("Enter")
    expect(row).to_contain_text("Approved by alice@laptop (web), not used yet. “Go on”")
    with harness._lock:
        told = program.get(f"/api/asks/{asked['id']}").body
    assert (told["state"], told["reason"], told["decided_via"]) == ("approved", "Go on", "web")
    owner.later(POLL + SETTLE_SECONDS)
    expect(row).to_have_count(0)
    with harness._lock:
        assert program.post(f"/api/asks/{asked['id']}/use", digest=asked["digest"]).status == 200
    owner.button("Answered before").click()
    before = questions.locator("details")
    expect(before).to_contain_text("used at")
    before.locator("summary").click()
    expect(before).to_contain_text("Asked by token ci")


def test_choices_and_what_others_decide(harness: OwnerHarness) -> None:
    """The choices are the buttons; what was taken back or decided elsewhere says so; who asks too much is muted, and heard again."""
    program = a_program(harness)
    colour = asks(harness, program, "Which colour?", choices=["Blue", "Green"])
    gone = asks(harness, program, "Delete it?")
    owner = at_the_page(harness)
    row = owner.page.locator(".question").filter(has_text="Which colour?")
    expect(row.get_by_role("button", name="Approve")).to_have_count(0)
    with harness._lock:
        program.post(f"/api/asks/{gone['id']}/cancel")
    row.get_by_role("button", name="Green: Which colour?").click()
    expect(row).to_contain_text("Approved: Green by alice@laptop (web)")
    with harness._lock:
        assert program.get(f"/api/asks/{colour['id']}").body["choice"] == "Green"
    # A decision has the list read anew.
    expect(owner.page.locator(".question").filter(has_text="Delete it?")).to_contain_text("Taken back by token ci")
    asks(harness, program, "Another?")
    numbered = asks(harness, program, "Which number?", match=True)
    owner.later(POLL)
    another = owner.page.locator(".question").filter(has_text="Another?")
    expect(another).to_be_visible()
    owner.later(SETTLE_SECONDS)
    row = owner.page.locator(".question").filter(has_text="Which number?")
    expect(row).to_contain_text("press the number that the asker shows you: any other one denies it")
    buttons = row.get_by_role("button").filter(has_text=re.compile("^[0-9]{2}$"))
    expect(buttons).to_have_text([str(number) for number in numbered["numbers"]])
    wrong = next(number for number in numbered["numbers"] if number != numbered["match"])
    buttons.filter(has_text=str(wrong)).click()
    expect(row).to_contain_text(
        "Denied by alice@laptop (web). “Another number was picked than the one that the asker shows.”"
    )
    another.get_by_role("button", name="Mute asker: token ci").click()
    owner.page.get_by_role("dialog", name="Mute token ci?").get_by_role("button", name="Mute").click()
    again = owner.button("Hear token ci again")
    expect(again).to_be_visible()
    with harness._lock:
        assert program.post("/api/asks", title="And?").status == 429
    again.click()
    expect(again).to_have_count(0)
    with harness._lock:
        assert program.post("/api/asks", title="And now?").status == 201


def test_nothing_hides_as_in_the_chats(harness: OwnerHarness) -> None:
    """Security 48: what the page makes of an asker's words is, to the letter, what the chats are shown."""
    owner = harness.come_in()
    source = owner.page.evaluate("async () => (await fetch('owner/owner.js')).text()")
    module = source.partition("const module_visible = ")[2].partition("\n})();")[0] + "\n})()"
    shown = owner.page.evaluate(
        f"(texts) => {{ const {{ visible, visibleLine }} = {module}; return texts.map((text) => [visible(text), visibleLine(text)]); }}",
        list(HOSTILE),
    )
    assert shown == [[visible(text), visible_line(text)] for text in HOSTILE]


def test_on_a_phone(harness: OwnerHarness) -> None:
    """It has its tab, with how many are open; nothing is cut off, and axe finds no barrier."""
    program = a_program(harness)
    asks(harness, program, "w" * 200, details="x" * 300, arguments={"k" * 60: "v" * 500}, choices=["c" * 40, "d" * 40])
    asks(harness, program, "Delete it?", details="Because.", on_behalf_of={"platform": "telegram", "user_id": "7"})
    owner = at_the_page(harness, size=PHONE, clock="running")
    tab = owner.tab_of("Questions")
    expect(tab).to_contain_text("2")
    tab.click()
    expect(owner.page.locator(".question").filter(has_text="Delete it?")).to_contain_text("says it asks for telegram:7")
    owner.page.evaluate("scrollTo(0, 0)")
    assert owner.tab.barriers() == []
    assert owner.page.evaluate(OVERFLOW) == []
