"""HTTP/1.1 answers, as much of the protocol as AWS's services speak, read strictly: what is anything else is refused.

The standard library's reader is not used, for it takes headers for those of an e-mail: its imports alone would be a
quarter of an empty function's cold start, and its parsing a tenth of an admitted message's time.
https://www.rfc-editor.org/rfc/rfc9112
"""

from __future__ import annotations

import io

from msgspec import Struct

LONGEST_LINE = 16 * 1024
MOST_HEADERS = 100
LONGEST_NUMBER = 16
# DynamoDB answers with a megabyte of items at most, which JSON makes a few of.
LONGEST_BODY = 8 * 1024 * 1024

LINE_END = b"\r\n"
VERSIONS = ("HTTP/1.1", "HTTP/1.0")
INFORMATIONAL = range(100, 200)
SWITCHING = 101
# Given twice, these would tell two different ends of one body.
ENDS = ("content-length", "transfer-encoding")


class UnreadableAnswerError(Exception):
    """What came is not an HTTP answer, or a longer one than anybody asked for."""


class HttpAnswer(Struct, frozen=True):
    """An answer that came whole, its headers by their names in lower case; ``last``: nothing follows on its connection."""

    status: int
    headers: dict[str, str]
    body: bytes
    last: bool


def read_answer(source: io.BufferedReader) -> HttpAnswer:
    """Read one answer, to its end and no further. Raises UnreadableAnswerError, EOFError, and what ``source`` raises."""
    while True:
        version, status = _status(_line(source))
        headers = _headers(source)
        if status not in INFORMATIONAL:
            break
        if status == SWITCHING:
            raise UnreadableAnswerError("another protocol")
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if length is not None or coding.lower() != "chunked":
            raise UnreadableAnswerError("unclear length")
        body = _chunks(source)
    elif length is not None:
        body = _exactly(source, _number(length, 10))
    else:
        # Where its end is not told, half an answer cannot be told from a whole one.
        raise UnreadableAnswerError("no length")
    last = version != VERSIONS[0] or headers.get("connection", "").lower() == "close"
    return HttpAnswer(status, headers, body, last)


def _status(line: str) -> tuple[str, int]:
    version, _, rest = line.partition(" ")
    if version not in VERSIONS or len(rest.partition(" ")[0]) != len("200"):
        raise UnreadableAnswerError("no status")
    return version, _number(rest[:3], 10)


def _headers(source: io.BufferedReader) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(MOST_HEADERS):
        line = _line(source)
        if not line:
            return headers
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or not name or name != name.strip() or (name in ENDS and name in headers):
            raise UnreadableAnswerError("bad header")
        headers[name] = value.strip()
    raise UnreadableAnswerError("too many headers")


def _chunks(source: io.BufferedReader) -> bytes:
    chunks: list[bytes] = []
    left = LONGEST_BODY
    while size := _number(_line(source).partition(";")[0].strip(), 16):
        left -= size
        if left < 0:
            raise UnreadableAnswerError("too long")
        chunks.append(_exactly(source, size))
        if _line(source):
            raise UnreadableAnswerError("bad chunk")
    _headers(source)
    return b"".join(chunks)


def _number(digits: str, base: int) -> int:
    # int() by itself also takes signs, spaces, underscores and the digits of other scripts.
    if not digits.isascii() or not digits.isalnum() or len(digits) > LONGEST_NUMBER:
        raise UnreadableAnswerError("bad number")
    try:
        return int(digits, base)
    except ValueError:
        raise UnreadableAnswerError("bad number") from None


def _exactly(source: io.BufferedReader, length: int) -> bytes:
    if length > LONGEST_BODY:
        raise UnreadableAnswerError("too long")
    body = source.read(length)
    if len(body) < length:
        raise EOFError
    return body


def _line(source: io.BufferedReader) -> str:
    line = source.readline(LONGEST_LINE)
    if line.endswith(LINE_END):
        return line[: -len(LINE_END)].decode("latin-1")
    if len(line) < LONGEST_LINE and not line.endswith(b"\n"):
        raise EOFError
    raise UnreadableAnswerError("bad line")
