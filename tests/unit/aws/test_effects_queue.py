"""The effects queue takes each contact's moves in their order, and nothing stops it."""

from typing import Any

import pytest

from doorcode.aws.effects_queue import EffectsQueue, UnusableRecordError, is_move, read_question
from doorcode.entrypoints.relay import Relay
from doorcode.pairing.hand_off import fitting_id
from tests.cases import each


def record(number: int, pk: str = "telegram#1", sk: str = "contact", **images: Any) -> dict[str, Any]:
    """Make a record as the stream gives it."""
    new = {"pk": {"S": pk}, "sk": {"S": sk}, "rev": {"N": str(number)}, "state": {"S": "pending"}}
    change = {
        "Keys": {"pk": {"S": pk}, "sk": {"S": sk}},
        "NewImage": new,
        "SequenceNumber": str(1000 + number),
        "ApproximateCreationDateTime": 1_800_000_000.5,
    }
    return {"eventID": f"e{number}", "dynamodb": change | images}


class Queue:
    """Takes batches as SQS does, and refuses what it is told to."""

    def __init__(self, *, refuses: frozenset[str] = frozenset(), sender_fault: bool = False) -> None:
        """Refuse entries by their deduplication ids."""
        self.refuses = refuses
        self.sender_fault = sender_fault
        self.taken: list[str] = []

    def send_message_batch(self, **kwargs: Any) -> Any:
        """Take what is not refused."""
        entries = kwargs["Entries"]
        groups = [entry["MessageGroupId"] for entry in entries]
        assert len(groups) == len(set(groups))
        assert 1 <= len(entries) <= 10
        refused = [entry for entry in entries if entry["MessageDeduplicationId"] in self.refuses]
        self.taken += [entry["MessageDeduplicationId"] for entry in entries if entry not in refused]
        return {"Failed": [{"Id": entry["Id"], "SenderFault": self.sender_fault} for entry in refused]}


def test_everything_is_copied_in_order() -> None:
    """Thirty moves of three contacts are copied, each contact's in its order."""
    queue = Queue()
    records = [record(number, f"telegram#{number % 3}") for number in range(30)]
    assert EffectsQueue(queue, "url").copy(records).count == 30
    assert queue.taken == [f"e{number}" for number in range(30)]


def test_a_failure_does_not_let_a_later_move_overtake() -> None:
    """When one entry is not taken, no later move of the same contact is in the queue before it."""
    queue = Queue(refuses=frozenset({"e1"}))
    records = [record(number) for number in range(3)]
    assert EffectsQueue(queue, "url").copy(records).count == 1
    assert queue.taken == ["e0"]
    queue.refuses = frozenset()
    assert EffectsQueue(queue, "url").copy(records[1:]).count == 2
    assert queue.taken == ["e0", "e1", "e2"]


def test_the_relay_reports_where_the_stream_goes_on() -> None:
    """The relay reports the first record that is not surely copied, by its sequence number, and nothing when all are."""
    queue = Queue(refuses=frozenset({"e1"}))
    relay = Relay(EffectsQueue(queue, "url"))
    event = {"Records": [record(0), record(1, "telegram#2"), record(2, "telegram#3")]}
    assert relay.handle(event) == {"batchItemFailures": [{"itemIdentifier": "1001"}]}
    queue.refuses = frozenset()
    assert relay.handle(event) == {"batchItemFailures": []}


def test_a_queue_that_does_not_answer_stops_nothing_for_good() -> None:
    """Whatever the client raises, the stream goes on from the first record that was not copied."""

    class Broken:
        """Never answers."""

        def send_message_batch(self, **_: Any) -> Any:
            """Fail."""
            raise ConnectionResetError

    copied = EffectsQueue(Broken(), "url").copy([record(0)])
    assert (copied.count, copied.detail) == (0, "ConnectionResetError")


def test_what_the_queue_will_never_take_is_passed_over() -> None:
    """A record that the queue refuses as the sender's fault does not stop the stream for everybody else."""
    queue = Queue(refuses=frozenset({"e0"}), sender_fault=True)
    assert EffectsQueue(queue, "url").copy([record(0), record(1, "telegram#2")]).count == 2
    assert queue.taken == ["e1"]


@pytest.mark.parametrize(
    "text", ["telegram#a b", "telegram#a\nb", "telegram#\u00e9", "x" * 129], ids=["space", "line", "accent", "long"]
)
def test_ids_that_sqs_refuses_are_digested(text: str) -> None:
    """A group or deduplication id is visible ASCII of at most 128 characters, whatever it is made from."""
    fitting = fitting_id(text)
    assert fitting != text
    assert len(fitting) <= 128
    assert all("!" <= character <= "~" for character in fitting)
    assert fitting_id("telegram#1") == "telegram#1"


@each(
    ("one", "expected"),
    [
        (record(1), True),
        (record(1, sk="00", pk="seats#telegram"), False),
        (record(1, OldImage={"rev": {"N": "1"}}), False),
        (record(2, OldImage={"rev": {"N": "1"}}), True),
        (record(1, NewImage=None, OldImage={"rev": {"N": "1"}}), True),
        ({"eventID": "e"}, False),
    ],
    ids=["new", "a seat", "no move", "a move", "gone", "not ours"],
)
def test_only_moves_of_contacts_are_copied(one: dict[str, Any], expected: bool) -> None:
    """A seat, a name that was looked up later, or what is not ours, is no move."""
    assert is_move(one) is expected
    queue = Queue()
    assert EffectsQueue(queue, "url").copy([one]).count == 1
    assert queue.taken == ([one["eventID"]] if expected else [])


def test_a_question_goes_without_its_words_and_its_callback_apart() -> None:
    """A17, A20: the queue is told which question moved; a call to its asker and what is paused have groups of their own."""
    sent: list[list[dict[str, Any]]] = []

    class Noting:
        def send_message_batch(self, **kwargs: Any) -> Any:
            sent.append(kwargs["Entries"])
            return {}

    records = [record(number, f"ask#Q{number}", "ask") for number in range(7)]
    for one in records[1:]:
        one["dynamodb"]["NewImage"] |= {"tells": {"N": "1"}, "asker_label": {"S": "token ci"}}
    records[6]["dynamodb"]["NewImage"]["resumes"] = {"N": "1"}
    assert EffectsQueue(Noting(), "").copy(records).count == 7
    assert [len(entries) for entries in sent] == [9, 5]
    assert not any("token ci" in entry["MessageBody"] for entries in sent for entry in entries)
    moved = [read_question(entry["MessageBody"]) for entries in sent for entry in entries]
    assert [(one.id, one.calls) for one in moved[:3]] == [("Q0", False), ("Q1", False), ("Q1", True)]
    groups = [entry["MessageGroupId"] for entries in sent for entry in entries]
    assert groups[:3] == ["ask#Q0", "ask#Q1", "call#ask#Q1"]
    assert groups[-3:] == ["ask#Q6", "call#ask#Q6", "resume#ask#Q6"]
    assert [(one.calls, one.resumes) for one in moved[-3:]] == [(False, False), (True, False), (False, True)]
    refused = Queue(refuses=frozenset({"call#e1"}))
    assert EffectsQueue(refused, "").copy(records).count == 1
    assert is_move(record(1, "ask#Q", "ask", OldImage={"rev": {"N": "0"}}))
    same = {"rev": {"N": "1"}}
    assert not is_move(record(1, "ask#Q", "ask", OldImage=same))
    assert is_move(record(1, "ask#Q", "ask", OldImage={**same, "stray": {"S": "x"}}))
    assert not is_move(record(1, "ask#Q", "ask", NewImage=None, OldImage=same))
    with pytest.raises(UnusableRecordError):
        read_question('{"type":"question","version":2,"id":"Q","record":"e1"}')
    with pytest.raises(UnusableRecordError):
        read_question('{"type":"question",')
