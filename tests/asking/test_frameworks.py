"""The examples for agents' frameworks in docs/asking.md, with the real frameworks, in an environment of their own."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.asking.conftest import Surroundings
from tests.web.gateway import serving

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".tools/frameworks/bin/python"
WHY = "Not on a Friday."


class Model:
    """Stands where OpenAI's API stands: calls the one tool that it is given, with each of these arguments, and hears of it."""

    def __init__(self, *calls: dict[str, Any]) -> None:
        self.calls = calls
        self.heard: list[str] = []

    def __call__(self, event: dict[str, Any], _context: object) -> dict[str, Any]:
        """Answer a chat completion."""
        asked = json.loads(event["body"])
        assert not asked.get("stream")
        message: dict[str, Any] = {"role": "assistant", "content": None}
        if asked["messages"][-1]["role"] == "tool":
            self.heard += [one["content"] for one in asked["messages"] if one["role"] == "tool"]
            message["content"] = "I see."
        else:
            (tool,) = asked["tools"]
            calls = [{"name": tool["function"]["name"], "arguments": json.dumps(given)} for given in self.calls]
            message["tool_calls"] = [
                {"id": f"call_{number}", "type": "function", "function": call} for number, call in enumerate(calls)
            ]
        choice = {"index": 0, "message": message, "finish_reason": "stop" if message["content"] else "tool_calls"}
        body = {"id": "c", "object": "chat.completion", "created": 0, "model": asked["model"], "choices": [choice]}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        headers = {"content-type": "application/json"}
        return {"statusCode": 200, "headers": headers, "body": json.dumps(body | {"usage": usage})}


@contextmanager
def running(example: str, model: Model, folder: Path) -> Iterator[Iterator[Any]]:
    """Run an example in the frameworks' environment; give what it says of each of its runs."""
    if not PYTHON.exists():
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("the agents' frameworks are not installed: make frameworks")
    with serving(model) as url, (folder / "errors").open("w+") as errors:
        environment = os.environ | {
            "OPENAI_BASE_URL": f"{url}/v1",
            "OPENAI_API_KEY": "sk-none",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "shared"), str(ROOT / "docs/examples/asking")]),
            "DO_NOT_TRACK": "true",
            "OPENAI_AGENTS_DISABLE_TRACING": "true",
        }
        command = [str(PYTHON), str(Path(__file__).with_name("frameworks.py")), example]
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        try:
            assert process.stdout
            yield (json.loads(line) for line in process.stdout)
            errors.seek(0)
            assert process.wait(60) == 0, errors.read()
        finally:
            process.kill()
            process.communicate()


class Owner:
    """Decides while somebody waits for it: the first question with a yes, the others with a no and a reason."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self.asked: list[Any] = []
        around.web.meanwhile = self._decide

    def _decide(self) -> None:
        for question in self._around.page.get("/api/asks?state=pending").body["asks"]:
            self.asked.append(question)
            verb, more = ("deny", {"reason": WHY}) if len(self.asked) > 1 else ("approve", {})
            self._around.decides(question["id"], verb, **more)


@pytest.fixture
def owner(around: Surroundings) -> Owner:
    """Give an owner at the page."""
    return Owner(around)


def test_openai_agents(owner: Owner, tmp_path: Path) -> None:
    """Fault 7, 15: of two calls in one turn the approved one runs once, as asked; the other does not, and the model is told why."""
    paths = {"paths": ["a", "b"]}, {"paths": ["c"]}
    model = Model(*paths)
    with running("openai_agents", model, tmp_path) as runs:
        assert list(runs) == [{"said": "I see."}]
    assert [(asked["title"], asked["arguments"]) for asked in owner.asked] == [
        ("Run delete_files?", one) for one in paths
    ]
    ran, refused = model.heard
    assert ran == "Deleted a, b."
    assert refused.startswith(f'Not approved (denied, in the owner\'s words: "{WHY}"). Do not do it')


def test_langgraph(owner: Owner, tmp_path: Path) -> None:
    """Fault 7: approved, the node that was interrupted goes on once; denied, it does nothing, and the graph is told why."""
    with running("langgraph_node", Model({}), tmp_path) as runs:
        approved, denied = runs
    assert [asked["arguments"]["paths"] for asked in owner.asked] == [["a", "0"], ["a", "1"]]
    first, second = (asked["id"] for asked in owner.asked)
    assert approved == {"paths": ["a", "0"], "question": first, "deleted": ["a", "0"]}
    assert denied == {"paths": ["a", "1"], "question": second, "deleted": [], "refused": WHY}


def test_praisonai(owner: Owner, tmp_path: Path) -> None:
    """Fault 7: approved, the tool runs once, with what was asked; denied, it does not, and the model is told why."""
    model = Model({"command": "rm a"})
    with running("praisonai_approval", model, tmp_path) as runs:
        assert [one["ran"] for one in runs] == [["rm a"], []]
    for asked in owner.asked:
        assert asked["title"].startswith("Run execute_command (")
        assert asked["arguments"] == {"command": "rm a"}
    ran, refused = model.heard
    assert "Ran rm a." in ran
    assert WHY in refused
