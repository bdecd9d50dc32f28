"""What a platform's room says of requests that are passed on to a bot: whose they are, and how the bot's answer is taken.

Imported only where the agent is a bot. A table in each room says of every kind of request who did it. What the table does
not name is nobody's, and so is what names several people: it goes no further.
"""

from __future__ import annotations

from typing import Protocol

from doorcode.pairing.gate import Reason
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.messages import Deed
from doorcode.pairing.texts import Say
from doorcode.platforms.inbound import Webhook, WebhookAnswer


class CutsRequests(Protocol):
    """What a platform's module ``deeds`` can do beside that, where a request may hold what many people did."""

    def cut(self, webhook: Webhook, keyring: Keyring, /) -> list[Webhook]:
        """Return a request for each thing that is in a request, signed anew where it is not all of it. Raises UnusablePayloadError."""


class Deeds(Protocol):
    """A platform's module ``deeds``."""

    SECONDS: float
    """How long a request may take in all, from when it arrived to the bot's answer."""

    ANSWER_HEADERS: frozenset[str]
    """What the platform reads of an answer's headers, beside those that say what the body is."""

    def deed(self, webhook: Webhook, bot: str, /) -> Deed:
        """Tell whose a verified request is; ``bot`` is as in ``Inbound.parse``. Raises UnusablePayloadError."""

    def comes_again(self, webhook: Webhook, /) -> bool:
        """Tell whether the platform itself delivers this again where it was not answered."""

    def refused(self, deed: Deed, reason: Reason, say: Say, /) -> WebhookAnswer | None:
        """Answer a deed that goes no further, where the platform must always be answered."""

    def failed(self, deed: Deed, say: Say, /) -> WebhookAnswer:
        """Answer a deed that the bot did not."""

    def takes(self, answer: WebhookAnswer, /) -> bool:
        """Tell whether the platform can do something with the bot's answer, a refusal included."""
