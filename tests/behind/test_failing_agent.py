"""An agent of one's own that fails: where and how is told, and nothing that people wrote."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from doorcode.entrypoints.ping import PING, STARTED
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.hand_off import HandOff
from tests.behind.harness import Behind
from tests.webhooks import STRANGER

FUNCTIONS = Path(__file__).parents[2] / "functions"
SECRET_WORDS = "Hello, may I come in?"


def app(name: str) -> ModuleType:
    """Load a function's module anew, as a cold start does."""
    spec = importlib.util.spec_from_file_location(f"{name}_started", FUNCTIONS / name / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_where_it_failed_is_logged_without_what_was_said(behind: Behind, caplog: pytest.LogCaptureFixture) -> None:
    """Security 34: the log has the error's type and its way through the code, never its message."""
    telegram = Platform.TELEGRAM
    behind.edge.put(Contact(platform=telegram, user_id=STRANGER[telegram], state=State.PAIRED, rev=1))
    answers = iter(["at last"])

    nothing: dict[str, tuple[str]] = {}

    def mine(message: HandOff) -> tuple[str]:
        try:
            return nothing[message.text]
        except KeyError as error:
            if len(behind.clients["sqs"].delays) == 0:
                raise ValueError(message.text) from error
            return (next(answers),)

    behind.agent._responders = lambda _: mine
    behind.hello(telegram)
    behind.answer()
    [trace] = [record.trace for record in caplog.records if getattr(record, "trace", "")]  # type: ignore[attr-defined]
    assert trace.startswith("ValueError at behind/test_failing_agent.py:")
    assert ":mine < entrypoints/agent.py:" in trace
    assert "; caused by KeyError at behind/test_failing_agent.py:" in trace
    assert SECRET_WORDS not in caplog.text
    assert SECRET_WORDS not in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("import no_such_module\n", "ModuleNotFoundError(no_such_module) at"),
        ("x = 1\ndef broken(:\n", "SyntaxError at"),
        ("{}['x']\n", "KeyError at"),
    ],
)
def test_an_agent_that_cannot_be_loaded(
    source: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What keeps the agent's code from being imported is logged with every batch, and answered to whoever asks."""
    (tmp_path / "broken_agent.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "doorcode.wiring.agent")
    monkeypatch.setattr("doorcode.wiring.own.import_module", lambda _: importlib.import_module("broken_agent"))
    handler = app("agent").handler
    answer = handler(PING, None)
    assert answer["doorcode"] == "failed"
    assert answer["detail"].startswith(told)
    assert f"{tmp_path.name}/broken_agent.py:" in answer["detail"]
    with pytest.raises(Exception, match=r"."):
        handler({"Records": []}, None)
    [record] = caplog.records
    assert (record.levelname, record.message) == ("ERROR", "The agent cannot be loaded")
    assert record.trace == answer["detail"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(path.name for path in FUNCTIONS.iterdir() if (path / "app.py").exists()))
def test_every_function_tells_whether_it_can_start(behind: Behind, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked with the harmless event, a function says that all it stands on is there, or what is missing."""
    environment = behind.environment | {
        "METRICS_NAMESPACE": "n", "WEB_URL": "https://api.example", "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
    }  # fmt: skip
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert app(name).handler(PING, None) == STARTED
    if name == "provision":
        return
    for variable in behind.environment:
        monkeypatch.delenv(variable)
    answer = app(name).handler(PING, None)
    assert (answer["doorcode"], answer["error"]) == ("failed", "bad_settings")
    assert "is not set" in answer["detail"]


def test_something_is_said_to_see_what_is_answered(
    behind: Behind, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The agent that is set answers, or it is told why not; nothing is remembered, sent or taken, and no words are logged."""
    for name, value in behind.environment.items():
        monkeypatch.setenv(name, value)
    said = {"doorcode": "say", "text": SECRET_WORDS, "platform": "telegram"}
    # Whether the agent may ask the owner is read with it; its secrets are all that is looked at.
    others = [client for service, client in behind.clients.items() if service != "ssm"]
    used = [len(client.calls) for client in others]
    assert app("agent").handler(said, None) == {"doorcode": "said", "texts": ["Hi there! How can I help you today?"]}
    assert [len(client.calls) for client in others] == used
    mine = sys.modules["my_agent"]
    monkeypatch.setattr(mine, "respond", lambda message, _: {}[message.text])
    answer = app("agent").handler(said, None)
    assert (answer["doorcode"], answer["error"]) == ("failed", "KeyError")
    assert SECRET_WORDS not in str(answer)
    monkeypatch.setenv("AGENT", "bot")
    monkeypatch.setenv("AGENT_URL", "https://bot.example")
    assert "Agent is bot now" in app("agent").handler(said, None)["detail"]
    assert app("agent").handler({**said, "Records": []}, None)["error"] == "ValidationError"
    assert SECRET_WORDS not in caplog.text
