"""What ``test_fourth_platform`` runs where the platform ``morse`` has been added: from the first word to the answer."""

import json
from typing import Any

from doorcode.pairing.platform import Platform
from doorcode.platforms import registry
from doorcode.wiring import edge
from tests.behind.asking import ask, use
from tests.behind.harness import Behind

KEY = "dot-dash"
OWNER, STRANGER = "ALPHA", "BRAVO"


def test_from_the_first_word_to_the_answer(behind: Behind) -> None:
    """A receipt, a prompt, a press, the good news and an answer."""
    morse = Platform("morse")
    behind.edge.put_secret("morse/key", KEY)
    behind.edge.put_secret("morse/bot-token", "none")
    behind.cold(OWNER_USER_IDS=f"morse:{OWNER}")
    door = edge.build_door(registry.inbound(morse), behind.environment | behind.settings)

    def send(number: int, sender: str, key: str = KEY, **more: str) -> int:
        event: dict[str, Any] = {
            "version": "2.0", "headers": {"x-morse-key": key, "content-type": "application/json"},
            "isBase64Encoded": False, "body": json.dumps({"number": str(number), "sender": sender, **more}),
            "requestContext": {"http": {"method": "POST"}},
        }  # fmt: skip
        status: int = door.serve(event, behind.now())["statusCode"]
        return status

    sender = registry.sender_maker(morse).__globals__  # type: ignore[attr-defined] # the room's own record
    assert send(1, STRANGER, key="wrong", text="Hello?") == 401
    assert send(2, STRANGER, text="Hello?") == 200
    behind.settle()
    assert sender["SENT"] == {STRANGER: ["Your request has been sent to the owner for approval."]}
    approve = sender["PROMPTS"][OWNER]["buttons"][0]
    assert send(3, STRANGER, pressed=approve) == 200
    behind.settle()
    assert send(4, OWNER, pressed=approve) == 200
    behind.settle()
    assert "Approved" in sender["PROMPTS"][OWNER]["text"]
    assert sender["SENT"][STRANGER][1:] == ["You've been approved! Send me a message."]
    assert send(5, STRANGER, text="Hello again") == 200
    behind.answer()
    assert sender["SENT"][STRANGER][2] == "Hi there! How can I help you today?"
    question = ask(behind)
    behind.settle()
    approve = sender["PROMPTS"][OWNER]["buttons"][0]
    assert send(6, OWNER, pressed=approve) == 200
    behind.settle()
    assert "recorded" in sender["PROMPTS"][OWNER]["text"]
    use(behind, question)
    behind.settle()
    assert "used at" in sender["PROMPTS"][OWNER]["text"]
    assert behind.parked() == 0
