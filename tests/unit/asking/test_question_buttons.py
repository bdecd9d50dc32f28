"""A question's buttons: signed by us, for one action on one question of one wording, or nothing."""

import pytest

from doorcode.asking.buttons import AskAction, AskButton, actions, fits_button, is_ask_button, read_button, sign_button
from doorcode.errors import CallbackError
from doorcode.pairing import callbacks
from doorcode.pairing.keyring import Keyring
from tests.cases import each
from tests.unit.asking.questions import QUESTION_ID

KEYS = Keyring((b"the callback secret",))
DIGEST = "sha256:" + "a" * 64
DATA = f"ask:approve:{QUESTION_ID}:"


def test_form() -> None:
    """A button's data has the documented form, fits every platform, and is none of a pairing's."""
    data = sign_button(AskAction.APPROVE, QUESTION_ID, DIGEST, KEYS)
    assert data == DATA + "9eefba6d13b03ef4"
    assert len(data) == 45
    assert is_ask_button(data)
    assert not callbacks.is_ours(data)
    assert read_button(data) == AskButton(AskAction.APPROVE, QUESTION_ID, data[-16:])
    assert [action.choice for action in AskAction] == [0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 0]
    assert [action.number for action in AskAction] == [0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 0]
    assert (actions(0), actions(0, 2)) == ((AskAction.APPROVE,), (AskAction.LOWEST, AskAction.MIDDLE))
    assert actions(0) == (AskAction.APPROVE,)
    assert actions(2) == (AskAction.FIRST, AskAction.SECOND)


def test_it_opens_no_other() -> None:
    """Security 49, A12: of another question, action, wording or secret it does not fit; an earlier secret's does."""
    for action in AskAction:
        button = read_button(sign_button(action, QUESTION_ID, DIGEST, KEYS))
        assert fits_button(button, DIGEST, KEYS)
        assert fits_button(button, DIGEST, Keyring((b"newer", *KEYS.secrets)))
        assert not fits_button(button, "sha256:" + "b" * 64, KEYS)
        assert not fits_button(button, DIGEST, Keyring((b"newer",)))
        assert not fits_button(AskButton(action, QUESTION_ID[::-1], button.signature), DIGEST, KEYS)
        for other in set(AskAction) - {action}:
            assert not fits_button(AskButton(other, QUESTION_ID, button.signature), DIGEST, KEYS)


@each(
    "data",
    [None, "", DATA, DATA + "0" * 15, DATA + "0" * 17, DATA + "G" * 16, DATA + "0" * 16 + "\n", "ask:c6:" + QUESTION_ID + ":" + "0" * 16,
     "pair:approve:telegram:1:ABCD2345:ffc0ea1a", "ask:approve:ABCDEFGHJKLMNPQ1:" + "0" * 16, "ask:approve:short:" + "0" * 16],
)  # fmt: skip
def test_what_is_none(data: object) -> None:
    """What has another form is refused, without its content."""
    with pytest.raises(CallbackError) as refused:
        read_button(data)
    assert not data or str(data) not in str(refused.value)
    assert not (isinstance(data, str) and is_ask_button(data))
