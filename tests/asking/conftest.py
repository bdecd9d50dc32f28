"""What asks and what decides, before the real web and admin functions over one table in process."""

import getpass
import io
import json
import socket
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from doorcode.asking.client import AskClient
from doorcode.pairing.access import Scope
from doorcode.wiring import admin as admin_wiring
from doorcode_cli.app import main
from doorcode_cli.target import Target
from tests.web.conftest import clients, web
from tests.web.gateway import serving
from tests.web.harness import Caller, WebHarness

__all__ = ["clients", "web"]


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


class AdminFunction:
    """Stands where Lambda stands, and has the real handler."""

    def __init__(self) -> None:
        self._handler = admin_wiring.admin_handler()

    def invoke(self, FunctionName: str, Payload: bytes, **_: Any) -> dict[str, Any]:  # noqa: N803 (boto3's names)
        """Answer as Lambda does."""
        assert FunctionName == "doorcode-admin"
        answer = json.dumps(self._handler(json.loads(Payload), None))
        return {"Payload": io.BytesIO(answer.encode())}


class Surroundings:
    """One who asks, with a token; the owner's operator, with the page and the command."""

    def __init__(self, web: WebHarness, url: str) -> None:
        self.web, self.url = web, url
        self.token, self.asker = web.tokens.create("ci", {Scope.ASKS}, "alice@laptop", web.now)
        web.secrets_given.append(self.token.rpartition(".")[2])
        self.client = AskClient(url, self.token)
        self.page: Caller = web.session()

    def decides(self, question_id: str, verb: str, **more: Any) -> Any:
        """Decide at the page, on what stands there."""
        digest = self.page.get(f"/api/asks/{question_id}").body["digest"]
        reply = self.page.post(f"/api/asks/{question_id}/{verb}", digest=digest, **more)
        assert reply.status == 200, reply
        return reply.body

    def only(self) -> Any:
        """Return the one question that is open."""
        (question,) = self.page.get("/api/asks").body["asks"]
        return question


@pytest.fixture
def around(web: WebHarness, monkeypatch: pytest.MonkeyPatch) -> Iterator[Surroundings]:
    """Serve the web function, and tell the commands where it is, and where the admin function."""
    monkeypatch.setenv("WEB_URL", "https://door.example/owner")
    monkeypatch.setattr(admin_wiring, "time", SimpleNamespace(time=lambda: web.now))
    with serving(lambda event, context: web.handler(event, context)) as url:  # noqa: PLW0108 (the one that it has by then)
        found = Surroundings(web, url)
        monkeypatch.setenv("DOORCODE_URL", url)
        monkeypatch.setenv("DOORCODE_TOKEN", found.token)
        monkeypatch.setattr(Target, "client", lambda *_: AdminFunction())
        monkeypatch.setattr(getpass, "getuser", lambda: "alice")
        monkeypatch.setattr(socket, "gethostname", lambda: "laptop")
        yield found


@pytest.fixture
def doorcode(
    around: Surroundings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run a command line in process."""
    assert around

    def run(*arguments: str, said: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["doorcode", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(said))
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    return run
