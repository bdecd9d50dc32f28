"""A conversation with a server that has OpenAI's API and that nobody here wrote: mocktopus, from PyPI.

It keeps nothing between two requests: what it answers stands in what it is sent, so that it remembers only what it is told again.
"""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from doorcode.pairing.contact import Contact, Platform, State
from tests.behind.harness import Behind
from tests.eventually import eventually
from tests.webhooks import HELLO, STRANGER, load

# Rules are tried in their order, over all messages of a request.
RULES = r"""
version: 1
rules:
  - type: llm.openai
    when: {model: "a-model", messages_regex: "(?s)Be brief.*My name is Alice.*Nice to meet you.*What is my name.*You are Alice.*And again"}
    respond: {content: "Still Alice."}
  - type: llm.openai
    when: {model: "a-model", messages_regex: "(?s)Be brief.*My name is Alice.*Nice to meet you.*What is my name"}
    respond: {content: "You are Alice."}
  - type: llm.openai
    when: {model: "a-model", messages_regex: "(?s)Be brief.*My name is Alice"}
    respond: {content: "Nice to meet you."}
  - type: llm.openai
    when: {model: "*"}
    respond: {content: "I know nothing of you."}
"""


@pytest.fixture
def mocktopus(tmp_path: Path) -> Iterator[str]:
    """Run the server; give its base."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(RULES)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command: list[str | Path] = [
        Path(sys.executable).with_name("mocktopus"),
        "serve",
        "-s",
        rules,
        "--host",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"HOME": str(tmp_path)}
    ) as server:
        try:
            assert eventually(lambda: _listens(port))
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def test_a_conversation_of_three_turns(behind: Behind, mocktopus: str) -> None:
    """The server is given the instructions and all that was said before; another chat's is not among it."""
    behind.edge.put_secret("agent/instructions", "Be brief.")
    behind.cold(AGENT="openai", AGENT_URL=mocktopus, AGENT_MODEL="a-model")
    for platform in (Platform.TELEGRAM, Platform.SLACK):
        behind.edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
    for number, text in enumerate(("My name is Alice", "What is my name?", "And again?")):
        said = load(HELLO[Platform.TELEGRAM]).another(number)
        said.body["message"]["text"] = text
        behind.deliver(said)
        behind.answer()
    behind.hello(Platform.SLACK)
    behind.answer()
    assert behind.heard(Platform.TELEGRAM) == ["Nice to meet you.", "You are Alice.", "Still Alice."]
    assert behind.heard(Platform.SLACK) == ["I know nothing of you."]
