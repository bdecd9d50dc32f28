"""Poison, rate limits and broken tokens: one contact's trouble holds up nobody else, and ends alone."""

import json
from typing import Any

import pytest
from msgspec import structs

from doorcode.aws.effects_queue import MoveRecord
from doorcode.aws.postbox import FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS, backed_off
from doorcode.entrypoints import effects
from doorcode.errors import UnavailableError
from doorcode.pairing.contact import Platform, State
from doorcode.pairing.transitions import Operation
from tests.behind.harness import OWNER_CHANNEL, Behind
from tests.behind.test_pairing import APPROVED, SENT, has_buttons
from tests.webhooks import HELLO, STRANGER, load

TELEGRAM = Platform.TELEGRAM
POISON = {
    "not JSON": "{",
    "an array": "[]",
    "of a version to come": json.dumps({"version": 2, "record": "r", "at": 1, "old": None, "new": None}),
    "half written": json.dumps({"version": 1, "record": "r", "at": 1, "old": None, "new": {"pk": {"S": "telegram#1"}}}),
    "about nobody": json.dumps({"version": 1, "record": "r", "at": 1, "old": None, "new": None}),
    "of an unknown state": json.dumps(
        {
            "version": 1,
            "record": "r",
            "at": 1,
            "old": None,
            "new": {"pk": {"S": "telegram#1"}, "state": {"S": "hovering"}},
        }
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
    assert behind.clients["sqs"].delays == []


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
    assert set(behind.clients["sqs"].delays) == {60}
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
    monkeypatch.setattr(effects, "PARKED_AFTER_SECONDS", -1)
    behind.courier_once()
    assert behind.parked() == 1
    monkeypatch.undo()
    telegram.recover()
    assert not has_buttons(behind.prompts(TELEGRAM)[0])
    assert "pairing_approved" in behind.event_types()
    assert any(getattr(record, "parked", "") == "true" for record in caplog.records)


def test_what_waited_behind_a_parked_record_gets_tries_of_its_own(
    behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that is old only because it waited is not parked at its first failure, but at its third."""
    monkeypatch.setattr(effects, "PARKED_AFTER_SECONDS", -1)
    behind.stand_ins[TELEGRAM].inject(status=500, times=1 << 30)
    behind.hello(TELEGRAM)
    behind.relay_once()
    parked = []
    for _ in range(3):
        behind.courier_once()
        parked.append(behind.parked())
    assert parked == [0, 0, 1]


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

    events.put_events = failing
    behind.hello(TELEGRAM)
    behind.decide(Operation.APPROVE, TELEGRAM)
    behind.settle()
    assert behind.edge.contact(TELEGRAM).state is State.PAIRED
    assert set(behind.event_types()) == {"pairing_requested", "pairing_approved"}
    assert behind.heard(TELEGRAM).count(APPROVED[TELEGRAM]) == 1


@pytest.mark.parametrize("after", [301, -7200])
def test_an_owner_who_is_in_trouble_for_long_is_not_waited_for(behind: Behind, after: int) -> None:
    """When the platform is down for minutes, owners elsewhere are asked, and the first is asked too once it is back.

    The same where the table's clock is hours ahead of the courier's: nobody waits for as long as that.
    """
    telegram = behind.stand_ins[TELEGRAM]
    telegram.inject(status=500, times=1 << 30, chat=OWNER_CHANNEL[TELEGRAM])
    behind.hello(TELEGRAM)
    behind.relay_once()
    behind.courier_once()
    assert behind.prompts(Platform.SLACK) == []
    record = behind.edge.contact(TELEGRAM)
    later = behind.now() + after
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


def test_what_waits_behind_a_failure_is_handed_back_with_it(behind: Behind) -> None:
    """Of one contact in one batch, the later record waits as long as the earlier one, and no longer: in flight it would block."""
    behind.stand_ins[TELEGRAM].inject(status=429, delay=5, times=1, chat=OWNER_CHANNEL[TELEGRAM])
    behind.hello(TELEGRAM)
    behind.decide(Operation.DENY, TELEGRAM)
    behind.edge.put(behind.edge.contact(TELEGRAM))
    behind.hello(Platform.SLACK)
    behind.stand_ins[Platform.SLACK].inject(status=429, delay=7, times=1, chat=OWNER_CHANNEL[Platform.SLACK])
    behind.decide(Operation.APPROVE, Platform.SLACK)
    behind.relay_once()
    behind.courier_once()
    behind.settle()
    assert behind.parked() == 0
    assert APPROVED[Platform.SLACK] in behind.heard(Platform.SLACK)
    assert "Your request was declined." in behind.heard(TELEGRAM)


def test_records_of_one_failing_contact_come_back_together(behind: Behind) -> None:
    """Every record that is reported as failed is handed back, each with the delay of its contact."""
    sqs = behind.clients["sqs"]
    behind.hello(Platform.SLACK)
    behind.decide(Operation.APPROVE, Platform.SLACK)
    behind.relay_once()
    sent = [entry for call in sqs.arguments if "Entries" in call for entry in call["Entries"]]
    attributes = {"SentTimestamp": str(behind.now() * 1000), "ApproximateReceiveCount": "1"}
    records = [
        {
            "messageId": str(number),
            "receiptHandle": str(number),
            "body": entry["MessageBody"],
            "attributes": attributes | {"MessageGroupId": entry["MessageGroupId"]},
            "eventSource": "aws:sqs",
        }
        for number, entry in enumerate(sent)
    ]
    handed_back: list[tuple[str, int]] = []
    sqs.change_message_visibility = lambda **call: handed_back.append(
        (call["ReceiptHandle"], call["VisibilityTimeout"])
    )
    behind.stand_ins[Platform.SLACK].inject(status=429, delay=9, times=1 << 30)
    behind.edge.put(structs.replace(behind.edge.contact(Platform.SLACK), state=State.PENDING))
    result = behind.consumer.handle({"Records": records}, None)
    assert [failure["itemIdentifier"] for failure in result["batchItemFailures"]] == ["0", "1"]
    assert handed_back == [("0", 9), ("1", 9)]


class ShortOfTime:
    """A Lambda context with little time left."""

    function_name = "courier"

    def __init__(self, milliseconds: int) -> None:
        """Say how little."""
        self._milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        """Give the time left."""
        return self._milliseconds


def test_without_time_nothing_is_begun(behind: Behind) -> None:
    """An invocation that runs out of time hands the rest back at once, instead of dying with it."""
    behind.hello(TELEGRAM)
    behind.relay_once()
    handle = behind.consumer.handle
    behind.consumer.handle = lambda event, context: handle(event, ShortOfTime(10_000))  # noqa: ARG005 (a handler's own names)
    behind.courier_once()
    assert behind.prompts(TELEGRAM) == []
    assert behind.clients["sqs"].delays == [0]
    behind.consumer.handle = handle
    behind.settle()
    assert len(behind.prompts(TELEGRAM)) == 1


def test_an_ended_guest_s_removal_is_published_although_the_approval_had_the_same_revision(behind: Behind) -> None:
    """What was done for one record is not taken for another's: the end of a guest is published after all."""
    behind.hello(TELEGRAM)
    behind.decide(Operation.APPROVE, TELEGRAM, until=behind.now() + 60)
    behind.settle()
    behind.events()
    contact = behind.edge.contact(TELEGRAM)
    gone = MoveRecord("removal", contact, None, contact.paired_until + 90_000)
    behind.courier.follow(gone, behind.now())
    assert behind.event_types() == ["pairing_ended"]
    behind.courier.follow(gone, behind.now())
    assert behind.event_types() == []


@pytest.mark.parametrize("trouble", ["secrets unreadable", "bad token"])
def test_a_prompt_is_closed_once_the_trouble_is_over(behind: Behind, trouble: str) -> None:
    """Secrets that cannot be read now, or a token that is being changed, leave no prompt open for ever."""
    behind.hello(TELEGRAM)
    behind.settle()
    behind.decide(Operation.APPROVE, TELEGRAM)
    behind.relay_once()
    if trouble == "bad token":
        behind.edge.put_secret("telegram/bot-token", "7000000001:being-changed")
        behind.cold()
        behind.courier_once()
        behind.edge.put_secret("telegram/bot-token", "7000000001:stand-in")
    else:
        behind.cold()

        def throttled(_: str) -> None:
            raise ConnectionResetError

        behind.clients["ssm"].before = throttled
        behind.courier_once()
        behind.clients["ssm"].before = lambda _: None
    behind.cold()
    behind.settle()
    assert not has_buttons(behind.prompts(TELEGRAM)[0])
    assert behind.heard(TELEGRAM).count(APPROVED[TELEGRAM]) == 1
    assert behind.parked() == 0


def test_a_late_record_tells_nothing_that_is_no_longer_so(behind: Behind) -> None:
    """An approval that is followed after its revocation neither says that the person is in, nor draws it."""
    behind.hello(TELEGRAM)
    behind.settle()
    before = behind.edge.contact(TELEGRAM)
    approved = behind.decide(Operation.APPROVE, TELEGRAM)
    behind.decide(Operation.REVOKE, TELEGRAM)
    behind.settle()
    heard = behind.heard(TELEGRAM)
    behind.courier.follow(MoveRecord("late", before, approved, behind.now()), behind.now())
    assert behind.heard(TELEGRAM) == heard
    assert "Revoked" in behind.prompts(TELEGRAM)[0]


def test_one_owner_in_trouble_does_not_keep_the_notice_from_the_requester(behind: Behind) -> None:
    """A Slack stranger hears that the owner is asked as soon as one owner was reached."""
    behind.stand_ins[Platform.SLACK].add_user("U0SECOND00", "second")  # type: ignore[attr-defined]
    second: Any = behind.stand_ins[Platform.SLACK]
    chat = second.open_chat("U0SECOND00")
    second.inject(status=500, times=1 << 30, chat=chat)
    behind.cold(OWNER_USER_IDS="slack:U0OWNER001,slack:U0SECOND00")
    behind.hello(Platform.SLACK)
    behind.relay_once()
    behind.courier_once()
    assert behind.heard(Platform.SLACK) == [SENT]


def test_one_platform_s_table_trouble_does_not_stop_the_sweep_of_others(behind: Behind) -> None:
    """When one platform's seats cannot be read, the others' overdue requests still expire."""
    for platform in (TELEGRAM, Platform.SLACK):
        behind.hello(platform)
    behind.settle()
    client = behind.clients["dynamodb"]

    def refuse_telegram(name: str) -> None:
        if name == "query" and client.arguments[-1]["ExpressionAttributeValues"][":pk"]["S"] == "seats#telegram":
            raise UnavailableError("read the table", "throttled")

    client.before = refuse_telegram
    behind.courier.sweep(behind.now() + 4000)
    assert behind.edge.contact(Platform.SLACK).state is State.EXPIRED
    assert behind.edge.contact(TELEGRAM).state is State.PENDING


@pytest.mark.parametrize(("count", "delay"), [(1, 2), (2, 4), (5, 32), (9, 300), (99, 300)])
def test_pauses_grow(count: int, delay: int) -> None:
    """A failure without a delay of its own waits twice as long each time, up to five minutes."""
    record = {"attributes": {"ApproximateReceiveCount": str(count)}}
    assert backed_off(record) == delay
    assert FIRST_DELAY_SECONDS <= delay <= LONGEST_DELAY_SECONDS
