"""An HTTP request as API Gateway hands it over (payload format 2.0), read strictly and without trusting a byte."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct

from doorcode.errors import DoorcodeError
from doorcode.web.refusals import BodyTooLargeError, UnreadableRequestError, UnsupportedMediaError

MAX_BODY_BYTES = 16 * 1024
MAX_PARAMETERS = 20
MAX_DETAIL_LENGTH = 200
JSON = "application/json"
CHARSETS = frozenset({"", "charset=utf-8"})

T = TypeVar("T", bound=Struct)


class Request(Struct, frozen=True, kw_only=True):
    """One request. The path comes decoded, as HTTP APIs give it; headers are in lower case; the body is as it was sent."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    cookies: Sequence[tuple[str, str]]
    body: str
    is_base64: bool

    def header(self, name: str) -> str | None:
        """Return a header, None if there is none. One that was sent twice comes joined by commas."""
        return self.headers.get(name)

    def cookie_values(self, name: str) -> list[str]:
        """Return every value that a cookie was sent with."""
        return [value for known, value in self.cookies if known == name]

    def parameters(self) -> dict[str, str]:
        """Return the query. Raises UnreadableRequestError, also for a parameter that is given twice."""
        try:
            # What is not text, half a surrogate for one, is left as it is by the parser.
            self.raw_query.encode()
            pairs = parse_qsl(self.raw_query, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
        except ValueError:
            raise UnreadableRequestError("The query cannot be read.") from None
        if len(dict(pairs)) != len(pairs):
            raise UnreadableRequestError("A parameter of the query is given twice.")
        return dict(pairs)

    def query_as(self, kind: type[T]) -> T:
        """Return the query as a struct. Raises UnreadableRequestError."""
        try:
            return msgspec.convert(self.parameters(), kind, strict=False)
        except msgspec.ValidationError as error:
            raise UnreadableRequestError(f"That query cannot be used: {_detail(error)}.") from None

    def body_as(
        self, kind: type[T], most: int = MAX_BODY_BYTES, invalid: type[DoorcodeError] = UnreadableRequestError
    ) -> T:
        """Return the JSON body, of ``most`` bytes at most, as a struct.

        Raises UnsupportedMediaError, BodyTooLargeError, UnreadableRequestError for what is no JSON, and ``invalid`` for what
        is no such struct, in this order.
        """
        media, _, charset = (self.header("content-type") or "").partition(";")
        if media.strip().lower() != JSON or charset.strip().lower().replace('"', "") not in CHARSETS:
            raise UnsupportedMediaError
        raw = self._raw_body(most)
        try:
            return msgspec.json.decode(raw, type=kind)
        except msgspec.ValidationError as error:
            raise invalid(f"That body cannot be used: {_detail(error)}.") from None
        except (ValueError, RecursionError) as error:
            # Not UTF-8 and not JSON are kinds of ValueError too.
            detail = _detail(error) if isinstance(error, msgspec.MsgspecError) else "it is not JSON in UTF-8"
            raise UnreadableRequestError(f"That body cannot be used: {detail}.") from None

    def _raw_body(self, most: int) -> bytes:
        # Before it is decoded: base64 takes four characters for three bytes.
        if len(self.body) > most * 4 // 3 + 4:
            raise BodyTooLargeError(most)
        try:
            raw = base64.b64decode(self.body, validate=True) if self.is_base64 else self.body.encode()
        except (binascii.Error, ValueError):
            raise UnreadableRequestError("That body cannot be read.") from None
        if len(raw) > most:
            raise BodyTooLargeError(most)
        return raw


def read_request(event: Mapping[str, Any]) -> Request:
    """Read an event."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    # API Gateway gives cookies a list of their own; not everything that stands in for it does.
    cookies = event.get("cookies") or [headers.get("cookie", "")]
    return Request(
        method=event["requestContext"]["http"]["method"].upper(),
        path=event["rawPath"],
        raw_query=event.get("rawQueryString") or "",
        headers=headers,
        cookies=[_cookie(part) for line in cookies for part in line.split(";")],
        body=event.get("body") or "",
        is_base64=bool(event.get("isBase64Encoded")),
    )


def _cookie(text: str) -> tuple[str, str]:
    # Nothing but what RFC 6265 calls white space: to a browser, a no-break space before __Host- is part of another
    # name, which any site beside this one may set.
    name, _, value = text.strip(" \t").partition("=")
    return name, value


def _detail(error: Exception) -> str:
    # It may repeat what was sent, at whatever length.
    return str(error)[:MAX_DETAIL_LENGTH].rstrip(".")
