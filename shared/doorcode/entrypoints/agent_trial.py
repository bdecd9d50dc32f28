"""Saying something to the agent that is set, to see what it answers: no memory, no platform and no queue has to do with it.

Nothing but an invocation by IAM can bring this event; what people write comes in ``Records``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from doorcode.agent.responder import AgentRefusedError, AgentUnavailableError, Responder, TooLongError
from doorcode.entrypoints.trace import traced
from doorcode.errors import SecretError, SettingsError
from doorcode.pairing.gate import Reason
from doorcode.pairing.hand_off import OWNER, HandOff, SentMessage, Writer
from doorcode.pairing.messages import ChatType
from doorcode.pairing.platform import Platform

SAY = "say"
# Their words hold nothing of what anybody wrote.
PLAIN = (AgentRefusedError, AgentUnavailableError, TooLongError, SecretError, SettingsError)


class Trial(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=SAY, tag_field="doorcode"):
    """What is said, as on that platform, by an owner whom nobody knows."""

    text: str
    platform: Platform


def is_trial(event: Any) -> bool:
    """Tell whether somebody only wants to see what the agent answers."""
    return isinstance(event, Mapping) and event.get("doorcode") == SAY


def tried(event: Any, responders: Callable[[], Callable[[Platform], Responder]], now: int) -> dict[str, Any]:
    """Return what the agent answers, or why there is none. ``responders`` gives them, built if they can be."""
    try:
        trial = msgspec.convert(event, Trial)
        texts = responders()(trial.platform)(_message(trial, now))
    except PLAIN as error:
        return {"doorcode": "failed", "error": error.reason, "detail": str(error)}
    except Exception as error:  # noqa: BLE001 (what it is, is the answer)
        return {"doorcode": "failed", "error": type(error).__name__, "detail": traced(error)}
    return {"doorcode": "said", "texts": list(texts)}


def _message(trial: Trial, now: int) -> HandOff:
    return HandOff(
        id=secrets.token_hex(32),
        platform=trial.platform,
        conversation=secrets.token_hex(32),
        chat=ChatType.DIRECT,
        user=Writer(id="0", name="doorcode agent test", label="", role=OWNER),
        admitted_by=Reason.OWNER,
        messages=(SentMessage(id="0", kind="text", text=trial.text, sent_at=now),),
    )
