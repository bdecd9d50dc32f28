"""Secrets from Parameter Store: cached, refreshed, rotated, and never an open door."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from doorcode.aws.secrets import SecretStore
from doorcode.errors import SecretError, UnreadableSecretError
from tests.harness import T0, RecordingClient

PREFIX = "/doorcode/test"
NAMES = ("gateway-secret", "callback-secret", "telegram/webhook-secret")


@pytest.fixture
def parameters(ssm: Any) -> RecordingClient:
    """Give a Parameter Store that holds the secrets, and counts."""
    for name in NAMES:
        put(ssm, name, f"{name} one")
    return RecordingClient(ssm)


def put(client: Any, name: str, value: str) -> None:
    """Set a secret."""
    client.put_parameter(Name=f"{PREFIX}/{name}", Value=value, Type="SecureString", Overwrite=True)


def store(client: Any, max_age: int = 300, names: tuple[str, ...] = NAMES, chance: float = 0.0) -> SecretStore:
    """Make a store that refreshes without jitter."""
    return SecretStore(client, PREFIX, names, max_age=max_age, chance=lambda: chance)


def fail(client: RecordingClient) -> None:
    """Let every further read fail."""

    def throttled(_: str) -> None:
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "GetParameters")

    client.before = throttled


def test_all_secrets_come_in_one_read(parameters: RecordingClient) -> None:
    """However many secrets are used, one batched and decrypting read brings them."""
    secrets = store(parameters)
    for name in NAMES:
        assert secrets.keyring(name, T0).newest == f"{name} one".encode()
    assert parameters.calls == ["get_parameters"]
    assert parameters.arguments[0]["WithDecryption"] is True


def test_a_keyring_has_one_secret_a_line(parameters: RecordingClient) -> None:
    """Security 30: several lines are several secrets, newest first."""
    put(parameters, "gateway-secret", "new\n old \r\n\n")
    assert store(parameters).keyring("gateway-secret", T0).secrets == (b"new", b"old")


def test_a_keyring_is_made_once(parameters: RecordingClient) -> None:
    """Until the next read it is the same ring; after it, whatever was read then."""
    secrets = store(parameters)
    first = secrets.keyring("gateway-secret", T0)
    assert secrets.keyring("gateway-secret", T0 + 299) is first
    put(parameters, "gateway-secret", "another")
    assert secrets.keyring("gateway-secret", T0 + 300).secrets == (b"another",)


def test_more_than_ten_are_read_in_batches(parameters: RecordingClient) -> None:
    """Parameter Store gives ten at a time."""
    names = tuple(f"secret-{n}" for n in range(12))
    for name in names:
        put(parameters, name, name)
    parameters.calls.clear()
    secrets = store(parameters, names=names)
    assert [secrets.text(name, T0) for name in names] == list(names)
    assert parameters.calls == ["get_parameters"] * 2


@pytest.mark.parametrize(("age", "reads"), [(299, 1), (300, 2)])
def test_the_cache_has_an_age(parameters: RecordingClient, age: int, reads: int) -> None:
    """Within its age a secret is not read again; past it, it is."""
    secrets = store(parameters)
    secrets.keyring("gateway-secret", T0)
    secrets.keyring("gateway-secret", T0 + age)
    assert len(parameters.calls) == reads


def test_the_age_is_jittered_downwards(parameters: RecordingClient) -> None:
    """Refreshes are spread over the last fifth of the age, never beyond it."""
    secrets = store(parameters, chance=1.0)
    secrets.keyring("gateway-secret", T0)
    secrets.keyring("gateway-secret", T0 + 239)
    assert len(parameters.calls) == 1
    secrets.keyring("gateway-secret", T0 + 240)
    assert len(parameters.calls) == 2


def test_an_age_of_zero_reads_every_time(parameters: RecordingClient) -> None:
    """SECRETS_MAX_AGE_SECONDS=0 means no cache."""
    secrets = store(parameters, max_age=0)
    for _ in range(3):
        secrets.keyring("gateway-secret", T0)
    assert len(parameters.calls) == 3


def test_a_dropped_secret_fails_within_the_age(parameters: RecordingClient) -> None:
    """Security 30: once the old secret is dropped, a warm function stops accepting it within the cache's age."""
    put(parameters, "gateway-secret", "new\nold")
    secrets = store(parameters)
    assert b"old" in secrets.keyring("gateway-secret", T0).secrets
    put(parameters, "gateway-secret", "new")
    assert b"old" not in secrets.keyring("gateway-secret", T0 + 300).secrets


def test_when_nothing_fits_it_is_read_again_but_at_most_once_in_two_seconds(parameters: RecordingClient) -> None:
    """Security 30: a new secret works at once in warm functions; a flood of bad signatures does not flood SSM."""
    secrets = store(parameters)
    secrets.keyring("gateway-secret", T0)
    put(parameters, "gateway-secret", "two")
    parameters.calls.clear()
    assert secrets.reread("gateway-secret", T0 + 1) is None
    assert parameters.calls == []
    fresh = secrets.reread("gateway-secret", T0 + 2)
    assert fresh is not None
    assert fresh.newest == b"two"
    for _ in range(100):
        assert secrets.reread("gateway-secret", T0 + 3) is None
    assert len(parameters.calls) == 1


def test_an_unchanged_secret_is_not_tried_twice(parameters: RecordingClient) -> None:
    """A second read that brings the same secret has nothing new to try."""
    secrets = store(parameters)
    secrets.keyring("gateway-secret", T0)
    assert secrets.reread("gateway-secret", T0 + 2) is None


def test_a_clock_that_steps_back_does_not_stop_rereading(parameters: RecordingClient) -> None:
    """A read that lies in the future does not count as just now."""
    secrets = store(parameters)
    secrets.keyring("gateway-secret", T0)
    put(parameters, "gateway-secret", "two")
    assert secrets.reread("gateway-secret", T0 - 3600) is not None


def test_a_failed_refresh_keeps_what_there_was(parameters: RecordingClient) -> None:
    """The door works on while Parameter Store does not, and asks it again at most once in two seconds."""
    secrets = store(parameters)
    before = secrets.keyring("gateway-secret", T0)
    fail(parameters)
    parameters.calls.clear()
    for second in (300, 300, 301, 302):
        assert secrets.keyring("gateway-secret", T0 + second) == before
    assert len(parameters.calls) == 2
    assert secrets.reread("gateway-secret", T0 + 304) is None


@pytest.mark.parametrize("use", ["keyring", "text"])
def test_what_was_dropped_is_kept_for_an_hour_at_most(parameters: RecordingClient, use: str) -> None:
    """Security 30: while nothing can be read, what was read verifies for an hour past its age, and never after."""
    secrets = store(parameters)
    secrets.keyring("gateway-secret", T0)
    fail(parameters)
    last = T0 + 300 + 3600 - 1
    assert secrets.keyring("gateway-secret", last)
    for second in (1, 2, 3, 30 * 86_400):
        with pytest.raises(UnreadableSecretError, match="ThrottlingException"):
            getattr(secrets, use)("gateway-secret", last + second)
    parameters.before = lambda _: None
    assert secrets.keyring("gateway-secret", last + 30 * 86_400 + 2)


def test_a_first_read_that_fails_is_an_error(parameters: RecordingClient) -> None:
    """Security 1: without a secret nothing is accepted; a flood does not ask more than every two seconds; it recovers."""
    secrets = store(parameters)
    fail(parameters)
    parameters.calls.clear()
    with pytest.raises(SecretError, match="ThrottlingException"):
        secrets.keyring("gateway-secret", T0)
    with pytest.raises(UnreadableSecretError, match="ThrottlingException"):
        secrets.keyring("gateway-secret", T0 + 1)
    assert len(parameters.calls) == 1
    parameters.before = lambda _: None
    assert secrets.keyring("gateway-secret", T0 + 2)


def test_a_broken_connection_is_an_error_too(parameters: RecordingClient) -> None:
    """Security 1: whatever the client raises, nothing is let through."""

    def reset(_: str) -> None:
        raise ConnectionResetError

    parameters.before = reset
    with pytest.raises(SecretError, match="ConnectionResetError"):
        store(parameters).keyring("gateway-secret", T0)


@pytest.mark.parametrize("value", [" ", "\n \n"], ids=["blank", "blank lines"])
def test_an_empty_secret_is_an_error(parameters: RecordingClient, value: str) -> None:
    """Security 1: an empty secret verifies nothing; the error names it and the command, and not its content."""
    put(parameters, "gateway-secret", value)
    with pytest.raises(SecretError, match="doorcode secrets set gateway-secret"):
        store(parameters).keyring("gateway-secret", T0)


@pytest.mark.parametrize("use", ["keyring", "text"])
def test_a_missing_secret_is_an_error(parameters: RecordingClient, use: str) -> None:
    """Security 1: a secret that does not exist is an error, and the others still work."""
    secrets = store(parameters, names=(*NAMES, "slack/signing-secret"))
    with pytest.raises(SecretError, match="slack/signing-secret is missing"):
        getattr(secrets, use)("slack/signing-secret", T0)
    assert secrets.keyring("gateway-secret", T0)


@pytest.mark.parametrize("before", [None, " "], ids=["missing", "blank"])
def test_a_secret_that_was_just_set_works_in_a_warm_function(parameters: RecordingClient, before: str | None) -> None:
    """What the error said to set is used at once, and not asked for more than once in two seconds."""
    if before is not None:
        put(parameters, "slack/signing-secret", before)
    secrets = store(parameters, names=(*NAMES, "slack/signing-secret"))
    parameters.calls.clear()
    for second in (0, 0, 1, 1, 2):
        with pytest.raises(SecretError):
            secrets.keyring("slack/signing-secret", T0 + second)
    assert len(parameters.calls) == 2
    put(parameters, "slack/signing-secret", "set")
    assert secrets.keyring("slack/signing-secret", T0 + 4).newest == b"set"


def test_a_secret_that_disappears_refuses(parameters: RecordingClient) -> None:
    """Security 1: a secret that was deleted stops working within the age; it is not kept like after a failure."""
    secrets = store(parameters)
    secrets.keyring("gateway-secret", T0)
    parameters.delete_parameter(Name=f"{PREFIX}/gateway-secret")
    with pytest.raises(SecretError):
        secrets.keyring("gateway-secret", T0 + 300)


def test_only_its_own_secrets_are_read(parameters: RecordingClient) -> None:
    """Security 32: a store asks for the names that it was given, below its prefix, and no others."""
    store(parameters, names=("gateway-secret",)).keyring("gateway-secret", T0)
    assert parameters.arguments[-1]["Names"] == [f"{PREFIX}/gateway-secret"]


def test_a_token_is_given_as_it_stands(parameters: RecordingClient) -> None:
    """What is no keyring is one text, without the white space around it."""
    put(parameters, "gateway-secret", " 123:abc\n")
    assert store(parameters).text("gateway-secret", T0) == "123:abc"
    assert store(parameters).text("gateway-secret", T0 + 300) == "123:abc"
