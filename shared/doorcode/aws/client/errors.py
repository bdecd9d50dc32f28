"""What the small client raises: a service's refusal, in boto3's shape, or that no usable answer came."""

from __future__ import annotations

from typing import Any


class ServiceError(Exception):
    """A service refused. ``response`` is what botocore's ClientError carries under that name."""

    def __init__(self, operation: str, response: dict[str, Any]) -> None:
        """Keep the response; the sentence holds its code and nothing that was sent."""
        self.operation = operation
        self.response = response
        super().__init__(f"{operation} was refused: {response['Error']['Code']}")


class TransportError(Exception):
    """No usable answer came. ``sent``: the request may have been carried out all the same."""

    def __init__(self, detail: str, *, sent: bool) -> None:
        """Say what happened, without what was sent or received."""
        self.sent = sent
        super().__init__(detail)


class ConnectError(TransportError):
    """Nobody was reached in time; nothing was sent."""


class NoAnswerError(TransportError):
    """The connection broke, or the answer did not come whole in time. ``kept``: it had been used before."""

    def __init__(self, detail: str, *, sent: bool, kept: bool = False) -> None:
        """Say what happened, and on what kind of connection."""
        self.kept = kept
        super().__init__(detail, sent=sent)


class BadAnswerError(TransportError):
    """What came is no answer of the service: damaged, too long, or in no form that it uses."""
