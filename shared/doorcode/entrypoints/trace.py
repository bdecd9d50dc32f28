"""Where an error came from, without what it says: its message may hold what people wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

# The innermost frames tell most.
MAX_FRAMES = 8
MAX_CAUSES = 3


def traced(error: BaseException) -> str:
    """Return an error's type and the frames that it came through, innermost first, and likewise what caused it.

    Such as ``KeyError at agent/responder.py:24:greet < entrypoints/agent.py:190:_say``.
    """
    return "; caused by ".join(_one(found) for found in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if found is None:
            return
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _one(error: BaseException) -> str:
    frames = []
    at = error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        # How an import works inside is no news.
        if not code.co_filename.startswith("<frozen "):
            frames.append(f"{_short(code.co_filename)}:{at.tb_lineno}:{code.co_name}")
        at = at.tb_next
    if isinstance(error, SyntaxError) and error.filename:
        frames.append(f"{_short(error.filename)}:{error.lineno}:")
    named = f"{type(error).__name__}({error.name})" if isinstance(error, ImportError) and error.name else ""
    where = " < ".join(reversed(frames[-MAX_FRAMES:]))
    return " at ".join(filter(None, (named or type(error).__name__, where)))


def _short(filename: str) -> str:
    return "/".join(PurePath(filename).parts[-2:])
