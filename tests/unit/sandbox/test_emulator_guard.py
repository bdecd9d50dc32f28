"""The guard before the emulator: whom it lets through, and that nothing of anybody else's arrives."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest
from botocore.config import Config

from doorcode_sandbox.emulator_guard import FRONT_HEADER, EmulatorGuard, Keys, front_word, functions_keys, made_keys

PORT = 8788
NEAR = f"127.0.0.1:{PORT}"
KEYS = Keys("AKIATESTTESTTESTTEST", "the secret of this run")
TOKEN = "0b7f2c9e-3f5e-4f0e-9d7d-0d6f4d1a2b3c"
RESPONSE = f"/_ministack/cfn-response/{TOKEN}"
Headers = list[tuple[str, str]]


class Emulator:
    """What stands behind the guard, and whatever reached it: paths and bodies."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.guard = EmulatorGuard(self.app, PORT, KEYS, {TOKEN}.__contains__)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """Take a request."""
        message = await receive()
        self.taken.append((scope["path"], message["body"]))
        self.headers = scope["headers"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def asked(
        self, verb: str, target: str, headers: Headers, body: bytes = b"", kind: str = "http"
    ) -> tuple[int, list[Any]]:
        """Send a request in two pieces; return its status, 0 for a closed socket, and all that was sent back."""
        path, _, query = target.partition("?")
        pieces = [
            {"type": "http.request", "body": body[:3], "more_body": True},
            {"type": "http.request", "body": body[3:], "more_body": False},
        ]
        sent: list[Any] = []

        async def receive() -> Any:
            return pieces.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {
            "type": kind,
            "method": verb,
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        }
        asyncio.run(self.guard(scope, receive, send))
        return sent[0].get("status", 0), sent

    def status(self, verb: str, target: str, headers: Headers, body: bytes = b"") -> int:
        """Send a request; return its status."""
        return self.asked(verb, target, headers, body)[0]


@pytest.fixture
def emulator() -> Emulator:
    """Give one."""
    return Emulator()


CALLS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "json": ("dynamodb", lambda client: client.get_item(TableName="t", Key={"pk": {"S": "ü/ß"}})),
    "path": ("lambda", lambda client: client.invoke(FunctionName="arn:aws:lambda:x:1:function:f", Payload=b"{}")),
    "query": ("lambda", lambda client: client.list_functions(Marker="a b/c&d", MaxItems=3)),
    "form": ("cloudformation", lambda client: client.describe_stacks(StackName="s")),
    "file": ("s3", lambda client: client.put_object(Bucket="b", Key="a b/ü/../c.zip", Body=b"a zip")),
}


def signed(call: str, keys: Keys, token: str | None = None) -> tuple[str, str, Headers, bytes]:
    """Return a request as boto3 signs and sends it: method, target, headers, body."""
    service, ask = CALLS[call]
    client: Any = boto3.client(
        service,
        endpoint_url=f"http://{NEAR}",
        region_name="us-east-1",
        aws_access_key_id=keys.key,
        aws_secret_access_key=keys.secret,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
    )
    sent: list[Any] = []

    class CaughtError(Exception):
        pass

    def catch(request: Any, **_: Any) -> None:
        sent.append(request)
        raise CaughtError

    client.meta.events.register("before-send", catch)
    with pytest.raises(CaughtError):
        ask(client)
    (request,) = sent
    address = urlsplit(request.url)
    target = address.path + (f"?{address.query}" if address.query else "")
    headers = [("Host", NEAR)] + [
        (name, value.decode() if isinstance(value, bytes) else value) for name, value in request.headers.items()
    ]
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    return request.method, target, headers, body.encode() if isinstance(body, str) else body


def presigned(keys: Keys, service: str = "s3") -> str:
    """Return the target of a request that is signed in its query."""
    client: Any = boto3.client(
        service,
        endpoint_url=f"http://{NEAR}",
        region_name="us-east-1",
        aws_access_key_id=keys.key,
        aws_secret_access_key=keys.secret,
        config=Config(signature_version="s3v4" if service == "s3" else "v4"),
    )
    operation, given = {"s3": ("get_object", {"Bucket": "b", "Key": "k"}), "sts": ("get_caller_identity", {})}[service]
    address = urlsplit(client.generate_presigned_url(operation, given, HttpMethod="GET"))
    return f"{address.path}?{address.query}"


@pytest.mark.parametrize("call", CALLS)
def test_the_run_s_own_requests_go_through(emulator: Emulator, call: str) -> None:
    """Security 36: whatever boto3 signs with the keys of this run arrives as it was, body and all."""
    verb, target, headers, body = signed(call, KEYS)
    assert emulator.status(verb, target, headers, body) == 200
    assert emulator.taken == [(unquote(target.partition("?")[0]), body)]


def test_a_query_that_is_signed_goes_through(emulator: Emulator) -> None:
    """Security 36: the keys of this run count in the query, too; others do not, nor does what was changed."""
    for service in ("s3", "sts"):
        assert emulator.status("GET", presigned(KEYS, service), [("Host", NEAR)]) == 200
        assert emulator.status("GET", presigned(Keys("test", "test"), service), [("Host", NEAR)]) == 403
        assert emulator.status("DELETE", presigned(KEYS, service), [("Host", NEAR)]) == 403
    assert emulator.status("GET", "/x" + presigned(KEYS), [("Host", NEAR)]) == 403
    assert len(emulator.taken) == 2


def test_other_keys_are_refused(emulator: Emulator) -> None:
    """Security 36: what ministack takes for its administrator is nobody here, and the key alone is not enough."""
    for call in ("json", "file"):
        for keys in (
            Keys("test", "test"),
            Keys("000000000000", "test"),
            Keys("", ""),
            Keys(KEYS.key, "test"),
            made_keys(),
        ):
            verb, target, headers, body = signed(call, KEYS if not keys.key else keys)
            if not keys.key:
                headers = [(name, value) for name, value in headers if name.lower() != "authorization"]
            assert emulator.status(verb, target, headers, body) == 403, (call, keys)
            assert emulator.taken == [], (call, keys)


def test_what_was_signed_is_what_goes_through(emulator: Emulator) -> None:
    """Security 36: not with another body, path, query or method."""
    verb, target, headers, body = signed("query", KEYS)
    for changed in (
        ("POST", target, headers, body),
        (verb, target + "&x=1", headers, body),
        (verb, "/other", headers, body),
        (verb, target, headers, b"changed"),
        (verb, target, [*headers, next(each for each in headers if each[0].lower() == "authorization")], body),
    ):
        assert emulator.status(*changed) == 403
    assert emulator.taken == []
    assert emulator.status(verb, target, headers, body) == 200


def test_what_a_browser_sends_is_refused(emulator: Emulator) -> None:
    """Security 36: also with the right keys, and nothing in the answer is for other origins to read."""
    for header in (
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Origin", f"http://{NEAR}"),
        ("Sec-Fetch-Site", "none"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-CH-UA", '"Chromium"'),
        ("Referer", "http://evil.example/"),
        ("Cookie", "a=b"),
        ("Access-Control-Request-Method", "POST"),
    ):
        verb, target, headers, body = signed("json", KEYS)
        status, sent = emulator.asked(verb, target, [*headers, header], body)
        assert (status, emulator.taken) == (403, []), header
        assert not [name for name, _ in sent[0]["headers"] if name.startswith(b"access-control")], header


def test_another_host_is_refused(emulator: Emulator) -> None:
    """Security 36: a name that was rebound to this machine is not this machine's."""
    for host in ("evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:80", "", f"{NEAR}."):
        verb, target, headers, body = signed("json", KEYS)
        named = [("Host", host)] + [(name, value) for name, value in headers if name != "Host"]
        assert (emulator.status(verb, target, named, body), emulator.taken) == (403, []), host


def test_sockets_are_refused(emulator: Emulator) -> None:
    """Security 36: a WebSocket is never accepted."""
    _, sent = emulator.asked("GET", "/", [("Host", NEAR)], kind="websocket")
    assert ([message["type"] for message in sent], emulator.taken) == (["websocket.close"], [])


def test_the_emulator_s_own_doors_are_shut(emulator: Emulator) -> None:
    """Security 36: reset and the like ask for nothing, so nobody gets there; a custom resource's answer does, once asked."""
    for verb, path in (
        ("POST", "/_ministack/reset"),
        ("GET", "/_ministack/sqs/messages"),
        ("GET", "/_localstack/health"),
    ):
        assert emulator.status(verb, path, [("Host", NEAR)]) == 403
    assert emulator.status("GET", "/health", [("Host", NEAR)]) == 403
    assert emulator.status("PUT", RESPONSE.replace("0b7f", "ffff"), [("Host", NEAR)]) == 403
    assert emulator.status("GET", RESPONSE, [("Host", NEAR)]) == 403
    assert emulator.taken == []
    assert emulator.status("PUT", RESPONSE, [("Host", f"localhost:{PORT}")], b"{}") == 200


def test_only_the_front_reaches_the_stack_s_api(emulator: Emulator) -> None:
    """Security 36: its word opens the API alone, and goes no further; without it nobody gets there, whatever they sign."""
    api = ("Host", f"abc123.execute-api.localhost:{PORT}")
    browser = ("Origin", f"http://127.0.0.1:{PORT - 1}")
    word = (FRONT_HEADER, front_word(KEYS))
    assert emulator.status("POST", "/telegram", [api, word, browser], b"{}") == 200
    assert dict(emulator.headers).keys() == {b"host", b"origin"}
    emulator.taken.clear()
    for path, headers in (
        ("/telegram", [api]),
        ("/telegram", [api, (FRONT_HEADER, "wrong")]),
        ("/telegram", [api, word, word]),
        ("/", [("Host", NEAR), word]),
        ("/", [("Host", "abc123.execute-api.localhost:1"), word]),
        ("/", [("Host", f"bucket.localhost:{PORT}"), word]),
        ("/_ministack/reset", [api, word]),
    ):
        assert emulator.status("POST", path, headers) == 403, (path, headers)
    assert emulator.taken == []


def test_a_request_that_breaks_off_is_none(emulator: Emulator) -> None:
    """It never gets to the emulator."""
    verb, target, headers, _ = signed("json", KEYS)
    scope = {
        "type": "http", "method": verb, "path": target, "raw_path": target.encode(), "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
    }  # fmt: skip
    sent: list[Any] = []

    async def gone() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(emulator.guard(scope, gone, send))
    assert (sent[0]["status"], emulator.taken) == (403, [])


class Sessions:
    """ministack's STS, as far as it is used."""

    def __init__(self) -> None:
        self._sessions: dict[str, Any] = {}

    def register_session(self, key: str, session: Any) -> None:
        """Have a session."""
        self._sessions[key] = session


def test_functions_keys_cannot_be_worked_out(emulator: Emulator) -> None:
    """Security 36: ministack's own follow from a function's name; ours are random, and the only ones that hold."""
    sts = Sessions()

    def worked_out(config: Any) -> dict[str, str]:
        key = f"ASIA{config['FunctionArn']}"
        sts.register_session(key, {"Arn": "role", "SecretAccessKey": "s", "SessionToken": "t"})
        return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}

    give = functions_keys(worked_out, lambda: sts, emulator.guard.admit)
    one, two = give({"FunctionArn": "one", "Role": "r"}), give({"FunctionArn": "two", "Role": "r"})
    assert give({"FunctionArn": "one", "Role": "r"}) == one
    assert list(sts._sessions) == [one["AWS_ACCESS_KEY_ID"], two["AWS_ACCESS_KEY_ID"]]
    assert sts._sessions[one["AWS_ACCESS_KEY_ID"]] == {
        "Arn": "role", "SecretAccessKey": one["AWS_SECRET_ACCESS_KEY"], "SessionToken": one["AWS_SESSION_TOKEN"]
    }  # fmt: skip
    for given, status in ((one, 200), (two, 200), (worked_out({"FunctionArn": "one"}), 403)):
        keys = Keys(given["AWS_ACCESS_KEY_ID"], given["AWS_SECRET_ACCESS_KEY"])
        assert emulator.status(*signed("json", keys, given["AWS_SESSION_TOKEN"])) == status
