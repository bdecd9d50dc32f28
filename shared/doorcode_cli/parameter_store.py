"""The stack's secrets in Parameter Store, as the operator reads and writes them. No error repeats a value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.target import unreachable

# GetParameters takes ten names at a time.
BATCH_SIZE = 10


class Kept(Struct, frozen=True):
    """A parameter as it is now. Never shown: not even its repr has the value."""

    value: str
    version: int
    # When it was last written, in seconds since 1970.
    modified: float

    def __repr__(self) -> str:
        """Show nothing of the value."""
        return f"Kept(version={self.version})"


class ParameterStore:
    """The parameters below a prefix."""

    def __init__(self, client: Any, prefix: str) -> None:
        """Read and write below ``prefix``, such as ``/doorcode/my-stack``."""
        self._client = client
        self._prefix = prefix

    def read(self, names: Sequence[str]) -> dict[str, Kept]:
        """Return those that are there. Raises CommandError if they cannot be read."""
        kept: dict[str, Kept] = {}
        for start in range(0, len(names), BATCH_SIZE):
            paths = [f"{self._prefix}/{name}" for name in names[start : start + BATCH_SIZE]]
            try:
                answer = self._client.get_parameters(Names=paths, WithDecryption=True)
            except (BotoCoreError, ClientError) as error:
                raise unreachable(error, f"the secrets under {self._prefix}") from None
            for parameter in answer.get("Parameters", []):
                kept[parameter["Name"].removeprefix(f"{self._prefix}/")] = Kept(
                    parameter["Value"], parameter["Version"], parameter["LastModifiedDate"].timestamp()
                )
        return kept

    def take(self, name: str) -> str:
        """Return one. Raises CommandError if it is not there or empty."""
        kept = self.read([name]).get(name)
        if kept is None or not kept.value.strip():
            raise CommandError(f"{name} is not set. Set it with: doorcode secrets set {name}")
        return kept.value.strip()

    def write(self, name: str, value: str, *, kind: str = "SecureString", after: int | None = None) -> None:
        """Set one. ``after`` is the version that was read: raises CommandError if somebody else wrote meanwhile."""
        path = f"{self._prefix}/{name}"
        try:
            answer = self._client.put_parameter(Name=path, Value=value, Type=kind, Overwrite=True)
        except (BotoCoreError, ClientError) as error:
            # The service's own sentence may repeat the value, so only its code is passed on.
            code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
            raise CommandError(f"{path} cannot be written ({code}).", Exit.UNREACHABLE) from None
        if after is not None and answer["Version"] != after + 1:
            raise CommandError(
                f"Somebody else changed {name} at the same moment, and that change is lost. "
                "Look at it with: doorcode secrets status"
            )
