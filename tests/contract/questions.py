"""Questions over a real table, with their words in another, as these tests ask and decide them."""

from typing import Any

from doorcode.asking.order import Asker, QuestionOrder
from doorcode.asking.question import Question, Voter
from doorcode.aws import table
from doorcode.aws.question_store import QuestionStore
from doorcode.aws.tickets import Tickets
from doorcode.pairing.contact import Via
from doorcode.pairing.decisions import Order
from doorcode.pairing.platform import Platform
from doorcode.pairing.settings import Settings
from doorcode.pairing.tickets import TicketKind
from doorcode.pairing.transitions import Asked, Operation
from tests.backends import dynamodb
from tests.harness import OWNER, T0, TELEGRAM, Harness

CI = Asker(id="0123456789abcdef", label="token ci")
OTHER = Asker(id="fedcba9876543210", label="token other")
ADA, BOB = "telegram:111", "slack:U1234ABCD"
OWNERS = ((Platform.TELEGRAM, "111"), (Platform.SLACK, "U1234ABCD"))
PAGE = Voter(via=Via.WEB, by="alice@laptop", caller="a session")


class Asking:
    """A store of questions whose owners are Ada and Bob by the setting, over a harness's table and client."""

    def __init__(self, harness: Harness, texts: str, owners: tuple[tuple[Platform, str], ...] = OWNERS) -> None:
        self.harness = harness
        self.texts = table.Table(harness.client, texts, patience=20)
        self.store = QuestionStore(harness.table, self.texts, Settings(owners=owners))

    def ask(self, title: str = "Delete 3 files?", now: int = T0, asker: Asker = CI, **order: Any) -> Question:
        """Ask."""
        return self.store.ask(QuestionOrder(title=title, **order), asker, now)[0]

    def approve(self, asked: Question, voter: Voter = PAGE, now: int = T0 + 1, **more: Any) -> Question:
        """Approve what was asked."""
        return self.store.approve(asked.id, voter, now, **{"digest": asked.digest} | more)

    def deny(self, asked: Question, voter: Voter = PAGE, now: int = T0 + 1, **more: Any) -> Question:
        """Deny what was asked."""
        return self.store.deny(asked.id, voter, now, **{"digest": asked.digest} | more)

    def use(self, asked: Question, now: int = T0 + 2, asker: Asker = CI, **more: Any) -> Question:
        """Use its approval."""
        return self.store.use(asked.id, asker.id, now, **{"digest": asked.digest} | more)

    def cancel(self, asked: Question, now: int = T0 + 1, asker: Asker = CI) -> Question:
        """Take it back."""
        return self.store.cancel(asked.id, Voter(via=Via.API, by=asker.label, caller=asker.id), now, asker=asker.id)

    def places(self) -> dict[str, set[str]]:
        """Return who holds a place: of all, of those approved, and of each asker."""
        items = {(item["pk"]["S"], item["sk"]["S"]): item for item in self.harness.items()}
        of_all = items.get(("asks", "open"), {})
        found = {name: set(of_all.get(name, {}).get("SS", [])) for name in ("open", "approved")}
        for (pk, sk), item in items.items():
            if sk == "asker":
                found[pk.removeprefix("asks#")] = set(item.get("open", {}).get("SS", []))
        return found

    def consistent(self) -> None:
        """Check that the places are held by those questions that are open, and by nobody else."""
        questions = [self.store.get(item["pk"]["S"][4:]) for item in self.harness.items() if item["sk"]["S"] == "ask"]
        waiting = {one.id: one.asker for one in questions if one and one.state == "pending"}
        places = self.places()
        assert places.pop("open") == set(waiting)
        assert places.pop("approved") == {one.id for one in questions if one and one.state == "approved"}
        assert set().union(*places.values()) == set(waiting)


def presses(account: str) -> Voter:
    """Give whoever presses a button."""
    return Voter(via=Via.BUTTON, by=account.partition(":")[2], account=account)


def becomes_owner(harness: Harness, user: str, label: str = "", delivery: str = "claim") -> str:
    """Have somebody claim the bot; return their account."""
    ticket = Tickets(harness.table).claim("telegram", "alice", T0)[1]
    assert ticket.kind is TicketKind.CLAIM
    asked = Asked(delivery_id=f"{delivery}-{user}", name="@somebody", reply="{}")
    harness.desk.redeem(ticket, harness.room.get(TELEGRAM, user), asked, T0)
    if label:
        order = Order(operation=Operation.CHANGE, platform=TELEGRAM, user_id=user, label=label, until=None)
        harness.desk.decide(OWNER, order, T0)
    return f"telegram:{user}"


def asking(harness: Harness, backend: dynamodb.Backend, **more: Any) -> Asking:
    """Give questions over a harness, with a table of their own for the words."""
    return Asking(harness, backend.new_table().name, **more)
