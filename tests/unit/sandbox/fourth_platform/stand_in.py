"""A stand-in for a made-up platform's office: it takes telegrams, and knows where its own are to go."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from doorcode_sandbox.platforms.server import Answer, Message, Request, Routed, StandIn, json_answer


class MorseStandIn(StandIn):
    """The office."""

    NAME = "morse"
    MADE_UP: ClassVar[str] = "none"

    def __init__(self, token: str = "none", **options: Any) -> None:
        """Take everything."""
        super().__init__(token, **options)
        self.goes_to = ("", "")

    def credentials(self) -> dict[str, str]:
        """Return the key."""
        return {"morse/key": "dot-dash"}

    def register(self, url: str, secret: str) -> None:
        """Send them there."""
        self.goes_to = (url, secret)

    def route(self, request: Request) -> Routed | Answer:
        """Take a telegram."""
        fields = msgspec.json.decode(request.body)
        return Routed("send", fields["to"], fields)

    def perform(self, call: Routed) -> Answer:
        """Deliver it."""
        number = str(len(self.messages))
        self.messages[call.chat, number] = Message(
            chat=call.chat, id=number, shown=call.fields, at=self.clock(), call="send"
        )  # fmt: skip
        return json_answer({"number": number})

    def limited(self, delay: float) -> Answer:
        """Ask to wait."""
        return json_answer({"wait": delay}, 429)
