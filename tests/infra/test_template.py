"""What template.yaml promises, and what ``sam validate`` does not look at."""

import json
import re
from typing import Any

import pytest
from botocore.loaders import Loader

from doorcode.aws.activity import METRICS
from doorcode.aws.effects_queue import is_move
from doorcode.aws.event_bus import SOURCE
from doorcode.entrypoints import agent, effects
from doorcode.errors import BotError, SecretError, SettingsError, UnavailableError
from doorcode.pairing.agents import AgentKind
from doorcode.pairing.consequences import EventType
from doorcode.pairing.gate import Reason
from doorcode.pairing.platform import Platform
from doorcode.pairing.settings import api_url_setting, parse_settings
from doorcode.platforms import registry
from doorcode.platforms.inbound import UnusablePayloadError
from doorcode.platforms.send_errors import BadTokenError
from doorcode.wiring.agent import PARAMETERS
from doorcode_cli import admin_client
from doorcode_sandbox.playground.inside import GROUPS
from tests.infra.iam import AGENT_ARN, AGENTS, EVERYTHING
from tests.infra.template import ROOT, STACK, functions, given, group_of, resources, statements, template, walk

EDGE = ("telegram", "slack", "discord", "whatsapp")
BEHIND = ("relay", "courier", "agent", "admin", "web")
ROLES = tuple(resources("AWS::IAM::Role"))
FUNCTIONS = tuple(functions())
QUEUES = tuple(resources("AWS::SQS::Queue"))
# Where questions to the owner are: their records, what is open, and what each asker has asked.
QUESTIONS = ("ask#*", "asks", "asks#*")
# What EventBridge Scheduler acts as, to start the sweep.
SWEEP = "SweepRole"
MODEL = "eu.amazon.nova-lite-v1:0"
# Environment names that are no settings of the gate, and are set by the stack.
SET_BY_STACK = {"TABLE_NAME", "AGENT_TABLE_NAME", "AGENT_QUEUE_URL", "PARAMETER_PREFIX", "URL_SUFFIX", "WEB_URL"}
# What every function is given, whether or not it has a use for it.
GIVEN_TO_ALL = {"SECRETS_MAX_AGE_SECONDS", "AGENT", "AGENT_URL", "FIRST_MESSAGE", "UNKNOWN_REPLY"}
EDGE_SETTINGS = {
    *("UNKNOWN_USER_POLICY", "ALLOWED_USERS", "OWNER_USER_IDS", "CODE_TTL_SECONDS", "CODE_COOLDOWN_SECONDS"),
    *("MAX_PENDING", "GROUP_POLICY", "ALLOWED_GROUPS", "MESSAGE_BUDGET", "SECRETS_MAX_AGE_SECONDS"),
    *GIVEN_TO_ALL,
}


URLS = {"TELEGRAM_API_URL", "SLACK_API_URL", "DISCORD_API_URL", "WHATSAPP_API_URL"}
# What each function behind the edge is given: settings by the parameter of the same name, and what the stack sets.
BEHIND_SETTINGS = {
    "relay": set(),
    "courier": {
        *("OWNER_USER_IDS", "CODE_TTL_SECONDS", "CODE_COOLDOWN_SECONDS", "MAX_PENDING", "TELL_DENIED"),
        "MAX_PROMPTS",
        *URLS,
    },
    "agent": {"DEBOUNCE_SECONDS", "AGENT_MODEL", "AGENT_ARN", *URLS},
    "admin": {"OWNER_USER_IDS", "RESUME_ASKS"},
    "web": EDGE_SETTINGS - GIVEN_TO_ALL | {"RESUME_ASKS"},
}
BEHIND_SET_BY_STACK = {
    "relay": {"EFFECTS_QUEUE_URL": "EffectsQueue"},
    "courier": {
        "TABLE_NAME": "Table",
        "AGENT_QUEUE_URL": "AgentQueue",
        "EFFECTS_QUEUE_URL": "EffectsQueue",
        "EFFECTS_DEAD_LETTER_URL": "EffectsDeadLetters",
        "PARAMETER_PREFIX": f"/doorcode/{STACK}",
    },
    "agent": {
        "AGENT_TABLE_NAME": "AgentTable",
        "AGENT_QUEUE_URL": "AgentQueue",
        "AGENT_DEAD_LETTER_URL": "AgentDeadLetters",
        "PARAMETER_PREFIX": f"/doorcode/{STACK}",
    },
    "admin": {"TABLE_NAME": "Table", "PARAMETER_PREFIX": f"/doorcode/{STACK}", "WEB_URL": f"{STACK}-Api/owner"},
    "web": {
        "TABLE_NAME": "Table",
        "PARAMETER_PREFIX": f"/doorcode/{STACK}",
        "METRICS_NAMESPACE": f"Doorcode/{STACK}",
        "EFFECTS_QUEUE_URL": "EffectsQueue",
    },
}


def camel(name: str) -> str:
    """Turn an environment name into its parameter's: TABLE_NAME into TableName."""
    return "".join(part.capitalize() for part in name.split("_"))


def test_every_function_is_there() -> None:
    """What the template names is in functions/, and what is there is in the template."""
    assert set(FUNCTIONS) == {path.parent.name for path in ROOT.glob("functions/*/app.py")}


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
    """Memory and timeout are chosen for each function, and who answers over HTTP does so while API Gateway waits."""
    function = functions()[name]
    assert function["MemorySize"] in {256, 512}
    # A bot behind the door may take longer where the platform waits: see SECONDS in its room.
    longest = {"telegram": 28, "slack": 10, "discord": 10, "web": 29, "provision": 150}
    assert function["Timeout"] <= longest.get(name, 120)


@pytest.mark.parametrize("name", EDGE)
def test_a_bot_may_take_its_time(name: str) -> None:
    """A webhook's function outlives whatever it waits for, and API Gateway waits for the function."""
    assert registry.deeds(Platform(name)).SECONDS + 2 < functions()[name]["Timeout"] < 30


def test_layers_are_built_for_the_functions() -> None:
    """Layers name the functions' runtime and architecture."""
    for layer in resources("AWS::Serverless::LayerVersion").values():
        assert layer["Properties"]["CompatibleRuntimes"] == [functions()["telegram"]["Runtime"]]
        assert layer["Properties"]["CompatibleArchitectures"] == ["arm64"]
        assert layer["Metadata"] == {"BuildMethod": "makefile", "BuildArchitecture": "arm64"}


# One for each floor. Nobody shares the agent's: it is not trusted, and must not write what passes for a decision.
LOGS = {"edge": set(EDGE), "behind": {"provision", "relay", "courier", "admin", "web"}, "agent": {"agent"}}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_logs_json_into_its_floors_group(name: str) -> None:
    """Logs are JSON, in a group that only this floor's functions write and that forgets."""
    logging = functions()[name]["LoggingConfig"]
    assert (logging["LogFormat"], logging["ApplicationLogLevel"]) == ("JSON", "INFO")
    assert name in LOGS[group_of(name)]
    group = resources("AWS::Logs::LogGroup")[f"{group_of(name).capitalize()}Logs"]["Properties"]
    assert group["LogGroupName"] == f"/doorcode/{STACK}/{group_of(name)}"
    assert group["RetentionInDays"] == 30
    written = "arn:aws:logs:eu-central-1:123456789012:log-group:/doorcode/doorcode/{}:*"
    assert {place for places in rights(name, "logs").values() for place in places} == {written.format(group_of(name))}


def test_logs_are_looked_for_where_they_are() -> None:
    """The command and the playground know which function logs into which group."""
    looked_into = {function: group for group, writers in GROUPS.items() for function in writers}
    assert looked_into == {name: group_of(name) for name in FUNCTIONS if name != "provision"}


def test_every_log_group_forgets() -> None:
    """No log is kept for ever."""
    for group in template()["Resources"].values():
        if group["Type"] == "AWS::Logs::LogGroup":
            assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


# How much there is to read

# Of the edges' blocks, what else names one platform, and what a reader has to get through in all.
LINES, LINES_OF_A_PLATFORM = 1600, 90


def test_the_template_can_be_read() -> None:
    """The whole has no more lines than somebody reads who wants to know what is deployed."""
    assert len((ROOT / "template.yaml").read_text().splitlines()) <= LINES


@pytest.mark.parametrize("name", EDGE)
def test_a_platform_is_added_in_few_lines(name: str) -> None:
    """Everything that belongs to one platform alone, in its own part and elsewhere, is what another one would add."""
    part = block = ""
    found = []
    for line in (ROOT / "template.yaml").read_text().splitlines():
        if heading := re.match(r"  # ── (.*?) ──", line):
            part = heading[1].lower()
        elif re.match(r"\S", line):
            part = block = ""
        if named := re.match(r"  (\w+):$", line):
            # A parameter or an output is its platform's as a whole.
            block = next((one for one in EDGE if named[1].lower().startswith(one)), "")
        names = [one for one in EDGE if one in line.lower()]
        if name in {part, block} or names == [name]:
            found.append(line)
    assert len(found) <= LINES_OF_A_PLATFORM, len(found)


# Rights


def test_each_function_has_a_role_of_its_own() -> None:
    """No two functions share a role, and no role is left over but the schedule's."""
    roles = [function["Role"].rpartition(f"{STACK}-")[2] for function in functions().values()]
    assert sorted([*roles, SWEEP]) == sorted(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_has_a_managed_policy(role: str) -> None:
    """What a role may do is all in this template."""
    properties = resources("AWS::IAM::Role")[role]["Properties"]
    assert "ManagedPolicyArns" not in properties
    assert "PermissionsBoundary" not in properties
    assert not resources("AWS::IAM::ManagedPolicy")


def test_what_several_roles_are_given_is_there_before_they_act() -> None:
    """A statement that several roles have is copied into each, and stands before the function that acts as it changes."""
    for name, policy in resources("AWS::IAM::Policy").items():
        properties = policy["Properties"]
        assert properties.keys() == {"PolicyName", "Roles", "PolicyDocument"}
        assert len(properties["Roles"]) > 1
        for role in properties["Roles"]:
            function = role.removeprefix(f"{STACK}-").removesuffix("Role")
            assert name in listed(template()["Resources"][f"{function}Function"]["DependsOn"])


def test_no_function_is_given_policies_by_the_transform() -> None:
    """Neither events nor policy templates of SAM add what nobody reads here."""
    for function in functions().values():
        assert not {"Policies", "Events", "Tracing", "VpcConfig", "DeadLetterQueue"} & function.keys()


# All that is not named after the stack: the account's one default bus, the models that a profile answers from, and what is
# paused, which only its token can name.
UNNAMED = {
    "ResumeDurable": "arn:aws:lambda:eu-central-1:123456789012:function:*/durable-execution/*",
    "ResumeTask": "arn:aws:states:eu-central-1:123456789012:stateMachine:*",
    "Publish": "arn:aws:events:eu-central-1:123456789012:event-bus/default",
    "AskModel": f"arn:aws:bedrock:eu-central-1:123456789012:inference-profile/{AGENTS['AgentModel']}",
    "AskModelBehindProfile": "arn:aws:bedrock:*::foundation-model/*",
}
# What AWS cannot narrow to any resource, and nothing else.
ANYTHING = {"ReadActivity": "cloudwatch:GetMetricData"}


@pytest.mark.parametrize("role", ROLES)
def test_every_statement_is_exact(role: str) -> None:
    """Security 32: each statement has a name, allows named actions, and is about named resources of this stack."""
    names = []
    with given(**EVERYTHING):
        allowed = statements(role)
    for statement in allowed:
        names.append(statement["Sid"])
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource"} & statement.keys()
        for action in listed(statement["Action"]):
            assert re.fullmatch(r"[a-z-]+:[A-Za-z]+", action)
        if statement["Sid"] in ANYTHING:
            assert (statement["Action"], statement["Resource"]) == (ANYTHING[statement["Sid"]], "*")
            continue
        if statement["Sid"] in UNNAMED:
            assert UNNAMED[statement["Sid"]] in listed(statement["Resource"])
            continue
        for resource in listed(statement["Resource"]):
            if resource in {AGENT_ARN, f"{AGENT_ARN}/runtime-endpoint/*"}:
                assert statement["Sid"] in {"AskFunction", "AskRuntime"}
                continue
            assert STACK in resource
            # A log group's ARN ends in :*, which means its streams.
            assert "*" not in resource.removesuffix(":*")
    assert len(set(names)) == len(names)


def test_every_statement_says_why() -> None:
    """A comment stands above each statement."""
    lines = (ROOT / "template.yaml").read_text().splitlines()
    sids = [number for number, line in enumerate(lines) if re.search(r"\bSid: ", line)]
    assert len(sids) == sum("Sid" in one for one in walk(template()["Resources"]) if isinstance(one, dict))
    with given(**EVERYTHING):
        said = {one["Sid"] for role in ROLES for one in statements(role)}
    assert said <= {found[1] for number in sids if (found := re.search(r"\bSid: (\w+)", lines[number]))}
    assert all(lines[number - 1].lstrip().startswith("# ") for number in sids)


@pytest.mark.parametrize("role", ROLES)
def test_only_lambda_takes_a_functions_role(role: str) -> None:
    """Nobody else can act as a function, and nobody but this account's scheduler as the schedule."""
    (trust,) = resources("AWS::IAM::Role")[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    service = "scheduler" if role == SWEEP else "lambda"
    assert trust["Principal"] == {"Service": f"{service}.amazonaws.com"}
    assert trust["Action"] == "sts:AssumeRole"
    if role == SWEEP:
        assert trust["Condition"] == {
            "StringEquals": {
                "aws:SourceAccount": "123456789012",
                "aws:SourceArn": "arn:aws:scheduler:eu-central-1:123456789012:schedule-group/doorcode",
            }
        }


SENDERS_READ = {*(f"{platform}/bot-token" for platform in EDGE), "whatsapp/bot", "whatsapp/template"}
SECRETS: dict[str, set[str]] = {
    "telegram": {"gateway-secret", "callback-secret", "telegram/webhook-secret", "telegram/bot"},
    "slack": {"gateway-secret", "callback-secret", "slack/signing-secret", "slack/team"},
    "discord": {"gateway-secret", "callback-secret", "discord/public-key"},
    "whatsapp": {
        "gateway-secret",
        "callback-secret",
        *(f"whatsapp/{name}" for name in ("app-secret", "verify-token", "bot")),
    },
    "provision": {
        "gateway-secret",
        "callback-secret",
        "telegram/webhook-secret",
        "whatsapp/verify-token",
        "agent/webhook-secret",
    },
    "relay": set(),
    "courier": {"gateway-secret", "callback-secret", *SENDERS_READ},
    "agent": {"agent/asks-token", *SENDERS_READ},
    "admin": {"gateway-secret", "callback-secret", "telegram/bot", "whatsapp/bot"},
    "web": {"gateway-secret", "callback-secret", "telegram/bot", "whatsapp/bot"},
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_reaches_only_its_own_secrets(name: str) -> None:
    """Nobody reads another's secret; the one that makes secrets cannot read any."""
    prefix = f"arn:aws:ssm:eu-central-1:123456789012:parameter/doorcode/{STACK}/"
    about = rights(name, "ssm")
    assert about.keys() <= {"PutParameter" if name == "provision" else "GetParameters"}
    # In which words people are told things: read by whatever tells them.
    words = {"texts"} if name in {*EDGE, "courier", "agent", "web"} else set()
    assert {resource.removeprefix(prefix) for places in about.values() for resource in places} == SECRETS[name] | words


@pytest.mark.parametrize("name", EDGE)
def test_the_edge_reaches_only_contacts_and_seats(name: str) -> None:
    """The edge cannot scan, put or delete, nor touch sign-ins, tokens, prompts and lockouts, which share the table."""
    contacts, seats = {f"{platform}#*" for platform in EDGE}, {f"seats#{platform}" for platform in EDGE}
    # Where a request may hold more than fits the time, how far it came.
    progress = {"progress#whatsapp#*"} if name == "whatsapp" else set()
    assert partitions(name) == {
        # Questions, without their words, too.
        ("dynamodb:GetItem", ""): {*contacts, "claims", "invites", "owners", "lockout#ticket", "ask#*", *progress},
        # Every waiting room's: an owner asks how many wait in all of them.
        ("dynamodb:Query", ""): seats,
        ("dynamodb:UpdateItem", ""): {
            *(*contacts, *seats, *progress),
            *(f"budget#{name}#*", "claims", "invites", "owners", "lockout#ticket"),
            # Made here, and used by the web function alone.
            *("links", "ask#*", "asks", "asks#*"),
        },
        ("dynamodb:ConditionCheckItem", ""): {f"{name}#*", "lockout#ticket", "owners"},
    }


def leading_keys(statement: dict[str, Any]) -> set[str]:
    """Return the partitions that a statement is about."""
    ((operator, condition),) = statement["Condition"].items()
    keys = set(condition["dynamodb:LeadingKeys"])
    assert operator.startswith("ForAllValues:String")
    # Without a * the exact comparison is meant, with one the pattern.
    assert operator.endswith("Like" if any("*" in key for key in keys) else "Equals")
    return keys


def rights(name: str, service: str) -> dict[str, list[str]]:
    """Return what a function may do with a service: for each action, on what."""
    found: dict[str, list[str]] = {}
    for statement in statements(f"{name.capitalize()}Role"):
        for action in listed(statement["Action"]):
            if action.startswith(f"{service}:"):
                found.setdefault(action.partition(":")[2], []).extend(listed(statement["Resource"]))
    return found


def test_the_courier_reaches_only_contacts_seats_and_its_notes() -> None:
    """The courier cannot scan or put, delete anything but its notes, touch sign-ins and lockouts, nor make or list tokens."""
    contacts, seats = {f"{platform}#*" for platform in EDGE}, {f"seats#{platform}" for platform in EDGE}
    assert partitions("courier") == {
        ("dynamodb:GetItem", ""): {*contacts, "owners", "prompts#*", "ask#*", "asks", "tokens"},
        ("dynamodb:BatchGetItem", ""): {"ask#*"},
        ("dynamodb:Query", ""): {*seats, "prompts#*"},
        ("dynamodb:UpdateItem", ""): {*contacts, *seats, "prompts#*", "ask#*", "asks", "asks#*"},
        ("dynamodb:DeleteItem", ""): {"prompts#*"},
        ("dynamodb:ConditionCheckItem", ""): contacts,
    }


def partitions(name: str, table: str = "Table") -> dict[tuple[str, str], set[str]]:
    """Return what a function may do with a table: for each action, on the table or an index, the partitions."""
    found: dict[tuple[str, str], set[str]] = {}
    for one in statements(f"{name.capitalize()}Role"):
        if "dynamodb:" in str(one["Action"]) and f"/{STACK}-{table}" in str(one["Resource"]):
            for action in listed(one["Action"]):
                about = found.setdefault((action, one["Resource"].partition("/index/")[2]), set())
                about |= leading_keys(one)
    return found


def test_what_strangers_wrote_is_reached_by_whom_it_concerns() -> None:
    """Security 46: the edge keeps and cannot read it; the courier hands on and forgets; who lists may look."""
    kept = {"kept#*"}
    for name in EDGE:
        assert partitions(name, "AgentTable") == {("dynamodb:UpdateItem", ""): {f"kept#{name}#*", "ask#*"}}
    assert partitions("courier", "AgentTable") == {
        ("dynamodb:GetItem", ""): kept | {"ask#*"},
        ("dynamodb:DeleteItem", ""): kept,
        ("dynamodb:UpdateItem", ""): {"ask#*"},
    }
    for name in ("admin", "web"):
        assert partitions(name, "AgentTable") == {
            ("dynamodb:BatchGetItem", ""): {*kept, "ask#*"},
            ("dynamodb:GetItem", ""): {"ask#*"},
            ("dynamodb:UpdateItem", ""): {"ask#*"},
        }


def test_the_admin_function_reaches_only_contacts_seats_guesses_and_sign_ins() -> None:
    """The admin function cannot scan or put, read who is signed in, nor touch prompts; it makes no session."""
    contacts, seats = {f"{platform}#*" for platform in EDGE}, {f"seats#{platform}" for platform in EDGE}
    guesses = {f"lockout#{surface}" for surface in ("cli", "api", "web", "ticket")}
    sign_ins = {"links", "sessions", "tokens"}
    assert partitions("admin") == {
        ("dynamodb:GetItem", ""): {*contacts, *QUESTIONS, "lockout#cli", "owners"},
        ("dynamodb:BatchGetItem", ""): {*contacts, "ask#*"},
        ("dynamodb:Query", ""): {*seats, *guesses, *sign_ins, "invites"},
        ("dynamodb:Query", "listing"): {*contacts, "asks"},
        ("dynamodb:UpdateItem", ""): {
            *(*contacts, *seats, "lockout#cli", "links", "tokens"),
            *("claims", "invites", "owners", *QUESTIONS),
        },
        ("dynamodb:DeleteItem", ""): {*guesses, *sign_ins},
        ("dynamodb:ConditionCheckItem", ""): {"asks"},
    }


def test_the_web_function_reaches_only_contacts_seats_its_guesses_and_sign_ins() -> None:
    """The web function cannot scan or put, make or revoke a token, delete a contact, nor touch prompts."""
    contacts, seats = {f"{platform}#*" for platform in EDGE}, {f"seats#{platform}" for platform in EDGE}
    guesses, budgets = {"lockout#api", "lockout#web"}, {f"budget#{platform}#*" for platform in EDGE}
    assert partitions("web") == {
        ("dynamodb:GetItem", ""): {*contacts, *QUESTIONS, *guesses, "links", "sessions", "tokens", "owners"},
        ("dynamodb:BatchGetItem", ""): {*contacts, "ask#*"},
        ("dynamodb:Query", ""): {*seats, "links", "sessions", "invites"},
        ("dynamodb:Query", "listing"): {*contacts, "asks"},
        ("dynamodb:UpdateItem", ""): {
            *(*contacts, *seats, *guesses, *budgets, "links", "sessions"),
            *("claims", "invites", "owners", *QUESTIONS),
        },
        ("dynamodb:DeleteItem", ""): {"links", "sessions"},
        ("dynamodb:ConditionCheckItem", ""): {*contacts, "asks", "owners"},
    }


def test_the_command_finds_the_admin_function() -> None:
    """The admin function goes by the stack's name, has no trigger, and gives up before the command does."""
    function = functions()["admin"]
    assert function["FunctionName"] == f"{STACK}-admin"
    assert "Events" not in function
    assert function["Timeout"] < admin_client.CONFIG["read_timeout"]
    callers = [*resources("AWS::Lambda::Permission").values(), *resources("AWS::Lambda::EventSourceMapping").values()]
    assert not [one for one in callers if "AdminFunction" in str(one)]


def test_the_agent_has_no_access_to_the_pairing_table() -> None:
    """The agent has a table of its own; neither the table that decides who is let in, its stream nor its index."""
    own = ["arn:aws:dynamodb:eu-central-1:123456789012:table/doorcode-AgentTable"]
    assert rights("agent", "dynamodb") == {"GetItem": own, "PutItem": own}
    for model in ("", MODEL):
        with given(Agent="bedrock" if model else "python", AgentModel=model):
            assert not any("table/doorcode-Table" in str(one) for one in statements("AgentRole"))


def test_the_relay_only_copies() -> None:
    """The relay reads the stream of this table alone, not the table, and sends into the effects queue alone."""
    stream = ["arn:aws:dynamodb:eu-central-1:123456789012:table/doorcode-Table/stream/2026-04-22T11:45:22.000"]
    reads = ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
    assert rights("relay", "dynamodb") == dict.fromkeys(reads, stream)
    assert rights("relay", "sqs") == {"SendMessage": [queue_arn("EffectsQueue")]}


@pytest.mark.parametrize(
    ("name", "queue", "dead"),
    [("courier", "EffectsQueue", "EffectsDeadLetters"), ("agent", "AgentQueue", "AgentDeadLetters")],
)
def test_a_consumer_takes_from_its_queue_and_parks(name: str, queue: str, dead: str) -> None:
    """Courier and agent take from their own queue, into which they cannot send, and park in its dead-letter queue.

    The courier hands kept messages on, too.
    """
    taking = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "ChangeMessageVisibility")
    assert rights(name, "sqs") == {
        **{action: [queue_arn(queue)] for action in taking},
        "SendMessage": [queue_arn(dead), *([queue_arn("AgentQueue")] if name == "courier" else [])],
    }


def queue_arn(name: str) -> str:
    """Return a queue's ARN."""
    return f"arn:aws:sqs:eu-central-1:123456789012:{STACK}-{name}"


def test_only_the_courier_publishes_and_only_in_our_name() -> None:
    """Events go to the default bus, with our source."""
    for name in FUNCTIONS:
        found = [one for one in statements(f"{name.capitalize()}Role") if "events:" in str(one["Action"])]
        assert len(found) == (name == "courier")
        for one in found:
            assert one["Action"] == "events:PutEvents"
            assert one["Condition"] == {"ForAllValues:StringEquals": {"events:source": [SOURCE]}}


def test_a_model_is_asked_only_where_one_is_set() -> None:
    """Without a model there is no right to ask one; with one, only that, or what answers for that profile."""
    assert rights("agent", "bedrock") == {}
    with given(Agent="bedrock", AgentModel=MODEL):
        assert rights("agent", "bedrock") == {
            "InvokeModel": [
                f"arn:aws:bedrock:eu-central-1::foundation-model/{MODEL}",
                f"arn:aws:bedrock:eu-central-1:123456789012:inference-profile/{MODEL}",
                "arn:aws:bedrock:*::foundation-model/*",
            ]
        }
        (any_model,) = (one for one in statements("AgentRole") if one["Sid"] == "AskModelBehindProfile")
    assert any_model["Condition"] == {
        "StringEquals": {
            "bedrock:InferenceProfileArn": f"arn:aws:bedrock:eu-central-1:123456789012:inference-profile/{MODEL}"
        }
    }


@pytest.mark.parametrize(
    ("agent", "names"),
    [
        ("python", {"asks-token"}),
        ("bedrock", {"instructions"}),
        ("python,slack=openai", {"asks-token", "instructions", "api-key"}),
        ("webhook,discord=bot", {"webhook-secret"}),
        ("bot,telegram=webhook,slack=bedrock", {"instructions", "webhook-secret"}),
        ("queue", set()),
    ],
)
def test_the_agent_reads_what_its_kind_needs(agent: str, names: set[str]) -> None:
    """Security 32: no kind of agent reads another's secrets, and what each reads is what its function asks for."""
    with given(Agent=agent):
        readable = {name.rpartition("/")[2] for name in rights("agent", "ssm")["GetParameters"] if "/agent/" in name}
    assert readable == names
    kinds = {AgentKind(word.rpartition("=")[2]) for word in agent.split(",")}
    assert {f"agent/{name}" for name in names} == {name for kind in kinds for name in PARAMETERS.get(kind, ())}


def test_nothing_is_resumed_unless_the_operator_lets_it() -> None:
    """Security 32: the right to let workflows go on is the courier's alone, of the kinds that ResumeAsks names; by default there is none."""
    resuming = {"durable": "lambda:SendDurableExecutionCallbackSuccess", "task": "states:SendTaskSuccess"}
    for setting, kinds in (
        (None, ()),
        ("off", ()),
        ("durable", ("durable",)),
        ("task", ("task",)),
        ("both", tuple(resuming)),
    ):
        with given(**{"ResumeAsks": setting} if setting else {}):
            for role in ROLES:
                found = {one for statement in statements(role) for one in listed(statement["Action"])} & {
                    *resuming.values()
                }
                assert found == ({resuming[kind] for kind in kinds} if role == "CourierRole" else set()), (
                    setting,
                    role,
                )


def test_the_schedule_invokes_the_courier_and_nothing_else() -> None:
    """The sweep's role may do one thing."""
    (statement,) = statements(SWEEP)
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"].endswith(f"{STACK}-CourierFunction")


# Tables and queues


def test_the_table_outlives_the_stack() -> None:
    """The table is kept on deletion and replacement, and can be restored to any second; DynamoDB refuses to delete it.

    Only a first deployment that fails takes it along: nobody is in it, and each further try would leave one more.
    """
    table = resources("AWS::DynamoDB::Table")["Table"]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert table["Properties"]["DeletionProtectionEnabled"] == "true"
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


def test_the_agents_table_can_be_lost() -> None:
    """The agent's table forgets by itself, has no stream and no backups, and goes with the stack."""
    table = resources("AWS::DynamoDB::Table")["AgentTable"]
    assert table["DeletionPolicy"] == table["UpdateReplacePolicy"] == "Delete"
    assert keys(table["Properties"]) == ["pk HASH", "sk RANGE"]
    assert table["Properties"]["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["Properties"]["BillingMode"] == "PAY_PER_REQUEST"
    kept = {"StreamSpecification", "PointInTimeRecoverySpecification", "GlobalSecondaryIndexes", "TableName"}
    assert not kept & table["Properties"].keys()


@pytest.mark.parametrize("name", QUEUES)
def test_queues(name: str) -> None:
    """Queues are FIFO at high throughput, encrypted, take what SQS can, and a message's identity from its sender."""
    queue = resources("AWS::SQS::Queue")[name]["Properties"]
    assert queue["FifoQueue"] is True
    assert queue["FifoThroughputLimit"] == "perMessageGroupId"
    assert queue["DeduplicationScope"] == "messageGroup"
    assert queue["ContentBasedDeduplication"] is False
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] >= 345_600
    assert queue["MaximumMessageSize"] == 1_048_576


@pytest.mark.parametrize("name", ["Agent", "Effects"])
def test_what_cannot_be_used_is_kept_aside(name: str) -> None:
    """A queue has a dead-letter queue, which keeps messages longer, and which nothing reaches before the code gives up."""
    queues = resources("AWS::SQS::Queue")
    queue, dead = queues[f"{name}Queue"]["Properties"], queues[f"{name}DeadLetters"]["Properties"]
    assert queue["RedrivePolicy"]["deadLetterTargetArn"].endswith(f"-{name}DeadLetters")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 1000
    assert dead["MessageRetentionPeriod"] > queue["MessageRetentionPeriod"]
    assert queue["MessageRetentionPeriod"] > max(effects.PARKED_AFTER_SECONDS, agent.GIVEN_UP_AFTER_SECONDS)


# What starts the functions behind the edge


@pytest.mark.parametrize(("name", "queue"), [("courier", "EffectsQueue"), ("agent", "AgentQueue")])
def test_queues_start_their_consumers(name: str, queue: str) -> None:
    """A batch of ten, each message by itself done or failed, few at once, and hidden for long enough to be tried."""
    source = resources("AWS::Lambda::EventSourceMapping")[f"{name.capitalize()}Source"]["Properties"]
    assert source["FunctionName"] == f"{STACK}-{name.capitalize()}Function"
    assert source["EventSourceArn"] == queue_arn(queue)
    assert source["BatchSize"] == 10
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    parameter = template()["Parameters"][f"{name.capitalize()}Concurrency"]
    # Two is the least that SQS takes.
    assert (source["ScalingConfig"], parameter["MinValue"]) == ({"MaximumConcurrency": parameter["Default"]}, 2)
    assert resources("AWS::SQS::Queue")[queue]["Properties"]["VisibilityTimeout"] >= 6 * functions()[name]["Timeout"]


def test_a_new_account_has_room_for_the_webhooks() -> None:
    """Of the ten functions that a new account may run at once, courier and agent leave half to who is waited for."""
    defaults = [template()["Parameters"][f"{name}Concurrency"]["Default"] for name in ("Courier", "Agent")]
    assert sum(defaults) <= 5


def test_the_stream_starts_the_relay() -> None:
    """From the very first record, for as long as the stream has it, and only for contacts and questions."""
    source = resources("AWS::Lambda::EventSourceMapping")["RelaySource"]["Properties"]
    assert source["FunctionName"] == f"{STACK}-RelayFunction"
    assert "table/doorcode-Table/stream/" in source["EventSourceArn"]
    assert (source["StartingPosition"], source["BatchSize"]) == ("TRIM_HORIZON", 100)
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["BisectBatchOnFunctionError"] is True
    assert source["MaximumRetryAttempts"] == source["MaximumRecordAgeInSeconds"] == -1
    (pattern,) = source["FilterCriteria"]["Filters"]
    for kind in json.loads(pattern["Pattern"])["dynamodb"]["Keys"]["sk"]["S"]:
        passed = {"dynamodb": {"Keys": {"pk": {"S": "x#1"}, "sk": {"S": kind}}, "NewImage": {"rev": {"N": "1"}}}}
        assert is_move(passed)


def test_an_adopted_table_brings_its_stream() -> None:
    """Relay and role stand on the stream of the very table that is adopted, and there is no adopting it without."""
    label = "2026-04-22T11:45:22.123"
    with given(ExistingTableName="kept", ExistingTableStreamLabel=label):
        arn = f"arn:aws:dynamodb:eu-central-1:123456789012:table/kept/stream/{label}"
        assert resources("AWS::Lambda::EventSourceMapping")["RelaySource"]["Properties"]["EventSourceArn"] == arn
        assert rights("relay", "dynamodb")["GetRecords"] == [arn]
        for name in ("telegram", "courier"):
            assert functions()[name]["Environment"]["Variables"]["TABLE_NAME"] == "kept"
    rule = template()["Rules"]["AnAdoptedTableHasAStream"]
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ExistingTableName"}, ""]}]}
    (assertion,) = rule["Assertions"]
    assert assertion["Assert"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "ExistingTableStreamLabel"}, ""]}]}


def test_the_sweep_runs_every_three_minutes() -> None:
    """The schedule invokes the courier with what is no batch of its queue."""
    schedule = resources("AWS::Scheduler::Schedule")["Sweep"]["Properties"]
    assert schedule["ScheduleExpression"] == "rate(3 minutes)"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["GroupName"] == f"{STACK}-SweepGroup"
    target = schedule["Target"]
    assert target["Arn"].endswith(f":{STACK}-CourierFunction")
    assert target["RoleArn"].endswith(f"/{STACK}-{SWEEP}")
    assert json.loads(target["Input"]) == {"sweep": True}


# The HTTP API


# Each route, and whose it is. Its permission names the very path; {proxy+} and {file} are * there, and so is any method.
ROUTES = {
    **{f"{name.capitalize()}Route": (f"POST /{name}", name, f"POST/{name}") for name in EDGE},
    # A handshake is a GET.
    "WhatsappRoute": ("ANY /whatsapp", "whatsapp", "*/whatsapp"),
    "ApiRoute": ("ANY /api/{proxy+}", "web", "*/api/*"),
    "PageRoute": ("GET /owner", "web", "GET/owner"),
    "AssetsRoute": ("GET /owner/{file}", "web", "GET/owner/*"),
}


def test_there_is_no_other_route() -> None:
    """What API Gateway lets through is listed here, and every function behind it."""
    assert set(resources("AWS::ApiGatewayV2::Route")) == ROUTES.keys()
    assert set(resources("AWS::ApiGatewayV2::Integration")) == {
        f"{name.capitalize()}Integration" for _, name, _ in ROUTES.values()
    }
    assert {name.replace("Route", "Permission") for name in ROUTES} == resources("AWS::Lambda::Permission").keys()


@pytest.mark.parametrize("name", ROUTES)
def test_routes(name: str) -> None:
    """A route leads to one function, with payload format 2.0, which only that route may call, from this account."""
    key, function, path = ROUTES[name]
    title = function.capitalize()
    route = resources("AWS::ApiGatewayV2::Route")[name]["Properties"]
    integration = resources("AWS::ApiGatewayV2::Integration")[f"{title}Integration"]["Properties"]
    permission = resources("AWS::Lambda::Permission")[name.replace("Route", "Permission")]["Properties"]
    assert (route["RouteKey"], route["Target"]) == (key, f"integrations/{STACK}-{title}Integration")
    assert "AuthorizationType" not in route
    assert integration["IntegrationType"] == "AWS_PROXY"
    assert integration["PayloadFormatVersion"] == "2.0"
    assert integration["IntegrationUri"].endswith(f"-{title}Function")
    # API Gateway's own patience, where none is set.
    assert integration.get("TimeoutInMillis", 30_000) >= functions()[function]["Timeout"] * 1000
    assert permission["FunctionName"] == f"{STACK}-{title}Function"
    assert permission["Principal"] == "apigateway.amazonaws.com"
    # The ARN names the account. That API Gateway sends the account itself is documented nowhere: where it did not,
    # a condition on it would refuse every call.
    assert permission["SourceArn"] == f"arn:aws:execute-api:eu-central-1:123456789012:{STACK}-Api/*/{path}"
    assert permission.keys() == {"FunctionName", "Action", "Principal", "SourceArn"}


def test_no_other_origin_is_let_in() -> None:
    """Security 20: the API allows no page of another origin anything."""
    assert "CorsConfiguration" not in resources("AWS::ApiGatewayV2::Api")["Api"]["Properties"]


def test_the_operator_is_told_where_the_page_is() -> None:
    """The address that the command prints is the output's, and leads to the page's route."""
    variables = template()["Globals"]["Function"]["Environment"]["Variables"]
    where = {"Fn::If": ["PageIsElsewhere", {"Ref": "PageUrl"}, {"Fn::Sub": "${Api.ApiEndpoint}/owner"}]}
    assert variables["WEB_URL"] == template()["Outputs"]["WebUrl"]["Value"] == where


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


def test_parameters_are_described_and_bounded() -> None:
    """A parameter says what it is for, has a default, and refuses what cannot be meant."""
    for name, parameter in template()["Parameters"].items():
        assert parameter["Description"].endswith((".", ").")), name
        assert "Default" in parameter, name
        bounded = {"AllowedPattern", "AllowedValues"} & parameter.keys() or {"MinValue", "MaxValue"} <= parameter.keys()
        assert bounded, name
        if "AllowedPattern" in parameter:
            assert re.fullmatch(parameter["AllowedPattern"], parameter["Default"]), name
            assert parameter["ConstraintDescription"].endswith("."), name


def test_parameters_are_in_the_runbook() -> None:
    """All of them, in their order, with their defaults and in the same words."""
    told = (ROOT / "docs/operations.md").read_text().partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (?:`(.*?)` )?\| (.*) \|$", told, re.MULTILINE)
    assert rows == [
        (name, str(parameter["Default"]), parameter["Description"])
        for name, parameter in template()["Parameters"].items()
    ]


def test_parameters_are_used() -> None:
    """No parameter is left over."""
    body = {key: part for key, part in template().items() if key != "Parameters"}
    used = {one["Ref"] for one in walk(body) if isinstance(one, dict) and one.keys() == {"Ref"}}
    assert template()["Parameters"].keys() - used == set()


def variables_of(name: str) -> dict[str, Any]:
    """Return a function's environment as the template says it: what all functions get, and its own."""
    shared: dict[str, Any] = template()["Globals"]["Function"]["Environment"]["Variables"]
    own = template()["Resources"][f"{name.capitalize()}Function"]["Properties"].get("Environment", {})
    return {**shared, **own.get("Variables", {})}


@pytest.mark.parametrize("name", EDGE)
def test_the_edge_is_given_every_setting_it_uses(name: str) -> None:
    """Every environment name of the edge is set, by the parameter of the same name or by the stack."""
    unresolved = variables_of(name)
    settings = EDGE_SETTINGS | ({"SLACK_API_URL"} if name == "slack" else set())
    set_by_stack = SET_BY_STACK
    if name == "whatsapp":
        # Nobody can name the bot in a group there; what it says goes through the queue.
        settings -= {"GROUP_POLICY", "ALLOWED_GROUPS"}
        set_by_stack = SET_BY_STACK | {"EFFECTS_QUEUE_URL"}
    assert unresolved.keys() == settings | set_by_stack
    for setting in settings:
        assert unresolved[setting] == {"Ref": camel(setting)}
    # Where AWS is, in whichever partition: the edge's own client does not know it otherwise.
    assert unresolved["URL_SUFFIX"] == {"Ref": "AWS::URLSuffix"}


@pytest.mark.parametrize("name", BEHIND)
def test_what_is_behind_the_edge_is_given_every_setting_it_uses(name: str) -> None:
    """Nothing is missing in the environment, and nothing that is not used."""
    unresolved = variables_of(name)
    settings = BEHIND_SETTINGS[name] | GIVEN_TO_ALL
    assert unresolved.keys() == settings | BEHIND_SET_BY_STACK[name].keys() | {
        "PARAMETER_PREFIX",
        "AGENT_TABLE_NAME",
        "WEB_URL",
    }
    for setting in settings:
        assert unresolved[setting] == {"Ref": camel(setting)}
    for setting, value in BEHIND_SET_BY_STACK[name].items():
        assert functions()[name]["Environment"]["Variables"][setting].endswith(value)


# What Lambda takes of names and values together.
ENVIRONMENT_BYTES = 4096
# The longest that AWS makes of them, under the longest name of a stack in the region of the longest name.
LONGEST = {
    "AWS::StackName": 58,
    "AWS::URLSuffix": len("amazonaws.com.cn"),
    "Table": 58 + len("-Table-") + 13,
    "AgentTable": 58 + len("-AgentTable-") + 13,
    "queue": len("https://sqs.ap-southeast-1.amazonaws.com.cn/123456789012/") + 80,
    "Api.ApiEndpoint": len("https://0123456789.execute-api.ap-southeast-1.amazonaws.com.cn"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_whatever_may_be_set_fits_into_the_environment(name: str) -> None:
    """The longest values that the parameters take are no more than Lambda does, so that none fails half way."""
    lengths = {key: len(key) + longest(value) for key, value in variables_of(name).items()}
    assert sum(lengths.values()) <= ENVIRONMENT_BYTES


def longest(value: Any) -> int:
    """Return how long a value of the template may become."""
    if isinstance(value, str):
        return len(value)
    ((form, about),) = value.items()
    if form == "Fn::If":
        return max(longest(one) for one in about[1:])
    if form == "Fn::Sub":
        names = re.findall(r"\$\{([^}]+)\}", about)
        return len(re.sub(r"\$\{[^}]+\}", "", about)) + sum(longest({"Ref": one}) for one in names)
    if about in (known := LONGEST | dict.fromkeys(QUEUES, LONGEST["queue"])):
        return known[about]
    parameter = template()["Parameters"][about]
    values = parameter.get("AllowedValues") or [parameter.get("MaxValue", "")]
    return max(int(parameter.get("MaxLength", 0)), *(len(str(one)) for one in values))


@pytest.mark.parametrize("name", ["AllowedUsers", "OwnerUserIds"])
def test_who_is_too_many_is_told_what_to_do(name: str) -> None:
    """What is refused when it is deployed says how much there is room for."""
    parameter = template()["Parameters"][name]
    assert f"at most {parameter['MaxLength']:,} characters" in parameter["ConstraintDescription"]


def test_every_setting_is_set_somewhere() -> None:
    """Every environment name that the package reads is given to some function."""
    given_names = {
        name for function in functions().values() for name in function.get("Environment", {}).get("Variables", {})
    }
    sources = "".join(path.read_text() for path in (ROOT / "shared/doorcode").rglob("*.py"))
    read = set(re.findall(r'\b(?:read|number|text)\(\s*"([A-Z_]+)"', sources))
    read |= {
        name for names in re.findall(r"required\(([^)]*)\)", sources) for name in re.findall(r'"([A-Z_]+)"', names)
    }
    read |= {api_url_setting(platform) for platform in Platform}
    # AWS's own are Lambda's to set.
    wiring = "".join(path.read_text() for path in (ROOT / "shared/doorcode/wiring").glob("*.py"))
    read |= {name for name in re.findall(r'environment\.get\(\s*"([A-Z_]+)"', wiring) if not name.startswith("AWS_")}
    # In a list that is unpacked.
    read |= {name for names in re.findall(r'\*\(("[A-Z_", ]+)\)', wiring) for name in re.findall(r'"([A-Z_]+)"', names)}
    assert len(read) >= 20
    assert read == given_names


@pytest.mark.parametrize("name", ["slack", "courier", "agent", "admin", "web"])
def test_defaults_are_the_packages_own(name: str) -> None:
    """A stack with the template's defaults behaves as the package does without settings."""
    environment = functions()[name]["Environment"]["Variables"]
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
    "UnknownReply": ["", "tell", "silent", "tell,slack=silent", "discord=silent, telegram=tell"],
    "AllowedUsers": ["", "telegram:@owner,telegram:123456789,slack:U1234ABCD", "discord:123456789012345678"],
    "OwnerUserIds": ["", "telegram:123456789,discord:123456789012345678", "slack:W0123ABC"],
    "AllowedGroups": ["", "*", "telegram:-1001234567890,slack:C01234567, discord:123456789012345678"],
    "TellDenied": ["true", "false"],
    "PageUrl": ["", "https://door.example.org/owner", "http://127.0.0.1:8787/owner"],
    "Agent": ["python", "bedrock,slack=bot", "telegram=queue, discord=webhook"],
    "AgentUrl": [
        "",
        "https://api.openai.com/v1",
        "http://127.0.0.1:9000/hook?x=1",
        "https://a.example/v1,slack=https://b.example/slack/events",
        "telegram=https://a.example/hook/123:ABC, slack=http://localhost:3000/slack/events",
    ],
    "AgentArn": [
        "",
        "arn:aws:lambda:eu-central-1:123456789012:function:my-agent:live",
        "arn:aws-cn:bedrock-agentcore:cn-north-1:123456789012:runtime/my_agent-abc123DEF4",
    ],
    "AgentModel": [
        "",
        MODEL,
        "gpt-5-mini",
        "openclaw/default",
        "llama3.2:1b",
        "anthropic.claude-3-haiku-20240307-v1:0",
        "amazon.titan-text-express-v1:0:8k",
    ],
    "TelegramApiUrl": ["https://api.telegram.org", "http://127.0.0.1:8787/telegram", "http://localhost:8787"],
    "SlackApiUrl": ["https://slack.com/api", "http://127.0.0.1:8787/slack", "http://localhost:8787"],
    "DiscordApiUrl": ["https://discord.com/api/v10", "http://127.0.0.1:8787/discord"],
}
BAD_URLS = [
    "ftp://example.com",
    "http://example.com/api",
    "example.com",
    "https://example.com/api?x=1",
    "http://127.0.0.1.example.com",
]
BAD = {
    "UnknownUserPolicy": ["maybe", "pair,deny", "slack", "pair,signal=deny", "pair;slack=deny", "Pair"],
    "UnknownReply": ["quiet", "tell,silent", "slack", "tell,signal=silent", "Silent"],
    "AllowedUsers": ["123456789", "telegram:", "slack:@owner", "*", "telegram:*", "telegram:1;slack:U1", "telegram:@x"],
    "AllowedGroups": ["**", "*,telegram:-1", "telegram:1", "slack:U1234", "-1001", "discord:*"],
    "PageUrl": ["https://door.example.org", "http://door.example.org/owner", "https://a.example/x?y/owner"],
    "OwnerUserIds": ["telegram:@owner", "123", "*", "telegram:1,,slack:U1", "discord:abc"],
    "TelegramApiUrl": BAD_URLS,
    "SlackApiUrl": BAD_URLS,
    "DiscordApiUrl": BAD_URLS,
    "AgentModel": ["a b.c", "*", "a.*", ":x"],
    "Agent": ["nobody", "bedrock,bot", "teams=bot", "bedrock;slack=bot", "Bedrock"],
    "AgentUrl": [
        "example.com",
        "http://example.com",
        "https://a.example/#x",
        "https://a.example,https://b.example",
        "ftp://a",
    ],
    "AgentArn": [
        "my-agent",
        "arn:aws:s3:::bucket",
        "arn:aws:lambda:eu-central-1:123:function:x",
        "arn:aws:lambda:eu-central-1:123456789012:function:*",
        "arn:aws:bedrock-agentcore:eu-central-1:123456789012:memory/x",
    ],
    "AlarmEmail": ["nobody", "a@b", "a b@example.com"],
    "ExistingTableName": ["a", "name with spaces", "arn:aws:dynamodb:x"],
    "ExistingTableStreamLabel": ["*", "latest", "table/kept/stream/2026-04-22T11:45:22.123", "2026-04-22T*"],
}


def test_the_template_takes_what_the_package_takes() -> None:
    """A value that is fine for the template is fine for the functions."""
    for name, value in ((name, value) for name, values in GOOD.items() for value in values):
        parameter = template()["Parameters"][name]
        fits = (
            value in parameter["AllowedValues"]
            if "AllowedValues" in parameter
            else re.fullmatch(parameter["AllowedPattern"], value)
        )
        assert fits, (name, value)
        parse_settings({environment_name(name): value})


def test_the_template_refuses_what_cannot_be_meant() -> None:
    """A bad value fails the deployment, before any function sees it."""
    for name, value in ((name, value) for name, values in BAD.items() for value in values):
        assert not re.fullmatch(template()["Parameters"][name]["AllowedPattern"], value), (name, value)


def environment_name(parameter: str) -> str:
    """Turn a parameter's name into the environment's: TableName into TABLE_NAME."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", parameter).upper()


# Watching


def test_every_reason_is_counted() -> None:
    """Security 34: each reason that the edge logs is a metric of its own."""
    properties = resources("AWS::Logs::MetricFilter")["EdgeReasons"]["Properties"]
    assert properties["LogGroupName"] == f"{STACK}-EdgeLogs"
    pattern = properties["FilterPattern"]
    reasons = re.findall(r'\(\$\.reason = "([a-z_]+)"\)', pattern)
    assert re.sub(r'\(\$\.reason = "[a-z_]+"\)( \|\| )?', "", pattern) == "{  }"
    assert len(pattern) <= 1024
    assert len(set(reasons)) == len(reasons)
    errors = (BotError, SecretError, SettingsError, UnavailableError, UnusablePayloadError)
    assert set(reasons) >= {*Reason, "bad_signature", "unreadable_request", *(error.reason for error in errors)}
    (metric,) = properties["MetricTransformations"]
    assert metric["MetricNamespace"] == f"Doorcode/{STACK}"
    assert metric["Dimensions"] == [{"Key": "reason", "Value": "$.reason"}]


@pytest.mark.parametrize("floor", ["behind", "agent"])
def test_trouble_behind_the_edge_is_counted(floor: str) -> None:
    """Security 34: whatever kept something from being done is a metric, by its reason, and so is what was put aside."""
    # What an operator or a caller was refused is no trouble.
    refuses = '{ ($.reason = "*") && (($.level = "ERROR") || ($.outcome NOT EXISTS)) }'
    counted(
        f"{floor.capitalize()}Reasons", refuses if floor == "behind" else '{ $.reason = "*" }', "Troubles", "$.reason"
    )
    counted(f"{floor.capitalize()}Parked", '{ $.parked = "true" }', "Parked")


@pytest.mark.parametrize("floor", LOGS)
def test_crashes_are_counted(floor: str) -> None:
    """Whichever function fails or runs out of time, Lambda's own report of it is counted."""
    failed = '{ ($.type = "platform.report") && ($.record.status != "success") }'
    counted(f"{floor.capitalize()}Crashes", failed, "Crashes")


def counted(name: str, pattern: str, metric_name: str, *dimensions: str) -> None:
    """Check a filter: which records of its floor's log it counts, under which name."""
    properties = resources("AWS::Logs::MetricFilter")[name]["Properties"]
    floor, _ = re.findall("[A-Z][a-z]+", name)
    assert (properties["LogGroupName"], properties["FilterPattern"]) == (f"{STACK}-{floor}Logs", pattern)
    (metric,) = properties["MetricTransformations"]
    assert (metric["MetricNamespace"], metric["MetricName"]) == (f"Doorcode/{STACK}", metric_name)
    assert [one["Value"] for one in metric.get("Dimensions", [])] == list(dimensions)


def test_decisions_are_counted() -> None:
    """Each event that the courier publishes is counted by its kind, save requests, which are counted where they are made."""
    pattern = f'{{ ($.event = "*") && ($.event != "{EventType.REQUESTED}") }}'
    counted("BehindDecisions", pattern, "Decisions", "$.event")


def test_what_is_read_is_what_is_counted() -> None:
    """The page's numbers are asked for by the names under which the filters count, in the function's namespace."""
    by_name = {
        (metric["MetricName"], one["Key"])
        for found in resources("AWS::Logs::MetricFilter").values()
        for metric in found["Properties"]["MetricTransformations"]
        for one in metric.get("Dimensions", [])
    }
    assert {(metric.name, metric.dimension) for metric in METRICS} <= by_name
    edge = resources("AWS::Logs::MetricFilter")["EdgeReasons"]["Properties"]["FilterPattern"]
    asked = {metric.value for metric in METRICS if metric.name == "Requests"}
    assert asked <= set(re.findall(r'"([a-z_]+)"', edge))
    assert {metric.value for metric in METRICS if metric.name == "Decisions"} <= {*EventType} - {EventType.REQUESTED}


def test_alarms() -> None:
    """What has to be known is alarmed, and says what it means and where it goes."""
    alarms = {name: alarm["Properties"] for name, alarm in resources("AWS::CloudWatch::Alarm").items()}
    watched = {(alarm["MetricName"], alarm.get("Dimensions", [{"Value": ""}])[0]["Value"]) for alarm in alarms.values()}
    assert watched == {
        ("5xx", f"{STACK}-Api"),
        ("Requests", "unusable_payload"),
        ("Requests", "bad_signature"),
        ("Troubles", BadTokenError.reason),
        ("Parked", ""),
        ("IteratorAge", f"{STACK}-RelayFunction"),
        ("ApproximateNumberOfMessagesVisible", f"{STACK}-AgentDeadLetters"),
        ("ApproximateNumberOfMessagesVisible", f"{STACK}-EffectsDeadLetters"),
        ("ApproximateAgeOfOldestMessage", f"{STACK}-EffectsQueue"),
        ("ApproximateAgeOfOldestMessage", f"{STACK}-AgentQueue"),
        ("InvocationDroppedCount", f"{STACK}-SweepGroup"),
        ("Throttles", ""),
        ("Crashes", ""),
    }
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == [f"{STACK}-AlarmTopic"]
        assert alarm["AlarmDescription"].endswith(".")
        assert alarm["TreatMissingData"] == "notBreaching"
    dashboard = resources("AWS::CloudWatch::Dashboard")["Dashboard"]["Properties"]["DashboardBody"]
    assert all(f"{STACK}-{name}" in dashboard for name in alarms)
    assert json.loads(dashboard)["widgets"]


def test_a_stream_that_is_not_followed_is_known_in_time() -> None:
    """The relay's delay is alarmed long before the stream forgets, after 24 hours."""
    alarm = resources("AWS::CloudWatch::Alarm")["RelayAgeAlarm"]["Properties"]
    assert (alarm["Namespace"], alarm["Statistic"]) == ("AWS/Lambda", "Maximum")
    assert alarm["Threshold"] <= 3_600_000


@pytest.mark.parametrize(
    ("name", "given_up_after"),
    [("Effects", effects.PARKED_AFTER_SECONDS), ("Agent", agent.GIVEN_UP_AFTER_SECONDS)],
)
def test_who_waits_is_known_in_time(name: str, given_up_after: int) -> None:
    """That somebody waits to be asked, told or answered is alarmed before it is given up on."""
    alarm = resources("AWS::CloudWatch::Alarm")[f"{name}AgeAlarm"]["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SQS", "ApproximateAgeOfOldestMessage")
    assert alarm["Threshold"] < given_up_after


WATCHING = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::Logs::MetricFilter")


@pytest.mark.parametrize(
    ("monitoring", "there"),
    [("off", set()), ("lean", {"ServerErrorAlarm", "AgentDeadLetterAlarm", "EffectsDeadLetterAlarm"}), ("full", None)],
)
def test_monitoring_is_as_much_as_is_wanted(monitoring: str, there: set[str] | None) -> None:
    """What costs by the piece is there when it is wanted; lean is what people notice, on metrics that AWS has anyway."""
    with given(Monitoring=monitoring):
        everything = {name: kind for kind in WATCHING for name in resources(kind)}
        found = {name for kind in WATCHING for name in resources(kind, present=True)}
        alarms = resources("AWS::CloudWatch::Alarm", present=True).values()
        namespace = functions()["web"]["Environment"]["Variables"]["METRICS_NAMESPACE"]
    assert found == (everything.keys() if there is None else there)
    if monitoring != "full":
        assert all(alarm["Properties"]["Namespace"].startswith("AWS/") for alarm in alarms)
    # The page asks for numbers only where there are any.
    assert namespace == (f"Doorcode/{STACK}" if monitoring == "full" else "")


def test_nothing_that_stands_needs_what_is_left_out() -> None:
    """What is always there names nothing that is only there under a condition, save under that same condition."""
    whole = template()["Resources"]
    conditional = {name: one["Condition"] for name, one in whole.items() if "Condition" in one}
    for name, one in whole.items():
        for inner in walk({key: part for key, part in one.items() if key != "Condition"}):
            named = inner.get("Ref") or (inner.get("Fn::GetAtt") or [None])[0] if isinstance(inner, dict) else None
            needs = conditional.get(str(named))
            assert needs in {None, conditional.get(name), "MakesTable", "LogsAccess"}, (name, named)


def test_outputs() -> None:
    """What the operator and the command need is given out."""
    assert template()["Outputs"].keys() >= {
        *("TelegramWebhookUrl", "SlackWebhookUrl", "DiscordWebhookUrl", "WebUrl"),
        *("TableName", "AgentQueueUrl", "AdminFunctionName", "ParameterPrefix"),
    }
    assert all(output["Description"] for output in template()["Outputs"].values())


def test_secrets_are_made_anew_only_when_asked() -> None:
    """The custom resource runs when its version changes."""
    properties = resources("Custom::Secrets")["Secrets"]["Properties"]
    assert properties["Version"] == "2"
    assert properties["ServiceTimeout"] > functions()["provision"]["Timeout"]


def listed(value: str | list[str]) -> list[str]:
    """Return a value that may stand alone as a list."""
    return value if isinstance(value, list) else [value]
