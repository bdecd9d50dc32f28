"""Each role against all that its function was seen to ask of AWS, and against what nobody may."""

import re
from typing import Any

import pytest

from doorcode.pairing.agents import AgentKind
from tests.infra.iam import AGENTS, CANNOT, DEPLOYS, PAGE, as_text, asked_by_aws, page, policies
from tests.infra.policy import Call, Statement, UnknownPolicyError, allowed, grants, listed, unneeded
from tests.infra.scenarios import SCENARIOS, Calls, recorded
from tests.infra.template import functions, given, statements, template

ROLES = tuple(policies())
# Roles that no function has, and that AWS alone acts with.
NOT_FUNCTIONS = {"sweep"}


@pytest.fixture(scope="module")
def calls() -> Calls:
    """Give what each function asks of AWS, in all that it does, and what AWS asks with the same role."""
    seen = recorded()
    return {role: [*seen.get(role, []), *asked_by_aws().get(role, [])] for role in ROLES}


def test_every_role_is_tried() -> None:
    """Security 32: every role of the template has a scenario, and a list of what it must not allow."""
    assert {*SCENARIOS, *NOT_FUNCTIONS} == set(ROLES) == CANNOT.keys()
    assert functions().keys() == SCENARIOS.keys()


@pytest.mark.parametrize("role", ROLES)
def test_what_is_done_is_allowed(role: str, calls: Calls) -> None:
    """Security 32: each function may do all that it does."""
    assert calls[role]
    refused = [call for call in calls[role] if not allowed(policies()[role], call)]
    assert refused == [], as_text(refused)


@pytest.mark.parametrize("role", ROLES)
def test_what_is_allowed_is_done(role: str, calls: Calls) -> None:
    """Security 32: every action, resource and condition of every statement is needed by some call."""
    unused = unneeded(policies()[role], calls[role])
    assert unused == [], as_text(unused)


@pytest.mark.parametrize("role", ROLES)
def test_what_must_not_be_possible(role: str) -> None:
    """Security 32: what is listed as impossible is refused."""
    for what, calls in CANNOT[role].items():
        assert calls, what
        possible = [call for call in calls if allowed(policies()[role], call)]
        assert possible == [], (what, as_text(possible))


@pytest.mark.parametrize("role", ROLES)
def test_no_role_covers_another_s_work(role: str, calls: Calls) -> None:
    """Security 32: what only other functions do, a function may not."""
    others = [call for other, made in calls.items() if other != role for call in made if call not in calls[role]]
    possible = [call for call in others if allowed(policies()[role], call)]
    assert possible == [], as_text(possible)


@pytest.mark.parametrize("role", ROLES)
def test_every_condition_refuses_something(role: str) -> None:
    """Security 32: without any one of its conditions, a role would allow what must not be possible."""
    for number, statement in enumerate(policies()[role]):
        for operator in statement.get("Condition", {}):
            kept = {other: tests for other, tests in statement["Condition"].items() if other != operator}
            policy = [*policies()[role]]
            policy[number] = {**statement, "Condition": kept}
            assert any(allowed(policy, call) for listed in CANNOT[role].values() for call in listed), statement["Sid"]


def test_each_kind_of_agent_brings_its_own_rights_alone() -> None:
    """Security 32: rights to a model, a function or a runtime come with that kind of agent, wherever it is set."""
    services = ("bedrock:", "lambda:", "bedrock-agentcore:")
    kinds = {"bedrock": "bedrock:", "function": "lambda:", "agentcore": "bedrock-agentcore:"}
    for kind in AgentKind:
        for agent in (kind, f"{'python' if kind != 'python' else 'webhook'},slack={kind}"):
            with given(**AGENTS | {"Agent": agent}):
                actions = [action for one in statements("AgentRole") for action in listed(one["Action"])]
            found = {service for service in services if any(action.startswith(service) for action in actions)}
            assert found == ({kinds[kind]} if kind in kinds else set()), agent


def test_the_recording_hears_everything(calls: Calls) -> None:
    """Security 32: a recording without transactions' parts, batches or keys would prove nothing."""
    for platform in ("telegram", "slack", "discord", "whatsapp"):
        actions = {call.action for call in calls[platform]}
        assert {"dynamodb:UpdateItem", "dynamodb:ConditionCheckItem", "sqs:SendMessage"} <= actions
    for call in [call for made in calls.values() for call in made if re.match(r"dynamodb:\w+Item", call.action)]:
        assert dict(call.context)["dynamodb:LeadingKeys"]


# The test is tested: each of these is a role that was broken on purpose.


def test_a_missing_right_is_noticed(calls: Calls) -> None:
    """Security 32: with any one action, resource or condition's value less, something that is done is refused."""
    for role in ROLES:
        for number, statement in enumerate(policies()[role]):
            for poorer in _poorer(statement):
                policy = list(policies()[role])
                policy[number : number + 1] = poorer
                assert not all(allowed(policy, call) for call in calls[role]), (role, statement["Sid"], poorer)


def _poorer(statement: Statement) -> list[list[Statement]]:
    """Return all that can stand in a statement's place when one thing is taken from it."""
    found: list[list[Statement]] = [[]]
    for part in ("Action", "Resource"):
        values = statement[part]
        if isinstance(values, list) and len(values) > 1:
            found += [[{**statement, part: [one for one in values if one != gone]}] for gone in values]
    for operator, tests in statement.get("Condition", {}).items():
        for key, values in tests.items():
            if isinstance(values, list) and len(values) > 1:
                found += [
                    [{**statement, "Condition": {operator: {key: [one for one in values if one != gone]}}}]
                    for gone in values
                ]
    return found


@pytest.mark.parametrize(
    "extra",
    [
        {"Action": "dynamodb:Scan", "Resource": "arn:aws:dynamodb:eu-central-1:123456789012:table/doorcode-Table"},
        {"Action": "ssm:GetParameters", "Resource": "arn:aws:ssm:*:*:parameter/doorcode/doorcode/slack/bot-token"},
        {"Action": "sqs:*", "Resource": "arn:aws:sqs:eu-central-1:123456789012:doorcode-EffectsQueue"},
        {
            "Action": "dynamodb:GetItem",
            "Resource": "arn:aws:dynamodb:eu-central-1:123456789012:table/doorcode-Table",
            "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["telegram#*", "tokens"]}},
        },
    ],
)
def test_a_superfluous_right_is_noticed(calls: Calls, extra: dict[str, Any]) -> None:
    """Security 32: a right that nothing uses is found, and so is one that the list forbids."""
    policy = [*policies()["telegram"], {"Sid": "Extra", "Effect": "Allow", **extra}]
    assert [grant.sid for grant in unneeded(policy, calls["telegram"])] == ["Extra"]
    assert any(allowed(policy, call) for listed in CANNOT["telegram"].values() for call in listed)


# The evaluation

TABLE = "arn:aws:dynamodb:eu-central-1:123456789012:table/T"


@pytest.mark.parametrize(
    ("condition", "keys", "holds"),
    [
        (None, ("anything",), True),
        ({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["telegram#*"]}}, ("telegram#1",), True),
        ({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["telegram#*"]}}, ("telegram#1", "slack#1"), False),
        ({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["telegram#*"]}}, ("seats#telegram#1",), False),
        ({"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["telegram#*"]}}, None, True),
        ({"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["telegram#*"]}}, ("telegram#1",), False),
        ({"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["telegram#*"]}}, ("slack#1", "telegram#1"), True),
        ({"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["telegram#*"]}}, None, False),
        ({"StringEquals": {"dynamodb:LeadingKeys": "telegram#1"}}, ("telegram#1",), True),
        ({"StringEquals": {"dynamodb:LeadingKeys": "telegram#1"}}, ("Telegram#1",), False),
        ({"StringLike": {"dynamodb:LeadingKeys": "t?legram#1"}}, ("telegram#1",), True),
        ({"StringEquals": {"dynamodb:LeadingKeys": "telegram#1"}}, None, False),
        ({"StringNotEquals": {"dynamodb:LeadingKeys": "telegram#1"}}, ("telegram#1",), False),
        ({"StringNotEquals": {"dynamodb:LeadingKeys": ["slack#1", "telegram#1"]}}, ("telegram#1",), False),
        ({"StringNotEquals": {"dynamodb:LeadingKeys": "telegram#1"}}, ("telegram#2",), True),
        ({"StringNotEquals": {"dynamodb:LeadingKeys": "telegram#1"}}, None, True),
    ],
)
def test_conditions(condition: Any, keys: tuple[str, ...] | None, holds: bool) -> None:
    """Conditions hold as IAM documents them, those on several values and on absent ones too."""
    statement = {"Sid": "S", "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE}
    if condition:
        statement["Condition"] = condition
    call = (
        Call("dynamodb:GetItem", TABLE)
        if keys is None
        else Call("dynamodb:GetItem", TABLE, (("dynamodb:LeadingKeys", keys),))
    )
    assert allowed([statement], call) is holds


@pytest.mark.parametrize(
    ("action", "resource", "holds"),
    [
        ("dynamodb:GetItem", TABLE, True),
        ("DynamoDB:getitem", TABLE, True),
        ("dynamodb:Get*", TABLE, True),
        ("*", "*", True),
        ("dynamodb:GetItem", TABLE.lower(), False),
        ("dynamodb:GetItem", f"{TABLE}/*", False),
        ("dynamodb:GetItem", TABLE[:-1] + "?", True),
        ("dynamodb:GetItem", TABLE[:-1], False),
        ("dynamodb:GetItems", TABLE, False),
        ("dynamodb:Get.tem", TABLE, False),
    ],
)
def test_actions_and_resources(action: str, resource: str, holds: bool) -> None:
    """Actions compare in any case, resources exactly; a wildcard stands for any characters."""
    statement = {"Sid": "S", "Effect": "Allow", "Action": [action], "Resource": [resource]}
    assert allowed([statement], Call("dynamodb:GetItem", TABLE)) is holds


def test_nothing_is_allowed_by_default() -> None:
    """What no statement allows is refused."""
    assert not allowed([], Call("dynamodb:GetItem", TABLE))


@pytest.mark.parametrize(
    "part",
    [
        {"NotAction": "dynamodb:Scan"},
        {"NotResource": TABLE},
        {"Principal": "*"},
        {"Effect": "Deny"},
        {"Action": ""},
        {"Resource": "arn:aws:s3:::${aws:username}"},
        {"Resource": {"Ref": "Table"}},
        {"Condition": {"ForAllValues:StringNotEquals": {"dynamodb:LeadingKeys": ["a"]}}},
        {"Condition": {"StringNotLike": {"dynamodb:LeadingKeys": ["a"]}}},
        {"Condition": {"ForSomeValues:StringLike": {"dynamodb:LeadingKeys": ["a"]}}},
        {"Condition": {"StringEqualsIfExists": {"dynamodb:LeadingKeys": ["a"]}}},
        {"Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKey": ["a"]}}},
        {"Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [1]}}},
    ],
)
def test_what_is_not_understood_is_not_guessed(part: dict[str, Any]) -> None:
    """A statement with a part, operator or condition key that the evaluation does not know fails the tests."""
    statement = {"Sid": "S", "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": TABLE, **part}
    with pytest.raises(UnknownPolicyError):
        allowed([statement], Call("dynamodb:GetItem", TABLE))
    with pytest.raises(UnknownPolicyError):
        list(grants(statement))


# The page


def test_the_page_is_fresh() -> None:
    """docs/iam.md says what the template says; if not, run: make iam."""
    assert PAGE.read_text() == page()


def test_the_page_says_why() -> None:
    """Every statement stands on the page with its reason, and every resource type with what deploying it needs."""
    rows = [line for line in page().splitlines() if re.match(r"\| [A-Z]\w+ \| ", line)]
    assert len(rows) == sum(map(len, policies().values()))
    assert all(re.match(r"\| \w+ \| [A-Z].+[.] \| ", row) for row in rows)
    assert {resource["Type"] for resource in template()["Resources"].values()} == DEPLOYS.keys()
