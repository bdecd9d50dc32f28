"""Codes: what they are made of, what they are bound to, and what may be typed."""

import base64
import hashlib
import hmac
import random
from collections import Counter

import hypothesis.strategies as st
import pytest
from hypothesis import given

from doorcode.errors import InputError, MalformedCodeError
from doorcode.pairing import codes
from doorcode.pairing.codes import ALPHABET, code_for, fits, normalise
from doorcode.pairing.contact import Platform
from tests.cases import each
from tests.unit.pairing.people import DISCORD, SLACK, TELEGRAM, repeatable

SECRET = b"the gateway secret"
NONCE = "00112233445566778899aabbccddeeff"
CODE = "ABCD2345"
# Chi-squared with 31 degrees of freedom is above this once in 1000 draws.
LIMIT = 61.1

ids = st.text("0123456789ABCDEFGHIJ:|#-_", min_size=1, max_size=20)
nonces = st.binary(min_size=16, max_size=16).map(bytes.hex)
secrets = st.binary(min_size=1, max_size=64)
platforms = st.sampled_from(list(Platform))
a_code = st.text(ALPHABET, min_size=8, max_size=8)


def _chi_squared(counts: Counter[str]) -> float:
    expected = counts.total() / len(ALPHABET)
    return sum((counts[symbol] - expected) ** 2 / expected for symbol in ALPHABET)


class TestMaking:
    """How a code comes about."""

    def test_alphabet(self) -> None:
        """Security 8: 32 different symbols, none of those that look alike."""
        assert ALPHABET == "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
        assert len(set(ALPHABET)) == 32
        assert not set(ALPHABET) & set("IO01")

    def test_known_answer(self) -> None:
        """A code that was handed out stays the same in every version: HMAC-SHA256, five bits a character."""
        assert code_for(SECRET, TELEGRAM, "987654321", NONCE) == "VXRAT3FM"

    @repeatable
    @given(secret=secrets, platform=platforms, user_id=ids, nonce=nonces)
    def test_as_designed(self, secret: bytes, platform: Platform, user_id: str, nonce: str) -> None:
        """A code is the first 40 bits of the HMAC of ``platform|user_id|nonce`` in base 32, with our symbols."""
        digest = hmac.new(secret, f"{platform.value}|{user_id}|{nonce}".encode(), hashlib.sha256).digest()
        ours = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET)
        assert code_for(secret, platform, user_id, nonce) == base64.b32encode(digest[:5]).decode().translate(ours)

    def test_uniform(self) -> None:
        """Security 8: over 20,000 codes, each position and all together show the 32 symbols equally often."""
        source = random.Random(8)
        positions: list[Counter[str]] = [Counter() for _ in range(8)]
        for _ in range(20_000):
            code = code_for(SECRET, TELEGRAM, "987654321", source.randbytes(16).hex())
            assert len(code) == 8
            for position, symbol in zip(positions, code, strict=True):
                position[symbol] += 1
        together = sum(positions, Counter[str]())
        assert set(together) == set(ALPHABET)
        assert together.total() == 160_000
        assert [_chi_squared(counts) for counts in (*positions, together) if _chi_squared(counts) > LIMIT] == []


class TestBinding:
    """What a code is good for."""

    @each(
        ("secret", "platform", "user_id", "nonce"),
        [
            (b"the gateway secres", TELEGRAM, "987654321", NONCE),
            (SECRET, SLACK, "987654321", NONCE),
            (SECRET, DISCORD, "987654321", NONCE),
            (SECRET, TELEGRAM, "98765432", NONCE),
            (SECRET, TELEGRAM, "9876543210", NONCE),
            (SECRET, TELEGRAM, "", NONCE),
            (SECRET, TELEGRAM, "987654321", NONCE[:-1] + "e"),
            (SECRET, TELEGRAM, "987654321", ""),
        ],
        ids=["secret", "slack", "discord", "shorter id", "longer id", "no id", "nonce", "no nonce"],
    )
    def test_bound(self, secret: bytes, platform: Platform, user_id: str, nonce: str) -> None:
        """Security 7 and 9: a code fits one secret, one platform, one user and one request."""
        code = code_for(SECRET, TELEGRAM, "987654321", NONCE)
        assert fits(code, SECRET, TELEGRAM, "987654321", NONCE)
        assert not fits(code, secret, platform, user_id, nonce)

    @repeatable
    @given(user_id=ids, nonce=nonces, wrong=a_code)
    def test_only_its_own(self, user_id: str, nonce: str, wrong: str) -> None:
        """A code fits if and only if it is the one that was made."""
        code = code_for(SECRET, SLACK, user_id, nonce)
        assert fits(code, SECRET, SLACK, user_id, nonce)
        assert fits(wrong, SECRET, SLACK, user_id, nonce) == (wrong == code)

    @each("position", range(8))
    def test_every_character_counts(self, position: int) -> None:
        """Security 8: a code with one other character does not fit."""
        code = code_for(SECRET, TELEGRAM, "987654321", NONCE)
        for symbol in set(ALPHABET) - {code[position]}:
            changed = code[:position] + symbol + code[position + 1 :]
            assert not fits(changed, SECRET, TELEGRAM, "987654321", NONCE)

    def test_compared_in_constant_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Security 2: a code is compared by the one constant-time comparison."""
        seen = []
        monkeypatch.setattr(codes, "same", lambda left, right: bool(seen.append((left, right))))
        fits(CODE, SECRET, TELEGRAM, "1", NONCE)
        assert seen == [(CODE.encode(), code_for(SECRET, TELEGRAM, "1", NONCE).encode())]


MALFORMED = {
    "nothing": "",
    "only spaces": "        ",
    "only hyphens": "--------",
    "7 characters": "ABCD234",
    "9 characters": "ABCD23456",
    "letter I": "IBCD2345",
    "letter O": "OBCD2345",
    "digit 0": "ABCD2340",
    "digit 1": "ABCD2341",
    "small i": "ibcd2345",
    "long s": "\u017fBCD2345",
    "dotless i": "\u0131BCD2345",
    "full width": "\uff21BCD2345",
    "cyrillic A": "\u0410BCD2345",
    "arabic digit": "ABCD234\u0665",
    "sharp s": "ABCD23\u00df",
    "zero width": "ABCD\u200b2345",
    "en dash": "ABCD\u20132345",
    "underscore": "ABCD_2345",
    "with quotes": '"ABCD2345"',
    "NUL": "ABCD2345\x00",
    "lone surrogate": "ABCD234\ud800",
    "10 kB": "ABCD2345" * 1280,
    "10 kB of spaces": " " * 10_240 + CODE,
    "None": None,
    "bytes": b"ABCD2345",
    "number": 23456789,
    "list": list("ABCD2345"),
}


class TestEntry:
    """What people type."""

    @each(
        "entry",
        ["ABCD2345", "abcd2345", "AbCd2345", "ABCD-2345", "ABCD 2345", " abcd - 2345\n", "A-B-C-D-2-3-4-5", "\tabcd2345\r\n",
         "ABCD\u00a02345"],
        ids=["as made", "small", "mixed", "hyphen", "space", "both", "hyphens", "tabs and lines", "no-break space"],
    )  # fmt: skip
    def test_forgiving(self, entry: str) -> None:
        """Security 10: case, spaces and hyphens do not matter."""
        assert normalise(entry) == CODE

    def test_as_long_as_can_be(self) -> None:
        """Security 10: an entry of up to 64 characters is looked at, and no longer one."""
        assert normalise(CODE + " " * 56) == CODE
        with pytest.raises(MalformedCodeError):
            normalise(CODE + " " * 57)

    @each("entry", MALFORMED.values(), ids=MALFORMED)
    def test_malformed(self, entry: object) -> None:
        """Security 10: what cannot be a code is refused as input, which is never counted."""
        with pytest.raises(MalformedCodeError) as refusal:
            normalise(entry)
        assert isinstance(refusal.value, InputError)
        assert str(refusal.value) == (
            "That is not a pairing code: it has 8 letters and digits, such as ABCD2345, without I, O, 0 and 1."
        )

    @repeatable
    @given(entry=st.text() | st.text(ALPHABET.lower() + ALPHABET + " -", min_size=6, max_size=12))
    def test_any_text(self, entry: str) -> None:
        """Security 10: any text either becomes a code, which normalises to itself, or is refused."""
        try:
            code = normalise(entry)
        except MalformedCodeError:
            return
        assert normalise(code) == code
        assert len(code) == 8
        assert set(code) <= set(ALPHABET)
        assert "".join(entry.split()).replace("-", "").upper() == code

    @repeatable
    @given(code=a_code, data=st.data())
    def test_every_code_survives_typing(self, code: str, data: st.DataObject) -> None:
        """Security 10: whatever code was made, in any case, with spaces and hyphens anywhere, it is that code."""
        gaps = data.draw(st.lists(st.text(" -", max_size=5), min_size=9, max_size=9))
        flips = data.draw(st.lists(st.booleans(), min_size=8, max_size=8))
        typed = gaps[0] + "".join(
            (symbol.lower() if flip else symbol) + gap for symbol, flip, gap in zip(code, flips, gaps[1:], strict=True)
        )
        assert normalise(typed) == code
