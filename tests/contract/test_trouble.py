"""What happens when the table does not answer, answers late, or answers twice."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from doorcode.errors import RefusedError, UnavailableError
from doorcode.pairing.contact import State, Via
from doorcode.pairing.transitions import Decision, Operation, Refusal, RequestVerdict
from tests.backends import dynamodb
from tests.harness import T0, TELEGRAM, Harness


@pytest.fixture
def harness(table: dynamodb.Table) -> Harness:
    """Give a room that waits without time passing for us: every pause only moves its own clock."""
    harness = Harness(table, patience=0.3)
    harness.pass_no_time()
    return harness


def refusal(code: str, status: int = 400, **more: Any) -> ClientError:
    """Make an error as the service sends it."""
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}} | more
    return ClientError(response, "Operation")


def cancelled(*codes: str) -> ClientError:
    """Make a cancelled transaction with these reasons."""
    return refusal("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


def timeout() -> ReadTimeoutError:
    """Make the error of an answer that never came."""
    return ReadTimeoutError(endpoint_url="http://127.0.0.1")


PASSING = {
    "throttled": refusal("ThrottlingException"),
    "over capacity": refusal("ProvisionedThroughputExceededException"),
    "server error": refusal("InternalServerError", 500),
    "unnamed server error": refusal("Whatever", 503),
    "read timeout": timeout(),
    "no connection": EndpointConnectionError(endpoint_url="http://127.0.0.1"),
    "reset": ConnectionResetError(),
    "conflict": cancelled("None", "TransactionConflict"),
    "throttled transaction": cancelled("ThrottlingError", "None"),
    "in progress": refusal("TransactionInProgressException"),
}
FINAL = {
    "refused": refusal("AccessDeniedException"),
    "no table": refusal("ResourceNotFoundException"),
    "invalid": refusal("ValidationException"),
    "invalid transaction": cancelled("ValidationError", "TransactionConflict"),
}


def fails(call: str, errors: Iterator[Exception]) -> Callable[[str], None]:
    """Raise the next of ``errors`` at each ``call``, until there are no more."""

    def hook(name: str) -> None:
        if name == call and (error := next(errors, None)):
            raise error

    return hook


def for_ever(error: Exception) -> Iterator[Exception]:
    """Repeat one error."""
    while True:
        yield error


# Every error where transactions fail in ways of their own, too; every call with some.
IN_A_TRANSACTION = [("transact_write_items", name) for name in PASSING | FINAL]
IN_A_READ = [(call, name) for call in ("get_item", "query") for name in ("throttled", "read timeout")]


def id_of(case: tuple[str, str]) -> str:
    """Name a case."""
    return " ".join(case)


@pytest.mark.parametrize("case", [case for case in IN_A_TRANSACTION if case[1] in PASSING] + IN_A_READ, ids=id_of)
def test_what_passes_is_retried(harness: Harness, case: tuple[str, str]) -> None:
    """One passing failure of any call is survived, and nobody notices."""
    call, error = case[0], PASSING[case[1]]
    harness.client.before = fails(call, iter([error]))
    assert harness.request("1").verdict is RequestVerdict.NEW
    harness.client.before = fails(call, iter([error]))
    assert harness.decide(Operation.APPROVE, code=harness.code("1")).state is State.PAIRED


@pytest.mark.parametrize("error", (PASSING | FINAL).values(), ids=PASSING | FINAL)
def test_a_decision_that_cannot_be_written_is_unavailable_and_changes_nothing(
    harness: Harness, error: Exception
) -> None:
    """What does not pass surfaces as one error, inside the deadline, and the next attempt succeeds."""
    before = harness.request("1").contact
    harness.client.before = fails("transact_write_items", for_ever(error))
    with pytest.raises(UnavailableError, match="Nothing is lost"):
        harness.approve("1")
    assert harness.room.get(TELEGRAM, "1") == before
    harness.client.before = lambda _: None
    assert harness.approve("1").state is State.PAIRED


@pytest.mark.parametrize("error", FINAL.values(), ids=FINAL)
def test_what_does_not_pass_is_not_repeated(harness: Harness, error: Exception) -> None:
    """A refusal is asked once."""
    harness.request("1")
    harness.client.before = fails("transact_write_items", for_ever(error))
    with harness.client.counting() as calls, pytest.raises(UnavailableError):
        harness.approve("1")
    assert calls.count("transact_write_items") == 1


@pytest.mark.parametrize(
    "case", [*IN_A_TRANSACTION, ("query", "throttled"), ("query", "read timeout"), ("query", "refused")], ids=id_of
)
def test_trouble_with_the_seats_counts_as_a_full_room(harness: Harness, case: tuple[str, str]) -> None:
    """Security 26: a room that cannot be asked is full; it is not asked again for two seconds; nothing is half done."""
    call, error = case[0], (PASSING | FINAL)[case[1]]
    harness.client.before = fails(call, for_ever(error))
    assert harness.request("1").verdict is RequestVerdict.FULL
    with harness.client.counting() as calls:
        assert harness.request("2").verdict is RequestVerdict.FULL
    assert calls == ["get_item"]
    harness.client.before = lambda _: None
    assert harness.items() == []
    assert harness.request("1", T0 + 2).verdict is RequestVerdict.NEW


def test_a_contact_that_cannot_be_read_is_an_error(harness: Harness) -> None:
    """Nobody is taken for a stranger, or for a friend, because the table does not answer."""
    harness.client.before = fails("get_item", for_ever(PASSING["throttled"]))
    with pytest.raises(UnavailableError) as error:
        harness.room.get(TELEGRAM, "1")
    assert error.value.detail == "ThrottlingException"


@pytest.mark.parametrize("operation", [Operation.APPROVE, Operation.DENY, Operation.ADD, Operation.BLOCK])
def test_a_lost_answer_is_not_somebody_else_s_decision(harness: Harness, operation: Operation) -> None:
    """Security 17: when the answer to our own write is lost, the retry finds our own decision, and says so."""
    harness.request("1")
    harness.client.after = fails("transact_write_items", iter([timeout()]))
    decided = harness.decide(operation, user_id="1")
    assert decided == harness.room.get(TELEGRAM, "1")
    assert decided.decided_by == "alice"
    assert harness.held_seats() == []


def test_a_lost_answer_to_a_request_is_still_that_request(harness: Harness) -> None:
    """When the answer to a request is lost, the retry finds it: one code, one seat, and the person is answered."""
    harness.client.after = fails("transact_write_items", iter([timeout()]))
    outcome = harness.request("1")
    assert outcome.verdict is RequestVerdict.NEW
    assert outcome.contact == harness.room.get(TELEGRAM, "1")
    assert len(harness.held_seats()) == 1


def test_a_lost_answer_to_a_lost_race_is_a_lost_race(harness: Harness) -> None:
    """An answer that was lost on the way to a write that lost does not make it a winner."""
    harness.request("1")
    stale = harness.room.get(TELEGRAM, "1")

    def deny_meanwhile(name: str) -> None:
        harness.client.before = lambda _: None
        if name == "transact_write_items":
            harness.again().decide(Operation.DENY, user_id="1")
            raise timeout()

    harness.client.before = deny_meanwhile
    with pytest.raises(RefusedError) as lost:
        harness.room.move(stale, Operation.APPROVE, T0 + 1, Decision(by="bob", via=Via.API), nonce=stale.nonce)
    assert lost.value.reason == Refusal.ALREADY_DENIED


def test_a_stranger_s_bug_is_not_swallowed(harness: Harness) -> None:
    """An exception that is no answer of a service is a bug, and is raised as it is."""
    harness.client.before = fails("get_item", iter([KeyError("bug")]))
    with pytest.raises(KeyError):
        harness.room.get(TELEGRAM, "1")


def test_the_deadline_is_for_the_whole_operation(harness: Harness) -> None:
    """Calls of one operation share one deadline, and no retry begins after it."""
    harness.client.before = fails("query", iter([PASSING["throttled"]] * 2))
    harness.client.after = fails("query", iter(()))
    harness.request("1")
    paused = harness.table._retrying.deadline.clock()
    harness.client.before = fails("transact_write_items", for_ever(PASSING["throttled"]))
    with pytest.raises(UnavailableError):
        harness.approve("1")
    assert 0 < paused < harness.table._retrying.deadline.clock() < paused + 0.3


def test_unprocessed_keys_are_asked_for_again(harness: Harness) -> None:
    """A batch that comes back half is completed, and one that never comes is an error."""
    for user in "12":
        harness.request(user)
    whole = harness.raw.batch_get_item

    def half(**arguments: Any) -> Any:
        [(name, wanted)] = arguments["RequestItems"].items()
        answer = whole(RequestItems={name: wanted | {"Keys": wanted["Keys"][:1]}})
        left = wanted["Keys"][1:]
        return answer | {"UnprocessedKeys": {name: {"Keys": left}} if left else {}}

    harness.client.batch_get_item = half
    assert len(harness.directory.pending(TELEGRAM, T0)) == 2
    harness.client.batch_get_item = lambda **arguments: {
        "UnprocessedKeys": {harness.name: {"Keys": arguments["RequestItems"][harness.name]["Keys"]}}
    }
    with pytest.raises(UnavailableError):
        harness.directory.pending(TELEGRAM, T0)


def test_a_crowd_at_one_contact_ends(harness: Harness) -> None:
    """A move that keeps losing gives up after a bounded number of tries."""
    harness.decide(Operation.ADD, user_id="1")
    other = harness.again()
    n = 0

    def move_on(name: str) -> None:
        nonlocal n
        if name == "transact_write_items":
            n += 1
            other.decide(Operation.ADD, user_id="1", label=f"n{n}")

    harness.client.before = move_on
    with pytest.raises(UnavailableError, match="others kept moving it"):
        harness.decide(Operation.REVOKE, user_id="1")
    assert n < 50


def test_a_crowd_at_the_seats_ends(harness: Harness) -> None:
    """A request that keeps losing its seat gives up as if the room were full."""
    other = harness.again()
    n = 0

    def sit_down(name: str) -> None:
        nonlocal n
        if name == "transact_write_items":
            n += 1
            seat = harness.client.arguments[-1]["TransactItems"][1]["Update"]["Key"]
            other.raw.put_item(
                TableName=harness.name,
                Item=seat
                | {field: {"S": str(n)} for field in ("user_id", "nonce", "key_id")}
                | {"expires_at": {"N": str(T0 + 999)}},
            )

    harness.client.before = sit_down
    assert harness.request("1").verdict is RequestVerdict.FULL
    assert n < 50


def test_a_count_that_keeps_losing_ends(harness: Harness) -> None:
    """A guess that cannot be counted is not compared either."""
    other = harness.again()

    def count_too(name: str) -> None:
        if name == "update_item":
            other.lockout.forgive("cli", "alice", T0)

    harness.client.before = count_too
    with pytest.raises(UnavailableError, match="count a code"):
        harness.decide(Operation.APPROVE, code="AAAAAAAA")
