"""The error tree: one root, and a reason that no two share."""

from doorcode import errors
from doorcode.errors import DoorcodeError, LockedOutError, SettingsError, UnavailableError, UnreadableSecretError
from tests.cases import each

ALL = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, DoorcodeError)]


def test_one_root() -> None:
    """Every error of the module descends from the root."""
    assert {
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)
    } == set(ALL)


def test_reasons_differ() -> None:
    """Each error has a machine-readable reason of its own; a secret is unavailable, whether for now or for good."""
    reasons = [error.reason for error in ALL if error is not UnreadableSecretError]
    assert len(set(reasons)) == len(reasons)
    assert all(reason.replace("_", "").isalpha() for reason in reasons)


@each("error", ALL)
def test_no_http(error: type[DoorcodeError]) -> None:
    """An error knows nothing of HTTP."""
    assert not {"status", "status_code"} & set(dir(error))


def test_settings() -> None:
    """Bad settings keep a line each."""
    error = SettingsError(("A: one", "B: two"))
    assert error.problems == ("A: one", "B: two")
    assert str(error) == "A: one; B: two"


def test_unavailable() -> None:
    """Trouble with a service says what was being done and what to do."""
    error = UnavailableError("read a contact", "throttled")
    assert (error.doing, error.detail) == ("read a contact", "throttled")
    assert str(error) == "Could not read a contact: throttled. Nothing is lost; try again in a moment."


def test_locked_out() -> None:
    """Security 13: a lock says when it ends, and how to end it."""
    error = LockedOutError(1_800_000_300)
    assert error.until == 1_800_000_300
    assert "doorcode pairing unlock" in str(error)
