"""Making secrets that are missing. Never reads one, never overwrites one, and never shows one."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from doorcode.errors import SecretError
from doorcode.pairing.agents import SIGNING_PREFIX, WEBHOOK_SECRET
from doorcode.pairing.platform import TRAITS
from doorcode.pairing.ports import CALLBACK_SECRET, GATEWAY_SECRET

# Nobody else has these. The platforms' own tokens and keys are set by the operator.
MADE_HERE = (
    GATEWAY_SECRET,
    CALLBACK_SECRET,
    *(name for traits in TRAITS.values() for name in traits.made_secrets),
    WEBHOOK_SECRET,
)
SECRET_BYTES = 32
EXISTS = "ParameterAlreadyExists"
# What a role that was made a moment ago is told until all of IAM knows of it.
DENIED = "AccessDeniedException"


class PutParameterClient(Protocol):
    """What is used of an SSM client, as boto3 documents it."""

    def put_parameter(self, **kwargs: Any) -> Any: ...  # noqa: D102


def new_secret(name: str) -> str:
    """Return 256 random bits in the form that the secret of that name has.

    It is A-Z, a-z, 0-9, - and _: all that a platform takes for a webhook's secret; save where Standard Webhooks says.
    """
    if name == WEBHOOK_SECRET:
        return f"{SIGNING_PREFIX}{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"
    return secrets.token_urlsafe(SECRET_BYTES)


def create_missing_secrets(
    client: PutParameterClient,
    prefix: str,
    new: Callable[[str], str] = new_secret,
    wait: Callable[[], bool] = lambda: False,
) -> list[str]:
    """Create those secrets under ``prefix`` that are not there, and return their names.

    The write itself refuses to overwrite, so that of two at once the first one's secret stays. A right that is lacking
    may only not be known everywhere yet: ``wait`` waits, and says whether to try again. Raises SecretError.
    """
    return [name for name in MADE_HERE if _create(client, f"{prefix.rstrip('/')}/{name}", new(name), wait)]


def _create(client: PutParameterClient, path: str, value: str, wait: Callable[[], bool]) -> bool:
    while True:
        made = _tried(client, path, value)
        if made is not None:
            return made
        if not wait():
            raise SecretError(f"The secret {path} cannot be created ({DENIED}).")


def _tried(client: PutParameterClient, path: str, value: str) -> bool | None:
    """Try once: made, there already, or, as None, denied."""
    try:
        client.put_parameter(
            Name=path,
            Description="Made by Doorcode. Rotate it with: doorcode secrets rotate",
            Type="SecureString",
            Value=value,
            Overwrite=False,
        )
    except Exception as error:  # noqa: BLE001
        # The client's own words may repeat the value, so only its code is passed on.
        response = getattr(error, "response", None)
        code = response.get("Error", {}).get("Code", "unknown") if isinstance(response, Mapping) else ""
        if code == EXISTS:
            return False
        if code == DENIED:
            return None
        raise SecretError(f"The secret {path} cannot be created ({code or type(error).__name__}).") from None
    return True
