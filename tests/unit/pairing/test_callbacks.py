"""Buttons: signed by us, for one action on one request of one person, or nothing."""

import itertools
import string

import hypothesis.strategies as st
import pytest
from hypothesis import given
from msgspec import structs

from doorcode.errors import CallbackError
from doorcode.pairing import callbacks
from doorcode.pairing.callbacks import Action, Callback, sign, verify
from doorcode.pairing.codes import ALPHABET
from doorcode.pairing.contact import MAX_USER_ID_LENGTH, Platform
from doorcode.pairing.keyring import Keyring
from tests.cases import each
from tests.unit.pairing.people import DISCORD, SLACK, TELEGRAM, repeatable

KEYS = Keyring((b"the callback secret",))
CALLBACK = Callback(Action.APPROVE, TELEGRAM, "987654321", "ABCD2345")
DATA = "pair:approve:telegram:987654321:ABCD2345:"

user_ids = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64).filter(
    lambda text: text != "*",
)
any_callback = st.builds(
    Callback,
    st.sampled_from(list(Action)),
    st.sampled_from(list(Platform)),
    user_ids,
    st.text(ALPHABET, min_size=8, max_size=8),
)


def _signed(body: str, keys: Keyring = KEYS) -> str:
    """Sign any text at all, as only a bug of ours could."""
    return f"{body}:{callbacks._signature(keys.newest, body)}"


class TestRoundTrip:
    """What we sign is what we read."""

    def test_form(self) -> None:
        """A button's data has the documented form, and a signature of 8 hex characters."""
        data = sign(CALLBACK, KEYS)
        assert data.startswith(DATA)
        assert len(data) == len(DATA) + 8
        assert set(data.removeprefix(DATA)) <= set("0123456789abcdef")

    def test_known_answer(self) -> None:
        """A button that was drawn works in every version."""
        assert sign(CALLBACK, KEYS) == DATA + "ffc0ea1a"

    @each("user_id", ["1", "a:b", ":", "::", "1:ABCD2345", "pair:approve:slack:1", "#|", "x" * 64])
    def test_any_id(self, user_id: str) -> None:
        """An id may hold colons, or even look like a button."""
        for platform, action in itertools.product(Platform, Action):
            callback = Callback(action, platform, user_id, "ABCD2345")
            assert verify(sign(callback, KEYS), KEYS) == callback

    @repeatable
    @given(callback=any_callback)
    def test_every_callback(self, callback: Callback) -> None:
        """Every callback is read as it was signed."""
        assert verify(sign(callback, KEYS), KEYS) == callback

    def test_fits_telegram(self) -> None:
        """Every button fits Telegram's 64 bytes: with an id of up to 24 characters as it is, and with a hash of a longer one."""
        for platform, action, length in itertools.product(Platform, Action, range(1, MAX_USER_ID_LENGTH + 1)):
            user_id = "9" * length
            named = callbacks.id_in_button(platform, user_id)
            data = sign(Callback(action, platform, named, "ABCD2345"), KEYS)
            assert len(data.encode()) <= 64, data
            assert callbacks.stands_for_id(named) is (named != user_id)
            assert named == user_id or length > 24
            assert verify(data, KEYS).user_id == named


class TestChanged:
    """Security 16: any changed byte fails."""

    def test_flipped(self) -> None:
        """Security 16: whichever character is changed, and to whatever, the button is refused."""
        data = sign(CALLBACK, KEYS)
        for position, was in enumerate(data):
            for character in {*string.printable, chr(ord(was) ^ 1), was.swapcase(), "\u0430", "\ud800"} - {was}:
                with pytest.raises(CallbackError):
                    verify(data[:position] + character + data[position + 1 :], KEYS)

    def test_left_out_or_doubled(self) -> None:
        """Security 16: a button with a character more or less is refused."""
        data = sign(CALLBACK, KEYS)
        for position, was in enumerate(data):
            without = data[:position] + data[position + 1 :]
            for changed in (data[:position], without, data[:position] + was + data[position:]):
                with pytest.raises(CallbackError):
                    verify(changed, KEYS)

    @each(
        "other",
        [
            {"action": Action.DENY},
            {"action": Action.BLOCK},
            {"platform": SLACK},
            {"platform": DISCORD},
            {"user_id": "987654322"},
            {"user_id": "98765432"},
            {"code": "ABCD2346"},
        ],
        ids=["deny", "block", "slack", "discord", "user", "shorter user", "code"],
    )
    def test_borrowed_signature(self, other: dict[str, object]) -> None:
        """Security 16: the signature for one action, person or code does not fit another, in either direction."""
        one, another = sign(CALLBACK, KEYS), sign(structs.replace(CALLBACK, **other), KEYS)
        for body, signature in ((one, another), (another, one)):
            with pytest.raises(CallbackError):
                verify(body[:-8] + signature[-8:], KEYS)

    @repeatable
    @given(one=any_callback, other=any_callback)
    def test_no_signature_fits_two(self, one: Callback, other: Callback) -> None:
        """Security 16: a signature fits exactly what was signed."""
        if one != other:
            with pytest.raises(CallbackError):
                verify(sign(one, KEYS)[:-8] + sign(other, KEYS)[-8:], KEYS)

    def test_compared_in_constant_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Security 2: every secret is compared by the one constant-time comparison, also after one has fitted."""
        seen = []
        monkeypatch.setattr(callbacks, "same", lambda left, right: seen.append((left, right)) or left == right)
        verify(sign(CALLBACK, KEYS), Keyring((*KEYS.secrets, b"2", b"3")))
        assert [left == right for left, right in seen] == [True, False, False]


GARBAGE = {
    "nothing": "",
    "a colon": ":",
    "colons": ":::::",
    "a text": "approve",
    "no signature": DATA[:-1],
    "empty signature": DATA,
    "signature of zeros": DATA + "0" * 8,
    "long signature": DATA + "0" * 64,
    "NUL": DATA + "\x00" * 8,
    "lone surrogates": "\ud800:\udfff",
    "emoji": "\U0001f600:\U0001f600",
    "10 kB": "pair:" * 2048,
    "None": None,
    "bytes": sign(CALLBACK, KEYS).encode(),
    "number": 1,
    "list": [sign(CALLBACK, KEYS)],
    "mapping": {"data": sign(CALLBACK, KEYS)},
}


class TestGarbage:
    """What arrives as a button's data is anything at all."""

    @each("data", GARBAGE.values(), ids=GARBAGE)
    def test_refused(self, data: object) -> None:
        """Whatever is not a button is refused as one, and the error does not repeat it."""
        with pytest.raises(CallbackError) as refusal:
            verify(data, KEYS)
        assert str(refusal.value) in {
            "The button's data is not a text of ours.",
            "The button's signature does not fit.",
        }

    @repeatable
    @given(data=st.text(st.characters(), max_size=300) | st.binary() | st.none() | st.integers())
    def test_anything(self, data: object) -> None:
        """Anything at all raises CallbackError and nothing else."""
        with pytest.raises(CallbackError):
            verify(data, KEYS)

    @each(
        "body",
        [
            "",
            "pair",
            "pair:approve:telegram:1",
            "pair:approve:telegram:ABCD2345",
            "pear:approve:telegram:1:ABCD2345",
            "pair:revoke:telegram:1:ABCD2345",
            "pair:APPROVE:telegram:1:ABCD2345",
            "pair:approve:wechat:1:ABCD2345",
            "pair:approve:telegram::ABCD2345",
            "pair:approve:telegram:*:ABCD2345",
            "pair:approve:telegram:a b:ABCD2345",
            f"pair:approve:telegram:{'1' * 132}:ABCD2345",
            "pair:approve:telegram:1:ABCD234",
            "pair:approve:telegram:1:ABCD2340",
            "pair:approve:telegram:1:abcd2345",
            "pair:approve:telegram:1:ABCD-2345",
            "pair:approve:telegram:1:",
            "pair:approve:telegram:\ud800:ABCD2345",
        ],
    )
    def test_signed_nonsense(self, body: str) -> None:
        """Even with a good signature, only the documented form is a button."""
        with pytest.raises(CallbackError, match=r"^The button's data has another form\.$"):
            verify(_signed(body), KEYS)

    def test_as_long_as_can_be(self) -> None:
        """The longest button that we would sign is read, and nothing much longer is even hashed."""
        longest = Callback(Action.APPROVE, TELEGRAM, "x" * 64, "ABCD2345")
        assert verify(sign(longest, KEYS), KEYS) == longest
        with pytest.raises(CallbackError, match="not a text of ours"):
            verify(_signed("x" * 256), KEYS)

    @repeatable
    @given(text=st.text(string.ascii_letters + string.digits, min_size=12, max_size=60))
    def test_no_echo(self, text: str) -> None:
        """Security 34: the error never holds what arrived, signed or not."""
        for data in (text, f"pair:approve:telegram:1:{text}:00000000", _signed(f"pair:{text}:telegram:1:ABCD2345")):
            with pytest.raises(CallbackError) as refusal:
                verify(data, KEYS)
            assert text not in str(refusal.value)
            assert refusal.value.__cause__ is None
            assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


class TestRotation:
    """Security 30: new and previous secret overlap."""

    OLD, NEW = Keyring((b"old",)), Keyring((b"new",))
    BOTH = Keyring((b"new", b"old"))

    def test_old_buttons_work(self) -> None:
        """Security 30: a button that was signed with the old secret works while that is on the ring."""
        assert verify(sign(CALLBACK, self.OLD), self.BOTH) == CALLBACK

    def test_the_newest_signs(self) -> None:
        """Security 30: new buttons are signed with the newest secret."""
        assert sign(CALLBACK, self.BOTH) == sign(CALLBACK, self.NEW)

    def test_dropped(self) -> None:
        """Security 30: after the old secret is dropped, its buttons fail."""
        with pytest.raises(CallbackError):
            verify(sign(CALLBACK, self.OLD), self.NEW)
