"""What ``doorcode doctor`` says of the account around the stack."""

from doorcode.pairing.platform import Platform
from doorcode_cli.account_checks import ALLOWED_USERS_LENGTH, MORE
from tests.infra.template import template
from tests.unit.cli.setup_fixtures import PREFIX, Harness, refusal

MODEL = "anthropic.claude-haiku-4-5-20251001-v1:0"


def said(harness: Harness, check: str) -> list[tuple[str, str, str | None]]:
    """Return what a check found: level, text and remedy."""
    _, found = harness.examine(check)
    assert {one["check"] for one in found} == {check}
    return [(one["level"], one["text"], one["remedy"]) for one in found]


def test_how_many_functions_may_run_at_once(harness: Harness) -> None:
    """A new account may run ten, of which courier and agent take what the stack gives them."""
    for limit, level, told in (
        (1000, "ok", "may run 1000 functions at once, of which agent and courier may take 5"),
        (10, "warn", "5 are left for all else in it"),
        (5, "wrong", "nothing is left for the webhooks"),
    ):
        harness.concurrency = limit
        ((was, text, remedy),) = said(harness, "concurrency")
        assert (was, remedy) == (level, None if level == "ok" else MORE), limit
        assert told in text, limit


def test_a_right_that_is_lacking_is_named(harness: Harness) -> None:
    """What cannot be asked for want of a right is no fault of the stack."""
    harness.concurrency = refusal("AccessDeniedException", "no")
    text = "not known: your credentials lack lambda:GetAccountSettings"
    assert said(harness, "concurrency") == [("warn", text, None)]


def test_an_aws_that_fails_is_no_lack_of_rights(harness: Harness) -> None:
    """Other refusals are told as they are."""
    harness.concurrency = refusal("TooManyRequestsException", "slower")
    ((level, text, _),) = said(harness, "concurrency")
    assert level == "wrong"
    assert "TooManyRequestsException" in text


def test_whether_anybody_hears_alarms(harness: Harness) -> None:
    """A topic without confirmed subscribers tells nobody, and neither do alarms that are not there."""
    for subscriptions, monitoring, finding in (
        (["arn:aws:sns:us-east-1:1:t:1"], "full", ("ok", "heard by 1 subscription", None)),
        (["PendingConfirmation"], "full", ("warn", "has not confirmed", "Subscription Confirmation")),
        (["Deleted"], "lean", ("warn", "has not confirmed", "Subscription Confirmation")),
        ([], "full", ("warn", "nobody hears them", "AlarmEmail=you@example.com, with make deploy")),
        ([], "off", ("warn", "there are none", "Monitoring=lean, with make deploy")),
    ):
        harness.subscriptions = subscriptions
        harness.parameters["Monitoring"] = monitoring
        ((level, text, remedy),) = said(harness, "alarms")
        assert level == finding[0], (subscriptions, monitoring)
        assert finding[1] in text, (subscriptions, monitoring)
        assert (remedy is None) if finding[2] is None else finding[2] in str(remedy), (subscriptions, monitoring)


def test_whether_the_model_may_be_asked(harness: Harness) -> None:
    """A third party's model is opened by an administrator once, and a profile is as open as its model."""
    for name, told, level, words in (
        (MODEL, {}, "ok", "may be asked"),
        (f"eu.{MODEL}", {"regionAvailability": "NOT_AVAILABLE"}, "ok", "may be asked"),
        (MODEL, {"regionAvailability": "NOT_AVAILABLE"}, "wrong", "lacks it in this region"),
        (MODEL, {"agreementAvailability": {"status": "NOT_AVAILABLE"}}, "wrong", "lacks an agreement"),
        (MODEL, {"authorizationStatus": "NOT_AUTHORIZED"}, "wrong", "lacks the right to use it"),
        ("zai.glm-9.9", {}, "wrong", "knows no zai.glm-9.9"),
    ):
        harness.configure(AGENT="bedrock", AGENT_MODEL=name)
        harness.models[MODEL] = told
        ((was, text, _),) = said(harness, "model")
        assert was == level, (name, told)
        assert words in text, (name, told)


def test_without_a_model_there_is_nothing_to_ask(harness: Harness) -> None:
    """The fixed greeting needs nobody's leave."""
    assert said(harness, "model") == [("ok", "no model on Amazon Bedrock answers", None)]


def test_what_the_agent_needs(harness: Harness) -> None:
    """Each kind's address, key and instructions are looked at, and no more of an address is shown than its host."""
    for settings, secrets, told in (
        ({}, {}, [("ok", "python answers")]),
        (
            {
                "AGENT": "webhook,slack=bot",
                "AGENT_URL": "https://agent.example/hook/s3cret,slack=https://bot.example/x",
            },
            {},
            [("ok", "bot answers, at https://bot.example"), ("ok", "webhook answers, at https://agent.example")],
        ),
        (
            {"AGENT": "openai", "AGENT_URL": "http://127.0.0.1:11434/v1", "AGENT_MODEL": "llama3"},
            {"agent/instructions": "Your name is Bob.\nBe brief."},
            [
                ("ok", "openai answers, at http://127.0.0.1:11434"),
                ("wrong", "http://127.0.0.1:11434 is the function itself: nothing answers there"),
                ("warn", "agent/api-key is missing: asked without a key, which few servers take"),
            ],
        ),
        (
            {"AGENT": "openai", "AGENT_MODEL": "gpt-5-mini"},
            {"agent/api-key": "sk-a-key-of-somebody"},
            [
                *(
                    ("wrong", f"AGENT is openai on {platform}, but AGENT_URL says no address for it.")
                    for platform in Platform
                ),
                ("ok", "openai answers"),
                ("ok", "the model is told nothing first: agent/instructions is not set"),
            ],
        ),
    ):
        harness.configure(**settings)
        for name, value in secrets.items():
            harness.put(name, value)
        found = said(harness, "agent")
        for name in secrets:
            harness.ssm.delete_parameter(Name=f"{PREFIX}/{name}")
        assert [(level, text.partition(" Use AGENT_URL")[0]) for level, text, _ in found] == told, settings
        assert "s3cret" not in str(found), settings


def test_a_list_of_people_that_is_nearly_full(harness: Harness) -> None:
    """Before the next name cannot be deployed any more, doctor says what can be done instead."""
    for many, warned in ((50, False), (95, True)):
        harness.configure(
            ALLOWED_USERS=",".join(f"telegram:{number}" for number in range(100_000_000, 100_000_000 + many))
        )
        ((level, text, remedy),) = said(harness, "allowed users")
        assert level == ("warn" if warned else "ok"), many
        assert "of at most 1,700 characters" in text, many
        assert ("doorcode pairing add" in str(remedy)) == warned, many


def test_the_limit_is_the_templates() -> None:
    """Doctor and template agree on how long the list may be."""
    assert template()["Parameters"]["AllowedUsers"]["MaxLength"] == ALLOWED_USERS_LENGTH


def test_every_function_is_asked_whether_it_can_start(harness: Harness) -> None:
    """What an own agent, or a setting, keeps from starting is shown as the function, or Lambda, says it."""
    ((level, text, _),) = said(harness, "start")
    assert level == "ok"
    assert text.endswith("functions answered that they can start")
    physical = {name: found for name, (_, found) in harness.resources.items()}
    harness.starts = {
        physical["AgentFunction"]: {"doorcode": "failed", "error": "KeyError", "detail": "KeyError at a/b.py:3:greet"},
        physical["RelayFunction"]: {"errorType": "Runtime.ImportModuleError", "errorMessage": "No module named 'x'"},
        physical["AdminFunction"]: {"other": "answer"},
    }
    wrong = [text for level, text, remedy in said(harness, "start") if (level, remedy) == ("wrong", "make deploy")]
    assert wrong == [
        "AdminFunction does not start: an answer of another version",
        "AgentFunction does not start: KeyError: KeyError at a/b.py:3:greet",
        "RelayFunction does not start: Runtime.ImportModuleError: No module named 'x'",
    ]
    harness.starts = refusal("AccessDeniedException", "no")
    assert [text for _, text, _ in said(harness, "start")] == [
        "not known: your credentials lack lambda:InvokeFunction on every function"
    ]


def test_what_waits_for_a_consumer_of_ones_own(harness: Harness) -> None:
    """With Agent queue doctor tells how many messages wait, and what would take them."""
    harness.configure(AGENT="queue")
    assert said(harness, "agent") == [("ok", "queue: nothing waits for your consumer, and it has 0 messages", None)]
    _, url = harness.resources["AgentQueue"]
    for number in ("1", "2"):
        harness.sqs.send_message(QueueUrl=url, MessageBody="{}", MessageGroupId=number, MessageDeduplicationId=number)
    ((level, text, remedy),) = said(harness, "agent")
    assert (level, text) == ("warn", "queue: 2 messages wait for your consumer, and it has 0")
    assert "attach URL" in str(remedy)
