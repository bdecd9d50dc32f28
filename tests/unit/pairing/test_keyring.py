"""Secrets: several at a time, never none, and never shown."""

import hashlib
import hmac
from collections.abc import Callable

import pytest

from doorcode.errors import SecretError
from doorcode.pairing.keyring import Keyring, key_id, parse_keyring, same
from tests.cases import each


class TestParsing:
    """One secret per line, newest first."""

    @each(
        ("text", "secrets"),
        [
            ("one", (b"one",)),
            ("two\none", (b"two", b"one")),
            ("two\r\none\r\n", (b"two", b"one")),
            ("\n\n two \n\n\tone\n\n", (b"two", b"one")),
            ("pass phrase", (b"pass phrase",)),
            ("gr\u00fcn", ("gr\u00fcn".encode(),)),
        ],
        ids=["one", "two", "CRLF", "blanks", "inner space", "UTF-8"],
    )
    def test_lines(self, text: str, secrets: tuple[bytes, ...]) -> None:
        """Blank lines and the white space around a secret do not count; the order stays."""
        assert parse_keyring(text).secrets == secrets
        assert parse_keyring(text).newest == secrets[0]

    @pytest.mark.parametrize("text", ["", " ", "\n", "\r\n\t\r\n"], ids=["nothing", "space", "line", "blank lines"])
    def test_empty(self, text: str) -> None:
        """Security 1: an empty secret is an error and never a key."""
        with pytest.raises(SecretError):
            parse_keyring(text)

    @pytest.mark.parametrize("secrets", [(), (b"",), (b"one", b""), (b"", b"one")])
    def test_never_empty(self, secrets: tuple[bytes, ...]) -> None:
        """Security 1: no ring holds an empty secret, however it was made."""
        with pytest.raises(SecretError):
            Keyring(secrets)


class TestShown:
    """Secrets end up in logs by way of a repr."""

    RING = Keyring((b"hunter2", b"correct horse"))

    @each("show", [repr, str, "{}".format, lambda ring: str([ring]), lambda ring: str(ring.__rich_repr__())])
    def test_nothing(self, show: Callable[[Keyring], str]) -> None:
        """A ring shows how many secrets it holds, and nothing of them: to repr, to str, to rich."""
        shown = show(self.RING)
        assert "2" in shown
        assert "hunter" not in shown
        assert "horse" not in shown


class TestFinding:
    """A secret by its name."""

    def test_key_id(self) -> None:
        """A secret is named by the first 8 hex characters of its SHA-256."""
        assert key_id(b"one") == hashlib.sha256(b"one").hexdigest()[:8] == "7692c3ad"

    def test_found(self) -> None:
        """Every secret on the ring is found by its name."""
        ring = Keyring((b"two", b"one"))
        assert [ring.find(key_id(secret)) for secret in ring.secrets] == [b"two", b"one"]

    @each("wanted", ["", "00000000", key_id(b"one")[:7], key_id(b"one") + "0", key_id(b"one").upper(), "one"])
    def test_not_found(self, wanted: str) -> None:
        """Security 5: a name that is shorter, longer or empty finds nothing."""
        assert Keyring((b"one",)).find(wanted) is None


class TestSame:
    """The one comparison of secrets."""

    @each(
        ("left", "right", "equal"),
        [
            (b"", b"", True),
            (b"abc", b"abc", True),
            (b"abc", b"abd", False),
            (b"abc", b"ab", False),
            (b"abc", b"", False),
            (b"abc", b"ABC", False),
            (b"\x00", b"", False),
        ],
    )
    def test_equal(self, left: bytes, right: bytes, equal: bool) -> None:
        """Two texts are the same if every byte is."""
        assert same(left, right) is equal
        assert same(right, left) is equal

    def test_fixed_length(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Security 2: what is compared, in constant time, are digests of one length."""
        lengths = []

        def compare(left: bytes, right: bytes) -> bool:
            lengths.append((len(left), len(right)))
            return compare_digest(left, right)

        compare_digest = hmac.compare_digest
        monkeypatch.setattr(hmac, "compare_digest", compare)
        same(b"a", b"a" * 10_000)
        assert lengths == [(32, 32)]
