"""A page of somebody else's, in a browser on the machine of a sandbox: it reaches the emulator by no way that there is."""

import os
import tempfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from doorcode_sandbox import emulator
from doorcode_sandbox.clients import Clients
from doorcode_sandbox.loopback import LoopbackServer
from tests.backends.emulators import CHECKOUT, KEYS, free_port
from tests.browser.chromium import REBOUND
from tests.eventually import eventually

SECRET = "what only the owner of this machine may read"
# What ministack takes from its administrator, in a query, where a page can say it without anybody's leave.
ROOT = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test/20260101/us-east-1/sqs/aws4_request"
PLANT = f"/?Action=CreateQueue&QueueName=planted&Version=2012-11-05&{ROOT}"
FORM = """(target, body) => {
  const form = document.createElement('form');
  Object.assign(form, {method: 'POST', enctype: 'text/plain', action: target, target: 'elsewhere'});
  const input = document.createElement('input');
  Object.assign(input, {type: 'hidden', name: body, value: ''});
  form.append(input);
  const frame = document.createElement('iframe');
  frame.name = 'elsewhere';
  document.body.append(frame, form);
  form.submit();
}"""
ASK = """{method: 'POST', body: '{"Name": "secret", "WithDecryption": true}', headers: {
  'X-Amz-Target': 'AmazonSSM.GetParameter', 'Content-Type': 'application/x-amz-json-1.1',
  Authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ssm/aws4_request, SignedHeaders=host, Signature=0'}}"""
READ = f"""(target) => fetch(target, {ASK}).then((answer) => answer.text(), () => 'kept from us')"""
# What a page does with the emulator's address; those that return something return what they could read.
ATTACKS = {
    "fetch": READ,
    "fetch of ministack's own": "(url) => fetch(`${url}/_ministack/reset`, {method: 'POST', mode: 'no-cors'}).then(() => '')",
    "fetch without cors": f"(url) => fetch(`${{url}}{PLANT}`, {{method: 'POST', mode: 'no-cors'}}).then(() => '')",
    "form": f"(url) => ({FORM})(`${{url}}{PLANT}`, 'x')",
    "form to ministack's own": f"(url) => ({FORM})(`${{url}}/_ministack/reset`, 'x')",
    "popup": f"(url) => {{ open(`${{url}}{PLANT}`); }}",
    "image": f"(url) => {{ new Image().src = `${{url}}{PLANT}`; }}",
    "socket": """(url) => new Promise((told) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/_aws/execute-api/abc/stage`);
      socket.onopen = () => told('open');
      socket.onerror = () => told('closed');
    })""",
}


class Sandbox:
    """An emulator with a secret in it, and what its guard has written."""

    def __init__(self, port: int, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.rebound = f"http://{REBOUND}:{port}"
        self._log = log
        self.client = Clients(self.url, KEYS)
        self.client("ssm").put_parameter(Name="secret", Value=SECRET, Type="SecureString")

    def refused(self) -> int:
        """Return how often somebody was refused."""
        return self._log.read_text().count("Refused a request")

    def holds(self) -> bool:
        """Tell whether everything is as it was, and nothing else there."""
        (found,) = self.client("ssm").describe_parameters()["Parameters"]
        return found["Name"] == "secret" and not self.client("sqs").list_queues().get("QueueUrls")


class Site(BaseHTTPRequestHandler):
    """A site with nothing on it but a page."""

    def do_GET(self) -> None:
        """Answer it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>A page</title>")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Run one, as ``doorcode run`` does."""
    if not CHECKOUT.interpreter.exists():
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("ministack is not installed: run `make ministack`")
    port = free_port()
    told = {"PATH": os.defpath, **emulator.ministack_environment(port, KEYS)}
    with (
        tempfile.TemporaryDirectory() as home,
        emulator.running(emulator.ministack_command(CHECKOUT), port, told, Path(home)),
    ):
        yield Sandbox(port, Path(home, "log"))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give somebody's page, on a site of their own."""
    site, context = LoopbackServer(0, Site), browser.new_context()
    site.run("site")
    found = context.new_page()
    # From this very machine, or the browser itself would stand in the way.
    found.goto(f"http://{REBOUND}:{site.server_port}/")
    yield found
    context.close()
    site.end()


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_reaches_the_emulator(sandbox: Sandbox, page: Page, attack: str) -> None:
    """Security 36: it came, and was refused; the page reads nothing of it, and nothing has changed."""
    before = sandbox.refused()
    read = page.evaluate(ATTACKS[attack], sandbox.url)
    assert eventually(lambda: sandbox.refused() > before)
    assert (read or "") in {"", "kept from us", "closed"}
    assert sandbox.holds()


def test_a_name_that_is_rebound_reaches_nothing(sandbox: Sandbox, page: Page) -> None:
    """Security 36: as its own origin the page may read what it is answered, which is a refusal."""
    page.goto(f"{sandbox.rebound}/")
    before = sandbox.refused()
    read = page.evaluate(READ, f"{sandbox.rebound}/")
    assert ("another host" in read, SECRET in read) == (True, False)
    assert sandbox.refused() > before
    assert sandbox.holds()


def test_whoever_has_the_keys_reads(sandbox: Sandbox) -> None:
    """Otherwise the rest would show nothing."""
    assert urlsplit(sandbox.url).hostname == "127.0.0.1"
    answer = sandbox.client("ssm").get_parameter(Name="secret", WithDecryption=True)
    assert answer["Parameter"]["Value"] == SECRET
