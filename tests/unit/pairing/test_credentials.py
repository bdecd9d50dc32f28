"""What sign-in links, sessions and tokens have in common."""

import hashlib
import hmac
import os
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.pretty import pretty_repr

from doorcode.aws.provisioning import new_secret
from doorcode.aws.waiting_room import random_hex
from doorcode.pairing.agents import WEBHOOK_SECRET
from doorcode.pairing.credentials import Credential, is_credential_id, new_credential, read_credential
from tests.unit.pairing.people import repeatable


def test_no_two_are_alike() -> None:
    """Security 8: each has an id and 256 bits of secret of its own."""
    made = [new_credential() for _ in range(100)]
    assert len({credential.id for credential in made}) == len({credential.secret for credential in made}) == 100
    assert {len(credential.secret) for credential in made} == {43}


def test_chance_comes_from_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """Security 8: nonces, credentials and provisioned secrets are made of the system's cryptographic source alone."""
    made: list[Callable[[], str]] = [
        random_hex,
        lambda: new_credential().text,
        lambda: new_secret("gateway-secret"),
        lambda: new_secret(WEBHOOK_SECRET),
    ]
    monkeypatch.setattr(os, "urandom", bytes)
    monkeypatch.setattr(random, "_urandom", bytes)
    assert random_hex() == "0" * 32
    assert [make() for make in made] == [make() for make in made]


@pytest.mark.parametrize("prefix", ["", "dc_"])
def test_what_was_given_is_read_again(prefix: str) -> None:
    """A holder's text gives the credential back, with its own prefix only."""
    credential = new_credential()
    assert read_credential(prefix + credential.text, prefix) == credential
    assert read_credential("xx_" + credential.text, prefix) is None


@repeatable
@given(st.text() | st.none() | st.binary() | st.integers())
def test_anything_else_is_none(text: object) -> None:
    """Whatever is shown is read or is none; nothing raises."""
    assert read_credential(text) is None
    assert read_credential(text, "dc_") is None
    assert not is_credential_id(text) or len(str(text)) == 16


def test_ids() -> None:
    """An id can be told from everything that is none, so that no other text ever becomes a key."""
    credential = new_credential()
    assert is_credential_id(credential.id)
    assert not [
        text
        for text in (credential.text, credential.id[:-1], credential.id + "\n", "A" * 16, None)
        if is_credential_id(text)
    ]


def test_the_digest_is_the_secret_s() -> None:
    """What is kept is the SHA-256 of the secret alone, and only its secret fits it."""
    credential = Credential("0" * 16, "s" * 43)
    assert credential.digest == hashlib.sha256(b"s" * 43).hexdigest()
    assert credential.fits(credential.digest)
    assert not [text for text in ("", "x", "é", credential.digest[:-1], credential.secret) if credential.fits(text)]


def test_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Security 2: what is compared are digests of one length, by the function that takes the same time for all."""
    lengths = []
    compare = hmac.compare_digest

    def noting(left: bytes, right: bytes) -> bool:
        lengths.append((len(left), len(right)))
        return compare(left, right)

    monkeypatch.setattr(hmac, "compare_digest", noting)
    credential = new_credential()
    assert credential.fits(credential.digest)
    assert not credential.fits("short")
    assert lengths == [(32, 32)] * 2


def test_nothing_shows_the_secret() -> None:
    """Whatever shows a credential, a traceback for example, shows whose it is."""
    credential = new_credential()
    for shown in (repr(credential), pretty_repr(credential)):
        assert credential.id in shown
        assert credential.secret not in shown
