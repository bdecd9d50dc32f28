"""Strangers' names, made harmless."""

import unicodedata

import hypothesis.strategies as st
from hypothesis import given

from doorcode.pairing import names
from doorcode.pairing.names import Names, called, display_name, names_of, safe_name, unparenthesised
from tests.cases import each
from tests.unit.pairing.people import repeatable

# Unicode 15's Default_Ignorable_Code_Point, as ranges: what shows as nothing at all.
IGNORABLE = (
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0x200B, 0x2010)),
    *(*range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0),
    *(*range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000)),
)
HIDDEN = frozenset(map(chr, IGNORABLE))
FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
MARK = "\u0301"


def _harmless(shown: str) -> bool:
    """Judge a name by the properties of Unicode, not by the code under test."""
    return (
        len(shown) <= 64
        and not {unicodedata.category(character) for character in shown} & FORBIDDEN
        and HIDDEN.isdisjoint(shown)
        and shown == shown.strip()
        and "  " not in shown
        and (not shown or unicodedata.category(shown[0]) not in {"Mn", "Me"})
        and shown.isprintable()
    )


@given(st.text(st.characters(min_codepoint=0, max_codepoint=0x7F)), st.integers(1, 20))
def test_the_plain_way_is_a_short_cut(text: str, longest: int) -> None:
    """What is taken at a glance comes out as if each sign had been looked at."""
    assert names.safe_text(text, longest) == names._harmless(text)[:longest].rstrip()


class TestSafeName:
    """Security 28: strangers' names are harmless wherever shown."""

    @each(
        ("given_", "shown"),
        [
            ("Alice", "Alice"),
            ("", ""),
            ("Zo\u00eb \u674e \u0639\u0644\u064a", "Zo\u00eb \u674e \u0639\u0644\u064a"),
            ("\U0001f98a fox", "\U0001f98a fox"),
            ("<b>*_`[x](y)&", "<b>*_`[x](y)&"),
            ("a\nb\r\nc\td", "a b c d"),
            ("  a   b  ", "a b"),
            ("a\u2028b\u2029c", "a b c"),
            ("a\u00a0\u3000\u2003b", "a b"),
            ("\x1b[31mred\x1b[0m", "[31mred[0m"),
            ("\x1b]8;;http://x\x07link", "]8;;http://xlink"),
            ("a\x00\x7f\x85\x9bb", "ab"),
            ("\u202eecila\u202c", "ecila"),
            ("\u2066a\u2069\u200f\u200e\u061c", "a"),
            ("a\u200bb\u200cc\u200dd\ufeffe\u2060f\u00adg", "abcdefg"),
            ("\u3164\u115f\u1160\uffa0\u2800", ""),
            ("a\ufe0f\ufe00\U000e0100b", "ab"),
            ("a\U000e0041\U000e007fb", "ab"),
            ("a\ud800b\udfff", "ab"),
            ("a\ue000\U00100000b", "ab"),
            ("a\u0378b", "ab"),
            ("e" + MARK, "e" + MARK),
            ("e" + MARK * 50 + "f", "e" + MARK * 3 + "f"),
            ("e" + (MARK + "\u200d") * 50, "e" + MARK * 3),
            (MARK * 5 + "a", "a"),
            (f"\u200b{MARK}a", "a"),
            ("e " + MARK * 5, "e " + MARK * 3),
            ("\ufdff\ufe10", "\ufdff\ufe10"),
            ("\u20dd" * 9 + "a" + "\u20dd" * 9, "a" + "\u20dd" * 3),
        ],
        ids=[
            "plain", "empty", "scripts", "emoji", "markup is the platform's", "lines", "spaces", "separators",
            "odd spaces", "ANSI colour", "ANSI link", "controls", "override", "bidi", "zero width", "fillers",
            "variation selectors", "tags", "surrogates", "private", "unassigned", "accent", "zalgo", "joined zalgo",
            "leading marks", "hidden leading mark", "marks on a space", "beside the selectors", "enclosing marks",
        ],
    )  # fmt: skip
    def test_shown(self, given_: str, shown: str) -> None:
        """Security 28: a name loses what moves, reorders, hides or floods, and keeps what people read."""
        assert safe_name(given_) == shown

    @each(
        "name",
        [
            "x" * 10_240,
            "x" * 64,
            "\u202e" * 10_240,
            "a" + MARK * 10_240,
            "\n" * 10_240,
            "\U0001f98a" * 10_240,
            "x" * 63 + " y",
        ],
        ids=["long", "just fits", "invisible", "tower", "lines", "emoji", "space at the end"],
    )
    def test_length(self, name: str) -> None:
        """Security 28: 10 kB become 64 characters at most."""
        assert _harmless(safe_name(name))

    def test_cut(self) -> None:
        """The first 64 characters that can be shown stay, whatever is hidden between them."""
        assert safe_name("a\u200b" * 100) == "a" * 64
        assert safe_name("x" * 63 + "yz") == "x" * 63 + "y"

    @each("before", range(60, 66))
    def test_cut_at_a_space(self, before: int) -> None:
        """Security 28: a space where the name is cut off lets nothing follow, and does not stand at the end."""
        assert safe_name("x" * before + " " + "y" * 1000) == ("x" * before + " " + "y" * 100)[:64].strip()

    def test_read_so_far(self) -> None:
        """What follows a kilobyte of nothing is not looked for."""
        assert safe_name("\u200b" * 1023 + "ab") == "a"

    @each(
        "points",
        [
            range(0x3400),
            range(0x3400, 0xA000, 97),
            range(0xA000, 0xAC00),
            range(0xAC00, 0xF900, 97),
            range(0xF900, 0x17000),
            range(0x17000, 0x18E00, 97),
            range(0x18E00, 0x20000),
            range(0x20000, 0xE0000, 97),
            range(0xE0000, 0xE1000),
            range(0xE1000, 0x110000, 97),
        ],
        ids=[
            "to Han", "Han", "to Hangul", "Hangul, surrogates, private", "to Tangut", "Tangut", "beyond", "more Han",
            "specials", "more private",
        ],
    )  # fmt: skip
    def test_every_character(self, points: range) -> None:
        """Security 28: no character of Unicode does harm, alone or in a name. Where thousands are alike, some are tried."""
        assert [point for point in points if not _harmless(safe_name(chr(point)))] == []
        assert [point for point in points if not _harmless(safe_name(f"a{chr(point)}b"))] == []

    def test_nothing_hides(self) -> None:
        """Security 28: what Unicode calls ignorable is gone, so that two names that look the same are the same."""
        assert IGNORABLE
        assert [hex(point) for point in IGNORABLE if safe_name(f"a{chr(point)}b") != "ab"] == []

    @repeatable
    @given(
        name=st.text(st.characters())
        | st.text(st.sampled_from(["a", " ", "\n", MARK, "\u200d", "\ufe0f", "@", "\u202e", "\ud800"]), max_size=200)
        | st.builds("{:x<{}}{}".format, st.text(" a"), st.integers(58, 66), st.text(" \n" + MARK + "b", max_size=80))
    )
    def test_any_text(self, name: str) -> None:
        """Security 28: whatever the text, the result is harmless, and stays as it is the second time."""
        shown = safe_name(name)
        assert _harmless(shown)
        assert safe_name(shown) == shown


class TestDisplayName:
    """Only a username begins with @."""

    @each(
        ("username", "full_name", "shown"),
        [
            ("stranger", "Alice", "@stranger"),
            ("@stranger", "Alice", "@stranger"),
            ("\u202estran ger", "Alice", "@stranger"),
            ("", "Alice B.", "Alice B."),
            ("\u200b", "Alice", "Alice"),
            ("@", "Alice", "Alice"),
            ("", "", ""),
            ("", "@owner", "owner"),
            ("", " @ @owner", "owner"),
            ("", "\u200b@owner", "owner"),
            ("", "\uff20owner", "owner"),
            ("", "\ufe6b@\uff20owner", "owner"),
            ("", f"@{MARK}@owner", "owner"),
            ("", f"@{MARK}{MARK} \uff20{MARK}owner", "owner"),
            ("", "@", ""),
            ("", "me@home", "me@home"),
        ],
        ids=[
            "username", "with @", "made safe", "full name", "invisible username", "only @", "nothing", "@ in name",
            "spaced @", "hidden @", "full width", "three kinds", "accented @", "accented twice", "name of @", "inner @",
        ],
    )  # fmt: skip
    def test_shown(self, username: str, full_name: str, shown: str) -> None:
        """Security 6 and 28: ``@username``, else the full name, which cannot pass for a username."""
        assert display_name(username, full_name) == shown

    def test_without_a_full_name(self) -> None:
        """A full name may be absent."""
        assert display_name("stranger") == "@stranger"

    def test_length(self) -> None:
        """The sign counts among the 64 characters."""
        assert display_name("x" * 100) == "@" + "x" * 63

    @repeatable
    @given(
        full_name=st.text(st.characters())
        | st.text(st.sampled_from(["@", "\uff20", "\ufe6b", MARK, " ", "\u200b", "a"]), max_size=80)
    )
    def test_never_a_username(self, full_name: str) -> None:
        """Security 6: no full name is shown with a sign in front, and what is shown is harmless."""
        shown = display_name("", full_name)
        assert not shown.startswith(("@", "\uff20", "\ufe6b"))
        assert _harmless(shown)


@each(
    ("username", "full_name", "names", "shown"),
    [
        ("sam", "Sam Stranger", Names("@sam", "Sam Stranger"), "@sam (Sam Stranger)"),
        ("sam", "Sam", Names("@sam"), "@sam"),
        ("sam", "", Names("@sam"), "@sam"),
        ("", "Sam (they)", Names("Sam (they)"), "Sam (they)"),
        ("", "", Names(), ""),
        (
            "mal",
            "Olivia) and @olivia (Olivia",
            Names("@mal", "Olivia and @olivia Olivia"),
            "@mal (Olivia and @olivia Olivia)",
        ),
        ("mal", "\uff08@olivia\uff09", Names("@mal", "olivia"), "@mal (olivia)"),
        ("mal", "(\u200b@(\uff20olivia", Names("@mal", "olivia"), "@mal (olivia)"),
    ],
    ids=["both", "repeated", "username", "full name", "none", "closes", "wide signs", "hidden signs"],
)
def test_names_of(username: str, full_name: str, names: Names, shown: str) -> None:
    """Security 28: a full name stands in parentheses that it cannot end, and looks like no username there."""
    assert names_of(username, full_name) == names
    assert called(names.name, names.full_name) == shown


@given(st.text(), st.text(max_size=80))
@repeatable
def test_what_stands_in_parentheses_stays_there(username: str, full_name: str) -> None:
    """Security 28: whatever somebody is called, one opens and one closes, and a made up username never leads."""
    names = names_of(f"u{username.replace('(', '').replace(')', '')}", full_name)
    assert not set("()") & set(names.full_name)
    assert not names.full_name.startswith(("@", "\uff20", "\ufe6b"))


def test_who_decides_claims_no_other_id() -> None:
    """Security 28: before the id in parentheses, a name has none of its own, and only a username has the sign."""
    assert unparenthesised("@olivia") == "@olivia"
    assert unparenthesised("Olivia (111, button)") == "Olivia 111, button"
    assert unparenthesised("(@olivia") == "olivia"
