"""HTTP/1.1 answers, as much of the protocol as AWS's services and servers of bots speak, read strictly: what is anything else is refused.

The standard library's reader is not used, for it takes headers for those of an e-mail: its imports alone would be a
quarter of an empty function's cold start, and its parsing a tenth of an admitted message's time.
https://www.rfc-editor.org/rfc/rfc9112
"""

from __future__ import annotations

import io
import re

from msgspec import Struct

LONGEST_LINE = 16 * 1024
MOST_HEADERS = 100
LONGEST_NUMBER = 16
# DynamoDB answers with a megabyte of items at most, which JSON makes a few of.
LONGEST_BODY = 8 * 1024 * 1024

LINE_END = b"\r\n"
HEAD_END = LINE_END * 2
VERSIONS = ("HTTP/1.1", "HTTP/1.0")
INFORMATIONAL = range(100, 200)
SWITCHING = 101
# These have no body, whatever their headers say.
BODILESS = frozenset({204, 304})
# Given twice, these would tell two different ends of one body.
ENDS = ("content-length", "transfer-encoding")
# A name, of anything but white space at its ends, and a colon.
HEADER = re.compile(r"(?!\s)[^:]*[^:\s]:").match


class UnreadableAnswerError(Exception):
    """What came is not an HTTP answer, or a longer one than anybody asked for."""


class HttpAnswer(Struct, frozen=True):
    """An answer that came whole, its headers by their names in lower case; ``last``: nothing follows on its connection."""

    status: int
    headers: dict[str, str]
    body: bytes
    last: bool


def read_answer(source: io.BufferedReader, longest: int = LONGEST_BODY, *, may_just_end: bool = False) -> HttpAnswer:
    """Read one answer, to its end and no further. Raises UnreadableAnswerError, EOFError, and what ``source`` raises.

    Its body has at most ``longest`` bytes. With ``may_just_end`` a body whose length is not told goes on until the peer
    hangs up, as that of simple servers does.
    """
    while True:
        first, *lines = _head(source)
        version, status = _status(first)
        headers = _headers(lines)
        if status not in INFORMATIONAL:
            break
        if status == SWITCHING:
            raise UnreadableAnswerError("another protocol")
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if status in BODILESS:
        body = b""
    elif coding is not None:
        if length is not None or coding.lower() != "chunked":
            raise UnreadableAnswerError("unclear length")
        body = _chunks(source, longest)
    elif length is not None:
        body = _exactly(source, _number(length, 10), longest)
    elif may_just_end:
        return HttpAnswer(status, headers, _all(source, longest), last=True)
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


def _head(source: io.BufferedReader) -> list[str]:
    """Return the lines before the empty one, the first of them the status."""
    ahead = source.peek(1)
    end = ahead.find(HEAD_END)
    if end < 0:
        # Not all of it has come yet, or it is longer than the buffer. What is no answer is not waited for.
        first = _line(source)
        _status(first)
        return [first, *_lines(source)]
    # All of it at once: line by line it would be a fifth of what a warm message runs through.
    head = source.read(end + len(HEAD_END))
    if head.count(b"\n") != head.count(LINE_END):
        raise UnreadableAnswerError("bad line")
    return head[:end].decode("latin-1").split("\r\n")


def _lines(source: io.BufferedReader) -> list[str]:
    lines: list[str] = []
    while line := _line(source):
        if len(lines) == MOST_HEADERS:
            raise UnreadableAnswerError("too many headers")
        lines.append(line)
    return lines


def _headers(lines: list[str]) -> dict[str, str]:
    if len(lines) >= MOST_HEADERS:
        raise UnreadableAnswerError("too many headers")
    headers = {name.lower(): value.strip() for name, _, value in [line.partition(":") for line in lines]}
    if not all(map(HEADER, lines)) or (len(headers) < len(lines) and _told_twice(lines)):
        raise UnreadableAnswerError("bad header")
    return headers


def _told_twice(lines: list[str]) -> bool:
    names = [line.partition(":")[0].lower() for line in lines]
    return any(names.count(end) > 1 for end in ENDS)


def _chunks(source: io.BufferedReader, longest: int) -> bytes:
    chunks: list[bytes] = []
    left = longest
    while size := _number(_line(source).partition(";")[0].strip(), 16):
        left -= size
        if left < 0:
            raise UnreadableAnswerError("too long")
        chunks.append(_exactly(source, size, longest))
        if _line(source):
            raise UnreadableAnswerError("bad chunk")
    _headers(_lines(source))
    return b"".join(chunks)


def _number(digits: str, base: int) -> int:
    # int() by itself also takes signs, spaces, underscores and the digits of other scripts.
    if not digits.isascii() or not digits.isalnum() or len(digits) > LONGEST_NUMBER:
        raise UnreadableAnswerError("bad number")
    try:
        return int(digits, base)
    except ValueError:
        raise UnreadableAnswerError("bad number") from None


def _all(source: io.BufferedReader, longest: int) -> bytes:
    body = source.read(longest + 1)
    if len(body) > longest:
        raise UnreadableAnswerError("too long")
    return body


def _exactly(source: io.BufferedReader, length: int, longest: int) -> bytes:
    if length > longest:
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
