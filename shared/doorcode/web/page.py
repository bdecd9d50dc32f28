"""The owner's page: the files of the folder ``page``, which hold no data and need no sign-in.

What is served is a list made from the folder, by name: no path of a request ever reaches the file system.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from msgspec import Struct

from doorcode.web.assembly import INDEX, assembled, styles
from doorcode.web.refusals import UnknownRouteError
from doorcode.web.routes import Access, Answer, Call, Route

FOLDER = Path(__file__).with_name("page")
CONTENT_TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
}
# The page's own styles, by their hash, and no others.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)


class File(Struct, frozen=True):
    """A file as it is served, plain and compressed: what is sent is a fourth, and the first paint comes sooner."""

    content: bytes
    content_type: str
    etag: str
    compressed: bytes


@cache
def files() -> Mapping[str, File]:
    """Return the page's files by name; script and styles are made up of smaller ones."""
    contents = {
        path.name: path.read_bytes()
        for path in sorted(FOLDER.glob("[!.]*"))
        if path.suffix in CONTENT_TYPES and path.is_file()
    } | assembled(FOLDER)
    return {
        name: File(
            content,
            CONTENT_TYPES[Path(name).suffix],
            f'"{hashlib.sha256(content).hexdigest()[:32]}"',
            gzip.compress(content, mtime=0),
        )
        for name, content in contents.items()
    }


@cache
def content_security_policy() -> str:
    """Return what the page may load and run: https://www.w3.org/TR/CSP3/."""
    digest = base64.b64encode(hashlib.sha256(styles(FOLDER).encode()).digest()).decode()
    return CONTENT_SECURITY_POLICY.format(styles=f"'sha256-{digest}'")


def page(call: Call) -> Answer:
    """Serve the page, or one of its files."""
    file = files().get(call.path.get("file", INDEX))
    if file is None:
        raise UnknownRouteError
    headers = {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": content_security_policy(),
        "Cross-Origin-Opener-Policy": "same-origin",
        "ETag": file.etag,
        "Vary": "Accept-Encoding",
    }
    if _is_known(call.request.header("if-none-match") or "", file.etag):
        return Answer(status=304, headers=headers)
    headers["Content-Type"] = file.content_type
    if _takes_gzip(call.request.header("accept-encoding") or ""):
        # As another form of the same, it has a weak tag: RFC 9110, 8.8.3.3.
        compressed = {**headers, "Content-Encoding": "gzip", "ETag": f"W/{file.etag}"}
        return Answer(content=file.compressed, headers=compressed)
    return Answer(content=file.content, headers=headers)


def _is_known(if_none_match: str, etag: str) -> bool:
    # What is on the way may have weakened the tag, and compares weakly: RFC 9110, 13.1.2.
    known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in known or known == {"*"}


def _takes_gzip(accept_encoding: str) -> bool:
    # As every browser says it. Whoever weighs one encoding against another gets the plain form.
    return "gzip" in {name.strip() for name in accept_encoding.lower().split(",")}


ROUTES = tuple(
    Route(
        name="page",
        method="GET",
        path=path,
        access=Access.OPEN,
        handle=page,
        summary="The owner's page",
    )
    for path in ("/owner", "/owner/{file}")
)
