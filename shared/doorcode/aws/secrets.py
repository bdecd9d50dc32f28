"""Secrets in SSM Parameter Store: one batched read, cached, and read again when nothing cached fits.

A missing, empty or unreadable secret is an error, never an open door. A failed refresh keeps what was read before, so
that the door goes on working while SSM does not; but for an hour past its age and no longer, for what was read may have
been dropped since.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from doorcode.aws.retrying import Retrying
from doorcode.errors import SecretError, UnavailableError, UnreadableSecretError
from doorcode.pairing.keyring import Keyring, parse_keyring

REREAD_SECONDS = 2
# For so long past its age a secret goes on being used while none can be read.
GRACE_SECONDS = 3600
# Refreshes are spread over the last fifth of the age, so that many functions do not ask in the same second.
JITTER = 0.2
# GetParameters takes ten names at a time.
BATCH_SIZE = 10


class ParametersClient(Protocol):
    """What is used of an SSM client, as boto3 documents it."""

    def get_parameters(self, **kwargs: Any) -> Any: ...  # noqa: D102


class SecretStore:
    """The secrets of one function, by name below a prefix, such as ``/doorcode/my-stack``."""

    def __init__(  # noqa: PLR0913 (the seams for trouble and chance)
        self,
        client: ParametersClient,
        prefix: str,
        names: Sequence[str],
        *,
        max_age: int,
        retrying: Retrying | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """Read ``names``, and nothing else, and keep them for at most ``max_age`` seconds.

        While they cannot be read again, they are kept for ``GRACE_SECONDS`` more. Without ``retrying`` a
        read is tried once.
        """
        self._client = client
        self._prefix = prefix.rstrip("/")
        self._names = tuple(names)
        self._max_age = max_age
        self._retrying = retrying or Retrying(0)
        self._chance = chance
        self._texts: Mapping[str, str] = {}
        # What was made of the texts already: every message asks for the same rings.
        self._rings: dict[str, Keyring] = {}
        self._fresh_until = 0.0
        self._kept_until = 0
        self._read_at: int | None = None
        # Why the last read failed; empty if it did not.
        self._failed = ""

    def keyring(self, name: str, now: int) -> Keyring:
        """Return the keyring of that name, at most ``max_age`` old. Raises SecretError."""
        return self._usable(name, now)

    def reread(self, name: str, now: int) -> Keyring | None:
        """Return the keyring as it is now; None if it is unchanged, or if all was read in the last 2 seconds.

        Raises SecretError if it is gone.
        """
        if not self._may_read(now):
            return None
        before = self._texts.get(name)
        self._refresh(now)
        return None if self._texts.get(name) == before else self._found(name)

    def text(self, name: str, now: int) -> str:
        """Return a secret as it stands, for what is no keyring, such as a token. Raises SecretError."""
        self._usable(name, now)
        return self._texts[name].strip()

    def known(self, name: str, now: int) -> str:
        """Return what may be missing, as it stands; empty if it is, which costs no read of its own. Raises SecretError."""
        if now >= self._fresh_until:
            self._refresh(now)
        return self._texts.get(name, "").strip()

    def _usable(self, name: str, now: int) -> Keyring:
        if now >= self._fresh_until:
            self._refresh(now)
        try:
            return self._found(name)
        except SecretError:
            # It may have been set since: whoever has just done so should not have to wait for the cache.
            if not self._may_read(now):
                raise
            self._refresh(now)
            return self._found(name)

    def _may_read(self, now: int) -> bool:
        return self._read_at is None or not 0 <= now - self._read_at < REREAD_SECONDS

    def _refresh(self, now: int) -> None:
        # With an age of 0 every call reads; a failed read is not repeated for 2 seconds, whatever flood asks for it.
        if self._failed and not self._may_read(now):
            self._keep(now)
            return
        self._read_at = now
        try:
            texts = self._read()
        except Exception as error:  # noqa: BLE001
            # Whatever the client raises, from throttling to a refused permission.
            self._failed = f"The secrets under {self._prefix} cannot be read ({_detail(error)})."
            self._keep(now)
            return
        self._failed = ""
        self._texts, self._rings = texts, {}
        self._fresh_until = now + self._max_age * (1 - JITTER * self._chance())
        self._kept_until = now + self._max_age + GRACE_SECONDS

    def _keep(self, now: int) -> None:
        """Go on with what was read last. Raises UnreadableSecretError where there is nothing, or it is too old."""
        if now >= self._kept_until:
            self._texts, self._rings = {}, {}
        if not self._texts:
            raise UnreadableSecretError(self._failed)

    def _read(self) -> dict[str, str]:
        texts: dict[str, str] = {}
        for start in range(0, len(self._names), BATCH_SIZE):
            paths = [f"{self._prefix}/{name}" for name in self._names[start : start + BATCH_SIZE]]
            answer = self._retrying.ask(
                "read the secrets", partial(self._client.get_parameters, Names=paths, WithDecryption=True)
            )
            texts |= {
                parameter["Name"].removeprefix(f"{self._prefix}/"): parameter["Value"]
                for parameter in answer.get("Parameters", [])
            }
        return texts

    def _found(self, name: str) -> Keyring:
        ring = self._rings.get(name)
        if ring is None:
            ring = self._rings[name] = self._parsed(name)
        return ring

    def _parsed(self, name: str) -> Keyring:
        if name not in self._texts:
            raise SecretError(f"The secret {self._prefix}/{name} is missing. Set it with: doorcode secrets set {name}")
        try:
            return parse_keyring(self._texts[name])
        except SecretError:
            raise SecretError(
                f"The secret {self._prefix}/{name} is empty. Set it with: doorcode secrets set {name}",
            ) from None


def _detail(error: Exception) -> str:
    return error.detail if isinstance(error, UnavailableError) else type(error).__name__
