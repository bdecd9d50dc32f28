"""The effects queue's consumer: each contact's moves in their order, one contact's trouble never another's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from doorcode.aws.effects_queue import UnusableRecordError, read_move
from doorcode.aws.postbox import Postbox, age, backed_off
from doorcode.entrypoints import log
from doorcode.entrypoints.courier import Courier

# After that somebody has to look at it; what waits behind it goes on.
PARKED_AFTER_SECONDS = 3600


class EffectsConsumer:
    """Has the courier follow what the queue brings, and deals with what it cannot follow."""

    def __init__(self, courier: Courier, postbox: Postbox, clock: Callable[[], int]) -> None:
        """Follow with ``courier``; ``clock`` gives whole seconds since 1970."""
        self._courier = courier
        self._postbox = postbox
        self._clock = clock

    def handle(self, event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        """Follow a batch; report what is to come again: a failed record and what follows it of the same contact."""
        processor = SqsFifoPartialProcessor(skip_group_on_error=True)
        # A batch that failed whole is still reported message by message: otherwise it would come again at once.
        processor.raise_on_entire_batch_failure = False
        return process_partial_response(
            event=dict(event), record_handler=self._follow, processor=processor, context=context
        )

    def _follow(self, record: SQSRecord) -> None:
        raw, now = record.raw_event, self._clock()
        try:
            self._courier.follow(read_move(record.body), now)
        except UnusableRecordError as error:
            self._park(raw, error.reason, str(error))
        except Exception as error:
            # Postponed; or a bug, or a table that does not answer, which come again and end like any other.
            if age(raw, now) >= PARKED_AFTER_SECONDS:
                self._park(raw, getattr(error, "reason", "courier_failed"), type(error).__name__)
                return
            log.warning("A move is followed later", reason=getattr(error, "reason", type(error).__name__))
            self._postbox.hand_back(raw, getattr(error, "delay", 0) or backed_off(raw))
            raise

    def _park(self, raw: Mapping[str, Any], reason: str, detail: str) -> None:
        log.error(f"Parked a move that could not be followed: {detail}", reason=reason, parked="true")
        self._postbox.park(raw)
