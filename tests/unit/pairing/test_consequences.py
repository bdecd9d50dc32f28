"""What follows from each move."""

import pytest
from msgspec import structs

from doorcode.pairing.consequences import Consequences, EventType, RequesterTold, follow
from doorcode.pairing.contact import Contact, Platform, State, Via
from tests.cases import each

AT = 1_800_000_000
FIELDS = {"version", "platform", "user_id", "label", "decided_by", "decided_via", "at"}


def contact(state: State, rev: int = 1, **more: object) -> Contact:
    """Make a contact in a state, with everything that must not be published."""
    known = {"name": "@secret", "reply": '{"token":"secret"}', "nonce": "n1", "key_id": "k1", "requested_at": AT}
    fields: dict[str, object] = {
        "platform": Platform.TELEGRAM,
        "user_id": "1",
        "state": state,
        "rev": rev,
        **known,
        **more,
    }
    return Contact(**fields)  # type: ignore[arg-type]


def decided(state: State, **more: object) -> Contact:
    """Make a contact that somebody has decided on."""
    return contact(state, 2, decided_by="alice", decided_via=Via.CLI, decided_at=AT + 5, label="bob", **more)


PENDING = contact(State.PENDING)


@pytest.mark.parametrize("old", [None, contact(State.DENIED), contact(State.EXPIRED), contact(State.REVOKED)])
def test_a_request_asks_and_publishes(old: Contact | None) -> None:
    """A new request asks the owners, closes nothing and tells nobody."""
    result = follow(old, contact(State.PENDING, 2, nonce="n2"), AT)
    assert (result.asks, result.replaces, result.closes, result.tells) == (True, "", "", None)
    assert [event.type for event in result.events] == [EventType.REQUESTED]


def test_a_new_request_takes_over_the_open_prompt() -> None:
    """A request that replaces a pending one names whose prompts it takes over."""
    assert follow(PENDING, contact(State.PENDING, 2, nonce="n2"), AT).replaces == "n1"


@each(
    ("state", "tells", "event"),
    [
        (State.PAIRED, RequesterTold.APPROVED, EventType.APPROVED),
        (State.DENIED, RequesterTold.DENIED, EventType.DENIED),
        (State.EXPIRED, None, EventType.EXPIRED),
        (State.REVOKED, None, EventType.REVOKED),
        (State.BLOCKED, None, EventType.BLOCKED),
    ],
)
def test_every_other_move_closes_and_publishes(state: State, tells: RequesterTold | None, event: EventType) -> None:
    """Whatever ends a request closes its prompts and is published; approval and denial are told."""
    result = follow(PENDING, decided(state), AT)
    assert (result.asks, result.closes, result.tells) == (False, "n1", tells)
    assert [one.type for one in result.events] == [event]


def test_events_say_no_more_than_they_may() -> None:
    """Security 33: an event has exactly its documented fields: no code, token, text or name."""
    [event] = follow(PENDING, decided(State.PAIRED), AT).events
    assert set(event.detail) == FIELDS
    assert event.detail == {
        "version": 1, "platform": "telegram", "user_id": "1", "label": "bob",
        "decided_by": "alice", "decided_via": "cli", "at": AT + 5,
    }  # fmt: skip
    assert "secret" not in str(event)


def test_a_write_that_is_no_move_has_no_consequences() -> None:
    """A name that was looked up later is no move."""
    assert follow(PENDING, contact(State.PENDING, name="@other"), AT) == Consequences()


def test_nobody_is_told_who_did_not_write_first() -> None:
    """Security 27: somebody who was added without ever writing is not messaged."""
    assert follow(None, decided(State.PAIRED, reply=""), AT).tells is None


def test_a_new_label_is_not_told() -> None:
    """A paired person does not hear of a new label or a new end."""
    assert follow(decided(State.PAIRED), decided(State.PAIRED), AT) == Consequences()
    again = structs.replace(decided(State.PAIRED), rev=3, decided_at=AT + 9)
    assert follow(decided(State.PAIRED), again, AT) == Consequences()


@each("changed", [{"label": "rob"}, {"label": ""}, {"paired_until": AT + 99}])
@each("until", [0, AT + 10], ids=["for ever", "guest"])
def test_a_new_label_or_end_is_an_event_of_its_own(until: int, changed: dict[str, object]) -> None:
    """Who is in stays in: no second approval is published, no prompt is drawn anew, and nobody is told."""
    before = decided(State.PAIRED, paired_until=until)
    after = structs.replace(before, rev=3, decided_at=AT + 9, decided_by="carol", **changed)
    result = follow(before, after, AT)
    assert (result.asks, result.closes, result.tells) == (False, "", None)
    assert [(one.type, one.detail["decided_by"], one.detail["at"]) for one in result.events] == [
        (EventType.RELABELLED, "carol", AT + 9)
    ]


def test_an_ended_guest_who_is_added_again_is_told() -> None:
    """A guest whose time was up, and who is let in again, hears of it."""
    guest = decided(State.PAIRED, paired_until=AT + 6)
    assert follow(guest, contact(State.PAIRED, 3, decided_at=AT + 9), AT).tells is RequesterTold.APPROVED


def test_an_ended_guest_is_published_when_the_item_goes() -> None:
    """A guest's end is published when TTL takes the item, once it is really over."""
    guest = decided(State.PAIRED, paired_until=AT + 10)
    result = follow(guest, None, AT + 90_000)
    assert [(event.type, event.detail["at"]) for event in result.events] == [(EventType.ENDED, AT + 10)]
    assert result.closes == "n1"


def test_an_ended_guest_who_asks_again_ended_first() -> None:
    """A guest who asks again after the end makes two events: ended, then requested."""
    guest = decided(State.PAIRED, paired_until=AT + 10)
    result = follow(guest, contact(State.PENDING, 3, nonce="n2", requested_at=AT + 20), AT + 20)
    assert [event.type for event in result.events] == [EventType.ENDED, EventType.REQUESTED]


@pytest.mark.parametrize(
    ("state", "event"),
    [(State.PAIRED, EventType.APPROVED), (State.BLOCKED, EventType.BLOCKED)],
    ids=["added", "blocked"],
)
def test_an_ended_guest_with_whom_something_is_done_ended_first(state: State, event: EventType) -> None:
    """A guest who is added again or blocked after the end makes two events: ended, then the new one."""
    guest = decided(State.PAIRED, paired_until=AT + 6)
    result = follow(guest, contact(state, 3, decided_at=AT + 9), AT)
    assert [one.type for one in result.events] == [EventType.ENDED, event]


@each("old", [None, PENDING, decided(State.DENIED), decided(State.PAIRED), decided(State.REVOKED)])
def test_garbage_collection_says_nothing(old: Contact | None) -> None:
    """An item that goes, and whose end was published when it came, says nothing new."""
    assert follow(old, None, AT + 90_000) == Consequences()
