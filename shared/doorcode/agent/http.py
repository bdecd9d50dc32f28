"""One request to an agent that is elsewhere: to that address alone, in so much time, and so much of its answer.

No redirect is followed, no proxy is asked, certificates are checked against the authorities that certifi ships.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from functools import cache

import httpx
from msgspec import Struct

from doorcode.agent.answers import MAX_ANSWER_BYTES, UnusableAnswerError
from doorcode.agent.responder import AgentUnavailableError

# In all, however slowly it drips; of it for a connection.
ANSWER_SECONDS = 60.0
CONNECT_SECONDS = 5.0
AGENT_NAME = "doorcode"


class Posted(Struct, frozen=True):
    """What came back of a post; the headers' names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post(url: str, headers: Mapping[str, str], body: bytes) -> Posted:
    """Post, and return the answer whatever its status. Raises AgentUnavailableError, UnusableAnswerError."""
    # An event loop, for it ends at the deadline whatever it waits for: a name, a handshake, the next byte.
    try:
        return asyncio.run(_posted(url, headers, body))
    except TimeoutError:
        raise AgentUnavailableError(f"The agent did not answer within {ANSWER_SECONDS:g} seconds.") from None
    except httpx.ConnectTimeout:
        raise AgentUnavailableError("The agent did not accept a connection in time.") from None
    except httpx.HTTPError as error:
        raise AgentUnavailableError(f"The agent did not answer: {_why(error)}.") from None


async def _posted(url: str, headers: Mapping[str, str], body: bytes) -> Posted:
    async with asyncio.timeout(ANSWER_SECONDS):
        async with (
            httpx.AsyncClient(
                verify=_trusted(),
                trust_env=False,
                follow_redirects=False,
                timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            ) as client,
            # Unpacked, a small answer may be as large as it likes.
            client.stream(
                "POST",
                url,
                content=body,
                headers={"User-Agent": AGENT_NAME, "Accept-Encoding": "identity", **headers},
            ) as answer,
        ):
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise UnusableAnswerError("packed, which was not asked for", "Answer without a Content-Encoding.")
            read = b""
            async for part in answer.aiter_raw():
                read += part
                if len(read) > MAX_ANSWER_BYTES:
                    # The reader says so; the rest stays where it is.
                    break
            return Posted(answer.status_code, dict(answer.headers), read)


@cache
def _trusted() -> ssl.SSLContext:
    # Some 20 ms each time it is made.
    return httpx.create_ssl_context(trust_env=False)


def _why(error: httpx.HTTPError) -> str:
    """Say what failed, in words of ours: an error's own may repeat the address, which may hold a secret."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, ssl.SSLCertVerificationError):
            return f"its certificate is not to be trusted ({found.verify_message})"
        if isinstance(found, ssl.SSLError):
            return "no TLS connection could be made"
        if isinstance(found, ConnectionRefusedError):
            return "the connection was refused"
        found = found.__cause__ or found.__context__
    return type(error).__name__
