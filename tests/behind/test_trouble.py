"""Poison, rate limits and broken tokens: one contact's trouble holds up nobody else, and ends alone."""

import json
from typing import Any

import pytest

from doorcode.aws.postbox import FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, backed_off
from doorcode.entrypoints import effects
from doorcode.errors import UnavailableError
from doorcode.pairing.contact import Platform, State
from doorcode.pairing.transitions import Operation
from tests.behind.house import OWNER_CHANNEL, Behind
from tests.behind.test_pairing import APPROVED, SENT, has_buttons
from tests.webhooks import HELLO, STRANGER, load

TELEGRAM = Platform.TELEGRAM
POISON = {
    "not JSON": "{",
    "an array": "[]",
    "of a version to come": json.dumps({"version": 2, "at": 1, "old": None, "new": None}),
    "half written": json.dumps({"version": 1, "at": 1, "old": None, "new": {"pk": {"S": "telegram#1"}}}),
    "about nobody": json.dumps({"version": 1, "at": 1, "old": None, "new": None}),
    "of an unknown state": json.dumps(
        {"version": 1, "at": 1, "old": None, "new": {"pk": {"S": "telegram#1"}, "state": {"S": "hovering"}}}
    ),
    "null": "null",
}


def other_stranger(behind: Behind) -> None:
    """Have a second stranger write on Telegram."""
    event = load(HELLO[TELEGRAM]).another(77)
    event.body["message"]["from"] |= {"id": 987654399, "username": "second"}
    event.body["message"]["chat"]["id"] = 987654399
    behind.stand_ins[TELEGRAM].open_chat("987654399")  # type: ignore[attr-defined]
    behind.deliver(event)


def poison(behind: Behind, body: str, group: str) -> None:
    """Put something into the effects queue."""
    behind.edge.sqs.send_message(
        QueueUrl=behind.effects_url, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=str(hash(body))
    )


@pytest.mark.parametrize("body", POISON.values(), ids=POISON)
def test_a_poisoned_record_ends_in_the_dead_letter_queue_alone(
    behind: Behind, body: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be read is parked at once, with one line in the log, and what waits behind it is followed."""
    contact_group = f"telegram#{STRANGER[TELEGRAM]}"
    poison(behind, body, contact_group)
    behind.hello(TELEGRAM)
    behind.settle()
    assert behind.parked() == 1
    assert len(behind.prompts(TELEGRAM)) == 1
    assert "unusable_record" in [getattr(record, "reason", "") for record in caplog.records]
    assert behind.clients["sqs"].delays == []  # type: ignore[attr-defined]


def test_one_contact_whose_platform_asks_to_wait(behind: Behind) -> None:
    """A 429 hands that contact's record back for as long as the platform asks; the others' prompts arrive meanwhile."""
    slack = behind.stand_ins[Platform.SLACK]
    fault = slack.inject(status=429, delay=60, times=3, chat=OWNER_CHANNEL[Platform.SLACK])
    behind.hello(Platform.SLACK)
    behind.hello(TELEGRAM)
    behind.relay_once()
    behind.courier_once()
    assert len(behind.prompts(TELEGRAM)) == 1
    assert behind.prompts(Platform.SLACK) == []
    assert set(behind.clients["sqs"].delays) == {60}  # type: ignore[attr-defined]
    behind.settle()
    assert fault.times == 0
    assert len(behind.prompts(Platform.SLACK)) == 1
    assert behind.heard(Platform.SLACK) == [SENT]
    assert behind.parked() == 0


def test_trouble_of_one_contact_leaves_others_in_the_same_batch_alone(behind: Behind) -> None:
    """In one batch, only the contact in trouble comes again; the other's receive count does not rise."""
    telegram = behind.stand_ins[TELEGRAM]
    behind.hello(TELEGRAM)
    other_stranger(behind)
    behind.decide(Operation.ADD, TELEGRAM)
    behind.settle()
    telegram.inject(status=500, times=2, chat=STRANGER[TELEGRAM])
    behind.decide(Operation.REVOKE, TELEGRAM)
    behind.decide(Operation.ADD, TELEGRAM)
    behind.settle()
    assert behind.heard(TELEGRAM).count(APPROVED[TELEGRAM]) == 2
    assert behind.parked() == 0


def test_what_never_succeeds_is_parked_after_an_hour(
    behind: Behind, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A record that fails for an hour is parked, and what follows it for the same contact still happens."""
    telegram = behind.stand_ins[TELEGRAM]
    behind.hello(TELEGRAM)
    behind.settle()
    telegram.inject(status=500, times=1 << 30, chat=STRANGER[TELEGRAM])
    behind.decide(Operation.APPROVE, TELEGRAM)
    behind.relay_once()
    for _ in range(5):
        assert behind.courier_once()
    monkeypatch.setattr(effects, "PARKED_AFTER_SECONDS", 0)
    behind.courier_once()
    assert behind.parked() == 1
    monkeypatch.undo()
    telegram.recover()
    assert not has_buttons(behind.prompts(TELEGRAM)[0])
    assert "pairing_approved" in behind.event_types()
    assert any(getattr(record, "parked", "") == "true" for record in caplog.records)


def test_the_event_goes_out_although_the_platform_is_down(behind: Behind) -> None:
    """Each consequence stands by itself: a platform in trouble does not keep the event from going out."""
    behind.hello(TELEGRAM)
    behind.settle()
    behind.events()
    behind.stand_ins[TELEGRAM].inject(status=500, times=1 << 30)
    behind.decide(Operation.APPROVE, TELEGRAM)
    behind.relay_once()
    behind.courier_once()
    assert behind.event_types() == ["pairing_approved"]
    behind.stand_ins[TELEGRAM].recover()
    behind.settle()
    assert behind.event_types() == []
    assert APPROVED[TELEGRAM] in behind.heard(TELEGRAM)


@pytest.mark.parametrize("how", ["refused", "failed entry", "timeout"])
def test_losing_the_bus_undoes_nothing(behind: Behind, how: str) -> None:
    """Security 33: a bus that fails, also by FailedEntryCount, never undoes a decision; the event comes later."""
    events = behind.clients["events"]
    real = events._client.put_events
    failures = 2

    def failing(**kwargs: Any) -> Any:
        nonlocal failures
        failures -= 1
        if failures < 0:
            return real(**kwargs)
        if how == "failed entry":
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException"}]}
        raise UnavailableError("publish", how) if how == "refused" else ConnectionResetError

    events.put_events = failing  # type: ignore[method-assign]
    behind.hello(TELEGRAM)
    behind.decide(Operation.APPROVE, TELEGRAM)
    behind.settle()
    assert behind.edge.contact(TELEGRAM).state is State.PAIRED
    assert set(behind.event_types()) == {"pairing_requested", "pairing_approved"}
    assert behind.heard(TELEGRAM).count(APPROVED[TELEGRAM]) == 1


def test_an_owner_who_is_in_trouble_for_long_is_not_waited_for(behind: Behind) -> None:
    """When the platform is down for minutes, owners elsewhere are asked, and the first is asked too once it is back."""
    telegram = behind.stand_ins[TELEGRAM]
    telegram.inject(status=500, times=1 << 30, chat=OWNER_CHANNEL[TELEGRAM])
    behind.hello(TELEGRAM)
    behind.relay_once()
    behind.courier_once()
    assert behind.prompts(Platform.SLACK) == []
    record = behind.edge.contact(TELEGRAM)
    later = behind.now() + 301
    behind.consumer._clock = lambda: later
    behind.courier_once()
    assert len(behind.prompts(Platform.SLACK)) == 1
    telegram.recover()
    behind.settle()
    assert len(behind.prompts(TELEGRAM)) == 1
    assert record.rev == 1


def test_a_bad_token_stops_at_once(behind: Behind, caplog: pytest.LogCaptureFixture) -> None:
    """A token that the platform does not take makes one call, one clear line, and owners elsewhere are asked."""
    behind.edge.put_secret("telegram/bot-token", "1:wrong")
    behind.cold()
    behind.hello(Platform.TELEGRAM)
    behind.relay_once()
    behind.courier_once()
    assert len(behind.prompts(Platform.SLACK)) == 1
    assert "Telegram does not accept the bot token. Set it with: doorcode secrets set telegram/bot-token" in caplog.text
    assert "1:wrong" not in caplog.text
    assert sum(call.status in {401, 404} for call in behind.stand_ins[TELEGRAM].calls) <= 2


def test_a_prompt_that_is_gone_is_sent_anew(behind: Behind) -> None:
    """When the owner has deleted the open prompt, a new request of the same person makes another."""
    behind.hello(Platform.DISCORD)
    behind.settle()
    behind.stand_ins[Platform.DISCORD].messages.clear()
    behind.hello(Platform.DISCORD, 1, behind.now() + 600)
    behind.settle()
    assert len(behind.prompts(Platform.DISCORD)) == 1


@pytest.mark.parametrize(("count", "delay"), [(1, 2), (2, 4), (5, 32), (9, 300), (99, 300)])
def test_pauses_grow(count: int, delay: int) -> None:
    """A failure without a delay of its own waits twice as long each time, up to five minutes."""
    record = {"attributes": {"ApproximateReceiveCount": str(count)}}
    assert backed_off(record) == delay
    assert FIRST_DELAY_SECONDS <= delay <= LONGEST_DELAY_SECONDS
