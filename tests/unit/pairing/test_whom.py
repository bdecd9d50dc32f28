"""Whom an operator means by a name or a label: one person, or nobody."""

import pytest

from doorcode.errors import UnknownNameError
from doorcode.pairing.contact import Contact, Platform
from doorcode.pairing.whom import id_of
from tests.cases import each
from tests.unit.pairing.people import TELEGRAM

KNOWN = [
    Contact(platform=TELEGRAM, user_id="1", name="@bo2", label="bo"),
    Contact(platform=TELEGRAM, user_id="2", name="@olivia"),
    Contact(platform=TELEGRAM, user_id="3", name="Bob"),
    Contact(platform=TELEGRAM, user_id="4", label="Bob"),
    Contact(platform=TELEGRAM, user_id="5", name="@twin"),
    Contact(platform=TELEGRAM, user_id="6", name="@twin"),
    Contact(platform=TELEGRAM, user_id="7"),
    Contact(platform=TELEGRAM, user_id="@odd", name="@somebody"),
    Contact(platform=TELEGRAM, user_id="8", name="@odd"),
]


@each(("text", "user_id"), [("@bo2", "1"), ("@BO2", "1"), ("bo", "1"), ("@olivia", "2"), ("@odd", "@odd")])
def test_exactly_one(text: str, user_id: str) -> None:
    """Exactly one known person goes by it, in any case: it is they; and an id in the table is that very one."""
    assert id_of(KNOWN, TELEGRAM, text) == user_id


def test_full_names_do_not_count() -> None:
    """Security 6: who calls himself what the owner has called another is not meant."""
    assert id_of(KNOWN, TELEGRAM, "bob") == "4"


def test_several() -> None:
    """Security 6: two who go by a name are nobody; their ids are said."""
    with pytest.raises(UnknownNameError) as refusal:
        id_of(KNOWN, TELEGRAM, "@twin")
    assert str(refusal.value) == "2 people on telegram go by '@twin': 5, 6. Give the user id."


def test_a_crowd() -> None:
    """A crowd is not listed to its end."""
    crowd = [Contact(platform=TELEGRAM, user_id=str(n), label="x") for n in range(10, 20)]
    with pytest.raises(
        UnknownNameError, match=r"^10 people on telegram go by 'x': 10, 11, 12, …\. Give the user id\.$"
    ):
        id_of(crowd, TELEGRAM, "x")


@each("text", ["@nobody", "olivia", "", "@", "\x1b[2J"])
def test_nobody(text: str) -> None:
    """Nobody known goes by it: one line says so, and how to find the id. What is empty is nobody's name."""
    with pytest.raises(UnknownNameError) as refusal:
        id_of(KNOWN, Platform.TELEGRAM, text)
    line = str(refusal.value)
    assert line.isprintable()
    assert line.endswith("Give the user id: digits, such as 987654321. Of whoever wrote to the bot, "
                         "doorcode doctor shows it; Telegram itself shows none.")  # fmt: skip
