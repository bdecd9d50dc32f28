"""Security 41: a sealed reply address answers in its conversation, for a day, and nowhere else."""

import base64
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from doorcode.errors import BadReplyAddressError
from doorcode.pairing import reply_address
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.reply_address import LIFETIME_SECONDS, MAX_LENGTH, SKEW_SECONDS, ReplyAddress, seal, unseal
from tests.unit.pairing.people import DISCORD, NOW, repeatable

KEYS = Keyring((b"the gateway secret",))
ADDRESS = ReplyAddress(
    platform=DISCORD,
    user_id="123456789012345678",
    conversation="discord#223456789012345678#",
    reply='{"application_id":"1","channel_id":"2","token":"an interaction\'s token","expires":1800000900}',
    delivery="discord#323456789012345678",
    issued_at=NOW,
    quote="How are you?",
)
SEALED = seal(ADDRESS, KEYS)
RAW = base64.urlsafe_b64decode(SEALED + "=" * (-len(SEALED) % 4))


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _refused(text: object, keyring: Keyring = KEYS, now: int = NOW) -> str:
    with pytest.raises(BadReplyAddressError) as caught:
        unseal(text, keyring, now)
    # Nothing of what went wrong hangs on it, for a log to print.
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_round_trip() -> None:
    """What was sealed is read as it was, and no two seals of it are alike or show any of it."""
    assert unseal(SEALED, KEYS, NOW) == ADDRESS
    assert seal(ADDRESS, KEYS) != SEALED
    assert b"123456789012345678" not in RAW


def test_form() -> None:
    """It is one word of base64url, its first byte the version, and no longer than is read back."""
    assert set(SEALED) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert RAW[0] == 1
    longest = structs.replace(ADDRESS, user_id="1" * 64, reply="x" * 2000, quote="\U0001f600 " * 5000)
    sealed = seal(longest, KEYS)
    assert len(sealed) < MAX_LENGTH
    assert unseal(sealed, KEYS, NOW).quote == ("\U0001f600 " * 128)


def test_known_answer() -> None:
    """One that was handed out is read by every version of Doorcode."""
    known = "ARY9HuBeXpxw_A08vkH_UpYy1lgmSBKR98qktop4zxGYZkwPEw7UseMMceUbePRgL5oAHvr0xf3gYWvcq41k5IH3uTMnxZEJ6buVthfb4BfrstgN-82pYRwWbSgTEYIJxhec9oDGbaVUQ-Gc09ToyFG4Flro0_Aq8hvswrDczqkew7llo29dGfnuszlRLJm0T3vUDLZDqd_eFBL-PdnDbK2NUU-UtCpQlUocVqMfTiGetuT5wKFF3Q97UmHvqYnDAnszqKEoEOvS389cOOJwOLL76u0D3Ajt1Cm1D9_r_hus2IwZ6LzIUzL6-CtPydp2LTmx3aAwUJddnrw1ySvU_tWtx2TVEDIwabELEcgQulvijgUCaryVWTZ4PMPcQ6VZ0C8U4Qzqg2TLipgEo09aSDIBXUJYupz6QmasX4XQGR9_KbO-fmPR6OGkzdCfJHNpJTWkAav1Jg"
    assert unseal(known, KEYS, NOW) == ADDRESS


def test_time() -> None:
    """It holds for 24 hours, to the second; from another function's clock a minute ahead, too, and not from further."""
    for age in (-SKEW_SECONDS, 0, LIFETIME_SECONDS - 1):
        assert unseal(SEALED, KEYS, NOW + age) == ADDRESS
    for age in (-SKEW_SECONDS - 1, LIFETIME_SECONDS, 10 * LIFETIME_SECONDS):
        _refused(SEALED, now=NOW + age)


def test_rotation() -> None:
    """The newest secret seals; one sealed before a rotation is good until its secret is dropped."""
    rotated = Keyring((b"a newer secret", *KEYS.secrets))
    assert unseal(SEALED, rotated, NOW) == ADDRESS
    newer = seal(ADDRESS, rotated)
    assert unseal(newer, Keyring((b"a newer secret",)), NOW) == ADDRESS
    _refused(newer)
    _refused(SEALED, Keyring((b"a newer secret",)))


def test_every_byte_counts() -> None:
    """Whichever byte is changed, left out or added, it is refused, and always in the same words."""
    said = set()
    for index in range(len(RAW)):
        said.add(_refused(_written(RAW[:index] + bytes([RAW[index] ^ 1]) + RAW[index + 1 :])))
        said.add(_refused(_written(RAW[:index])))
    for odd in ("\n", " ", "=", "==", "A", ".", "+", "\N{KELVIN SIGN}", "\0"):
        said |= {_refused(SEALED + odd), _refused(odd + SEALED), _refused(SEALED[:50] + odd + SEALED[50:])}
    said.add(_refused(SEALED, Keyring((b"another stack's secret",))))
    said.add(_refused(SEALED, now=NOW + LIFETIME_SECONDS))
    assert len(said) == 1


def test_spare_bits() -> None:
    """The bits of the last character that encode nothing cannot be changed either: one address has one form."""
    for length in range(3):
        sealed = seal(structs.replace(ADDRESS, reply="x" * length), KEYS)
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        good = [last for last in alphabet if _opens(sealed[:-1] + last)]
        assert good == [sealed[-1]]


def _opens(text: str) -> bool:
    try:
        return bool(unseal(text, KEYS, NOW))
    except BadReplyAddressError:
        return False


@repeatable
@given(
    st.one_of(st.binary(max_size=300).map(lambda raw: _written(b"\x01" + raw)), st.text(), st.none() | st.integers())
)
def test_anything(text: object) -> None:
    """Random bytes and texts, and what is no text, are refused like everything else."""
    _refused(text)


def test_sealed_something_else() -> None:
    """What is sealed under the same key and is no address of this version is refused alike."""
    for plain in (b"", b"{}", b"[1]", b"\xff", b'{"platform":"irc"}'):
        _refused(_written(b"\x01" + reply_address._box(KEYS.newest).encrypt(plain)))
    _refused("A" * (MAX_LENGTH + 1))


def test_imported_late() -> None:
    """The module by itself loads no NaCl: an edge function that seals nothing starts without it."""
    check = "import sys, doorcode.pairing.reply_address; sys.exit(any(name.startswith('nacl') for name in sys.modules))"
    environment = os.environ | {"PYTHONPATH": "shared"}
    subprocess.run([sys.executable, "-c", check], check=True, env=environment)
