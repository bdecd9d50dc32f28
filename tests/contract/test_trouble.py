"""What happens when the table does not answer, answers late, or answers twice."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from doorcode.errors import RefusedError, UnavailableError
from doorcode.pairing.contact import State, Via
from doorcode.pairing.transitions import Decision, Operation, Refusal, RequestVerdict
from tests.backends import dynamodb
from tests.house import T0, TELEGRAM, House


@pytest.fixture
def house(table: dynamodb.Table) -> House:
    """Give a room that waits without time passing for us: every pause only moves its own clock."""
    house = House(table, patience=0.3)
    house.pass_no_time()
    return house


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


@pytest.mark.parametrize("error", PASSING.values(), ids=PASSING)
@pytest.mark.parametrize("call", ["get_item", "query", "transact_write_items"])
def test_what_passes_is_retried(house: House, call: str, error: Exception) -> None:
    """One passing failure of any call is survived, and nobody notices."""
    house.client.before = fails(call, iter([error]))
    assert house.request("1").verdict is RequestVerdict.NEW
    house.client.before = fails(call, iter([error]))
    assert house.decide(Operation.APPROVE, code=house.code("1")).state is State.PAIRED


@pytest.mark.parametrize("error", (PASSING | FINAL).values(), ids=PASSING | FINAL)
def test_a_decision_that_cannot_be_written_is_unavailable_and_changes_nothing(house: House, error: Exception) -> None:
    """What does not pass surfaces as one error, inside the deadline, and the next attempt succeeds."""
    before = house.request("1").contact
    house.client.before = fails("transact_write_items", for_ever(error))
    with pytest.raises(UnavailableError, match="Nothing is lost"):
        house.approve("1")
    assert house.room.get(TELEGRAM, "1") == before
    house.client.before = lambda _: None
    assert house.approve("1").state is State.PAIRED


@pytest.mark.parametrize("error", FINAL.values(), ids=FINAL)
def test_what_does_not_pass_is_not_repeated(house: House, error: Exception) -> None:
    """A refusal is asked once."""
    house.request("1")
    house.client.before = fails("transact_write_items", for_ever(error))
    with house.client.counting() as calls, pytest.raises(UnavailableError):
        house.approve("1")
    assert calls.count("transact_write_items") == 1


@pytest.mark.parametrize("error", (PASSING | FINAL).values(), ids=PASSING | FINAL)
@pytest.mark.parametrize("call", ["query", "transact_write_items"])
def test_trouble_with_the_seats_counts_as_a_full_room(house: House, call: str, error: Exception) -> None:
    """Security 26: a room that cannot be asked is full; it is not asked again for two seconds; nothing is half done."""
    house.client.before = fails(call, for_ever(error))
    assert house.request("1").verdict is RequestVerdict.FULL
    with house.client.counting() as calls:
        assert house.request("2").verdict is RequestVerdict.FULL
    assert calls == ["get_item"]
    house.client.before = lambda _: None
    assert house.items() == []
    assert house.request("1", T0 + 2).verdict is RequestVerdict.NEW


def test_a_contact_that_cannot_be_read_is_an_error(house: House) -> None:
    """Nobody is taken for a stranger, or for a friend, because the table does not answer."""
    house.client.before = fails("get_item", for_ever(PASSING["throttled"]))
    with pytest.raises(UnavailableError) as error:
        house.room.get(TELEGRAM, "1")
    assert error.value.detail == "ThrottlingException"


@pytest.mark.parametrize("operation", [Operation.APPROVE, Operation.DENY, Operation.ADD, Operation.BLOCK])
def test_a_lost_answer_is_not_somebody_else_s_decision(house: House, operation: Operation) -> None:
    """Security 17: when the answer to our own write is lost, the retry finds our own decision, and says so."""
    house.request("1")
    house.client.after = fails("transact_write_items", iter([timeout()]))
    decided = house.decide(operation, user_id="1")
    assert decided == house.room.get(TELEGRAM, "1")
    assert decided.decided_by == "alice"
    assert house.held_seats() == []


def test_a_lost_answer_to_a_request_is_still_that_request(house: House) -> None:
    """When the answer to a request is lost, the retry finds it: one code, one seat, and the person is answered."""
    house.client.after = fails("transact_write_items", iter([timeout()]))
    outcome = house.request("1")
    assert outcome.verdict is RequestVerdict.NEW
    assert outcome.contact == house.room.get(TELEGRAM, "1")
    assert len(house.held_seats()) == 1


def test_a_lost_answer_to_a_lost_race_is_a_lost_race(house: House) -> None:
    """An answer that was lost on the way to a write that lost does not make it a winner."""
    house.request("1")
    stale = house.room.get(TELEGRAM, "1")

    def deny_meanwhile(name: str) -> None:
        house.client.before = lambda _: None
        if name == "transact_write_items":
            house.again().decide(Operation.DENY, user_id="1")
            raise timeout()

    house.client.before = deny_meanwhile
    with pytest.raises(RefusedError) as lost:
        house.room.move(stale, Operation.APPROVE, T0 + 1, Decision(by="bob", via=Via.API), nonce=stale.nonce)
    assert lost.value.reason == Refusal.ALREADY_DENIED


def test_a_stranger_s_bug_is_not_swallowed(house: House) -> None:
    """An exception that is no answer of a service is a bug, and is raised as it is."""
    house.client.before = fails("get_item", iter([KeyError("bug")]))
    with pytest.raises(KeyError):
        house.room.get(TELEGRAM, "1")


def test_the_deadline_is_for_the_whole_operation(house: House) -> None:
    """Calls of one operation share one deadline, and no retry begins after it."""
    house.client.before = fails("query", iter([PASSING["throttled"]] * 2))
    house.client.after = fails("query", iter(()))
    house.request("1")
    paused = house.table._patience.deadline.clock()
    house.client.before = fails("transact_write_items", for_ever(PASSING["throttled"]))
    with pytest.raises(UnavailableError):
        house.approve("1")
    assert 0 < paused < house.table._patience.deadline.clock() < paused + 0.3


def test_unprocessed_keys_are_asked_for_again(house: House) -> None:
    """A batch that comes back half is completed, and one that never comes is an error."""
    for user in "12":
        house.request(user)
    whole = house.raw.batch_get_item

    def half(**arguments: Any) -> Any:
        [(name, wanted)] = arguments["RequestItems"].items()
        answer = whole(RequestItems={name: wanted | {"Keys": wanted["Keys"][:1]}})
        left = wanted["Keys"][1:]
        return answer | {"UnprocessedKeys": {name: {"Keys": left}} if left else {}}

    house.client.batch_get_item = half  # type: ignore[method-assign]
    assert len(house.directory.pending(TELEGRAM, T0)) == 2
    house.client.batch_get_item = lambda **arguments: {  # type: ignore[method-assign]
        "UnprocessedKeys": {house.name: {"Keys": arguments["RequestItems"][house.name]["Keys"]}}
    }
    with pytest.raises(UnavailableError):
        house.directory.pending(TELEGRAM, T0)


def test_a_crowd_at_one_contact_ends(house: House) -> None:
    """A move that keeps losing gives up after a bounded number of tries."""
    house.decide(Operation.ADD, user_id="1")
    other = house.again()
    n = 0

    def move_on(name: str) -> None:
        nonlocal n
        if name == "transact_write_items":
            n += 1
            other.decide(Operation.ADD, user_id="1", label=f"n{n}")

    house.client.before = move_on
    with pytest.raises(UnavailableError, match="others kept moving it"):
        house.decide(Operation.REVOKE, user_id="1")
    assert n < 50


def test_a_crowd_at_the_seats_ends(house: House) -> None:
    """A request that keeps losing its seat gives up as if the room were full."""
    other = house.again()
    n = 0

    def sit_down(name: str) -> None:
        nonlocal n
        if name == "transact_write_items":
            n += 1
            seat = house.client.arguments[-1]["TransactItems"][1]["Update"]["Key"]
            other.raw.put_item(
                TableName=house.name,
                Item=seat
                | {field: {"S": str(n)} for field in ("user_id", "nonce", "key_id")}
                | {"expires_at": {"N": str(T0 + 999)}},
            )

    house.client.before = sit_down
    assert house.request("1").verdict is RequestVerdict.FULL
    assert n < 50


def test_a_count_that_keeps_losing_ends(house: House) -> None:
    """A guess that cannot be counted is not compared either."""
    other = house.again()

    def count_too(name: str) -> None:
        if name == "update_item":
            other.lockout.forgive("cli", "alice", T0)

    house.client.before = count_too
    with pytest.raises(UnavailableError, match="count a code"):
        house.decide(Operation.APPROVE, code="AAAAAAAA")
