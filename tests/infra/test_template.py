"""What template.yaml promises, and what ``sam validate`` does not look at."""

import re
from typing import Any

import pytest
from botocore.loaders import Loader

from doorcode.errors import SecretError, SettingsError, UnavailableError
from doorcode.pairing.gate import Reason
from doorcode.pairing.settings import parse_settings
from doorcode.platforms.inbound import UnusablePayloadError
from tests.infra.template import ROOT, STACK, functions, resources, statements, template, walk

EDGE = ("telegram", "slack", "discord")
ROLES = tuple(resources("AWS::IAM::Role"))
FUNCTIONS = tuple(functions())
# Environment names that are no settings of the gate, and are set by the stack.
SET_BY_STACK = {"TABLE_NAME", "AGENT_QUEUE_URL", "PARAMETER_PREFIX"}
EDGE_SETTINGS = {
    *("UNKNOWN_USER_POLICY", "ALLOWED_USERS", "OWNER_USER_IDS", "CODE_TTL_SECONDS", "CODE_COOLDOWN_SECONDS"),
    *("MAX_PENDING", "GROUP_POLICY", "MESSAGE_BUDGET", "SECRETS_MAX_AGE_SECONDS"),
}


def camel(name: str) -> str:
    """Turn an environment name into its parameter's: TABLE_NAME into TableName."""
    return "".join(part.capitalize() for part in name.split("_"))


def test_every_function_is_there() -> None:
    """What the template names is in functions/."""
    assert set(FUNCTIONS) <= {path.parent.name for path in ROOT.glob("functions/*/app.py")}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_is_short(name: str) -> None:
    """A handler wires, calls and returns, in under 40 lines."""
    assert len((ROOT / f"functions/{name}/app.py").read_text().splitlines()) < 40


@pytest.mark.parametrize("name", FUNCTIONS)
def test_runtime(name: str) -> None:
    """Functions run on a runtime that Lambda has, the one that the layers are built for, on arm64, without SnapStart."""
    known = Loader().load_service_model("lambda", "service-2")["shapes"]["Runtime"]["enum"]
    built_for = re.search(r"^LAYER_PYTHON \?= (.+)$", (ROOT / "layers/layer.mk").read_text(), re.MULTILINE)
    function = functions()[name]
    assert built_for
    assert function["Runtime"] in known
    assert function["Runtime"] == f"python{built_for[1]}"
    assert function["Architectures"] == ["arm64"]
    assert function["Handler"] == "app.handler"
    assert "SnapStart" not in function
    assert "ReservedConcurrentExecutions" not in function


@pytest.mark.parametrize("name", FUNCTIONS)
def test_memory_and_time_are_stated(name: str) -> None:
    """Memory and timeout are chosen for each function, and the edge's is no longer than API Gateway waits."""
    function = functions()[name]
    assert function["MemorySize"] in {256, 512}
    assert function["Timeout"] <= (10 if name in EDGE else 120)


def test_layers_are_built_for_the_functions() -> None:
    """Layers name the functions' runtime and architecture."""
    for layer in resources("AWS::Serverless::LayerVersion").values():
        assert layer["Properties"]["CompatibleRuntimes"] == [functions()["telegram"]["Runtime"]]
        assert layer["Properties"]["CompatibleArchitectures"] == ["arm64"]
        assert layer["Metadata"] == {"BuildMethod": "makefile", "BuildArchitecture": "arm64"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_logs_json_into_a_group_of_its_own(name: str) -> None:
    """Logs are JSON, in a group that only this function writes and that forgets."""
    logging = functions()[name]["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    assert logging["LogGroup"] == f"{STACK}-{name.capitalize()}Logs"
    group = resources("AWS::Logs::LogGroup")[f"{name.capitalize()}Logs"]["Properties"]
    assert group["RetentionInDays"] == 30


def test_every_log_group_forgets() -> None:
    """No log is kept for ever."""
    for group in template()["Resources"].values():
        if group["Type"] == "AWS::Logs::LogGroup":
            assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


# Rights


def test_each_function_has_a_role_of_its_own() -> None:
    """No two functions share a role, and no role is left over."""
    roles = [function["Role"].rpartition(f"{STACK}-")[2] for function in functions().values()]
    assert sorted(roles) == sorted(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_has_a_managed_policy(role: str) -> None:
    """What a role may do is all in this template."""
    properties = resources("AWS::IAM::Role")[role]["Properties"]
    assert "ManagedPolicyArns" not in properties
    assert "PermissionsBoundary" not in properties


def test_no_function_is_given_policies_by_the_transform() -> None:
    """Neither events nor policy templates of SAM add what nobody reads here."""
    for function in functions().values():
        assert not {"Policies", "Events", "Tracing", "VpcConfig", "DeadLetterQueue"} & function.keys()


@pytest.mark.parametrize("role", ROLES)
def test_every_statement_is_exact(role: str) -> None:
    """Security 32: each statement has a name, allows named actions, and is about named resources of this stack."""
    names = []
    for statement in statements(role):
        names.append(statement["Sid"])
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource"} & statement.keys()
        for action in listed(statement["Action"]):
            assert re.fullmatch(r"[a-z]+:[A-Za-z]+", action)
        for resource in listed(statement["Resource"]):
            assert STACK in resource
            # A log group's ARN ends in :*, which means its streams.
            assert "*" not in resource.removesuffix(":*")
    assert len(set(names)) == len(names)


def test_every_statement_says_why() -> None:
    """A comment stands above each statement."""
    lines = (ROOT / "template.yaml").read_text().splitlines()
    sids = [number for number, line in enumerate(lines) if "- Sid:" in line]
    assert len(sids) == sum(len(statements(role)) + 1 for role in ROLES)
    assert all(lines[number - 1].lstrip().startswith("# ") for number in sids)


@pytest.mark.parametrize("role", ROLES)
def test_only_lambda_takes_a_role(role: str) -> None:
    """Nobody else can act as a function."""
    (trust,) = resources("AWS::IAM::Role")[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    assert trust["Action"] == "sts:AssumeRole"


SECRETS = {
    "telegram": {"gateway-secret", "callback-secret", "telegram/webhook-secret", "telegram/bot"},
    "slack": {"gateway-secret", "callback-secret", "slack/signing-secret"},
    "discord": {"gateway-secret", "callback-secret", "discord/public-key"},
    "provision": {"gateway-secret", "callback-secret", "telegram/webhook-secret"},
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_reaches_only_its_own_secrets(name: str) -> None:
    """Nobody reads another's secret; the one that makes secrets cannot read any."""
    prefix = f"arn:aws:ssm:eu-central-1:123456789012:parameter/doorcode/{STACK}/"
    (statement,) = (one for one in statements(f"{name.capitalize()}Role") if "ssm:" in str(one["Action"]))
    assert statement["Action"] == ("ssm:PutParameter" if name == "provision" else "ssm:GetParameters")
    assert {resource.removeprefix(prefix) for resource in statement["Resource"]} == SECRETS[name]


@pytest.mark.parametrize("name", EDGE)
def test_the_edge_reaches_only_contacts_and_seats(name: str) -> None:
    """The edge cannot scan, put or delete, nor touch sign-ins, tokens, prompts and lockouts, which share the table."""
    table = [one for one in statements(f"{name.capitalize()}Role") if "dynamodb:" in str(one["Action"])]
    assert {one["Action"]: leading_keys(one) for one in table} == {
        "dynamodb:GetItem": {"telegram#*", "slack#*", "discord#*"},
        "dynamodb:Query": {f"seats#{name}"},
        "dynamodb:UpdateItem": {
            *("telegram#*", "slack#*", "discord#*", "seats#telegram", "seats#slack", "seats#discord"),
            f"budget#{name}#*",
        },
        "dynamodb:ConditionCheckItem": {f"{name}#*"},
    }


def leading_keys(statement: dict[str, Any]) -> set[str]:
    """Return the partitions that a statement is about."""
    ((operator, condition),) = statement["Condition"].items()
    keys = set(condition["dynamodb:LeadingKeys"])
    assert operator.startswith("ForAllValues:String")
    # Without a * the exact comparison is meant, with one the pattern.
    assert operator.endswith("Like" if any("*" in key for key in keys) else "Equals")
    return keys


# Table and queue


def test_the_table_outlives_the_stack() -> None:
    """The table is kept on deletion and replacement, and can be restored to any second."""
    table = resources("AWS::DynamoDB::Table")["Table"]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Retain"
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert "TableName" not in table["Properties"]


def test_the_table_is_the_one_that_the_package_knows() -> None:
    """Keys, index, TTL and stream are as the package and its tests have them."""
    table = resources("AWS::DynamoDB::Table")["Table"]["Properties"]
    assert keys(table) == ["pk HASH", "sk RANGE"]
    (index,) = table["GlobalSecondaryIndexes"]
    assert (index["IndexName"], keys(index)) == ("listing", ["listing HASH", "listed_at RANGE"])
    assert index["Projection"] == {"ProjectionType": "ALL"}
    kinds = {one["AttributeName"]: one["AttributeType"] for one in table["AttributeDefinitions"]}
    assert kinds == {"pk": "S", "sk": "S", "listing": "S", "listed_at": "N"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


def keys(described: dict[str, Any]) -> list[str]:
    """Return the keys of a table or an index."""
    return [f"{key['AttributeName']} {key['KeyType']}" for key in described["KeySchema"]]


@pytest.mark.parametrize("name", ["AgentQueue", "AgentDeadLetters"])
def test_queues(name: str) -> None:
    """Queues are FIFO at high throughput, encrypted, and take a message's identity from its sender."""
    queue = resources("AWS::SQS::Queue")[name]["Properties"]
    assert queue["FifoQueue"] is True
    assert queue["FifoThroughputLimit"] == "perMessageGroupId"
    assert queue["DeduplicationScope"] == "messageGroup"
    assert queue["ContentBasedDeduplication"] is False
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] >= 345_600


def test_what_cannot_be_used_is_kept_aside() -> None:
    """The queue has a dead-letter queue, which keeps messages longer than the queue does."""
    queues = resources("AWS::SQS::Queue")
    agent, dead = queues["AgentQueue"]["Properties"], queues["AgentDeadLetters"]["Properties"]
    assert agent["RedrivePolicy"]["deadLetterTargetArn"].endswith("-AgentDeadLetters")
    assert dead["MessageRetentionPeriod"] > agent["MessageRetentionPeriod"]


# The HTTP API


def test_routes() -> None:
    """Each platform has one route, with payload format 2.0, and only that route may call its function."""
    assert {route["Properties"]["RouteKey"] for route in resources("AWS::ApiGatewayV2::Route").values()} == {
        f"POST /{name}" for name in EDGE
    }
    for name in EDGE:
        title = name.capitalize()
        route = resources("AWS::ApiGatewayV2::Route")[f"{title}Route"]["Properties"]
        integration = resources("AWS::ApiGatewayV2::Integration")[f"{title}Integration"]["Properties"]
        permission = resources("AWS::Lambda::Permission")[f"{title}Permission"]["Properties"]
        assert route["Target"] == f"integrations/{STACK}-{title}Integration"
        assert integration["IntegrationType"] == "AWS_PROXY"
        assert integration["PayloadFormatVersion"] == "2.0"
        assert integration["IntegrationUri"].endswith(f"-{title}Function")
        assert permission["FunctionName"] == f"{STACK}-{title}Function"
        assert permission["Principal"] == "apigateway.amazonaws.com"
        assert permission["SourceArn"].endswith(f"{STACK}-Api/*/POST/{name}")


def test_routes_are_throttled() -> None:
    """Each route has its own limit."""
    stage = resources("AWS::ApiGatewayV2::Stage")["ApiStage"]["Properties"]
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100}
    assert "AccessLogSettings" not in stage


def test_access_logs_hold_no_content() -> None:
    """Where they are wanted, access logs say that a request came and how it went, and nothing of what was in it."""
    stage = template()["Resources"]["ApiStage"]["Properties"]
    form = stage["AccessLogSettings"]["Fn::If"][1]["Format"]
    assert set(re.findall(r"\$context\.([A-Za-z.]+)", form)) == {
        *("requestTime", "requestId", "routeKey", "status", "responseLatency", "responseLength"),
        *("identity.sourceIp", "integrationErrorMessage"),
    }


# Settings


@pytest.mark.parametrize("name", list(template()["Parameters"]))
def test_parameters_are_described_and_bounded(name: str) -> None:
    """A parameter says what it is for, has a default, and refuses what cannot be meant."""
    parameter = template()["Parameters"][name]
    assert parameter["Description"].endswith((".", ")."))
    assert "Default" in parameter
    bounded = {"AllowedPattern", "AllowedValues"} & parameter.keys() or {"MinValue", "MaxValue"} <= parameter.keys()
    assert bounded
    if "AllowedPattern" in parameter:
        assert re.fullmatch(parameter["AllowedPattern"], parameter["Default"])
        assert parameter["ConstraintDescription"].endswith(".")


@pytest.mark.parametrize("name", list(template()["Parameters"]))
def test_parameters_are_used(name: str) -> None:
    """No parameter is left over."""
    body = {key: part for key, part in template().items() if key != "Parameters"}
    assert any(one == {"Ref": name} for one in walk(body))


@pytest.mark.parametrize("name", EDGE)
def test_the_edge_is_given_every_setting_it_uses(name: str) -> None:
    """Every environment name of the edge is set, by the parameter of the same name or by the stack."""
    unresolved = template()["Resources"][f"{name.capitalize()}Function"]["Properties"]["Environment"]["Variables"]
    settings = EDGE_SETTINGS | ({"SLACK_API_URL"} if name == "slack" else set())
    assert unresolved.keys() == settings | SET_BY_STACK
    for setting in settings:
        assert unresolved[setting] == {"Ref": camel(setting)}


def test_defaults_are_the_packages_own() -> None:
    """A stack with the template's defaults behaves as the package does without settings."""
    environment = functions()["slack"]["Environment"]["Variables"]
    assert parse_settings({name: str(value) for name, value in environment.items()}) == parse_settings({})


GOOD = {
    "UnknownUserPolicy": [
        "",
        "deny",
        "pair",
        "allow",
        "pair,slack=deny",
        "slack=deny",
        "deny, slack=pair,discord=allow",
    ],
    "AllowedUsers": ["", "telegram:@owner,telegram:123456789,slack:U1234ABCD", "discord:123456789012345678"],
    "OwnerUserIds": ["", "telegram:123456789,discord:123456789012345678", "slack:W0123ABC"],
    "SlackApiUrl": ["https://slack.com/api", "http://127.0.0.1:8787/slack", "http://localhost:8787"],
}
BAD = {
    "UnknownUserPolicy": ["maybe", "pair,deny", "slack", "pair,signal=deny", "pair;slack=deny", "Pair"],
    "AllowedUsers": ["123456789", "telegram:", "slack:@owner", "*", "telegram:*", "telegram:1;slack:U1", "telegram:@x"],
    "OwnerUserIds": ["telegram:@owner", "123", "*", "telegram:1,,slack:U1", "discord:abc"],
    "SlackApiUrl": [
        "ftp://slack.com",
        "http://slack.com/api",
        "slack.com",
        "https://slack.com/api?x=1",
        "http://127.0.0.1.example.com",
    ],
    "AlarmEmail": ["nobody", "a@b", "a b@example.com"],
    "ExistingTableName": ["a", "name with spaces", "arn:aws:dynamodb:x"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in GOOD.items() for value in values])
def test_the_template_takes_what_the_package_takes(name: str, value: str) -> None:
    """A value that is fine for the template is fine for the functions."""
    assert re.fullmatch(template()["Parameters"][name]["AllowedPattern"], value)
    parse_settings({environment_name(name): value})


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_the_template_refuses_what_cannot_be_meant(name: str, value: str) -> None:
    """A bad value fails the deployment, before any function sees it."""
    assert not re.fullmatch(template()["Parameters"][name]["AllowedPattern"], value)


def environment_name(parameter: str) -> str:
    """Turn a parameter's name into the environment's: TableName into TABLE_NAME."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()


# Watching


@pytest.mark.parametrize("name", EDGE)
def test_every_reason_is_counted(name: str) -> None:
    """Security 34: each reason that the edge logs is a metric of its own."""
    properties = resources("AWS::Logs::MetricFilter")[f"{name.capitalize()}Reasons"]["Properties"]
    assert properties["LogGroupName"] == f"{STACK}-{name.capitalize()}Logs"
    pattern = properties["FilterPattern"]
    counted = re.findall(r'\(\$\.reason = "([a-z_]+)"\)', pattern)
    assert re.sub(r'\(\$\.reason = "[a-z_]+"\)( \|\| )?', "", pattern) == "{  }"
    assert len(pattern) <= 1024
    assert len(set(counted)) == len(counted)
    errors = (SecretError, SettingsError, UnavailableError, UnusablePayloadError)
    assert set(counted) >= {*Reason, "bad_signature", "unreadable_request", *(error.reason for error in errors)}
    (metric,) = properties["MetricTransformations"]
    assert metric["MetricNamespace"] == f"Doorcode/{STACK}"
    assert metric["Dimensions"] == [{"Key": "reason", "Value": "$.reason"}]


def test_alarms() -> None:
    """What has to be known is alarmed, and says what it means and where it goes."""
    alarms = {name: alarm["Properties"] for name, alarm in resources("AWS::CloudWatch::Alarm").items()}
    watched = {(alarm["MetricName"], alarm["Dimensions"][0]["Value"]) for alarm in alarms.values()}
    assert watched == {
        ("5xx", f"{STACK}-Api"),
        ("Requests", "unusable_payload"),
        ("Requests", "bad_signature"),
        ("ApproximateNumberOfMessagesVisible", f"{STACK}-AgentDeadLetters"),
        *(("Errors", f"{STACK}-{name.capitalize()}Function") for name in EDGE),
    }
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == [f"{STACK}-AlarmTopic"]
        assert alarm["AlarmDescription"].endswith(".")
        assert alarm["TreatMissingData"] == "notBreaching"
    dashboard = resources("AWS::CloudWatch::Dashboard")["Dashboard"]["Properties"]["DashboardBody"]
    assert all(f"{STACK}-{name}" in dashboard for name in alarms)


def test_outputs() -> None:
    """What the operator and the command need is given out."""
    assert template()["Outputs"].keys() >= {
        *("TelegramWebhookUrl", "SlackWebhookUrl", "DiscordWebhookUrl"),
        *("TableName", "AgentQueueUrl", "ParameterPrefix"),
    }
    assert all(output["Description"] for output in template()["Outputs"].values())


def test_secrets_are_made_anew_only_when_asked() -> None:
    """The custom resource runs when its version changes."""
    properties = resources("Custom::Secrets")["Secrets"]["Properties"]
    assert properties["Version"] == "1"
    assert properties["ServiceTimeout"] > functions()["provision"]["Timeout"]


def listed(value: str | list[str]) -> list[str]:
    """Return a value that may stand alone as a list."""
    return value if isinstance(value, list) else [value]
