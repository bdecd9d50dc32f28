"""Who is signed in, and how a token is named."""

import pytest

from doorcode.errors import InputError, InvalidTimeError, InvalidTokenNameError, SignInError
from doorcode.pairing.access import Scope, checked_token_end, checked_token_name, scope_words, scopes_named, token_actor
from doorcode.pairing.contact import END_OF_TIME
from doorcode.pairing.names import safe_name
from tests.cases import each
from tests.unit.pairing.people import NOW


def test_scopes() -> None:
    """Security 20: to read and to decide are scopes of their own, and so is each thing that a bot or an agent needs."""
    assert set(Scope) == {"read", "pairing", "messages", "gate", "asks", "presses"}


def test_several_scopes() -> None:
    """Several are written in one order with spaces between, however they were given, and none is none at all."""
    assert scope_words({Scope.PRESSES, Scope.GATE}) == "gate presses"
    assert scopes_named("presses  gate gate") == {Scope.GATE, Scope.PRESSES}
    for text in ("", " ", "admin", "gate,presses", "gate admin", "GATE"):
        with pytest.raises(InputError):
            scopes_named(text)


def test_a_token_is_shown_by_its_name() -> None:
    """What a token decides is shown under its name, or under its id if it has none."""
    assert token_actor("ci", "0123456789abcdef") == "token ci"
    assert token_actor("", "0123456789abcdef") == "token 0123456789abcdef"


@pytest.mark.parametrize("name", ["", "ci", "Nightly run, 3 o'clock", "x" * 58])
def test_names_that_can_be_shown(name: str) -> None:
    """Security 28: a name is taken as it is, and still fits where it is shown as who decided."""
    assert checked_token_name(name) == name
    assert safe_name(token_actor(name, "0" * 16)) == token_actor(name, "0" * 16)


@each("name", ["x" * 59, " ci", "ci ", "a\nb", "\u202eci", "\x1b[2J"])
def test_names_that_cannot_be_shown(name: str) -> None:
    """Security 28: a name that would be shown otherwise than it was given is refused."""
    with pytest.raises(InvalidTokenNameError):
        checked_token_name(name)


def test_ends() -> None:
    """A token ends never, or ahead, or it is not made."""
    assert checked_token_end(0, NOW) == 0
    assert checked_token_end(NOW + 1, NOW) == NOW + 1
    for until in (NOW, NOW - 1, END_OF_TIME + 1):
        with pytest.raises(InvalidTimeError):
            checked_token_end(until, NOW)


def test_who_is_not_signed_in_is_not_told_why() -> None:
    """Security 12: there is one sentence for everything that does not sign in."""
    assert str(SignInError()) == str(SignInError())
    assert SignInError.reason == "not_signed_in"
