"""The admin function in process, over a real table."""

from collections.abc import Iterable
from typing import Any

from doorcode.aws.items import CONTACT, contact_attributes, contact_pk
from doorcode.aws.question_store import QuestionStore
from doorcode.aws.sign_ins import SignIns
from doorcode.aws.tickets import Tickets
from doorcode.aws.tokens import Tokens
from doorcode.entrypoints.admin import Admin
from doorcode.entrypoints.admin_access import AccessCommands
from doorcode.entrypoints.admin_questions import QuestionCommands
from doorcode.entrypoints.admin_tickets import TicketCommands
from doorcode.entrypoints.question_office import QuestionOffice
from doorcode.pairing.contact import Contact, State
from tests.harness import T0, TELEGRAM, Harness

NOW = T0 + 1
PAGE = "https://door.example/owner"


class AdminHarness(Harness):
    """A harness with the admin function in it."""

    @property
    def admin(self) -> Admin:
        """The function's core, wired to this harness."""
        return Admin(
            desk=self.desk,
            room=self.room,
            directory=self.directory,
            lockout=self.lockout,
            secrets=self.secrets,
            questions=QuestionCommands(
                QuestionOffice(QuestionStore(self.table, self.table, self.settings), self.secrets, clock=lambda: NOW)
            ),
            access=AccessCommands(self.sign_ins, self.tokens, PAGE, self.secrets),
            tickets=TicketCommands(Tickets(self.table), self.room, self.settings, lambda _: {TELEGRAM: "doorcode_bot"}),
        )

    @property
    def sign_ins(self) -> SignIns:
        """The links and sessions of this harness."""
        return SignIns(self.table)

    @property
    def tokens(self) -> Tokens:
        """The tokens of this harness."""
        return Tokens(self.table)

    def put_paired(self, count: int, **more: Any) -> None:
        """Lay so many paired contacts into the table, each a second after the one before."""
        self.put(
            Contact(platform=TELEGRAM, user_id=str(number), state=State.PAIRED, rev=1, paired_at=T0 + number, **more)
            for number in range(count)
        )

    def put(self, contacts: Iterable[Contact]) -> None:
        """Lay contacts into the table, with the seats that they hold."""
        items = []
        for contact in contacts:
            key = {"pk": {"S": contact_pk(contact.platform, contact.user_id)}, "sk": {"S": CONTACT}}
            items.append(key | contact_attributes(contact))
            if contact.seat:
                seat = {"pk": {"S": f"seats#{contact.platform}"}, "sk": {"S": contact.seat}}
                texts = {"user_id": contact.user_id, "nonce": contact.nonce, "key_id": contact.key_id}
                ends = {"expires_at": {"N": str(contact.code_expires_at)}}
                items.append(seat | {name: {"S": text} for name, text in texts.items()} | ends)
        for start in range(0, len(items), 25):
            batch = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
            self.raw.batch_write_item(RequestItems={self.name: batch})

    def command(self, command: str, *, now: int = NOW, actor: str = "alice@laptop", **arguments: Any) -> dict[str, Any]:
        """Send a command; return the whole answer."""
        return self.admin.answer({"version": 1, "command": command, "actor": actor, **arguments}, now)

    def done(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a command that is carried out; return what it answers."""
        answer = self.command(command, **arguments)
        assert answer.pop("ok", False) is True, answer
        return answer

    def refused(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a command that is refused; return the error."""
        answer = self.command(command, **arguments)
        assert set(answer) == {"error"}, answer
        error: dict[str, Any] = answer["error"]
        assert error["message"]
        return error
