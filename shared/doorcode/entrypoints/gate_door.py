"""The same door for bots that fetch their messages themselves: asked by a program, it answers in plain values.

Who wrote, and who pressed, is what that program says. All else is as at a webhook: the same gate, waiting room and
budget, the same desk.
"""

from __future__ import annotations

from typing import Any, cast

from doorcode.entrypoints.webhook import Door
from doorcode.errors import CallbackError, DoorcodeError, UnknownButtonError
from doorcode.pairing.contact import Contact, Platform
from doorcode.pairing.gate import GateAction, Reason, Verdict
from doorcode.pairing.messages import Deed, Message, Press
from doorcode.pairing.prompts import Prompt
from doorcode.pairing.texts import Say
from doorcode.platforms.inbound import Inbound, WebhookAnswer

# A stranger is a stranger, whether there is a seat for the request or not.
OF_STRANGERS = frozenset({Reason.PAIRING_REQUESTED, Reason.RATE_LIMITED, Reason.WAITING_ROOM_FULL})


class GateAnswer(WebhookAnswer, frozen=True, kw_only=True):
    """What becomes of a message, why, what to tell whoever wrote (maybe nothing), and what they are called here."""

    action: GateAction
    reason: Reason
    text: str = ""
    label: str = ""


class PressAnswer(WebhookAnswer, frozen=True, kw_only=True):
    """What to tell whoever pressed, and the prompt as it is now, if the press has decided."""

    text: str
    prompt: Prompt | None


class _Values:
    """What a platform's room draws at a webhook, in plain values."""

    # The program tells the person itself, or knows that it could not.
    SHOWS_ANSWERS = True
    ANSWERS_SURELY = True

    def __init__(self, platform: Platform) -> None:
        self.PLATFORM = platform

    def notice(self, _: Message, text: str) -> GateAnswer:
        return GateAnswer(action=GateAction.PAIR, reason=Reason.PAIRING_REQUESTED, text=text)

    def rate_limited(self, _: Message, __: str) -> GateAnswer:
        return GateAnswer(action=GateAction.PAIR, reason=Reason.RATE_LIMITED)

    def dropped(self, _: Message, reason: Reason, __: Say) -> GateAnswer:
        return GateAnswer(action=GateAction.PAIR if reason in OF_STRANGERS else GateAction.DROP, reason=reason)

    def pressed(self, _: Press, text: str, prompt: Prompt | None) -> PressAnswer:
        return PressAnswer(text=text, prompt=prompt)

    def follow_up(self, *_: Any) -> None:
        """Make no call: the program shows the text."""


class PressedElsewhere:
    """How questions are drawn where the program shows the answer: it says itself what was typed, and not where a prompt stands."""

    def place(self, _: Press, /) -> str:
        """Tell of no place: the courier knows those that it made."""
        return ""

    def reason_form(self, *_: Any) -> None:
        """Make no form."""


class GateDoor(Door):
    """One platform's gate, for a program that says who writes and who presses."""

    def __init__(self, platform: Platform, **standing_on: Any) -> None:
        """Decide about people of ``platform``; what it stands on is as ``Door`` has it."""
        # It draws all that is ever drawn here. Nothing is handed on, and what was written is not told, so that it is neither a claim nor a command.
        nothing: Any = None
        super().__init__(
            cast("Inbound", _Values(platform)),
            queue=nothing,
            tickets=nothing,
            glances=nothing,
            **standing_on,
        )

    def ask(self, event: Message | Deed, now: int) -> GateAnswer:
        """Decide on what somebody wrote or did. Raises UnavailableError, SecretError."""
        if isinstance(event, Message):
            answer = self._message(event, now, self._admitted)
        else:
            verdict, contact = self._of_deed(event, now)
            if verdict.action is GateAction.ADMIT:
                answer = self._admitted(event, contact, verdict, now)
            else:
                self._log(event, verdict)
                answer = GateAnswer(action=GateAction.DROP, reason=verdict.reason)
        return cast("GateAnswer", answer)

    def press(self, press: Press, now: int) -> PressAnswer:
        """Decide by an owner's button. Raises UnknownButtonError, UnavailableError, SecretError."""
        return cast("PressAnswer", self._press(press, now))

    def _admitted(self, event: Message | Deed, contact: Contact, verdict: Verdict, _: int) -> GateAnswer:
        self._log(event, verdict)
        return GateAnswer(action=GateAction.ADMIT, reason=verdict.reason, label=contact.label)

    def _refuse(self, press: Press, error: DoorcodeError, text: str, now: int) -> WebhookAnswer | None:
        if isinstance(error, CallbackError):
            # It may be a button of the bot's own: that is for the program to know.
            raise UnknownButtonError(text)
        return super()._refuse(press, error, text, now)
