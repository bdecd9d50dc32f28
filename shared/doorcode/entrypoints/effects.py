"""The effects queue's consumer: each contact's moves in their order, one contact's trouble never another's.

Answers that come later arrive by the same way, each conversation's in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from doorcode.aws.answer_queue import is_answer, read_answer
from doorcode.aws.effects_queue import UnusableRecordError, is_question, read_move, read_question
from doorcode.aws.postbox import Postbox, Record, age, backed_off, group, receives
from doorcode.aws.undelivered_queue import QueuedUndelivered, QueuedUntold, is_undelivered, read_undelivered
from doorcode.entrypoints import log
from doorcode.entrypoints.answers import Answers
from doorcode.entrypoints.asking.callbacks import CallbackFailedError
from doorcode.entrypoints.asking.courier import QuestionCourier
from doorcode.entrypoints.asking.prompts import OF_QUESTION
from doorcode.entrypoints.courier import Courier
from doorcode.entrypoints.trace import traced
from doorcode.entrypoints.trouble import UNDELIVERABLE

# After that somebody has to look at it; what waits behind it goes on, and gets tries of its own.
PARKED_AFTER_SECONDS = 3600
MIN_TRIES = 3
# An asker's address has as long as that to take a callback.
CALLED_FOR_SECONDS = 86_400
# What one record may take at worst. With less time left, the others wait for another invocation.
RESERVE_MILLISECONDS = 45_000


class EffectsConsumer:
    """Has the courier follow what the queue brings, and deals with what it cannot follow."""

    def __init__(
        self,
        courier: Courier,
        questions: QuestionCourier,
        answers: Answers,
        postbox: Postbox,
        clock: Callable[[], int],
    ) -> None:
        """Follow moves with ``courier`` and ``questions``, send ``answers``; ``clock`` gives whole seconds since 1970."""
        self._courier = courier
        self._questions = questions
        self._answers = answers
        self._postbox = postbox
        self._clock = clock

    def handle(self, event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        """Follow a batch; report what is to come again: a failed record and what follows it of the same contact."""
        delays: dict[str, int] = {}

        def follow(record: SQSRecord) -> None:
            self._follow(record.raw_event, delays, context)

        processor = SqsFifoPartialProcessor(skip_group_on_error=True)
        # A batch that failed whole is still reported message by message: otherwise it would come again at once.
        processor.raise_on_entire_batch_failure = False
        result = process_partial_response(
            event=dict(event), record_handler=follow, processor=processor, context=context
        )
        self._hand_back(
            event["Records"], {str(failure["itemIdentifier"]) for failure in result["batchItemFailures"]}, delays
        )
        return result

    def _follow(self, raw: Record, delays: dict[str, int], context: Any) -> None:
        now = self._clock()
        if context is not None and context.get_remaining_time_in_millis() < RESERVE_MILLISECONDS:
            delays[group(raw)] = 0
            raise TimeoutError("no time left in this invocation")
        try:
            if is_undelivered(raw["body"]):
                self._hear(read_undelivered(raw["body"]), now)
            elif is_answer(raw["body"]):
                self._answers.send(read_answer(raw["body"]), now)
            elif is_question(raw["body"]):
                self._questions.follow(read_question(raw["body"]), now)
            else:
                self._courier.follow(read_move(raw["body"]), now)
        except (UnusableRecordError, *UNDELIVERABLE) as error:
            self._park(raw, error.reason, str(error))
        except Exception as error:
            # Postponed; or a bug, or a table that does not answer, which come again and end like any other.
            patience = CALLED_FOR_SECONDS if isinstance(error, CallbackFailedError) else PARKED_AFTER_SECONDS
            if age(raw, now) >= patience and receives(raw) >= MIN_TRIES:
                self._park(raw, getattr(error, "reason", "courier_failed"), type(error).__name__)
                return
            reason, trace = getattr(error, "reason", type(error).__name__), traced(error)
            log.warning("Something is done later", reason=reason, trace=trace)
            delays[group(raw)] = getattr(error, "delay", 0) or backed_off(raw)
            raise

    def _hear(self, news: QueuedUndelivered | QueuedUntold, now: int) -> None:
        if isinstance(news, QueuedUntold):
            self._courier.tell_again(news.platform, news.user_id, news.delivery, now)
        elif news.key.startswith(OF_QUESTION):
            self._questions.not_delivered((news.platform, news.user_id), news.key, now)
        else:
            self._courier.not_delivered(news.platform, news.user_id, news.key, now)

    def _hand_back(self, records: Sequence[Record], failed: Collection[str], delays: Mapping[str, int]) -> None:
        """Hide what failed, and what waits behind it: a message in flight would hold up its contact for much longer."""
        for record in records:
            if record["messageId"] in failed:
                self._postbox.hand_back(record, delays.get(group(record), 0))

    def _park(self, raw: Record, reason: str, detail: str) -> None:
        log.error(f"Parked what could not be done: {detail}", reason=reason, parked="true")
        self._postbox.park(raw, reason)
