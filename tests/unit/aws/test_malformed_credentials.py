"""What cannot be a link, a cookie, a token or an id never reaches the table, and is told nothing else than any other."""

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import pytest

from doorcode.aws.sign_ins import SignIns
from doorcode.aws.table import Table
from doorcode.aws.tokens import Tokens
from doorcode.errors import DoorcodeError, InvalidTimeError, InvalidTokenNameError, SignInError
from doorcode.pairing.access import Scope
from tests.cases import each

NOW = 1_800_000_000
VALUE = f"{'0' * 16}.{'A' * 43}"
MALFORMED = {
    "empty": "",
    "prefix only": "dc_",
    "no secret": "0" * 16,
    "empty secret": f"{'0' * 16}.",
    "short secret": VALUE[:-1],
    "long secret": f"{VALUE}A",
    "line end": f"{VALUE}\n",
    "space before": f" {VALUE}",
    "padding": f"{VALUE}=",
    "capital id": f"{'A' * 16}.{'A' * 43}",
    "other digits": f"{'٣' * 16}.{'A' * 43}",
    "prefix twice": f"dc_dc_{VALUE}",
    "capital prefix": f"DC_{VALUE}",
    "a book": "x" * 100_000,
    "a token's book": f"dc_{'x' * 100_000}",
    "surrogate": "\ud800",
    "no text": None,
}
NO_IDS = ["", "*", "tokens", VALUE, f"dc_{VALUE}", "0" * 15, "A" * 16, "x" * 5000]


class Untouched:
    """Stands in a client's place, and is never asked anything."""

    def __getattr__(self, name: str) -> NoReturn:
        """Fail."""
        pytest.fail(f"the table was asked: {name}")


@pytest.fixture
def table() -> Table:
    """Give a table that must not be asked."""
    return Table(Untouched(), "doorcode")


def told(act: Callable[[], Any]) -> str:
    """Check that somebody is refused as not signed in; return what they are told."""
    with pytest.raises(SignInError) as error:
        act()
    return str(error.value)


@each("text", MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_a_link_or_a_cookie(table: Table, text: Any) -> None:
    """A text that cannot be a link's token or a cookie costs no read."""
    sign_ins = SignIns(table)
    for act in (sign_ins.redeem, sign_ins.principal):
        assert told(partial(act, text, NOW)) == str(SignInError())


@each("text", [*MALFORMED.values(), VALUE], ids=[*MALFORMED, "a cookie"])
def test_what_cannot_be_a_token(table: Table, text: Any) -> None:
    """A text that cannot be a token costs no read."""
    assert told(lambda: Tokens(table).principal(text, NOW)) == str(SignInError())


@each("text", NO_IDS)
def test_only_ids_end_anything(table: Table, text: str) -> None:
    """What cannot be an id ends and revokes nothing, and costs no write."""
    assert SignIns(table).end(text) is False
    assert Tokens(table).revoke(text) is False


@each(
    ("name", "until", "error"),
    [
        *((name, 0, InvalidTokenNameError) for name in ("x" * 59, "a\nb", "\u202eevil", " ci", "ci ")),
        *(("ci", until, InvalidTimeError) for until in (NOW, NOW - 1, -1, 10**12)),
    ],
)
def test_a_token_that_cannot_be_shown_or_never_works(
    table: Table, name: str, until: int, error: type[DoorcodeError]
) -> None:
    """Security 28: a name is shown as it was given or not taken; a token that would never work is not made."""
    with pytest.raises(error):
        Tokens(table).create(name, {Scope.READ}, "alice", NOW, until)
