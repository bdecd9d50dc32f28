"""How an edge function starts: what it imports, what it needs, and what it says."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from doorcode.entrypoints import follow_up
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.platforms.inbound import FollowUp
from tests import webhooks
from tests.backends.gateway import moto_url
from tests.edge.harness import ALL_OWNERS, CREDENTIALS, Edge
from tests.eventually import PATIENCE_SECONDS
from tests.harness import T0
from tests.webhooks import HELLO, STRANGER, load

ROOT = Path(__file__).parents[2]
EACH = pytest.mark.parametrize("platform", list(Platform))
# Each costs a cold start between several and hundreds of milliseconds.
HEAVY = {
    *("boto3", "botocore", "urllib3", "s3transfer", "jmespath", "dateutil"),
    *("telegram", "slack_sdk", "slack_bolt", "discord"),
    *("pydantic", "aws_lambda_powertools", "httpx", "requests", "anyio"),
    *("dataclasses", "inspect", "asyncio", "unittest", "multiprocessing", "concurrent.futures", "ctypes"),
    *("urllib.request", "http.server", "email.mime", "xml", "sqlite3", "tempfile", "subprocess", "argparse"),
}


def app(platform: Platform) -> Any:
    """Load a function's module by its path, as Lambda does."""
    path = ROOT / "functions" / platform / "app.py"
    spec = importlib.util.spec_from_file_location(f"{platform}_app", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SERVES = """
import json, sys
sys.path.insert(0, f"functions/{sys.argv[1]}")
import app
from doorcode.wiring import edge_clients, edge as wiring
wiring.REQUEST_SECONDS = edge_clients.SECONDS = edge_clients.DYNAMODB_SECONDS = float(sys.argv[2])
response = app.handler(json.load(sys.stdin), None)
print(json.dumps([response, sorted(sys.modules)]))
"""


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give what the edge's layer holds, and nothing of what else is installed here: some of it is used where it is found."""
    folder = tmp_path_factory.mktemp("layer")
    for name in ("msgspec", "nacl", "cffi", "_cffi_backend"):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        source = origin.parent if spec.submodule_search_locations else origin
        (folder / source.name).symlink_to(source)
    return folder


@EACH
def test_what_an_edge_function_has_imported_when_it_has_answered(edge: Edge, platform: Platform, layer: Path) -> None:
    """No SDK of anybody's, no pydantic, powertools or httpx, nothing that imports ``inspect``: after a request, not before."""
    edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
    run = subprocess.run(
        [sys.executable, "-S", "-c", SERVES, platform, str(PATIENCE_SECONDS)],
        cwd=ROOT,
        env=edge.environment
        | CREDENTIALS
        | {"AWS_ENDPOINT_URL": moto_url(), "PYTHONPATH": f"{layer}{os.pathsep}{ROOT / 'shared'}"},
        input=json.dumps(webhooks.request(load(HELLO[platform]), int(time.time()))),
        capture_output=True,
        text=True,
        check=True,
    )
    *logged, answered = map(json.loads, run.stdout.splitlines())
    response, modules = answered
    assert response["statusCode"] == 200, run.stderr
    assert len(edge.handed_off()) == 1
    assert [line.get("reason") for line in logged] == [None, "paired"]
    assert "doorcode.aws.client.service" in modules
    assert sorted(HEAVY & set(modules)) == []
    # What only presses under questions need waits for the first of them.
    assert not [name for name in modules if "asking" in name or "question" in name]
    # What only a bot behind the door needs is imported before that alone.
    assert not [name for name in modules if name.endswith((".deeds", ".bot", ".bot_door", ".bot_proxy"))]


@EACH
def test_a_function_s_module_is_short(platform: Platform) -> None:
    """A function's own file wires, calls and returns, in under 40 lines."""
    assert len((ROOT / "functions" / platform / "app.py").read_text().splitlines()) < 40


@EACH
def test_the_handler_answers_now(edge: Edge, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """The handler that Lambda calls serves a delivery signed now, with everything wired from the environment."""
    for name, value in (edge.environment | {"UNKNOWN_USER_POLICY": "pair,whatsapp=pair"}).items():
        monkeypatch.setenv(name, value)
    handler = app(platform).handler
    response = handler(webhooks.request(load(HELLO[platform]), int(time.time())), None)
    assert response["statusCode"] == 200
    assert edge.contact(platform).state is State.PENDING


@EACH
def test_importing_a_function_needs_no_environment(platform: Platform) -> None:
    """Nothing at import reads the environment or builds a client."""
    run = subprocess.run(
        [sys.executable, "-c", "import app"],
        cwd=ROOT / "functions" / platform,
        env={},
        capture_output=True,
        check=False,
    )
    assert run.stderr == b""


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"MAX_PENDING": "0"}, "MAX_PENDING: 0 is not between 1 and 100. Use MAX_PENDING=1"),
        ({"UNKNOWN_USER_POLICY": "Pair"}, "Use pair"),
        ({"TABLE_NAME": ""}, "TABLE_NAME is not set"),
    ],
    ids=["out of range", "wrong case", "missing"],
)
def test_a_bad_setting_stops_the_function(
    edge: Edge, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, settings: dict[str, str], line: str
) -> None:
    """A value that cannot be used serves nothing, and says in one line what to correct."""
    for name, value in (edge.environment | settings).items():
        monkeypatch.setenv(name, value)
    response = app(Platform.TELEGRAM).handler(webhooks.request(load(HELLO[Platform.TELEGRAM]), T0), None)
    assert response == {"statusCode": 503}
    [record] = [record for record in caplog.records if record.name.startswith("doorcode")]
    assert line in record.message
    assert edge.items() == []


def test_the_start_says_which_policy_is_in_force(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    """Security 35: the log begins with the policy, and warns of pair without an owner, of allow, and of usernames."""
    edge.door(
        Platform.SLACK, UNKNOWN_USER_POLICY="pair,slack=allow", OWNER_USER_IDS="", ALLOWED_USERS="telegram:@someone"
    )
    text = caplog.text
    assert "Unknown users: telegram=pair, slack=allow, discord=pair" in text
    assert "OWNER_USER_IDS is empty" in text
    assert "allow on slack" in text
    assert "telegram:@someone" in text


def test_the_start_says_once_that_nobody_can_get_in(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever has just deployed, and set nothing, finds one warning in the log that says so."""
    edge.door(Platform.TELEGRAM, UNKNOWN_USER_POLICY="", OWNER_USER_IDS="", ALLOWED_USERS="")
    [warned] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "nobody can get in" in warned.message


@pytest.mark.parametrize("name", ["group_mention", "group_reply_to_bot", "group_command"])
def test_mentions_are_noticed_once_it_is_known_who_the_bot_is(edge: Edge, name: str) -> None:
    """With GROUP_POLICY mention_only, a mention of the bot by a paired person is handed off; other talk is not."""
    edge.put(Contact(platform=Platform.TELEGRAM, user_id=STRANGER[Platform.TELEGRAM], state=State.PAIRED, rev=1))
    edge.deliver(load("telegram/group_text"), GROUP_POLICY="mention_only")
    assert edge.handed_off() == []
    edge.deliver(load(f"telegram/{name}"), GROUP_POLICY="mention_only")
    assert [handed["chat"] for handed in edge.handed_off()] == ["group"]


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("telegram/group_mention", "-1001234567890"),
        ("slack/app_mention", "C0GENERAL1"),
        ("discord/chat_guild", "500000000000000001"),
        ("discord/chat_guild_thread", "500000000000000001"),
    ],
)
def test_a_group_has_to_be_named(edge: Edge, name: str, group: str, caplog: pytest.LogCaptureFixture) -> None:
    """A paired person is not answered in a group that is not named; the log tells the id under which it is."""
    event = load(name)
    edge.put(Contact(platform=event.platform, user_id=STRANGER[event.platform], state=State.PAIRED, rev=1))
    others = "telegram:-1,slack:C0X,discord:1"
    edge.deliver(event, GROUP_POLICY="mention_only", ALLOWED_GROUPS=others)
    assert edge.handed_off() == []
    [dropped] = [record for record in caplog.records if hasattr(record, "action")]
    assert (dropped.__dict__["reason"], dropped.__dict__["group"]) == ("group_policy", group)
    edge.deliver(event, GROUP_POLICY="mention_only", ALLOWED_GROUPS=f"{event.platform}:{group}")
    assert len(edge.handed_off()) == 1


def test_without_knowing_the_bot_no_mention_is_noticed_and_the_log_says_so(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    """Until the webhook command has stored who the bot is, groups stay silent, with a warning that names the command."""
    edge.ssm.delete_parameter(Name="/doorcode/test/telegram/bot")
    edge.put(Contact(platform=Platform.TELEGRAM, user_id=STRANGER[Platform.TELEGRAM], state=State.PAIRED, rev=1))
    assert edge.deliver(load("telegram/group_mention"), GROUP_POLICY="mention_only")["statusCode"] == 200
    assert edge.handed_off() == []
    assert "doorcode telegram webhook set" in caplog.text


@EACH
def test_every_drop_has_one_reason(edge: Edge, platform: Platform, caplog: pytest.LogCaptureFixture) -> None:
    """Security 34: a message leaves one record with action, reason, platform and id as fields of their own."""
    edge.deliver(load(HELLO[platform]), UNKNOWN_USER_POLICY="deny", OWNER_USER_IDS=ALL_OWNERS)
    [record] = [record for record in caplog.records if hasattr(record, "action")]
    fields = {name: record.__dict__[name] for name in ("action", "reason", "platform", "user_id")}
    assert fields == {"action": "drop", "reason": "policy_deny", "platform": platform, "user_id": STRANGER[platform]}


@pytest.mark.parametrize("status", [200, 301, 404, None], ids=["ok", "redirect", "gone", "nobody there"])
def test_the_follow_up_call_is_made_once_and_its_failure_ignored(
    status: int | None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Security 29: one POST, no redirect followed, and a failure is a line in the log."""
    monkeypatch.setattr(follow_up, "TIMEOUT_SECONDS", PATIENCE_SECONDS)
    requests: list[tuple[str, bytes]] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status or 200)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        port = server.server_port
        thread = threading.Thread(target=server.handle_request)
        if status is None:
            server.server_close()
        else:
            thread.start()
        follow_up.post(FollowUp(f"http://127.0.0.1:{port}/actions/T0/1/abc", b"{}"))
        if status is not None:
            thread.join()
    assert requests == ([] if status is None else [("/actions/T0/1/abc", b"{}")])
    failures = [record for record in caplog.records if getattr(record, "reason", "") == "follow_up"]
    assert len(failures) == (0 if status == 200 else 1)
    assert "abc" not in str([record.__dict__ for record in failures])


@pytest.mark.parametrize("how", ["silent", "dripping"])
def test_the_follow_up_call_ends_whatever_its_peer_does(
    how: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Security 29: a peer that says nothing, or a byte now and then, holds nobody up; the log says that time was up."""
    monkeypatch.setattr(follow_up, "TIMEOUT_SECONDS", 0.2)
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while not over.wait(0.05):
                if how == "dripping":
                    connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/actions/T0/1/abc"
        caller = threading.Thread(target=follow_up.post, args=(FollowUp(url, b"{}"),), daemon=True)
        caller.start()
        peer = threading.Thread(target=drip, args=(server.accept()[0],))
        peer.start()
        caller.join(PATIENCE_SECONDS)
        held_up = caller.is_alive()
        over.set()
        peer.join()
        caller.join(PATIENCE_SECONDS)
    assert not held_up
    assert [record.reason for record in caplog.records if hasattr(record, "reason")][:1] == ["follow_up"]
