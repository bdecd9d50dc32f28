"""Answers with a function of the operator's own, ``respond(message, history)``, as ``functions/agent/my_agent.py`` has it.

One that takes a third argument, ``owner``, is given what asks the owner; None where no token for that is set.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Sequence
from typing import Any

from doorcode.agent.responder import Responder
from doorcode.asking.client import AskClient
from doorcode.pairing.hand_off import HandOff

MyAgent = Callable[..., Any]
"""Gives a text, several, or None: plain, async, as a generator."""


class NoTextError(TypeError):
    """What ``respond`` returned is no answer."""

    def __init__(self, kind: type) -> None:
        """Name what it is, not what it says."""
        super().__init__(f"respond() returned a {kind.__name__}: return a str, several, or None")


def calling(my_agent: MyAgent, owner: Callable[[], AskClient | None] = lambda: None) -> Responder:
    """Return a responder that calls that function, with ``owner`` as it is at the time if it takes that."""
    asks = "owner" in inspect.signature(my_agent).parameters

    def respond(message: HandOff) -> Sequence[str]:
        more = {"owner": owner()} if asks else {}
        return tuple(text for text in _texts(my_agent(message, message.history, **more)) if text.strip())

    return respond


def _texts(answer: Any) -> Sequence[str]:
    if isinstance(answer, Awaitable | AsyncIterable):
        answer = asyncio.run(_awaited(answer))
    if answer is None:
        return ()
    if isinstance(answer, str):
        return (answer,)
    if not isinstance(answer, Iterable) or isinstance(answer, bytes | dict):
        raise NoTextError(type(answer))
    texts = tuple(answer)
    for text in texts:
        if not isinstance(text, str):
            raise NoTextError(type(text))
    return texts


async def _awaited(answer: Any) -> Any:
    if isinstance(answer, Awaitable):
        answer = await answer
    return [text async for text in answer] if isinstance(answer, AsyncIterable) else answer
