"""An HTTP API on this machine: requests become events of payload format 2.0 for a handler, as API Gateway makes them."""

import base64
import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

Handler = Callable[[dict[str, Any], Any], Mapping[str, Any]]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

TEXT = ("text/", "application/json", "application/javascript", "application/xml")


def request_event(
    method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
) -> dict[str, Any]:
    """Return the event of a request. ``target`` holds the path, already decoded, and after ``?`` the query, as sent.

    Every escape of a path is decoded but that of the percent sign; what is not text travels as base64; cookies stand in
    a list of their own, and other headers in lower case.
    """
    split = urlsplit(target)
    lowered = {name.lower(): value for name, value in (headers or {}).items()}
    cookies = [cookie.strip() for cookie in lowered.pop("cookie", "").split(";") if cookie.strip()]
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": split.path,
        "rawQueryString": split.query,
        "headers": {"host": "api.example", "x-forwarded-proto": "https", **lowered},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api",
            "domainName": "api.example",
            "http": {"method": method, "path": split.path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7"},
            "requestId": "request",
            "stage": "$default",
            "timeEpoch": 1_800_000_000_000,
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if body:
        text = lowered.get("content-type", "").startswith(TEXT) and _is_utf8(body)
        event["body"] = body.decode() if text else base64.b64encode(body).decode()
        event["isBase64Encoded"] = not text
    return event


def application(handler: Handler) -> Application:
    """Return a WSGI application that passes every request to a Lambda handler, one at a time, as an environment does."""
    one_at_a_time = threading.Lock()

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        event = _event_of(environ)
        with one_at_a_time:
            response = handler(event, None)
        body = response.get("body") or ""
        raw = base64.b64decode(body) if response.get("isBase64Encoded") else body.encode()
        headers = [*(response.get("headers") or {}).items()]
        headers += [("Set-Cookie", cookie) for cookie in response.get("cookies") or []]
        start_response(f"{response['statusCode']} -", [*headers, ("Content-Length", str(len(raw)))])
        return [raw]

    return answer


@contextlib.contextmanager
def serving(handler: Handler) -> Iterator[str]:
    """Serve a Lambda handler on a free port of this machine, and give the URL of its root."""
    with make_server("127.0.0.1", 0, application(handler), _Server, _Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Write nothing to the tests' output."""


def _event_of(environ: Mapping[str, Any]) -> dict[str, Any]:
    headers = {name[5:].replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    if environ.get("CONTENT_TYPE"):
        headers["content-type"] = environ["CONTENT_TYPE"]
    path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace").replace("%", "%25")
    query = f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    event = request_event(environ["REQUEST_METHOD"], "", headers, body)
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    return event | {"rawQueryString": query[1:]}


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
