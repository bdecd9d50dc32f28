"""What an owner is asked, and what stands there afterwards."""

import pytest

from doorcode.pairing.callbacks import Action, Callback, verify
from doorcode.pairing.contact import State
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.prompts import Prompt, closed_prompt, open_prompt
from tests.cases import each
from tests.unit.pairing.people import EVERYONE, TELEGRAM, contact

KEYS = Keyring((b"the callback secret",))
CODE = "ABCD2345"


def _buttons(prompt: Prompt) -> list[tuple[str, Callback]]:
    return [(button.text, verify(button.data, KEYS)) for button in prompt.buttons]


def test_open() -> None:
    """An open prompt asks with two buttons, each signed for that very request."""
    prompt = open_prompt(EVERYONE["pending"], CODE, KEYS)
    assert (prompt.who, prompt.address, prompt.outcome) == ("@stranger", "telegram 987654321", "")
    assert _buttons(prompt) == [
        ("\u2705 Approve", Callback(Action.APPROVE, TELEGRAM, "987654321", CODE)),
        ("\u274c Deny", Callback(Action.DENY, TELEGRAM, "987654321", CODE)),
    ]


@pytest.mark.parametrize(
    ("name", "full_name", "who"),
    [("", "", "987654321"), ("@stranger", "", "@stranger"), ("@al", "Alice", "@al (Alice)"), ("Alice", "", "Alice")],
    ids=["no name", "username", "both", "full name"],
)
def test_who(name: str, full_name: str, who: str) -> None:
    """Security 28: platform and immutable id stand under the name, also where the id stands for the name."""
    person = contact(State.PENDING, name=name, full_name=full_name)
    for prompt in (open_prompt(person, CODE, KEYS), closed_prompt(person, CODE, KEYS)):
        assert prompt.who == who
        assert prompt.address == "telegram 987654321"


@each("state", [state for state in State if state is not State.DENIED])
def test_closed(state: State) -> None:
    """A closed prompt says what became of the request and has no buttons."""
    prompt = closed_prompt(contact(state), CODE, KEYS)
    assert prompt.outcome.endswith(" by 42 (button)")
    assert prompt.buttons == ()


def test_denied_without_a_code() -> None:
    """Where the code cannot be made any more, nothing could be signed: no button."""
    assert closed_prompt(contact(State.DENIED), "", KEYS).buttons == ()


def test_denied() -> None:
    """After a denial, and only then, one button offers to block."""
    prompt = closed_prompt(contact(State.DENIED), CODE, KEYS)
    assert prompt.outcome == "\u274c Denied by 42 (button)"
    assert _buttons(prompt) == [("\U0001f6ab Block", Callback(Action.BLOCK, TELEGRAM, "987654321", CODE))]
