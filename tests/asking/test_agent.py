"""The agent that comes with the stack asks the owner first, and does only what was approved."""

import importlib.util
from pathlib import Path
from typing import Any

from doorcode.agent.python import calling
from doorcode.pairing.hand_off import HandOff, SentMessage, Turn, Writer
from doorcode.pairing.messages import ChatType
from doorcode.pairing.platform import Platform
from tests.asking.conftest import Surroundings

MY_AGENT = Path(__file__).parents[2] / "functions/agent/my_agent.py"


def my_agent() -> Any:
    """Load the agent's module as the function does, by itself."""
    spec = importlib.util.spec_from_file_location("my_agent", MY_AGENT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.respond


def test_a_tool_that_asks_first(around: Surroundings) -> None:
    """Security 47 and 48: it asks with exactly what it would do, does nothing until that is approved, and once; denied, it leaves it."""
    said: list[Turn] = []
    respond = calling(my_agent(), lambda: around.client)

    def talk(text: str) -> str:
        message = HandOff(
            id="m", platform=Platform.TELEGRAM, conversation="c", chat=ChatType.DIRECT, admitted_by="paired",
            user=Writer(id="7", name="@sam", label="", role="user"), history=tuple(said),
            messages=(SentMessage(id="1", kind="text", text=text, sent_at=0),),
        )  # fmt: skip
        (answer,) = respond(message)
        said[:] = [Turn("user", text), Turn("assistant", answer)]
        return answer

    assert talk("Hello") == "Hi there! How can I help you today?"
    assert "I have asked the owner first." in talk("delete 3 files")
    question = around.only()
    assert (question["arguments"], question["details"]) == ({"what": "3 files"}, "@sam (telegram 7) wants it.")
    assert "I have asked the owner first." in talk("And?")
    around.decides(question["id"], "approve")
    assert "3 files would be gone now" in talk("And now?")
    assert talk("Thanks") == "Hi there! How can I help you today?"
    talk("delete the disk")
    around.decides(around.only()["id"], "deny", reason="Never")
    assert talk("And?") == "The owner has not approved it (denied), so I leave it. Never"


def test_without_a_token_nothing_is_asked() -> None:
    """An agent that takes no owner is called as ever, and one that does is told that there is none."""
    message = HandOff(
        id="m", platform=Platform.TELEGRAM, conversation="c", chat=ChatType.DIRECT, admitted_by="paired",
        user=Writer(id="7", name="@sam", label="", role="user"),
        messages=(SentMessage(id="1", kind="text", text="delete it", sent_at=0),),
    )  # fmt: skip
    assert calling(my_agent())(message) == ("Hi there! How can I help you today?",)
    assert calling(lambda message, _: message.text)(message) == ("delete it",)
