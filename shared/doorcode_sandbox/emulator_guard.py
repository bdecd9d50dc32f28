"""ministack behind a guard: the emulator's one port answers to this run's own keys, and to no browser.

ministack runs code, answers every origin, takes the key ``test`` for its administrator and checks no signature of it,
and has doors that ask for nothing. So every request is looked at before it: it is signed with the pair of keys that was
made for this run, or with those that a function of this run was given; or it is for the stack's API and comes from the
sandbox's own front; or it is the answer that a custom resource was asked for, to an address that nobody can guess.
Whatever says that a browser sent it, or names another host, is refused without a look at its keys. WebSockets always are.

``AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=… GATEWAY_PORT=… python -I emulator_guard.py`` runs on ministack's own interpreter, which
has nothing of ours: this imports the standard library, and ministack and what stands
beside it in ``main`` alone.
"""

import hashlib
import hmac
import importlib
import os
import posixpath
import re
import runpy
import secrets
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

# What the front says to be let through to the stack's API.
FRONT_HEADER = "x-doorcode-front"
# What browsers say, and no client of AWS does.
BROWSERS = ("origin", "cookie", "referer")
BROWSERS_BEGIN = ("sec-", "access-control-")
ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
API = re.compile(r"[a-z0-9]+\.execute-api\.localhost")
# Where ministack's own doors are.
INSIDE = "/_"
RESPONSE = re.compile(r"/_ministack/cfn-response/([0-9a-f-]{36})")
KEY_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
FORBIDDEN = 403


class KeptOutError(Exception):
    """The request goes no further; says why."""


class Keys(NamedTuple):
    """A pair of keys."""

    key: str
    secret: str


def made_keys(kind: str = "AKIA") -> Keys:
    """Make a pair that nobody can guess, of AWS's form; ``kind`` is ``ASIA`` for a session's."""
    return Keys(kind + "".join(secrets.choice(KEY_LETTERS) for _ in range(16)), secrets.token_urlsafe(30))


def front_word(keys: Keys) -> str:
    """Return what the front of this run says."""
    return hmac.new(keys.secret.encode(), b"front", hashlib.sha256).hexdigest()


def is_browser(headers: Mapping[str, str]) -> bool:
    """Tell whether a browser sent a request, by its headers' names in lower case."""
    return any(name in BROWSERS or name.startswith(BROWSERS_BEGIN) for name in headers)


class EmulatorGuard:
    """An ASGI application before another one."""

    def __init__(self, app: App, port: int, keys: Keys, is_awaited: Callable[[str], bool]) -> None:
        """Let through to ``app``, on that port, what has the right to. ``is_awaited`` knows custom resources' tokens."""
        self._app = app
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self._port = port
        self._keys = {keys.key: keys.secret}
        self._front = front_word(keys)
        self._is_awaited = is_awaited

    def admit(self, keys: Keys) -> None:
        """Take this pair from now on, too."""
        self._keys[keys.key] = keys.secret

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Hand a request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] != "http":
            # Not accepted, which the client is told as 403.
            _note("A WebSocket is never accepted.")
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            try:
                scope, receive = await self._let_through(scope, receive)
            except KeptOutError as error:
                await _refuse(send, str(error))
            else:
                await self._app(scope, receive, send)

    async def _let_through(self, scope: Message, receive: Receive) -> tuple[Message, Receive]:
        headers = _headers(scope)
        host, path = headers.get("host", ""), scope["path"]
        if FRONT_HEADER in headers:
            # Whatever else it says is a browser's, which the front has looked at.
            self._check_front(headers, host, path)
            kept = [(name, value) for name, value in scope["headers"] if name.lower() != FRONT_HEADER.encode()]
            return {**scope, "headers": kept}, receive
        if host.lower() not in self._hosts:
            raise KeptOutError("The request names another host.")
        if is_browser(headers):
            raise KeptOutError("Nothing that a browser sends is answered here.")
        if path.startswith(INSIDE):
            answer = RESPONSE.fullmatch(path)
            if scope["method"] != "PUT" or not answer or not self._is_awaited(answer[1]):
                raise KeptOutError("There is no way in here.")
            return scope, receive
        signature = _signature(headers, scope["query_string"].decode("latin-1"))
        secret = self._keys.get(signature.key)
        if secret is None:
            raise KeptOutError("The request is not signed with keys of this sandbox.")
        body = await _read(receive)
        if not hmac.compare_digest(signature.of(scope, headers, body, secret).encode(), signature.given.encode()):
            raise KeptOutError("The request is not signed with keys of this sandbox.")
        return scope, _again(body, receive)

    def _check_front(self, headers: Mapping[str, str], host: str, path: str) -> None:
        name, _, port = host.lower().rpartition(":")
        if not API.fullmatch(name) or port != str(self._port) or path.startswith(INSIDE):
            raise KeptOutError("The front is let through to the stack's API alone.")
        if not hmac.compare_digest(headers[FRONT_HEADER].encode(), self._front.encode()):
            raise KeptOutError("The request does not come from the front of this sandbox.")


class _Signature(NamedTuple):
    """AWS's Signature Version 4, as a header or in a query.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """

    key: str
    day: str
    region: str
    service: str
    signed: str
    date: str
    given: str
    query: str
    in_query: bool

    def of(self, scope: Message, headers: Mapping[str, str], body: bytes, secret: str) -> str:
        """Return what the request's signature has to be with that secret."""
        path = scope["raw_path"].decode("latin-1")
        if self.service != "s3":
            normal = posixpath.normpath("/" + path.lstrip("/"))
            path = quote(normal + "/" * (path.endswith("/") and normal != "/"), safe="/~")
        digest = headers.get("x-amz-content-sha256") or hashlib.sha256(body).hexdigest()
        if self.in_query and self.service == "s3":
            digest = UNSIGNED
        named = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in self.signed.split(";"))
        canonical = "\n".join([scope["method"], path, self.query, named, self.signed, digest])
        where = f"{self.day}/{self.region}/{self.service}/aws4_request"
        hashed = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
        key = f"AWS4{secret}".encode()
        for part in (
            self.day,
            self.region,
            self.service,
            "aws4_request",
            f"{ALGORITHM}\n{self.date}\n{where}\n{hashed}",
        ):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key.hex()


def _signature(headers: Mapping[str, str], query: str) -> _Signature:
    """Return how the request is signed. Raises KeptOutError where it is not."""
    authorization = headers.get("authorization", "")
    if authorization:
        algorithm, _, rest = authorization.partition(" ")
        parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        date = headers.get("x-amz-date", "")
    else:
        asked = {name: values[0] for name, values in parse_qs(query).items() if len(values) == 1}
        parts = {name.removeprefix("X-Amz-"): value for name, value in asked.items()}
        algorithm, date = parts.get("Algorithm", ""), parts.get("Date", "")
    scope = parts.get("Credential", "").split("/")
    if algorithm != ALGORITHM or len(scope) != 5:  # noqa: PLR2004 (key, day, region, service, aws4_request)
        raise KeptOutError("The request is not signed.")
    pairs = sorted((pair.partition("=")[0], pair.partition("=")[2]) for pair in query.split("&") if pair)
    return _Signature(
        key=scope[0],
        day=scope[1],
        region=scope[2],
        service=scope[3],
        signed=parts.get("SignedHeaders", ""),
        date=date,
        given=parts.get("Signature", ""),
        query="&".join(f"{name}={value}" for name, value in pairs if authorization or name != "X-Amz-Signature"),
        in_query=not authorization,
    )


def _headers(scope: Message) -> dict[str, str]:
    """Return the headers by their names in lower case. Raises KeptOutError where one that counts stands there twice."""
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").lower()
        if name in found and name in {"host", "authorization", FRONT_HEADER}:
            raise KeptOutError("A header stands there twice.")
        found[name] = f"{found[name]},{value.decode('latin-1')}" if name in found else value.decode("latin-1")
    return found


async def _read(receive: Receive) -> bytes:
    pieces = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise KeptOutError("The request ends in the middle.")
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives a body that was read, and then whatever comes."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Message:
        return waiting.pop() if waiting else await receive()

    return give


async def _refuse(send: Send, why: str) -> None:
    _note(why)
    body = f'{{"__type":"AccessDeniedException","message":"{why}"}}'.encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": FORBIDDEN, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _note(why: str) -> None:
    sys.stderr.write(f"Refused a request: {why}\n")


def functions_keys(
    given: Callable[[Any], dict[str, str]], sts: Callable[[], Any], admit: Callable[[Keys], None]
) -> Callable[[Any], dict[str, str]]:
    """Return what gives a function's keys instead of ``given``, whose keys anybody can work out from its name.

    ``sts`` gives ministack's module that knows sessions.
    """
    made: dict[tuple[str, str], dict[str, str]] = {}
    lock = threading.Lock()

    def give(config: Mapping[str, Any]) -> dict[str, str]:
        name = (config.get("FunctionArn", ""), config.get("Role", ""))
        with lock:
            if name not in made:
                session = sts()._sessions.pop(given(config)["AWS_ACCESS_KEY_ID"])  # noqa: SLF001 (there is no other way to end one)
                keys, token = made_keys("ASIA"), secrets.token_urlsafe(30)
                sts().register_session(keys.key, {**session, "SecretAccessKey": keys.secret, "SessionToken": token})
                made[name] = {
                    "AWS_ACCESS_KEY_ID": keys.key, "AWS_SECRET_ACCESS_KEY": keys.secret, "AWS_SESSION_TOKEN": token
                }  # fmt: skip
                admit(keys)
            return made[name]

    return give


def _is_awaited(token: str) -> bool:
    resources = sys.modules.get("ministack.services.cloudformation.custom_resource")
    return resources is not None and token in resources._pending  # noqa: SLF001 (nothing else knows)


def _beside(name: str) -> dict[str, Any]:
    """Return what a module of ours has that stands beside this one."""
    return runpy.run_path(str(Path(__file__).with_name(f"{name}.py")))


def _understand_templates() -> None:
    """Have CloudFormation read every short form, and put texts together in conditions.

    The latter in every module that has taken the function to itself.
    """
    knowing_texts = _beside("emulator_conditions")["knowing_texts"]
    cloudformation = "ministack.services.cloudformation"
    engine = importlib.import_module(f"{cloudformation}.engine")
    # It knows those that it works out. A template's rules, which it does not look at, have others.
    engine.CfnLoader.add_multi_constructor(
        "!",
        lambda loader, name, node: engine._construct_cfn_tag(f"Fn::{name}")(loader, node),  # noqa: SLF001 (it has no other)
    )
    evaluate = engine._evaluate_conditions  # noqa: SLF001 (it has no other)
    knowing = knowing_texts(evaluate)
    for name, module in list(sys.modules.items()):
        if name.startswith(cloudformation) and getattr(module, "_evaluate_conditions", None) is evaluate:
            module._evaluate_conditions = knowing  # type: ignore[attr-defined]  # noqa: SLF001 (it has no other)


def main() -> None:
    """Run ministack behind the guard."""
    # Before anything else of ministack takes its functions to itself.
    _beside("emulator_state")["keep_apart"](importlib.import_module("ministack.core.persistence"))
    ministack: Any = importlib.import_module("ministack.app")
    runtime: Any = importlib.import_module("ministack.core.lambda_runtime")
    keys = Keys(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    guard = EmulatorGuard(ministack.app, int(os.environ["GATEWAY_PORT"]), keys, _is_awaited)
    # Services are loaded when they are first asked for.
    runtime.execution_credentials = functions_keys(
        runtime.execution_credentials, lambda: importlib.import_module("ministack.services.sts"), guard.admit
    )
    _understand_templates()
    _beside("emulator_starts")["start_faster"](runtime, Path(tempfile.gettempdir(), "unpacked"))
    ministack.app = guard
    sys.argv = ["ministack"]
    ministack.main()


if __name__ == "__main__":
    main()
