"""``doorcode doctor``: each check, what it says, what mends it, and that none stops another."""

import itertools
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from doorcode.pairing.contact import Platform
from doorcode.pairing.gate import Reason
from doorcode_cli.doctor import CHECKS
from doorcode_cli.drops import REASONS
from doorcode_cli.examination import Check, Finding
from tests.unit.cli.setup_fixtures import OWN, TABLE, Harness, refusal

SOMEBODY = "200000000000000444"
OWNERS = "telegram:111,slack:U0OWNER,discord:333000000000000333"


@pytest.fixture
def healthy(harness: Harness) -> Harness:
    """Give a stack where all is as it should be."""
    harness.set_up()
    harness.configure(UNKNOWN_USER_POLICY="pair", OWNER_USER_IDS=OWNERS)
    harness.telegram.open_chat("111")
    harness.slack.add_user("U0OWNER")
    harness.discord.add_user("333000000000000333")
    return harness


def of(found: list[dict[str, Any]], level: str) -> list[tuple[str, str, str | None]]:
    """Return what was found of a level."""
    return [(one["check"], one["text"], one["remedy"]) for one in found if one["level"] == level]


def test_a_healthy_stack_has_nothing_wrong(healthy: Harness) -> None:
    """Exit code 0. Only values that look unlike real ones are noted, for they are the stand-ins'."""
    for command in (("telegram", "webhook", "set"), ("slack", "workspace"), ("whatsapp", "webhook", "set")):
        assert healthy.run(*command).code == 0
    ended, found = healthy.examine()
    assert (ended.code, of(found, "wrong")) == (0, [])
    assert {check for check, *_ in of(found, "warn")} == {"secrets"}
    assert ended.json["ok"] is True
    assert ended.json["stack"] == "doorcode"
    texts = " | ".join(one["text"] for one in found)
    for expected in (
        "doorcode is UPDATE_COMPLETE",
        "8 functions ready",
        "Unknown users: telegram=pair",
        "the token is that of @doorcode_bot",
        "the webhook is ours, 0 updates waiting",
        "the token is that of doorcode in Workspace",
        "the interactions endpoint is ours",
        "the webhook is ours, for +1 555-078-3881 (Doorcode)",
        "telegram:111 can be reached",
        "taken, of 100: telegram 0, slack 0, discord 0, whatsapp 0",
        "nobody of late",
    ):
        assert expected in texts


def test_the_table_shows_every_finding_and_its_remedy(healthy: Harness) -> None:
    """In words, with a mark before each, and commands that are not broken over lines."""
    healthy.telegram.hook.url = "https://elsewhere.example/a-rather-long-path/to/somebody/elses/webhook"
    healthy.log("telegram", 60, action="drop", reason="policy_deny", platform="telegram", user_id="987")
    ended = healthy.run("doctor")
    assert ended.code == 1
    assert "❌" in ended.out
    assert "✅" in ended.out
    assert "→ doorcode telegram webhook set" in ended.out
    assert "AllowedUsers=telegram:987, or doorcode pairing add telegram 987" in ended.out
    assert "1 wrong" in ended.out


def test_nothing_is_sent_unless_asked(healthy: Harness) -> None:
    """What shows "typing…" or opens a chat sends nothing."""
    healthy.examine()
    assert healthy.telegram.actions == [("111", "typing")]
    assert not any(
        stand_in.messages for stand_in in (healthy.telegram, healthy.slack, healthy.discord, healthy.whatsapp)
    )
    _, found = healthy.examine(options=("--send-test",))
    assert [one["text"] for one in found if one["check"] == "owners"] == [
        "telegram:111 was sent a test", "slack:U0OWNER was sent a test", "discord:333000000000000333 was sent a test"
    ]  # fmt: skip
    assert len(healthy.telegram.in_chat("111")) == 1
    assert len(healthy.slack.in_chat("D0OWNER")) == 1
    assert len(healthy.discord.messages) == 1


def test_owners_who_cannot_be_reached_are_named(healthy: Harness) -> None:
    """With what they have to do, for no command can."""
    healthy.telegram.block("111")
    healthy.slack.users["U0OWNER"].disabled = True
    healthy.discord.users["333000000000000333"].refuses = 50007
    _, found = healthy.examine("owners", options=("--send-test",))
    wrong = of(found, "wrong")
    assert [text.partition(" ")[0] for _, text, _ in wrong] == [
        "telegram:111",
        "slack:U0OWNER",
        "discord:333000000000000333",
    ]
    assert "/start" in str(wrong[0][2])


def test_an_owner_on_a_platform_without_a_token_is_named(harness: Harness) -> None:
    """They would never be asked."""
    harness.configure(OWNER_USER_IDS="slack:U0OWNER")
    _, found = harness.examine("owners")
    assert (
        "owners",
        "slack:U0OWNER cannot be asked: slack/bot-token is missing",
        "doorcode secrets set slack/bot-token",
    ) in of(found, "wrong")


def test_a_platform_that_is_down_is_to_look_at_again(healthy: Harness) -> None:
    """The owner may be reached, it is only not known."""
    healthy.telegram.inject(name="sendChatAction", status=502)
    _, found = healthy.examine("owners")
    assert any("telegram:111: Telegram answers HTTP 502" in text for _, text, _ in of(found, "warn"))


def test_no_stack_ends_with_3(harness: Harness) -> None:
    """One line that does not send the operator round in a circle."""
    ended = harness.run("doctor", "--stack", "other")
    assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1)
    assert "doctor" not in ended.err


def test_an_aws_that_does_not_answer_ends_with_3(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Timeouts and missing networks, too."""

    def no_answer(*_: object, **__: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://cloudformation.us-east-1.amazonaws.com")

    monkeypatch.setattr("tests.unit.cli.setup_fixtures.CloudFormation.describe_stacks", no_answer)
    ended = harness.run("doctor")
    assert (ended.code, ended.err.count("\n")) == (3, 1)


# Each check


def test_the_state_of_the_stack(healthy: Harness) -> None:
    """At rest, at work, or failed."""
    for status, level in (
        ("CREATE_COMPLETE", "ok"),
        ("UPDATE_IN_PROGRESS", "warn"),
        ("UPDATE_ROLLBACK_COMPLETE", "wrong"),
        ("CREATE_FAILED", "wrong"),
    ):
        healthy.status = status
        _, found = healthy.examine("stack")
        assert [(one["level"], status in one["text"]) for one in found] == [(level, True)]


def test_the_clock(healthy: Harness) -> None:
    """Compared with what AWS says in its answer; where it says nothing, that is no fault."""
    for seconds, level in ((5, "ok"), (60, "warn"), (600, "wrong")):
        healthy.headers["date"] = format_datetime(datetime.now(UTC) - timedelta(seconds=seconds), usegmt=True)
        _, found = healthy.examine("clock")
        assert [one["level"] for one in found] == [level], seconds
    healthy.headers.clear()
    _, found = healthy.examine("clock")
    assert [(one["level"], one["text"]) for one in found] == [("ok", "AWS did not say what time it is")]


def test_functions_that_are_missing_or_not_ready(healthy: Harness) -> None:
    """By their names in the template."""
    healthy.states["RelayFunction"] = {"State": "Failed", "LastUpdateStatus": "Successful"}
    del healthy.resources["AgentFunction"]
    _, found = healthy.examine("functions")
    assert [text for check, text, _ in of(found, "wrong") if check == "functions"] == [
        "missing: AgentFunction",
        "RelayFunction is Failed, Successful",
    ]


def test_secrets_that_are_missing(harness: Harness) -> None:
    """Those of our own always, those of the platforms once one of them is set."""
    harness.ssm.delete_parameter(Name="/doorcode/doorcode/callback-secret")
    _, found = harness.examine("secrets")
    texts = [text for _, text, _ in of(found, "wrong")]
    assert "callback-secret is missing: everything is refused" in texts
    assert "no platform is set up" in texts
    harness.put("slack/bot-token", "xoxb-stand-in")
    _, found = harness.examine("secrets")
    wrong = [(text, remedy) for _, text, remedy in of(found, "wrong")]
    assert ("slack/signing-secret is missing", "doorcode secrets set slack/signing-secret") in wrong
    assert "no platform is set up" not in [text for text, _ in wrong]
    assert "Telegram is not in use" in [one["text"] for one in found]


def test_secrets_that_cannot_be_right(healthy: Harness) -> None:
    """Placeholders, wrong forms, somebody else's, and one secret for two things. Security 31."""
    for name, value, told, remedy in (
        ("telegram/bot-token", "changeme", "placeholder", "doorcode secrets set telegram/bot-token"),
        ("discord/public-key", "nothex", "64 hex digits", "doorcode discord register"),
        ("discord/public-key", "cd" * 32, "another application", "doorcode discord register"),
        ("gateway-secret", "short", "16 characters", "doorcode secrets set gateway-secret"),
        ("callback-secret", OWN["gateway-secret"], "are the same", "doorcode secrets rotate, then with --drop"),
    ):
        before = healthy.value(name)
        healthy.put(name, value)
        ended, found = healthy.examine("secrets", "discord")
        assert ended.code == 1
        assert any(told in text and mends == remedy for _, text, mends in of(found, "wrong")), (name, value)
        healthy.put(name, before)


def test_an_old_secret_that_was_forgotten(healthy: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a week."""
    healthy.run("secrets", "rotate", "gateway-secret")
    _, found = healthy.examine("secrets")
    assert not any("goes on accepting" in text for _, text, _ in of(found, "warn"))
    later = time.time() + 8 * 86_400
    monkeypatch.setattr("doorcode_cli.examination.time.time", lambda: later)
    _, found = healthy.examine("secrets")
    told = "gateway-secret goes on accepting 1 old secret"
    assert ("secrets", told, "doorcode secrets rotate gateway-secret --drop") in of(found, "warn")


def test_a_policy_that_is_probably_not_meant(healthy: Harness) -> None:
    """As the functions themselves warn at their start. Security 6, 35."""
    for settings, told, remedy in (
        ({"UNKNOWN_USER_POLICY": "allow"}, "allow on telegram", "UnknownUserPolicy=pair"),
        ({"UNKNOWN_USER_POLICY": "pair", "OWNER_USER_IDS": ""}, "OWNER_USER_IDS is empty", "doorcode owner claim"),
        ({"ALLOWED_USERS": "telegram:@alice"}, "usernames change hands", "AllowedUsers=telegram:ID"),
        ({"GROUP_POLICY": "mention_only"}, "ALLOWED_GROUPS names no group", "AllowedGroups=telegram:GROUP"),
    ):
        healthy.configure(**settings)
        _, found = healthy.examine("policy")
        assert any(told in text and str(mends).startswith(remedy) for _, text, mends in of(found, "warn")), settings


def test_settings_that_stop_the_functions(healthy: Harness) -> None:
    """Each line of them, and what does not depend on them is still checked."""
    healthy.configure(UNKNOWN_USER_POLICY="sometimes", MAX_PENDING="1000")
    _, found = healthy.examine("policy", "dead letters")
    policy = [text for check, text, _ in of(found, "wrong") if check == "policy"]
    assert len(policy) == 2
    assert any(one["check"] == "dead letters" and one["level"] == "ok" for one in found)


def test_functions_with_different_settings(healthy: Harness) -> None:
    """A deployment that stopped half way, or a hand in the console."""
    healthy.environment["SlackFunction"] |= {"UNKNOWN_USER_POLICY": "allow"}
    _, found = healthy.examine("policy")
    assert any("SlackFunction runs with other settings" in text for _, text, _ in of(found, "wrong"))


def test_the_webhook_on_telegram(healthy: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absent, somebody else's, incomplete, backed up, or recently in trouble."""
    form, before = healthy.telegram._methods["getWebhookInfo"]
    changes: dict[str, Any] = {}
    monkeypatch.setitem(healthy.telegram._methods, "getWebhookInfo", (form, lambda asked: before(asked) | changes))
    now = int(time.time())
    for hook, level, told in (
        ({"url": ""}, "wrong", "the bot hears nothing"),
        ({"url": "https://elsewhere.example/\x1b[31m"}, "wrong", "not this stack's"),
        ({"allowed_updates": ["message"]}, "wrong", "gets message only"),
        ({"pending_update_count": 3, "last_error_date": 0, "last_error_message": ""}, "ok", "3 updates waiting"),
        (
            {"pending_update_count": 3, "last_error_date": 1, "last_error_message": "401 Unauthorized"},
            "wrong",
            "3 updates waiting",
        ),
        ({"last_error_date": now - 60, "last_error_message": "502 Bad Gateway"}, "warn", "had trouble"),
        ({"last_error_date": 1, "last_error_message": "502 Bad Gateway"}, "ok", "0 updates waiting"),
    ):
        changes.clear()
        changes |= hook
        ended, found = healthy.examine("telegram")
        assert any(told in text for _, text, _ in of(found, level)), hook
        assert "\x1b" not in str(json.loads(ended.out))


def test_a_bot_that_moved_its_webhook(healthy: Harness) -> None:
    """Many set or delete it whenever they start: doctor says what to have them do."""
    healthy.configure(AGENT="telegram=bot", AGENT_URL="https://bot.example")
    for url in ("", "https://bot.example/hook"):
        healthy.telegram.hook.url = url
        _, found = healthy.examine("telegram")
        assert any("have it set this stack's, or none" in text for _, text, _ in of(found, "wrong"))


def test_tokens_that_are_not_accepted(healthy: Harness) -> None:
    """One call tells, and is not made again for the next check."""
    for platform in Platform:
        stand_in = getattr(healthy, platform)
        stand_in.calls.clear()
        stand_in.token = "another"
    _, found = healthy.examine()
    for platform in Platform:
        token = f"{platform}/bot-token"
        told = f"{platform.brand} does not accept {token}. Set it with: doorcode secrets set {token}"
        assert any(text == told for check, text, _ in of(found, "wrong") if check == platform), platform
        assert 1 <= len(getattr(healthy, platform).calls) <= 2


def test_a_workspace_that_is_not_stored(healthy: Harness) -> None:
    """Security 39: whoever set the token before it was stored, or another workspace's since, is told the command."""
    healthy.put("slack/team", "T0ELSE0001:")
    _, found = healthy.examine("slack")
    assert [(check, remedy) for check, _, remedy in of(found, "wrong")] == [("slack", "doorcode slack workspace")]


def test_scopes_that_are_missing_on_slack(healthy: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack tells them in a header."""
    answer = healthy.slack._do

    def scoped(call: Any) -> Any:
        done = answer(call)
        return type(done)(done.status, done.body, {**done.headers, "X-OAuth-Scopes": "chat:write,im:write"})

    monkeypatch.setattr(healthy.slack, "_do", scoped)
    _, found = healthy.examine("slack")
    assert any(text == "the app lacks commands, im:history, users:read" for _, text, _ in of(found, "wrong"))


def test_an_app_on_slack_without_commands(healthy: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is older than /door works, but for that: a warning, with the way out."""
    answer, granted = healthy.slack._do, "chat:write,im:history,im:write,users:read"
    monkeypatch.setattr(
        healthy.slack,
        "_do",
        lambda call: type(done := answer(call))(done.status, done.body, {**done.headers, "X-OAuth-Scopes": granted}),
    )
    _, found = healthy.examine("slack")
    [(text, remedy)] = [(text, remedy) for check, text, remedy in of(found, "warn") if check == "slack"]
    assert text == "the app lacks commands: owners have no /door"
    assert "install the app again" in (remedy or "")


def test_an_endpoint_on_discord_that_is_not_ours(healthy: Harness) -> None:
    """Or none at all."""
    for url in (None, "https://elsewhere.example/discord"):
        healthy.discord.application["interactions_endpoint_url"] = url
        _, found = healthy.examine("discord")
        assert "doorcode discord register" in [mends for _, _, mends in of(found, "wrong")], url


def test_mentions_need_to_know_the_bot(healthy: Harness) -> None:
    """Stored by ``webhook set``; another bot's name is as bad as none."""
    healthy.configure(GROUP_POLICY="mention_only", OWNER_USER_IDS="telegram:111")
    _, found = healthy.examine("groups")
    assert any(text == "mentions of @doorcode_bot are noticed" for _, text, _ in of(found, "ok"))
    healthy.ssm.put_parameter(Name="/doorcode/doorcode/telegram/bot", Value="1:other", Type="String", Overwrite=True)
    _, found = healthy.examine("groups")
    assert any(check == "groups" and mends == "doorcode telegram webhook set" for check, _, mends in of(found, "wrong"))


def test_dead_letters_are_counted(healthy: Harness) -> None:
    """With the command that has them tried once more."""
    url = healthy.resources["EffectsDeadLetters"][1]
    healthy.sqs.send_message(QueueUrl=url, MessageBody="{}", MessageGroupId="a", MessageDeduplicationId="1")
    _, found = healthy.examine("dead letters")
    ((_, text, remedy),) = [one for one in of(found, "wrong") if one[0] == "dead letters"]
    assert text.startswith("1 message in EffectsDeadLetters")
    assert remedy == "doorcode parked list, and once the cause is gone: doorcode parked resend --all"


def test_seats_are_counted(healthy: Harness) -> None:
    """Freed and overdue ones are free."""
    healthy.configure(OWNER_USER_IDS=OWNERS, MAX_PENDING="10")
    healthy.seat("slack", "90", freed_at=1)
    healthy.seat("slack", "91", expires_at=1)
    healthy.seat("slack", "full")
    free = [f"{number:02d}" for number in range(10)]
    for taken, level in ((7, "ok"), (8, "warn"), (10, "wrong")):
        while len(free) > 10 - taken:
            healthy.seat("slack", free.pop())
        _, seats = healthy.examine("seats")
        assert f"slack {taken}" in seats[-1]["text"]
        assert (seats[0]["level"], len(seats)) == (level, 1 if level == "ok" else 2)


# Who was dropped


def test_the_last_who_were_dropped_each_with_what_lets_them_in(healthy: Harness) -> None:
    """The newest first, each sender and reason once, and nothing but platform, id and reason. Security 34."""
    healthy.log("telegram", 500, action="drop", reason="policy_deny", platform="telegram", user_id="987")
    healthy.log("telegram", 400, action="drop", reason="policy_deny", platform="telegram", user_id="987")
    healthy.log("telegram", 300, action="admit", reason="paired", platform="telegram", user_id="986")
    healthy.log("slack", 200, action="drop", reason="blocked", platform="slack", user_id="U77")
    healthy.log("discord", 100, action="drop", reason="group_policy", platform="discord", user_id=SOMEBODY, group="55")
    healthy.log("discord", 50, action="drop", reason="policy_deny", platform="discord", user_id="4; rm -rf ~")
    healthy.log("discord", 40, action="drop", reason="policy_deny", platform="discord", user_id="444")
    healthy.log("slack", 100_000, action="drop", reason="policy_deny", platform="slack", user_id="U66")
    healthy.contact("slack", "U77", "blocked")
    healthy.logs["/doorcode/doorcode/edge"].append((time.time(), "{policy_deny, not JSON"))
    healthy.logs["/doorcode/doorcode/edge"].append((time.time(), "START RequestId"))
    ended, _ = healthy.examine("dropped")
    assert [(one["platform"], one["user_id"], one["reason"], one["remedy"]) for one in ended.json["dropped"]] == [
        (
            "discord",
            SOMEBODY,
            "group_policy",
            (
                f"doorcode pairing add discord {SOMEBODY}, and GroupPolicy=mention_only, and AllowedGroups=discord:55, "
                "and addressing the bot"
            ),
        ),
        ("slack", "U77", "blocked", "doorcode pairing unblock slack U77, and doorcode pairing add slack U77"),
        ("telegram", "987", "policy_deny", "AllowedUsers=telegram:987, or doorcode pairing add telegram 987"),
    ]
    assert ended.json["dropped"][0]["at"].endswith("Z")


def test_a_sender_is_looked_up_as_they_stand_now(healthy: Harness) -> None:
    """Whoever was dropped while they waited may have been decided on since: what is named works now."""
    healthy.log("telegram", 60, action="pair", reason="rate_limited", platform="telegram", user_id="987")
    for state, remedy in (
        (None, "doorcode pairing add telegram 987"),
        ("pending", "doorcode pairing approve telegram --user 987"),
        ("overdue", "doorcode pairing add telegram 987"),
        ("denied", "doorcode pairing add telegram 987"),
        ("paired", "nothing more: they are paired now"),
        ("ended", "doorcode pairing add telegram 987"),
        ("revoked", "doorcode pairing add telegram 987"),
        ("blocked", "doorcode pairing unblock telegram 987, and doorcode pairing add telegram 987"),
    ):
        if state:
            healthy.contact("telegram", "987", state)
        ended, _ = healthy.examine("dropped")
        assert [one["remedy"] for one in ended.json["dropped"]] == [remedy], state


def test_senders_whose_contact_cannot_be_read(healthy: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are shown without a command that may be refused, and the check says why."""
    healthy.log("telegram", 60, action="pair", reason="rate_limited", platform="telegram", user_id="987")

    def refused(*_: object) -> None:
        raise refusal("AccessDeniedException", "not authorized to perform dynamodb:Query")

    monkeypatch.setattr("doorcode_cli.examination.Examination.contact", refused)
    ended, found = healthy.examine("dropped")
    assert [one["remedy"] for one in ended.json["dropped"]] == ["doorcode pairing list, for how they stand now"]
    assert any(check == "dropped" and "dynamodb:Query" in text for check, text, _ in of(found, "wrong"))


def test_an_owner_by_claim(healthy: Harness) -> None:
    """What warns that nobody is asked counts owners by claim, and so does the check whether owners are reached."""
    healthy.configure(UNKNOWN_USER_POLICY="pair", OWNER_USER_IDS="")
    healthy.contact("telegram", "987", "paired")
    healthy.dynamodb.put_item(
        TableName=TABLE, Item={"pk": {"S": "owners"}, "sk": {"S": "owners"}, "people": {"SS": ["telegram:987"]}}
    )
    _, found = healthy.examine("policy", "owners")
    assert [text for check, text, _ in of(found, "warn") if check == "policy"] == []
    assert [line for line in found if line["check"] == "owners" and "telegram:987" in line["text"]]
    assert not [line for line in found if "no owner on telegram" in line["text"]]


def test_nobody_can_get_in(healthy: Harness) -> None:
    """Said plainly, with both ways out; and once somebody is paired by command, it is how the owner wants it."""
    healthy.configure()
    _, found = healthy.examine("policy")
    [(text, remedy)] = [(text, remedy) for check, text, remedy in of(found, "warn") if check == "policy"]
    assert text.startswith("nobody can get in: ")
    assert "doorcode owner claim" in str(remedy)
    assert "doorcode pairing add" in str(remedy)
    assert [line["text"] for line in found if line["check"] == "policy" and "codes" in line["text"]] == []
    healthy.contact("telegram", "987", "paired")
    _, found = healthy.examine("policy")
    assert not [text for check, text, _ in of(found, "warn") if check == "policy"]
    assert any("nobody gets in but who is paired" in text for _, text, _ in of(found, "ok"))


def test_every_reason_for_a_drop_has_a_remedy() -> None:
    """A reason that is added to the gate is added here, too."""
    through = {
        Reason.NOT_A_MESSAGE, Reason.BOT_ITSELF, Reason.OWNER, Reason.ALLOWED_USER, Reason.PAIRED, Reason.POLICY_ALLOW,
        Reason.PAIRING_REQUESTED, Reason.CLAIMED, Reason.INVITED,
        # Of whoever is in, or was shut out since.
        Reason.CLAIM_REFUSED, Reason.INVITE_REFUSED,
    }  # fmt: skip
    assert set(Reason) - through <= set(REASONS)


def test_what_the_functions_complained_of(healthy: Harness) -> None:
    """Missing secrets, signatures that do not fit; on Discord those are sent on purpose."""
    healthy.log("telegram", 60, reason="secret_unavailable", platform="telegram")
    healthy.log("slack", 60, reason="bad_signature", platform="slack")
    healthy.log("slack", 6000, reason="unavailable", platform="slack")
    healthy.log("discord", 60, reason="bad_signature", platform="discord")
    healthy.log("discord", 60, reason="unusable_payload", platform="discord")
    _, found = healthy.examine()
    assert ("telegram", "doorcode secrets status") in [(check, mends) for check, _, mends in of(found, "wrong")]
    warned = [
        (check, text.partition(" in the")[0], mends) for check, text, mends in of(found, "warn") if check != "secrets"
    ]
    assert warned == [
        ("slack", "1 request with a signature that does not fit", "doorcode secrets set slack/signing-secret"),
        ("discord", "1 request failed", "aws logs tail /doorcode/doorcode/edge --since 1h"),
    ]


def test_what_did_not_arrive(healthy: Harness) -> None:
    """Of each platform and reason, owners and others: with their ids, and that platform's own remedy; nothing else that a line may hold."""
    owner = "DE.2249120865530274190"
    healthy.configure(UNKNOWN_USER_POLICY="pair", OWNER_USER_IDS=f"{OWNERS},whatsapp:{owner}")

    def failed(function: str, user_id: str, code: str, platform: str = "whatsapp", ago: float = 60) -> None:
        healthy.log(
            function, ago, reason="not_delivered", platform=platform, user_id=user_id, detail=code, message="Hush"
        )

    failed("whatsapp", owner, "131047", ago=600)
    failed("whatsapp", owner, "131047")
    for number in range(7):
        failed("courier", f"US.{number}", "131026", ago=60 + number)
    failed("whatsapp", "US.1", "131042")
    failed("courier", "111", "Forbidden", "telegram")
    failed("whatsapp", "US.8", "131042", ago=100_000)
    failed("whatsapp", "4; rm -rf ~", "131042")
    failed("whatsapp", "US.1", "131042", "elsewhere")
    ended, found = healthy.examine("delivered")
    texts = [
        (
            one["check"],
            one["level"],
            one["text"].partition(", last at ")[0],
            one["text"].partition("UTC, ")[2],
            one["remedy"],
        )
        for one in found
        if "did not get" in one["text"]
    ]
    told, prompted = "did not get what they were told: ", "did not get a prompt or a notice: "
    assert [(check, level, who) for check, level, who, *_ in texts] == [
        ("telegram", "warn", "1 owner (telegram:111)"),
        ("whatsapp", "warn", "7 persons (whatsapp:US.0, whatsapp:US.1, whatsapp:US.2, whatsapp:US.3, whatsapp:US.4 and 2 more)"),
        ("whatsapp", "wrong", "1 person (whatsapp:US.1)"),
        ("whatsapp", "warn", f"1 owner (whatsapp:{owner})"),
    ]  # fmt: skip
    assert [said for *_, said, _ in texts] == [
        f"{prompted}Forbidden",
        f"{told}WhatsApp cannot deliver it to them: no account, an app that is too old, or they have blocked the number",
        f"{told}the account has no way to pay, or it was refused",
        f"{prompted}they had not written to the number for 24 hours",
    ]
    remedies = [mends for *_, mends in texts]
    assert remedies[0] == "an owner on another platform, too"
    assert remedies[1].startswith("with their next message")
    assert "Payment settings" in remedies[2]
    assert remedies[3].startswith("doorcode whatsapp template create")
    assert "Hush" not in ended.all
    assert ended.code == 1


# One failing check


ERRORS = (
    refusal("AccessDenied", "no"), EndpointConnectionError(endpoint_url="https://x"), RuntimeError("secret: 123"),
)  # fmt: skip


def test_one_failing_check_stops_no_other(healthy: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is shown as what is wrong, and the others are as they were, whatever comes before them."""
    _, before = healthy.examine()
    for number in range(2):
        with monkeypatch.context() as patched:
            failing = [*CHECKS][number::2]
            for name, error in zip(failing, itertools.cycle(ERRORS), strict=False):
                patched.setitem(CHECKS, name, broken(error))
            ended, found = healthy.examine()
        assert ended.code == 1
        assert [check for check, *_ in of(found, "wrong")] == failing
        assert "secret: 123" not in ended.all
        others = {*CHECKS} - {*failing, "clock"}
        assert [one for one in found if one["check"] in others] == [one for one in before if one["check"] in others]


def broken(error: Exception) -> Check:
    """Make a check that breaks with that error."""

    def failing(_: object) -> Iterator[Finding]:
        raise error
        yield  # type: ignore[unreachable] # it makes this a generator, as a check is

    return failing


def test_the_owner_s_own_texts(healthy: Harness) -> None:
    """What is set and cannot be said is named, with what mends it; so is a parameter of no known form."""
    assert ("texts", "people are told what ships") in {
        (check, text) for check, text, _ in of(healthy.examine("texts")[1], "ok")
    }
    healthy.put("texts", '{"code": {"*": "Ask Ann."}}')
    [(text, remedy)] = [
        (text, remedy) for check, text, remedy in of(healthy.examine("texts")[1], "warn") if check == "texts"
    ]
    assert (text.startswith("code needs {code}"), remedy) == (
        True,
        "doorcode texts set code, or doorcode texts reset code",
    )
    healthy.put("texts", "[")
    [(text, remedy)] = [
        (text, remedy) for check, text, remedy in of(healthy.examine("texts")[1], "wrong") if check == "texts"
    ]
    assert ("no known form" in text, remedy) == (True, "doorcode texts reset --all")


def test_what_cannot_be_asked_is_asked_once(healthy: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets that cannot be read, logs that cannot, functions that cannot."""
    reads: list[str] = []

    class Refusing:
        def get_parameters(self, **_: object) -> None:
            reads.append("read")
            raise refusal("AccessDeniedException", "not authorized to perform ssm:GetParameters")

    monkeypatch.setattr("doorcode_cli.deployment.Deployment.client", lambda deployment, service: (
        Refusing() if service == "ssm" else deployment.target.client(service)
    ))  # fmt: skip
    healthy.logs_refused = refusal("ResourceNotFoundException", "The specified log group does not exist.")
    ended, found = healthy.examine()
    assert ended.code == 1
    assert len(reads) == 1
    wrong = {check: text for check, text, _ in of(found, "wrong")}
    assert "ssm:GetParameters" in wrong["secrets"]
    assert "log group does not exist" in wrong["dropped"]
    assert "doorcode doctor" not in " ".join(wrong.values())


def test_an_error_of_ours_is_told_as_it_is(healthy: Harness) -> None:
    """Settings that cannot be used stop what needs them, in their own words."""
    healthy.configure(MAX_PENDING="none")
    _, found = healthy.examine()
    assert any(check == "seats" and "MAX_PENDING" in text for check, text, _ in of(found, "wrong"))
    healthy.lambda_refused = EndpointConnectionError(endpoint_url="https://lambda")
    _, found = healthy.examine()
    assert {"functions", "policy"} <= {check for check, *_ in of(found, "wrong")}
