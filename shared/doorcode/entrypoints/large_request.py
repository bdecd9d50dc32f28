"""A request that holds what many people did: as much of it as there is time for, and the rest when it comes again.

The platform is told that it failed, and delivers the same request again: it goes on where it stopped, as the table
remembers. What is done twice all the same, because a function died or two came at once, has its effect once, as any
delivery that comes twice.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic as clock
from typing import TypeVar

from doorcode.entrypoints import log
from doorcode.entrypoints.webhook import NotesProgress
from doorcode.errors import UnavailableError
from doorcode.pairing.platform import Platform
from doorcode.platforms.inbound import WebhookAnswer

T = TypeVar("T")

# The platform's own patience is not published; others have seen five seconds.
SECONDS = 4.0
DONE = range(200, 300)
LATER = WebhookAnswer(503)


def in_turn(  # noqa: PLR0913, PLR0917 (what a request is, what is done with it, and where that is remembered)
    platform: Platform,
    body: bytes,
    parts: list[T],
    handle: Callable[[T], WebhookAnswer | None],
    progress: NotesProgress,
    begin: Callable[[], None],
    now: int,
) -> WebhookAnswer:
    """Do one part after the other, until one fails or the time is up. Each has its own time, which ``begin`` starts."""
    end = clock() + SECONDS
    try:
        first = done = min(progress.of(platform, body, now), len(parts))
    except UnavailableError as error:
        log.refused(error, platform=platform)
        return LATER
    answer: WebhookAnswer | None = None
    for part in parts[first:]:
        if done > first and clock() >= end:
            answer = LATER
            break
        begin()
        answer = handle(part)
        if answer is not None and answer.status not in DONE:
            break
        answer = None
        done += 1
    if answer is None:
        return WebhookAnswer()
    if done > first:
        begin()
        try:
            progress.note(platform, body, done, now)
        except UnavailableError as error:
            # All of it is done again, and has no second effect.
            log.refused(error, platform=platform)
    log.info("Some of a request is left for later", platform=platform, done=str(done), of=str(len(parts)))
    return answer
