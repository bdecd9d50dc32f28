"""The words of a question: their digest, and how they are shown."""

import hashlib
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from msgspec import structs

from doorcode.asking.cards import state_line
from doorcode.asking.digest import MAX_DEPTH, canonical, canonical_json, digest_of
from doorcode.asking.layout import BAR, Layout, lay_out
from doorcode.asking.moves import approved
from doorcode.asking.question import WRONG_NUMBER, Substance, told_reason
from doorcode.asking.refusals import InvalidQuestionError
from doorcode.asking.telling import in_words
from doorcode.asking.visible import visible, visible_line
from doorcode.pairing.hand_off import AskDecision
from tests.cases import each
from tests.unit.asking.questions import ADA, BOB, T0, everybody, owner, question, words

WORDS = Substance(
    asker="token ci",
    title="Delete 3 files?",
    details="In /tmp",
    arguments='{"n":3,"path":"/tmp/ü"}',
    choices=("Yes", "All"),
    on_behalf_of="telegram:123",
    approvals=2,
)
# What could hide, reorder, mention, link or pass for the prompt's own words.
HOSTILE = [
    "\x00", "\x1b[2K", "\r", "\t", "\u00ad", "\u200b", "\u200d", "\u202e", "\u2066", "\u2028", "\u3164", "\ufe0f", "\ufeff", "\u2800",
    "\U000e0041", "\U000e0100", "\u00a0", "\u3000", "\u0378", "\ue000", "\u27e8U+202E\u27e9", "a" + "\u0300" * 9, "\u0300",
]  # fmt: skip


def test_the_digest_is_as_it_is_written_down() -> None:
    """Security 48: the form of the digest, byte for byte, as others work it out too."""
    form = (
        'doorcode-ask-v1\n{"approvals":2,"arguments":{"n":3,"path":"/tmp/ü"},"asker":"token ci","choices":["Yes","All"],'
        '"details":"In /tmp","on_behalf_of":"telegram:123","title":"Delete 3 files?"}'
    ).encode()
    assert canonical(WORDS) == form
    assert digest_of(WORDS) == "sha256:" + hashlib.sha256(form).hexdigest()
    assert digest_of(Substance(asker="a", title="b")) == (
        "sha256:" + hashlib.sha256(
            b'doorcode-ask-v1\n{"approvals":1,"arguments":null,"asker":"a","choices":[],"details":"","on_behalf_of":"","title":"b"}'
        ).hexdigest()
    )  # fmt: skip


def test_every_field_is_hashed_and_shown() -> None:
    """Security 48, A4, A5, fault 2: another byte in any field is another digest, and is seen by whoever decides."""
    changes: dict[str, Any] = {
        "asker": "token cj",
        "title": "Delete 4 files?",
        "details": "in /tmp",
        "arguments": '{"n":3,"path":"/tmp/u"}',
        "choices": ("Yes", "all"),
        "on_behalf_of": "telegram:124",
        "approvals": 3,
    }
    assert set(changes) == set(Substance.__struct_fields__)
    others = [structs.replace(WORDS, **{field: value}) for field, value in changes.items()]
    assert len({digest_of(one) for one in (WORDS, *others)}) == len(changes) + 1
    assert len({lay_out(one, limit=4000).text for one in (WORDS, *others)}) == len(changes) + 1


def test_what_has_several_forms_is_refused() -> None:
    """Security 48: numbers that languages write differently, what nests too deep, and half characters make no digest."""
    deep: Any = []
    for _ in range(MAX_DEPTH + 1):
        deep = [deep]
    for value in (0.5, 1e2, float("nan"), 2**53, [{"a": [-(2**53)]}], deep, "\ud800", {"\udc00": 1}):
        with pytest.raises(InvalidQuestionError):
            canonical_json(value)
    assert canonical_json({"b": [True, None, 2**53 - 1], "a": "0.5"}) == '{"a":"0.5","b":[true,null,9007199254740991]}'


@each("hostile", HOSTILE)
def test_nothing_hides(hostile: str) -> None:
    """A6, fault 4: what shows nothing or moves what is around it is written out, in every field, and stays apart from what was typed."""
    shown = visible_line(f"rm {hostile} -rf")
    assert shown.isprintable()
    assert "\u27e8U+" in shown or hostile == "\u0300"
    assert visible_line(hostile * 2).startswith("\u27e8U+") or hostile[0] == "a"
    texts = [f"x{hostile}y" for _ in range(4)]
    substance = Substance(
        asker=texts[0], title=texts[1], details=texts[2], arguments=canonical_json({hostile: texts[3]}),
        choices=(hostile, "b"), on_behalf_of=hostile,
    )  # fmt: skip
    text = lay_out(substance, limit=4000).text.replace("\ufe0f", "")
    assert all(line.isprintable() for line in text.split("\n"))


def test_nothing_is_pushed_away() -> None:
    """A6, fault 3: long runs of spaces and of blank lines are counted in words."""
    assert visible("a" + " " * 5000 + "b" + "\n" * 201 + "c\n\nd\n\n\n") == (
        "a⟨5000 spaces⟩b\n⟨200 blank lines⟩\nc\n\nd\n⟨3 blank lines⟩"
    )
    assert visible("        a\n  \n") == "        a\n⟨2 blank lines⟩"
    assert visible("one line") == "one line"


@given(st.text(max_size=300))
def test_no_line_of_the_askers_is_ours(text: str) -> None:
    """A6: whatever is asked, our own lines are those that stand there without it, in their places, and the rest stands behind bars."""
    substance = Substance(asker="token ci", title=text[:100], details=text)
    lines = lay_out(substance, limit=100_000, expires_at=T0).text.split("\n")
    assert lines[0] == "\U0001f510 token ci asks before doing this:"
    assert lines[-1].startswith("Expires ")
    assert {line for line in lines[1:-1] if not line.startswith(BAR)} <= {""}


def test_layout() -> None:
    """A22, A5: all of a question, as it is shown; on whose behalf is only what the asker says."""
    assert lay_out(WORDS, limit=4000, expires_at=T0, closing="Approved by Ada, recorded.") == Layout(
        """\
🔐 token ci asks before doing this:
│ Delete 3 files?

│ In /tmp
With these arguments:
│ n: 3
│ path: "/tmp/ü"
One of:
│ 1. Yes
│ 2. All
It says it asks for telegram:123.
Takes the approval of 2 persons.
Expires 2027-01-15 08:00 UTC, not approved then.
Approved by Ada, recorded.""",
        whole=True,
    )
    for arguments, line in ((["a", 1], '│ ["a",1]'), ({}, "│ {}"), ({"a b": "x\ny"}, '│ "a b": "x\\ny"')):
        text = lay_out(words(arguments=arguments).substance, limit=4000).text
        assert text.split("\n")[3:] == [line] or line in text.split("\n")


def test_what_is_cut_says_so() -> None:
    """Security 48, A5, fault 3: what does not fit says how much is missing, and is never whole, at any limit and measure."""
    substance = words(details="x" * 3000 + "\u202e" * 50).substance
    full = lay_out(substance, limit=100_000)
    assert full.whole
    exact = len(full.text)
    assert lay_out(substance, limit=exact) == full

    def utf16(text: str) -> int:
        return len(text.encode("utf-16-le")) // 2

    for limit, measure in ((exact - 1, len), (exact - 7, len), (2000, len), (400, utf16), (200, len)):
        cut = lay_out(substance, limit=limit, measure=measure, expires_at=T0)
        assert not cut.whole
        assert measure(cut.text) <= limit
        assert "it cannot be approved from here" in cut.text
        assert cut.text.count("\u27e8") == cut.text.count("\u27e9")
        assert cut.text.endswith("not approved then.")
    with pytest.raises(ValueError):
        lay_out(substance, limit=50)


def test_a_wrong_number_is_told_in_words() -> None:
    """Whoever asked is told why it was denied, and not as the owner's own words, unless the owner gave some."""
    no = approved(question(match=True), owner(ADA), T0, everybody, match=12)
    told = AskDecision(
        id=no.id, key="", state=no.state, digest=no.digest, choice=0, reason=told_reason(no, words()), decided_by="1", decided_via="button",
        decided_at=T0,
    )  # fmt: skip
    said = in_words(told)
    assert "was denied" in said
    assert WRONG_NUMBER in said
    assert "own words" not in said
    assert told_reason(no, structs.replace(words(), reason="Mine.")) == "Mine."
    assert told_reason(question(), None) == ""


def test_everybody_who_approved_is_named() -> None:
    """A9: an approval of two is said to be of both, and while one is wanting, of whom it has."""
    asked = question(approvals=2)
    one = approved(asked, owner(ADA), T0 + 1, everybody)
    assert state_line(one, T0 + 1) == "1 of 2 have approved: 111."
    both = approved(one, owner(BOB), T0 + 2, everybody)
    assert state_line(both, T0 + 2) == "✅ Approved by 111, U1234ABCD, recorded."
