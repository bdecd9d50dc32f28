"""The door before a bot that somebody has: what admitted people do goes on to it, and nothing else.

What is Doorcode's own stays here: handshakes, presses of its buttons, and what strangers write. Whatever else comes goes on
if one person did it, and the gate admits that person, or if it tells the bot about itself.
"""

from __future__ import annotations

from typing import Any, cast

from doorcode.entrypoints import log
from doorcode.entrypoints.bot_proxy import BotProxy
from doorcode.entrypoints.webhook import Door
from doorcode.errors import BotError, SecretError, UnavailableError
from doorcode.pairing import callbacks
from doorcode.pairing.contact import Contact
from doorcode.pairing.gate import GateAction, Verdict
from doorcode.pairing.messages import Deed, Message, Press, Undelivered
from doorcode.pairing.platform import TRAITS
from doorcode.platforms.deeds import CutsRequests, Deeds
from doorcode.platforms.inbound import Event, Handshake, Inbound, UnusablePayloadError, Webhook, WebhookAnswer

ADMITTED_BY, USER = "x-doorcode-admitted-by", "x-doorcode-user"
# The bot refused, or broke over it.
REFUSALS = range(400, 600)


class BotDoor(Door):
    """One platform's webhook, before a bot."""

    def __init__(self, platform: Inbound, *, deeds: Deeds, bot_proxy: BotProxy, **standing_on: Any) -> None:
        """Serve ``platform`` for the bot that ``bot_proxy`` leads to; all else is as ``Door`` has it."""
        super().__init__(platform, **standing_on)
        self._deeds = deeds
        self._proxy = bot_proxy

    def _answered(self, webhook: Webhook, events: list[Event], now: int) -> WebhookAnswer:
        if not TRAITS[self._platform.PLATFORM].many_in_one:
            return self._judged(webhook, events, now)
        try:
            # What several people did is cut, so that the bot gets what those did who are admitted, and nothing else.
            keyring = self._secrets.keyring(self._platform.SECRET, now)
            pieces = cast("CutsRequests", self._deeds).cut(webhook, keyring)
        except SecretError as error:
            self._refused(error)
            return self._platform.failed(self._known_wording.into("", now))
        except UnusablePayloadError as error:
            log.error(str(error), reason=error.reason, platform=self._platform.PLATFORM)
            return self._platform.unusable(self._known_wording.into("", now))

        def judge(piece: Webhook) -> WebhookAnswer:
            return self._judged(piece, self._platform.parse(piece, self._bot(now)), now)

        return self._one_by_one(webhook, pieces, judge, now)

    def _judged(self, webhook: Webhook, events: list[Event], now: int) -> WebhookAnswer:
        """Pass on what one person did, or turn them away."""
        if any(_stays(event) for event in events):
            answers = [self._handle(event, now) for event in events]
            return next((answer for answer in answers if answer is not None), WebhookAnswer())
        try:
            deed = self._deeds.deed(webhook, self._bot(now))
        except UnusablePayloadError as error:
            log.error(str(error), reason=error.reason, platform=self._platform.PLATFORM)
            return self._platform.unusable(self._known_wording.into("", now))

        def hand_on(message: Message, _contact: Contact, verdict: Verdict, _now: int) -> WebhookAnswer:
            return self._passed_on(webhook, deed, message, verdict)

        try:
            message = _message_of(deed, events)
            answer = self._message(message, now, hand_on) if message else self._done(deed, now, webhook)
        except BotError as error:
            log.refused(error, platform=deed.platform, user_id=deed.user_id)
            answer = self._deeds.failed(deed, self._known_wording.into(deed.language, now))
        except (UnavailableError, SecretError) as error:
            self._refused(error)
            answer = self._deeds.failed(deed, self._known_wording.into(deed.language, now))
        return answer or WebhookAnswer()

    def _done(self, deed: Deed, now: int, webhook: Webhook) -> WebhookAnswer | None:
        """Pass on what is no message, or turn away whoever did it."""
        verdict, contact = self._of_deed(deed, now)
        if verdict.action is GateAction.ADMIT:
            return self._passed_on(webhook, deed, deed, verdict)
        self._log(deed, verdict)
        return self._deeds.refused(deed, verdict.reason, self._say_to(deed, contact, now))

    def _passed_on(self, webhook: Webhook, deed: Deed, event: Message | Deed, verdict: Verdict) -> WebhookAnswer:
        said = {ADMITTED_BY: str(verdict.reason)} | ({USER: deed.user_id} if deed.user_id else {})
        answer = self._proxy.pass_on(
            webhook,
            said,
            comes_again=self._deeds.comes_again(webhook),
            answered=self._deeds.ANSWER_HEADERS,
        )
        if not self._deeds.takes(answer):
            raise BotError(f"answered {answer.status}, of which the platform can make nothing")
        if answer.status in REFUSALS:
            log.refused(BotError(f"answered {answer.status}"), platform=deed.platform, user_id=deed.user_id)
        else:
            self._log(event, verdict)
        return answer


def _stays(event: Event) -> bool:
    if isinstance(event, Press):
        return callbacks.is_ours(event.data) or callbacks.is_question(event.data)
    # What did not arrive was sent from here: the bot's own is not marked so.
    return isinstance(event, Handshake | Undelivered)


def _message_of(deed: Deed, events: list[Event]) -> Message | None:
    """Return the message that the deed is, if it is one and nobody's but theirs."""
    if len(events) == 1 and isinstance(events[0], Message) and events[0].user_id == deed.user_id:
        return events[0]
    return None
