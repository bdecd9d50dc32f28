"""Who somebody is, where they stand, and what is accepted as an id, a label, an end."""

import string
from datetime import UTC, datetime

import hypothesis.strategies as st
import pytest
from hypothesis import given
from msgspec import structs

from doorcode.errors import InputError, InvalidLabelError, InvalidTimeError, InvalidUserIdError, UnknownPlatformError
from doorcode.pairing.contact import (
    END_OF_TIME,
    Contact,
    Platform,
    Standing,
    State,
    checked_end,
    checked_label,
    checked_user_id,
    platform_named,
    possible_user_id,
)
from tests.cases import each
from tests.unit.pairing.people import EVERYONE, NOW, TELEGRAM, contact, repeatable


class TestStanding:
    """What a state counts as at one moment."""

    @each(
        ("who", "standing"),
        [
            ("stranger", Standing.NONE),
            ("expired", Standing.NONE),
            ("revoked", Standing.NONE),
            ("ended", Standing.NONE),
            ("pending", Standing.PENDING),
            ("overdue", Standing.OVERDUE),
            ("denied", Standing.DENIED),
            ("paired", Standing.PAIRED),
            ("owner", Standing.OWNER),
            ("guest", Standing.PAIRED),
            ("blocked", Standing.BLOCKED),
        ],
    )
    def test_standing(self, who: str, standing: Standing) -> None:
        """Every kind of contact counts as the design says."""
        assert EVERYONE[who].standing(NOW) is standing

    @pytest.mark.parametrize(
        ("second", "standing"), [(-1, Standing.PENDING), (0, Standing.OVERDUE), (1, Standing.OVERDUE)]
    )
    def test_a_request_expires(self, second: int, standing: Standing) -> None:
        """Security 14: a request is overdue from the second at which it expires, although its item is still there."""
        assert contact(State.PENDING, code_expires_at=NOW).standing(NOW + second) is standing

    @pytest.mark.parametrize(("second", "standing"), [(-1, Standing.PAIRED), (0, Standing.NONE), (1, Standing.NONE)])
    def test_a_guest_leaves(self, second: int, standing: Standing) -> None:
        """Security 14: a guest is a stranger from the second at which their time is up."""
        assert contact(State.PAIRED, paired_until=NOW).standing(NOW + second) is standing

    def test_paired_for_ever(self) -> None:
        """Without an end, a pairing outlasts the calendar."""
        assert contact(State.PAIRED).standing(END_OF_TIME) is Standing.PAIRED

    def test_a_request_without_an_end_is_none(self) -> None:
        """Security 14: a pending contact without a time is overdue, not for ever pending."""
        assert contact(State.PENDING, code_expires_at=0).standing(0) is Standing.OVERDUE

    @pytest.mark.parametrize("state", [State.DENIED, State.BLOCKED, State.REVOKED, State.EXPIRED])
    def test_the_rest_stay(self, state: State) -> None:
        """What was refused, blocked or taken away does not change with the time."""
        assert len({contact(state).standing(now) for now in (0, NOW, END_OF_TIME)}) == 1

    def test_a_stranger(self) -> None:
        """Whoever was never seen has nothing."""
        person = Contact(platform=TELEGRAM, user_id="1")
        empty = {name: value for name, value in structs.asdict(person).items() if value in {"", 0}}
        assert set(structs.asdict(person)) - set(empty) == {"platform", "user_id", "state"}
        assert person.state is State.NONE

    def test_frozen(self) -> None:
        """A contact is a value: only a move makes another."""
        with pytest.raises(AttributeError):
            EVERYONE["stranger"].state = State.PAIRED  # type: ignore[misc] # mypy says so, too


class TestPlatforms:
    """Platforms by name."""

    @pytest.mark.parametrize("text", ["telegram", "Telegram", " TELEGRAM\n"])
    def test_named(self, text: str) -> None:
        """A platform is found in any case."""
        assert platform_named(text) is Platform.TELEGRAM

    @each("text", ["", " ", "wechat", "telegram2", "tele gram", "telegram#1", "*", "\ud800"])
    def test_unknown(self, text: str) -> None:
        """Another name is refused, and those that there are are listed."""
        with pytest.raises(UnknownPlatformError, match=r"Use one of: telegram, slack, discord, whatsapp\.$"):
            platform_named(text)

    def test_echo(self) -> None:
        """Security 28: a long and hostile name is repeated in its safe form."""
        with pytest.raises(UnknownPlatformError) as refusal:
            platform_named("\x1b[31m\u202e" + "x" * 10_240)
        assert str(refusal.value) == (
            f"There is no platform '[31m{'x' * 60}'. Use one of: telegram, slack, discord, whatsapp."
        )


BAD_IDS = {
    "empty": "",
    "None": None,
    "number": 987654321,
    "bytes": b"1",
    "star": "*",
    "space": " ",
    "inner space": "1 2",
    "space before": " 1",
    "space after": "1 ",
    "line": "1\n",
    "tab": "1\t",
    "NUL": "1\x00",
    "DEL": "1\x7f",
    "escape": "\x1b[31m1",
    "accent": "\u00e9",
    "arabic digits": "\u0663\u0663",
    "full width": "\uff11",
    "zero width": "1\u200b",
    "override": "\u202e1",
    "lone surrogate": "\ud800",
    "132 characters": "x" * 132,
    "10 kB": "x" * 10_240,
}


IDS = {
    Platform.TELEGRAM: ["1", "987654321", "4503599627370495"],
    Platform.SLACK: ["U1234ABCD", "W0123456789", "T0123456789:U1234ABCD"],
    Platform.DISCORD: ["123456789012345678", "20000000000000001", "18446744073709551615"],
    Platform.WHATSAPP: ["US.13491208655302741918", "DE.aB3", f"BR.{'z' * 128}"],
}
# What people have typed where an id belongs.
NO_IDS = [
    "@bo2", "bo2", "bo#1234", "<@U1234ABCD>", "1.23e+17", "+1", "-100", "0", "01", "0x1", "https://t.me/bo2", "bo@example.org",
    "us.1", "US.ENT.1", "US.", "USA.1", "+491711234567", "US.1:2", "u1234abcd", "C1234ABCD", "T0123456789", "T0123456789:", ":U1234ABCD", "T0123456789:C1234ABCD", "U1234ABCD:T0123456789",
    "U", "1" * 21, "123456789012345678901", "U1234ABCD ", "U1234ABCD\n", "987654321\n", "123456789012345678\n",
]  # fmt: skip


class TestUserIds:
    """Security 5: ids are exact strings."""

    @each(("platform", "text"), [(platform, text) for platform in IDS for text in IDS[platform]])
    def test_of_its_platform(self, platform: Platform, text: str) -> None:
        """Security 5: an id is accepted as it is on its own platform, and is none on the others."""
        assert checked_user_id(platform, text) is text
        # A telephone's number, which stands in for an id on WhatsApp, may be anybody's id elsewhere.
        for other in set(Platform) - {platform} - ({Platform.WHATSAPP} if text.isdecimal() else set()):
            with pytest.raises(InvalidUserIdError):
                checked_user_id(other, text)

    @each("text", [*NO_IDS, *BAD_IDS.values()])
    @each("platform", Platform)
    def test_no_id(self, platform: Platform, text: str) -> None:
        """Security 5: what no platform gives out as an id is refused in one line that says what one looks like."""
        with pytest.raises(InvalidUserIdError) as refusal:
            checked_user_id(platform, text)
        assert str(refusal.value).isprintable()
        assert len(str(refusal.value)) < 300

    def test_says_how_to_find_one(self) -> None:
        """Whoever typed a name is told what an id looks like, and where it is shown."""
        with pytest.raises(InvalidUserIdError) as refusal:
            checked_user_id(Platform.DISCORD, "bo#1234")
        assert str(refusal.value) == (
            "'bo#1234' is not a user id of discord: 17 to 20 digits, such as 123456789012345678. Of whoever wrote to "
            "the bot, doorcode doctor shows it; in Discord's developer mode it is their Copy User ID."
        )

    @each("text", ["1", "987654321", "U1234ABCD", "0", "-100", "a:b", "a#b", "a|b", "!~", "**", "@x", "x" * 64])
    def test_possible(self, text: str) -> None:
        """What the table can hold is accepted as it is."""
        assert possible_user_id(text) is text

    @each("text", BAD_IDS.values(), ids=BAD_IDS)
    def test_bad(self, text: object) -> None:
        """Security 5: what is empty, a wildcard, too long or not visible is nobody's id, and is not trimmed to one."""
        with pytest.raises(InvalidUserIdError) as refusal:
            possible_user_id(text)
        assert isinstance(refusal.value, InputError)
        assert str(refusal.value).isprintable()
        assert len(str(refusal.value)) < 200

    @repeatable
    @given(text=st.text(st.characters(), max_size=80))
    def test_any_text(self, text: str) -> None:
        """Security 5: an id is returned unchanged or refused."""
        visible = set(string.ascii_letters + string.digits + string.punctuation)
        if 1 <= len(text) <= 64 and set(text) <= visible and text != "*":
            assert possible_user_id(text) == text
        else:
            with pytest.raises(InvalidUserIdError):
                possible_user_id(text)


class TestLabels:
    """What an owner calls somebody."""

    @pytest.mark.parametrize(
        "label",
        [
            "\U0001f468\u200d\U0001f469\u200d\U0001f467",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u2764\ufe0f\u200d\U0001f525 bob",
            "\u2764\ufe0f",
        ],
    )
    def test_joined(self, label: str) -> None:
        """Emoji families and Persian are written with joiners, and a label may be."""
        assert checked_label(label) == label

    @each(
        "label",
        [
            "\u200dbob",
            "bob\u200c",
            "bo\u200d\u200db",
            "bob \u200dbob",
            "bo\u200d\u202eb",
            "bo\u200bb",
            "a\ufe0f\ufe0f",
            "x\u200d" * 32 + "x",
        ],
    )
    def test_joining_nothing(self, label: str) -> None:
        """Security 28: a joiner that leads, trails, piles up or stands beside something else that hides is refused."""
        with pytest.raises(InvalidLabelError):
            checked_label(label)

    @each(
        ("text", "label"),
        [("alice", "alice"), ("", ""), (" alice  b. ", "alice b."), ("Zo\u00eb", "Zo\u00eb"), ("x" * 64, "x" * 64)],
        ids=["plain", "empty", "spaces", "accent", "64 characters"],
    )
    def test_good(self, text: str, label: str) -> None:
        """A label that can be shown is kept, with single spaces."""
        assert checked_label(text) == label

    @each(
        "text",
        [
            "x" * 132,
            "a\u202eb",
            "a\u200bb",
            "a\x1b[31mb",
            "a\x00b",
            "\ud800",
            "e" + "\u0301" * 9,
            "\u3164",
            "x" * 10_240,
        ],
        ids=["65", "override", "zero width", "escape", "NUL", "surrogate", "zalgo", "filler", "10 kB"],
    )
    def test_bad(self, text: str) -> None:
        """Security 28: a label that would not be shown as it is is refused, and the error shows its safe form."""
        with pytest.raises(InvalidLabelError) as refusal:
            checked_label(text)
        assert str(refusal.value).isprintable()
        assert len(str(refusal.value)) < 200

    @repeatable
    @given(text=st.text(st.characters(), max_size=80))
    def test_any_text(self, text: str) -> None:
        """A label that is accepted is accepted again, as it is."""
        try:
            label = checked_label(text)
        except InvalidLabelError:
            return
        assert checked_label(label) == label


class TestEnds:
    """When a pairing ends."""

    def test_the_end_of_time(self) -> None:
        """The last second is that of the year 9999."""
        assert datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp() == END_OF_TIME

    @pytest.mark.parametrize("until", [0, NOW + 1, END_OF_TIME])
    def test_good(self, until: int) -> None:
        """A pairing ends never, or from the next second to the last of the year 9999."""
        assert checked_end(until, NOW) == until

    @each("until", [NOW, NOW - 1, 1, -1, END_OF_TIME + 1, 10**30, -(10**30)])
    def test_bad(self, until: int) -> None:
        """An end that has passed, or that no calendar knows, is refused with an example."""
        with pytest.raises(InvalidTimeError, match="--for 7d"):
            checked_end(until, NOW)
