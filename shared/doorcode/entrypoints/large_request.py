"""A request that holds what many people did: as much of it as there is time for, and the rest when it comes again.

The platform is told that it failed, and delivers the same request again: it goes on where it stopped, as the table
remembers. What is done twice all the same, because a function died or two came at once, has its effect once, as any
delivery that comes twice.

What fails holds up those behind it, as trouble that passes soon should change nobody's order; but not for long: after
TRIES it is put aside, and tried after all others, whenever the request comes.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic as clock
from typing import Generic, TypeVar

from doorcode.entrypoints import log
from doorcode.entrypoints.trace import traced
from doorcode.entrypoints.webhook import NotesProgress
from doorcode.errors import UnavailableError
from doorcode.pairing.messages import Come
from doorcode.pairing.platform import Platform
from doorcode.platforms.inbound import WebhookAnswer

T = TypeVar("T")

# The platform's own patience is not published; others have seen five seconds.
SECONDS = 4.0
# As many as everything has at least that can be given up on.
TRIES = 3
DONE = range(200, 300)
LATER = WebhookAnswer(503)


class _Visit(Generic[T]):
    """One delivery of a request: what is done of it, and what came in the way."""

    def __init__(
        self,
        platform: Platform,
        parts: list[T],
        handle: Callable[[T], WebhookAnswer | None],
        begin: Callable[[], None],
        before: Come,
    ) -> None:
        self._platform = platform
        self._parts = parts
        self._handle = handle
        self._begin = begin
        self._end = clock() + SECONDS
        self._tried = False
        self._done, self._tries, self._aside = min(before.done, len(parts)), before.tries, set(before.aside)
        self.answer: WebhookAnswer | None = None
        self.crash: Exception | None = None

    @property
    def come(self) -> Come:
        return Come(self._done, self._tries, frozenset(self._aside))

    @property
    def is_over(self) -> bool:
        return self._done == len(self._parts) and not self._aside

    def go(self) -> None:
        """Do one part after the other, until one fails or the time is up; then what was put aside before."""
        aside = sorted(self._aside)
        while self._done < len(self._parts):
            if not self._has_time():
                return
            if not self._does(self._done) and not self._is_put_aside():
                return
            self._done, self._tries = self._done + 1, 0
        for at in aside:
            if not self._has_time():
                return
            if self._does(at):
                self._aside.remove(at)

    def _has_time(self) -> bool:
        # Whatever the time, a delivery brings it on by one.
        return not self._tried or clock() < self._end

    def _does(self, at: int) -> bool:
        self._tried = True
        self._begin()
        try:
            answer = self._handle(self._parts[at])
        except Exception as error:  # noqa: BLE001 (raised again once it is noted how far it came)
            reason, trace = type(error).__name__, traced(error)
            log.warning("Something of a request crashed", reason=reason, platform=self._platform, trace=trace)
            self.crash = error
            return False
        if answer is None or answer.status in DONE:
            return True
        self.answer = answer
        return False

    def _is_put_aside(self) -> bool:
        self._tries += 1
        if self._tries < TRIES:
            return False
        log.error(
            "Put aside what fails every time: it is tried again whenever this request comes again",
            reason="put_aside",
            platform=self._platform,
            at=str(self._done),
            of=str(len(self._parts)),
        )
        self._aside.add(self._done)
        return True


def in_turn(  # noqa: PLR0913, PLR0917 (what a request is, what is done with it, and where that is remembered)
    platform: Platform,
    body: bytes,
    parts: list[T],
    handle: Callable[[T], WebhookAnswer | None],
    progress: NotesProgress,
    begin: Callable[[], None],
    now: int,
) -> WebhookAnswer:
    """Do what there is time for of a request. Each part has its own time, which ``begin`` starts.

    What crashes is raised at the end, so that it is known as any crash is.
    """
    try:
        before = progress.of(platform, body, now)
    except UnavailableError as error:
        log.refused(error, platform=platform)
        return LATER
    visit = _Visit(platform, parts, handle, begin, before)
    visit.go()
    if visit.is_over:
        return WebhookAnswer()
    come = visit.come
    if come != before:
        begin()
        try:
            progress.note(platform, body, before, come, now)
        except UnavailableError as error:
            # All of it is done again, and has no second effect.
            log.refused(error, platform=platform)
    done, of = str(come.done - len(come.aside)), str(len(parts))
    log.info("Some of a request is left for later", platform=platform, done=done, of=of)
    if visit.crash is not None:
        raise visit.crash
    return visit.answer or LATER
