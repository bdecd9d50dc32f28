"""The edge: bytes → verify → parse → read the contact → decide → act → answer, the same for every platform."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec
from msgspec import UNSET

from doorcode.aws.agent_queue import AgentQueue
from doorcode.aws.budget import MessageBudget
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints import http, log
from doorcode.entrypoints.owner_texts import OwnerTexts
from doorcode.errors import CallbackError, DoorcodeError, ForbiddenError, RefusedError, SecretError, UnavailableError
from doorcode.pairing import callbacks, gate, texts
from doorcode.pairing.agents import ANSWERS_LATER, AgentKind
from doorcode.pairing.callbacks import Callback
from doorcode.pairing.contact import Contact, Standing, Via
from doorcode.pairing.decisions import Actor, Desk, Order
from doorcode.pairing.gate import GateAction, Reason, Verdict
from doorcode.pairing.hand_off import QueuedHandOff, hand_off, queued
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.messages import ChatType, Come, Deed, Edit, Ignored, Message, Press, Undelivered
from doorcode.pairing.platform import TRAITS, Platform
from doorcode.pairing.ports import CALLBACK_SECRET, GATEWAY_SECRET, Secrets, code_of, fitting
from doorcode.pairing.prompts import closed_prompt
from doorcode.pairing.settings import Settings, UnknownReply
from doorcode.pairing.texts import Say
from doorcode.pairing.transitions import Asked, Operation, RequestVerdict
from doorcode.pairing.wording import Wording, language_tag
from doorcode.platforms.inbound import (
    BadSignatureError,
    Event,
    FollowUp,
    Handshake,
    Inbound,
    UnreadableBodyError,
    UnusablePayloadError,
    Webhook,
    WebhookAnswer,
    Word,
)

if TYPE_CHECKING:
    from doorcode.aws.kept_messages import KeptMessages
    from doorcode.entrypoints.asking.presses import PressOutcome
    from doorcode.entrypoints.owner_glance import Glance
    from doorcode.entrypoints.ticket_office import Served


T = TypeVar("T")


class TakesTickets(Protocol):
    """Takes what looks like a claim or an invite; ``ticket_office`` has the one that does."""

    def serve(self, message: Message, contact: Contact, now: int) -> Served | Message:
        """Return what becomes of the message, or what goes on through the gate instead."""


class Glances(Protocol):
    """Looks who waits, for an owner; ``owner_glance`` has the one that does."""

    def look(self, message: Message, say: Say, now: int) -> Glance:
        """Return what the owner is told, in the words of ``say``."""


class TakesAnswers(Protocol):
    """Takes presses under questions to the owner; ``asking.presses`` has the one that does."""

    def take(self, press: Press, now: int) -> PressOutcome:
        """Return what becomes of a press. Raises CallbackError and ForbiddenError."""


class TakesWords(Protocol):
    """Has something said by a message of its own; ``WordQueue`` does."""

    def send(self, platform: Platform, word: Word, key: str, now: int) -> None:
        """Have it said, once for each ``key``. Raises UnavailableError."""


class TakesNews(Protocol):
    """Hands on what did not arrive; ``UndeliveredQueue`` does."""

    def send(self, news: Undelivered) -> None:
        """Hand it on. Raises UnavailableError."""

    def tell_again(self, platform: Platform, user_id: str, delivery: str) -> None:
        """Have somebody told again what did not arrive. Raises UnavailableError."""


class NotesProgress(Protocol):
    """Remembers how far a request came; ``aws.progress`` has what does."""

    def of(self, platform: Platform, body: bytes, now: int) -> Come:
        """Return how far it came. Raises UnavailableError."""

    def note(self, platform: Platform, body: bytes, before: Come, after: Come, now: int) -> None:
        """Remember how far it came since. Raises UnavailableError."""


OPERATIONS = {
    callbacks.Action.APPROVE: Operation.APPROVE,
    callbacks.Action.DENY: Operation.DENY,
    callbacks.Action.BLOCK: Operation.BLOCK,
}


HandOn = Callable[[Message, Contact, Verdict, int], WebhookAnswer | None]
"""Brings an admitted message to whoever answers it, and returns what to answer in the response."""


class Door:
    """One platform's webhook."""

    def __init__(  # noqa: PLR0913 (what the edge stands on)
        self,
        platform: Inbound,
        *,
        settings: Settings,
        secrets: Secrets,
        room: WaitingRoom,
        desk: Desk,
        budget: MessageBudget,
        queue: AgentQueue,
        kept_messages: KeptMessages | None = None,
        begin: Callable[[], None] = lambda: None,
        bot: Callable[[int], str] = lambda _: "",
        call: Callable[[FollowUp], None] = lambda _: None,
        words: Callable[[], TakesWords] | None = None,
        progress: Callable[[], NotesProgress] | None = None,
        undelivered: Callable[[], TakesNews] | None = None,
        api_url: str = "",
        tickets: Callable[[], TakesTickets],
        glances: Callable[[], Glances],
        questions: Callable[[], TakesAnswers],
        own_texts: OwnerTexts,
    ) -> None:
        """Serve ``platform``. ``begin`` starts the time that a request's calls have together.

        What strangers write is put into ``kept_messages``. ``bot`` gives who the bot is there, at a time; ``call`` makes a follow-up call; ``words``
        gives what has a message of its own sent, ``progress`` what remembers how far a request of many events came, ``undelivered`` what hands on the news of what did not arrive; ``tickets`` gives what takes claims
        and invites, ``glances`` what answers an owner's /door, ``questions`` what takes presses under questions, each asked for when the first one comes. People are told things in ``own_texts``, where there are such.
        """
        self._platform = platform
        self._settings = settings
        self._secrets = secrets
        self._room = room
        self._desk = desk
        self._budget = budget
        self._queue = queue
        self._kept = kept_messages
        self._begin = begin
        self._bot = bot
        self._call = call
        self._words = words
        self._progress = progress
        self._undelivered = undelivered
        self._api_url = api_url
        self._tickets = tickets
        self._glances = glances
        self._questions = questions
        self._wording = Wording(own_texts.at)
        # Where something does not work, nothing more is asked for.
        self._known_wording = Wording(own_texts.kept)

    def serve(self, event: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Answer one HTTP request at ``now``."""
        self._begin()
        query = http.query_of_get(event) if TRAITS[self._platform.PLATFORM].handshake_secret else None
        return http.response(self._answer(event, now) if query is None else self._greeted(query, now))

    def _answer(self, event: Mapping[str, Any], now: int) -> WebhookAnswer:
        webhook = http.read_event(event, self._platform.MAX_BODY_BYTES)
        if isinstance(webhook, WebhookAnswer):
            self._refused(UnreadableBodyError(), "Refused a request that is too large")
            return webhook
        try:
            if not self._verified(webhook, now):
                self._refused(BadSignatureError(), "Refused a request whose signature does not fit")
                return http.UNAUTHORISED
            events = self._platform.parse(webhook, self._bot(now))
        except UnreadableBodyError as error:
            self._refused(error, "Refused a request that cannot be read")
            return http.BAD_REQUEST
        except SecretError as error:
            # Never "unverified but accepted".
            self._refused(error)
            return http.UNAVAILABLE
        except UnusablePayloadError as error:
            # Signed by the platform, and yet nothing that is known of it: somebody has to look at it.
            log.error(str(error), reason=error.reason, platform=self._platform.PLATFORM)
            return self._platform.unusable(self._known_wording.into("", now))
        return self._answered(webhook, events, now)

    def _greeted(self, query: Mapping[str, str], now: int) -> WebhookAnswer:
        """Answer a handshake that is not signed, if it names the secret for that."""
        from doorcode.platforms.registry import handshake  # noqa: PLC0415 (it comes when the webhook is set)

        platform = self._platform.PLATFORM
        room = handshake(platform)
        try:
            secret = TRAITS[platform].handshake_secret
            known = fitting(self._secrets, secret, now, lambda keyring: room.is_of(query, keyring) or None)
        except SecretError as error:
            self._refused(error)
            return http.UNAVAILABLE
        if not known:
            self._refused(BadSignatureError(), "Refused a handshake that does not name the secret for it")
            return http.FORBIDDEN
        log.info("Answered a handshake", platform=platform)
        return room.answer(query)

    def _answered(self, webhook: Webhook, events: list[Event], now: int) -> WebhookAnswer:
        def handle(event: Event) -> WebhookAnswer | None:
            return self._handle(event, now)

        return self._one_by_one(webhook, events, handle, now)

    def _one_by_one(
        self, webhook: Webhook, parts: list[T], handle: Callable[[T], WebhookAnswer | None], now: int
    ) -> WebhookAnswer:
        """Do what a request holds; where it may hold much, as much as there is time for, and the rest when it comes again."""
        if self._progress is None or len(parts) == 1:
            answers = [handle(one) for one in parts]
            return next((answer for answer in answers if answer is not None), WebhookAnswer())
        from doorcode.entrypoints.large_request import in_turn  # noqa: PLC0415 (hardly any is one)

        return in_turn(self._platform.PLATFORM, webhook.body, parts, handle, self._progress(), self._begin, now)

    def _verified(self, webhook: Webhook, now: int) -> bool:
        def attempt(keyring: Keyring) -> bool | None:
            return self._platform.verify(webhook, keyring, now) or None

        return bool(fitting(self._secrets, self._platform.SECRET, now, attempt))

    def _handle(self, event: Event, now: int) -> WebhookAnswer | None:  # noqa: PLR0911 (each is one kind of event)
        if isinstance(event, Handshake):
            return event.answer
        try:
            if isinstance(event, Undelivered):
                return self._not_delivered(event)
            if isinstance(event, Press):
                return self._press(event, now)
            if isinstance(event, Message):
                return self._message(event, now, self._queued)
            if event.edit and self._kept is not None and self._changed(event.edit, self._kept, now):
                return self._platform.ignored(event, self._wording.into(event.language, now))
        except (UnavailableError, SecretError) as error:
            self._refused(error)
            return self._platform.failed(self._known_wording.into(getattr(event, "language", ""), now))
        self._log(event, gate.decide(self._settings, event, self._nobody(event), now))
        return self._platform.ignored(event, self._wording.into(event.language, now))

    def _not_delivered(self, news: Undelivered) -> WebhookAnswer | None:
        log.warning(
            "A message did not arrive",
            reason="not_delivered",
            platform=news.platform,
            user_id=news.user_id,
            detail=news.why,
        )
        if self._undelivered is not None:
            self._undelivered().send(news)
        return None

    # Messages

    def _changed(self, edit: Edit, kept_messages: KeptMessages, now: int) -> bool:
        """Keep what somebody who waits has made of a message that is kept; tell whether it was one."""
        contact = self._room.get(self._platform.PLATFORM, edit.user_id)
        if contact.standing(now) is not Standing.PENDING or not kept_messages.change(contact, edit):
            return False
        log.info("Kept an edit", platform=contact.platform, user_id=contact.user_id)
        return True

    def _message(self, message: Message, now: int, hand_on: HandOn) -> WebhookAnswer | None:
        contact = self._room.get(message.platform, message.user_id)
        verdict = gate.decide(self._settings, message, contact, now)
        if verdict.action is GateAction.ANSWER:
            served = self._tickets().serve(message, contact, now)
            if not isinstance(served, Message):
                self._log(message, served.verdict)
                say = self._say_to(message, contact, now)
                tells = served.tells and self._platform.SHOWS_ANSWERS
                answer = self._platform.notice(message, texts.of_ticket(served.tells, contact, say)) if tells else None
                return answer or self._platform.dropped(message, served.verdict.reason, say)
            message = served
            verdict = gate.decide(self._settings, message, contact, now, looked_up=True)
        if verdict.action is GateAction.PAIR:
            asked = Asked(
                delivery_id=message.delivery_id,
                name=message.name,
                full_name=message.full_name,
                language=language_tag(message.language),
                reply=message.reply,
            )
            keyring = self._secrets.keyring(GATEWAY_SECRET, now)
            outcome = self._room.request(contact, asked, keyring, now)
            if outcome.verdict is not RequestVerdict.NOT_A_STRANGER:
                return self._asked(message, outcome.verdict, outcome.contact, now)
            # Paired or blocked since the gate read the contact.
            verdict = gate.decide(self._settings, message, outcome.contact, now, looked_up=True)
            contact = outcome.contact
        return self._act(message, contact, verdict, now, hand_on)

    def _act(
        self, message: Message, contact: Contact, verdict: Verdict, now: int, hand_on: HandOn
    ) -> WebhookAnswer | None:
        if verdict.reason is Reason.POLICY_ALLOW and not self._budget.spend(
            message.platform, message.user_id, message.delivery_id, now
        ):
            verdict = gate.OVER_BUDGET
        if message.door and verdict.reason is Reason.OWNER and message.chat_type is ChatType.DIRECT:
            glance = self._glances().look(message, self._say_to(message, contact, now), now)
            # Neither what is said nor the link stands in the log.
            self._log(message, Verdict(GateAction.ANSWER, Reason.OWNER))
            shown = self._platform.show_door(message, glance.text, glance.link)
            return self._said_later(shown, message.delivery_id, now) if isinstance(shown, Word) else shown
        if verdict.action is GateAction.ADMIT:
            return hand_on(message, contact, verdict, now)
        self._log(message, verdict)
        return self._platform.dropped(message, verdict.reason, self._say_to(message, contact, now))

    def _say_to(self, event: Message | Deed, contact: Contact, now: int) -> Say:
        """Return what says things to whoever wrote or did something, in their language."""
        say = self._wording.into(event.language or contact.language, now)
        hushed = self._settings.is_silent(event.platform) and gate.is_stranger(self._settings, event, contact, now)
        # Where something must be said, it is the same to all of them, wherever they are.
        return (lambda _key, **_: say("private")) if hushed else say

    def _of_deed(self, deed: Deed, now: int) -> tuple[Verdict, Contact]:
        """Decide on what is no message; return whose it is, too."""
        nobody = Contact(platform=deed.platform, user_id="")
        contact = self._room.get(deed.platform, deed.user_id) if deed.user_id else nobody
        verdict = gate.decide(self._settings, deed, contact, now)
        if verdict.reason is Reason.POLICY_ALLOW and not self._budget.spend(
            deed.platform, deed.user_id, deed.delivery_id, now
        ):
            verdict = gate.OVER_BUDGET
        return verdict, contact

    def _queued(self, message: Message, contact: Contact, verdict: Verdict, now: int) -> WebhookAnswer | None:
        self._queue.send(self._handed_off(message, contact, verdict.reason, now))
        self._log(message, verdict)
        return self._platform.admitted(message)

    def _handed_off(self, message: Message, contact: Contact, admitted_by: Reason, now: int) -> QueuedHandOff:
        handed = hand_off(message, admitted_by, contact.label, contact.language)
        kind = self._settings.agent(message.platform)
        if kind not in ANSWERS_LATER:
            return queued(message, handed)
        # Imported here: most stacks seal nothing, and their edges start without it.
        from doorcode.pairing.reply_address import reply_address, seal  # noqa: PLC0415

        # Sealed here, where the secret is at hand that the agent's function may not read.
        address = reply_address(message, now)
        sealed = seal(address, self._secrets.keyring(GATEWAY_SECRET, now))
        # Whoever takes it off the queue has no use for the platform's own address.
        reply = UNSET if kind is AgentKind.QUEUE else handed.reply
        return queued(message, msgspec.structs.replace(handed, reply=reply, reply_to=sealed))

    def _asked(self, message: Message, verdict: RequestVerdict, contact: Contact, now: int) -> WebhookAnswer | None:
        say = self._say_to(message, contact, now)
        if verdict is RequestVerdict.FULL:
            self._log(message, gate.WAITING_ROOM_FULL)
            return self._platform.dropped(message, Reason.WAITING_ROOM_FULL, say)
        if self._kept is not None and contact.standing(now) is Standing.PENDING:
            # Before it is answered: if this fails, the same delivery comes again and finds its request.
            self._kept.keep(contact, self._handed_off(message, contact, Reason.PAIRED, now), now)
        if verdict is RequestVerdict.RATE_LIMITED:
            if contact.untold and contact.standing(now) is Standing.PENDING and self._undelivered is not None:
                self._undelivered().tell_again(contact.platform, contact.user_id, message.delivery_id)
            line = texts.rate_limited_line(contact.user_id, float(now - contact.requested_at))
            self._log(message, Verdict(GateAction.PAIR, Reason.RATE_LIMITED), line)
            # Elsewhere nothing is said.
            text = (self._notice(contact, say, now) or say("private")) if self._platform.ANSWERS_SURELY else ""
            return self._platform.rate_limited(message, text)
        line = texts.generated_line(contact.platform, contact.user_id) if verdict is RequestVerdict.NEW else ""
        self._log(message, Verdict(GateAction.PAIR, Reason.PAIRING_REQUESTED), line)
        text = self._notice(contact, say, now)
        if not text:
            return self._platform.dropped(message, Reason.PAIRING_REQUESTED, say)
        return self._platform.notice(message, text)

    def _notice(self, contact: Contact, say: Say, now: int) -> str:
        """Return what a requester is told here; empty for nothing, or if there is a code to tell, but none that works any more.

        Without an owner, nothing but the code will ever tell them: where an answer can get lost, the courier sends it.
        """
        if self._settings.is_silent(contact.platform):
            return ""
        if self._settings.owners or self._room.owners():
            # No words are looked for where none are shown.
            return say("request_sent") if self._platform.SHOWS_ANSWERS else ""
        if not self._platform.ANSWERS_SURELY:
            return ""
        if contact.standing(now) is not Standing.PENDING:
            return ""
        try:
            return texts.code_notice(contact.platform, code_of(contact, self._secrets, now), say)
        except SecretError as error:
            # The secret that made it was dropped since: that must not make the platform deliver for hours.
            self._refused(error)
            return ""

    # Presses

    def _press(self, press: Press, now: int) -> WebhookAnswer | None:
        if callbacks.is_question(press.data):
            return self._answer_to_question(press, now)

        def attempt(keyring: Keyring) -> Callback | None:
            try:
                return callbacks.verify(press.data, keyring)
            except CallbackError:
                return None

        callback = fitting(self._secrets, CALLBACK_SECRET, now, attempt)
        say = self._wording.into(press.language, now)
        if callback is None:
            return self._refuse(press, CallbackError(), say("stale_button"), now)
        actor = Actor(via=Via.BUTTON, id=press.user_id, name=press.name, platform=press.platform)
        order = Order(
            operation=OPERATIONS[callback.action],
            platform=callback.platform,
            user_id=callback.user_id,
            code=callback.code,
            delivery_id=press.delivery_id,
        )
        try:
            contact = self._desk.decide(actor, order, now)
        except ForbiddenError as error:
            return self._refuse(press, error, say("only_the_owner"), now)
        except RefusedError as error:
            return self._refuse(press, error, str(error), now)
        log.info(
            f"{order.operation} by button", platform=contact.platform, user_id=contact.user_id, outcome=contact.state
        )
        prompt = closed_prompt(contact, callback.code, self._secrets.keyring(CALLBACK_SECRET, now))
        return self._platform.pressed(press, prompt.outcome, prompt)

    def _answer_to_question(self, press: Press, now: int) -> WebhookAnswer | None:
        say = self._wording.into(press.language, now)
        try:
            pressed = self._questions().take(press, now)
        except ForbiddenError as error:
            return self._refuse(press, error, say("only_the_owner"), now)
        except CallbackError as error:
            return self._refuse(press, error, say("stale_button"), now)
        if pressed.form is not None:
            return pressed.form
        if pressed.error:
            return self._refuse(press, pressed.error, pressed.text, now)
        log.info("Answered a question by button", platform=press.platform, outcome=pressed.outcome)
        return self._tell(press, pressed.text, now)

    def _refuse(self, press: Press, error: DoorcodeError, text: str, now: int) -> WebhookAnswer | None:
        log.refused(error, "Refused a press", platform=press.platform, user_id=press.user_id)
        return self._tell(press, text, now)

    def _tell(self, press: Press, text: str, now: int) -> WebhookAnswer | None:
        """Tell something to the presser alone."""
        follow_up = self._platform.follow_up(press, text, self._api_url)
        if isinstance(follow_up, Word):
            return self._said_later(follow_up, press.delivery_id, now)
        if follow_up is not None:
            self._call(follow_up)
        return self._platform.pressed(press, text, None)

    def _said_later(self, word: Word, key: str, now: int) -> WebhookAnswer | None:
        if self._words is not None:
            self._words().send(self._platform.PLATFORM, word, key, now)
        return None

    # The log

    def _log(self, event: Message | Deed | Ignored, verdict: Verdict, line: str = "") -> None:
        unanswered = verdict.action is GateAction.PAIR and self._settings.is_silent(event.platform)
        log.info(
            line or f"{verdict.action}: {verdict.reason}",
            action=verdict.action,
            reason=verdict.reason,
            platform=event.platform,
            user_id=event.user_id,
            **({"reply": UnknownReply.SILENT} if unanswered else {}),
            # So that the operator finds what ALLOWED_GROUPS may name.
            **({"group": event.group} if not isinstance(event, Ignored) and event.chat_type is ChatType.GROUP else {}),
        )

    def _refused(self, error: DoorcodeError, text: str = "Refused a request") -> None:
        log.refused(error, text, platform=self._platform.PLATFORM)

    def _nobody(self, event: Ignored) -> Contact:
        return Contact(platform=event.platform, user_id=event.user_id)
