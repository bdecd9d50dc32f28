"""Who may do what: the roles of the template, what must not be possible, and docs/iam.md, which is made from both.

``python -m tests.infra.iam`` writes the page anew.
"""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.infra.calls import PROFILE_KEY, arn, keyed
from tests.infra.policy import Call, Statement, listed
from tests.infra.template import (
    PSEUDO,
    ROOT,
    STACK,
    functions,
    given,
    group_of,
    policies_of,
    resources,
    statements,
    template,
)

PAGE = ROOT / "docs/iam.md"
EDGE = ("telegram", "slack", "discord", "whatsapp")
# What the model's parameter is set to here, so that everything that it brings is there.
MODEL = "amazon.nova-lite-v1:0"
# Likewise the function that answers, or the runtime: an ARN is one or the other, and what it is is not asked here.
AGENT_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:my-agent"
AGENTS = {"Agent": "python,bedrock,openai,webhook,function,agentcore", "AgentModel": MODEL, "AgentArn": AGENT_ARN}
# What a stack is given for every right that there can be.
EVERYTHING = AGENTS | {"ResumeAsks": "both"}

TABLE, AGENT_TABLE = f"{STACK}-Table", f"{STACK}-AgentTable"
QUEUES = {"agent": f"{STACK}-AgentQueue", "effects": f"{STACK}-EffectsQueue"}
DEAD_LETTERS = {"agent": f"{STACK}-AgentDeadLetters", "effects": f"{STACK}-EffectsDeadLetters"}
LOGS = ("edge", "behind", "agent")
AGENT_S = ("agent/instructions", "agent/api-key", "agent/asks-token", "agent/webhook-secret")
MADE_HERE = (
    "gateway-secret",
    "callback-secret",
    "telegram/webhook-secret",
    "whatsapp/verify-token",
    "agent/webhook-secret",
)
INBOUND = {
    "telegram": ("telegram/webhook-secret", "telegram/bot"),
    "slack": ("slack/signing-secret", "slack/team"),
    "discord": ("discord/public-key",),
    "whatsapp": ("whatsapp/app-secret", "whatsapp/verify-token", "whatsapp/bot"),
}
# Who the bots are, which links name, and on WhatsApp the number that is written from.
BOTS = frozenset({"telegram/bot", "whatsapp/bot"})
TOKENS = (*(f"{platform}/bot-token" for platform in EDGE), "whatsapp/template")
PARAMETERS = (*MADE_HERE[:2], *(name for names in INBOUND.values() for name in names), *TOKENS, *AGENT_S)


# The roles


@functools.cache
def policies(model: str = MODEL) -> dict[str, list[Statement]]:
    """Return the statements of each role by the name of its function (or of what else it is for)."""
    with given(**EVERYTHING if model else {}):
        roles = resources("AWS::IAM::Role")
        return {name.removesuffix("Role").lower(): list(statements(name)) for name in roles}


def environments() -> dict[str, Mapping[str, str]]:
    """Return what the template gives to each function, by function."""
    with given(**EVERYTHING):
        return {name: function["Environment"]["Variables"] for name, function in functions().items()}


# What is not asked by the functions' code: Lambda writes their logs and polls their sources, the scheduler calls one.

POLLING = {
    "sqs": ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
    "dynamodb": (
        "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
    ),
}  # fmt: skip


def asked_by_aws() -> dict[str, list[Call]]:
    """Return the calls that AWS itself makes with each role."""
    calls = {
        name: [
            Call(action, arn("logs", f"log-group:/doorcode/{STACK}/{group_of(name)}:log-stream:2026/04/22/[$LATEST]1"))
            for action in ("logs:CreateLogStream", "logs:PutLogEvents")
        ]
        for name in functions()
    }
    for mapping in resources("AWS::Lambda::EventSourceMapping").values():
        properties = mapping["Properties"]
        function = properties["FunctionName"].removeprefix(f"{STACK}-").removesuffix("Function").lower()
        source = properties["EventSourceArn"]
        calls[function] += [Call(action, source) for action in POLLING[source.split(":")[2]]]
    for schedule in resources("AWS::Scheduler::Schedule").values():
        target = schedule["Properties"]["Target"]
        role = target["RoleArn"].rpartition(f"{STACK}-")[2].removesuffix("Role").lower()
        calls[role] = [Call("lambda:InvokeFunction", target["Arn"])]
    return calls


# What must not be possible


def parameter(action: str, *names: str) -> list[Call]:
    """Return calls about parameters of this stack."""
    return [Call(f"ssm:{action}", arn("ssm", f"parameter/doorcode/{STACK}/{name}")) for name in names]


def _queue(queue: str, *actions: str) -> list[Call]:
    return [Call(f"sqs:{action}", arn("sqs", queue)) for action in actions]


TAKING = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "PurgeQueue")
WHOLE = ("Scan", "BatchWriteItem", "PartiQLSelect", "PartiQLUpdate", "PartiQLInsert", "PartiQLDelete")
CONTROL = (
    *("DeleteTable", "UpdateTable", "UpdateTimeToLive", "UpdateContinuousBackups", "ExportTableToPointInTime"),
    *("DeleteResourcePolicy", "PutResourcePolicy", "CreateBackup", "DescribeTable"),
)
ITEMS = ("GetItem", "BatchGetItem", "Query", "UpdateItem", "PutItem", "DeleteItem", "ConditionCheckItem")
# Partitions of the operator's surfaces alone.
SIGN_INS = ("links", "sessions", "tokens")
STAFF_ONLY = ("lockout#cli", "lockout#api", "lockout#web", *SIGN_INS)
TICKETS = ("claims", "invites")


def _table(name: str, *actions: str) -> list[Call]:
    return [Call(f"dynamodb:{action}", arn("dynamodb", f"table/{name}")) for action in actions]


def _items(name: str, actions: tuple[str, ...], *partitions: str) -> list[Call]:
    return [keyed(action, name, partition) for action in actions for partition in partitions]


ELSEWHERE = {
    "publish events": [
        Call("events:PutEvents", arn("events", "event-bus/default"), (("events:source", ("doorcode",)),))
    ],
    "ask a model": [Call("bedrock:InvokeModel", f"arn:aws:bedrock:{PSEUDO['AWS::Region']}::foundation-model/{MODEL}")],
    "resume what is paused": [
        Call("lambda:SendDurableExecutionCallbackSuccess", arn("lambda", "function:f:1/durable-execution/e/1")),
        Call("states:SendTaskSuccess", arn("states", "stateMachine:m")),
    ],
    "call a function": [Call("lambda:InvokeFunction", arn("lambda", f"function:{STACK}-ProvisionFunction"))],
    "act as another role, or hand one on": [
        Call(action, f"arn:aws:iam::{PSEUDO['AWS::AccountId']}:role/{STACK}-CourierRole")
        for action in ("sts:AssumeRole", "iam:PassRole")
    ],
    "read its own log, or delete any": [
        Call(f"logs:{action}", arn("logs", f"log-group:/doorcode/{STACK}/{name}:*"))
        for action in ("GetLogEvents", "FilterLogEvents", "DeleteLogGroup", "DeleteLogStream")
        for name in LOGS
    ],
    "decrypt with a key": [Call("kms:Decrypt", arn("kms", "key/1"))],
    "read metrics": [Call("cloudwatch:GetMetricData", "*")],
    "write metrics, or change what watches over it": [
        Call("cloudwatch:PutMetricData", "*"),
        *(
            Call(f"cloudwatch:{action}", arn("cloudwatch", f"alarm:{STACK}-5xx"))
            for action in ("PutMetricAlarm", "DeleteAlarms", "DisableAlarmActions", "SetAlarmState")
        ),
        *(
            Call(f"logs:{action}", arn("logs", f"log-group:/doorcode/{STACK}/{name}:*"))
            for action in ("PutMetricFilter", "DeleteMetricFilter")
            for name in LOGS
        ),
    ],
}
ALWAYS = {
    **{
        what: ELSEWHERE[what]
        for what in (
            "act as another role, or hand one on",
            "read its own log, or delete any",
            "decrypt with a key",
            "write metrics, or change what watches over it",
        )
    },
    "set what the operator or the platforms set, read parameters one by one or by path, or delete any": [
        *parameter("PutParameter", *TOKENS, "slack/signing-secret", "discord/public-key", *AGENT_S[:3]),
        Call("ssm:PutParameter", arn("ssm", "parameter/doorcode/another-stack/gateway-secret")),
        *parameter("GetParameter", *PARAMETERS),
        *parameter("GetParameterHistory", *PARAMETERS),
        *parameter("DeleteParameter", *PARAMETERS),
        Call("ssm:GetParametersByPath", arn("ssm", f"parameter/doorcode/{STACK}")),
    ],
    "scan a table, write to it in bulk or by PartiQL, change or delete it": [
        *_table(TABLE, *WHOLE, *CONTROL),
        *_table(AGENT_TABLE, *WHOLE, *CONTROL),
        *_table("another-table", *ITEMS),
    ],
    "change, empty or delete a queue": [
        call
        for queue in (*QUEUES.values(), *DEAD_LETTERS.values())
        for call in _queue(queue, "PurgeQueue", "DeleteQueue", "SetQueueAttributes", "AddPermission")
    ],
}
NOT_ITS_WORK = ("publish events", "resume what is paused", "ask a model", "call a function", "read metrics")
NO_SECRET_WRITTEN = {"make or overwrite a secret": parameter("PutParameter", *PARAMETERS)}
PAIRING = _items(
    TABLE,
    ITEMS,
    "telegram#1",
    "seats#telegram",
    "prompts#telegram#1",
    "budget#telegram#1",
    "owners",
    "ask#1",
    "asks",
    "asks#1",
    *TICKETS,
    *STAFF_ONLY,
)
LISTING = [keyed("Query", TABLE, "telegram#paired", index="listing"), *_table(f"{TABLE}/index/listing", "Scan")]
MEMORY = _items(AGENT_TABLE, ITEMS, "delivery#telegram#1", "chat#telegram#1")


def _edge(platform: str) -> dict[str, list[Call]]:
    others = [other for other in EDGE if other != platform]
    return {
        "read a bot's token, or what verifies another platform": parameter(
            "GetParameters", *TOKENS, *(name for other in others for name in INBOUND[other]), *AGENT_S
        ),
        "put or delete an item": _items(
            TABLE, ("PutItem", "DeleteItem"), f"{platform}#1", f"seats#{platform}", f"budget#{platform}#1"
        ),
        "look into prompts, lockouts, sign-ins, sessions or tokens, or write there": _items(
            TABLE, ITEMS, f"prompts#{platform}#1", *(pk for pk in STAFF_ONLY if pk != "links")
        ),
        # It makes one for an owner; a session is what the web function alone makes of it.
        "look for links, or end any": _items(TABLE, tuple(one for one in ITEMS if one != "UpdateItem"), "links"),
        "list claims or invites, or delete any, or an owner": _items(
            TABLE, ("Query", "BatchGetItem", "PutItem", "DeleteItem"), "owners", "lockout#ticket", *TICKETS
        ),
        "list who is paired": [*LISTING, *_items(TABLE, ("Query", "BatchGetItem"), f"{platform}#1")],
        # It counts who waits there, for an owner.
        "take a place in another platform's waiting room, or spend there": [
            *_items(TABLE, ("GetItem", "PutItem", "DeleteItem"), *(f"seats#{other}" for other in others)),
            *_items(TABLE, ITEMS, *(f"budget#{other}#1" for other in others)),
            *_items(TABLE, ("ConditionCheckItem",), *(f"{other}#1" for other in others)),
        ],
        "read messages for the agent, or take them away": _queue(QUEUES["agent"], *TAKING),
        "reach any other queue": [
            *_queue(QUEUES["effects"], *TAKING),
            # What nothing in the response can say is handed to the courier.
            *([] if platform == "whatsapp" else _queue(QUEUES["effects"], "SendMessage")),
            *(call for queue in DEAD_LETTERS.values() for call in _queue(queue, "SendMessage", *TAKING)),
        ],
        "reach the agent's memory, read what strangers have written, or write it for another platform": [
            *MEMORY,
            *_items(AGENT_TABLE, tuple(action for action in ITEMS if action != "UpdateItem"), f"kept#{platform}#1"),
            *_items(AGENT_TABLE, ITEMS, *(f"kept#{other}#1" for other in others)),
        ],
        **{what: ELSEWHERE[what] for what in NOT_ITS_WORK},
        **NO_SECRET_WRITTEN,
        **ALWAYS,
    }


CANNOT: dict[str, dict[str, list[Call]]] = {
    **{platform: _edge(platform) for platform in EDGE},
    "provision": {
        "read a secret": parameter("GetParameters", *PARAMETERS),
        "overwrite a secret": [
            call._replace(context=(("ssm:Overwrite", ("true",)),)) for call in parameter("PutParameter", *MADE_HERE)
        ],
        "reach a table or a queue": [
            *PAIRING,
            *MEMORY,
            *(
                call
                for queue in (*QUEUES.values(), *DEAD_LETTERS.values())
                for call in _queue(queue, "SendMessage", *TAKING)
            ),
        ],
        **{what: ELSEWHERE[what] for what in NOT_ITS_WORK},
        **ALWAYS,
    },
    "relay": {
        "read or write the table whose stream it copies": [*PAIRING, *LISTING],
        "take from the queue that it copies into": _queue(QUEUES["effects"], *TAKING),
        "reach any other queue": [
            call
            for queue in (QUEUES["agent"], *DEAD_LETTERS.values())
            for call in _queue(queue, "SendMessage", *TAKING)
        ],
        "read a secret": parameter("GetParameters", *PARAMETERS),
        "reach the agent's memory": MEMORY,
        **{what: ELSEWHERE[what] for what in NOT_ITS_WORK},
        **NO_SECRET_WRITTEN,
        **ALWAYS,
    },
    "courier": {
        "read what verifies webhooks, or what the agent is told": parameter(
            "GetParameters", *(name for names in INBOUND.values() for name in names if name != "whatsapp/bot"), *AGENT_S
        ),
        "put an item, or delete a contact or a seat": [
            *_items(TABLE, ("PutItem",), "telegram#1", "seats#telegram", "prompts#telegram#1"),
            *_items(TABLE, ("DeleteItem",), "telegram#1", "seats#telegram"),
        ],
        "reach lockouts, sign-ins, sessions, tokens, claims, invites or budgets": _items(
            TABLE, ITEMS, *(pk for pk in STAFF_ONLY if pk != "tokens"), *TICKETS, "lockout#ticket", "budget#telegram#1"
        ),
        # It looks whether the one that asked is still there.
        "list, make or end tokens": _items(TABLE, tuple(one for one in ITEMS if one != "GetItem"), "tokens"),
        "make or remove an owner": _items(TABLE, ("UpdateItem", "PutItem", "DeleteItem"), "owners"),
        "list who is paired": [*LISTING, *_items(TABLE, ("Query",), "telegram#1")],
        "make up moves, or read what was given up on": [
            *_queue(QUEUES["effects"], "SendMessage"),
            *_queue(DEAD_LETTERS["effects"], *TAKING),
        ],
        "take from the agent's queues, reach its memory, or write what strangers have written": [
            *MEMORY,
            *_queue(QUEUES["agent"], *TAKING),
            *_queue(DEAD_LETTERS["agent"], "SendMessage", *TAKING),
            *_items(AGENT_TABLE, ("UpdateItem", "PutItem", "Query", "BatchGetItem"), "kept#telegram#1"),
        ],
        "publish in another's name, or to another bus": [
            Call("events:PutEvents", arn("events", "event-bus/default"), (("events:source", ("aws.health",)),)),
            Call("events:PutEvents", arn("events", "event-bus/another"), (("events:source", ("doorcode",)),)),
        ],
        "fail what is paused, or have a durable function or a state machine do anything else": [
            *(
                Call(f"lambda:{action}", call.resource)
                for call in ELSEWHERE["resume what is paused"][:1]
                for action in (
                    "SendDurableExecutionCallbackFailure",
                    "StopDurableExecution",
                    "GetDurableExecution",
                    "InvokeFunction",
                )
            ),
            *(
                Call(f"states:{action}", call.resource)
                for call in ELSEWHERE["resume what is paused"][1:]
                for action in ("SendTaskFailure", "StartExecution", "StopExecution", "DescribeStateMachine")
            ),
        ],
        **{what: ELSEWHERE[what] for what in NOT_ITS_WORK[2:]},
        **NO_SECRET_WRITTEN,
        **ALWAYS,
    },
    "agent": {
        "reach the table that decides who is let in": [*PAIRING, *LISTING],
        "read what makes codes, signs buttons or verifies webhooks": parameter(
            "GetParameters",
            *MADE_HERE[:2],
            *(name for names in INBOUND.values() for name in names if name != "whatsapp/bot"),
        ),
        "delete or list what it remembers": _items(
            AGENT_TABLE, ("DeleteItem", "UpdateItem", "Query"), "chat#telegram#1"
        ),
        "read what strangers have written, or what owners are asked": _items(
            AGENT_TABLE, ITEMS, "kept#telegram#1", "ask#1"
        ),
        "make up messages, or read what was given up on": [
            *_queue(QUEUES["agent"], "SendMessage"),
            *_queue(DEAD_LETTERS["agent"], *TAKING),
        ],
        "reach the effects queue": [
            call
            for queue in (QUEUES["effects"], DEAD_LETTERS["effects"])
            for call in _queue(queue, "SendMessage", *TAKING)
        ],
        "ask another model, or the same one through another's profile": [
            Call("bedrock:InvokeModel", f"arn:aws:bedrock:{PSEUDO['AWS::Region']}::foundation-model/another.model"),
            Call("bedrock:InvokeModel", arn("bedrock", "inference-profile/eu.another.model")),
            Call(
                "bedrock:InvokeModel",
                "arn:aws:bedrock:eu-west-1::foundation-model/another.model",
                ((PROFILE_KEY, (arn("bedrock", "inference-profile/eu.another.model"),)),),
            ),
        ],
        "invoke another function or runtime, or another version of the one": [
            Call("lambda:InvokeFunction", AGENT_ARN.replace("my-agent", "my-agent-2")),
            Call("lambda:InvokeFunction", f"{AGENT_ARN}:prod"),
            Call("bedrock-agentcore:InvokeAgentRuntime", AGENT_ARN.replace("my-agent", "my-agent-2")),
            Call("bedrock-agentcore:InvokeAgentRuntimeForUser", AGENT_ARN),
        ],
        **{what: ELSEWHERE[what] for what in NOT_ITS_WORK if what != "ask a model"},
        **NO_SECRET_WRITTEN,
        **ALWAYS,
    },
    "admin": {
        "read what verifies webhooks, or a bot's token": parameter(
            "GetParameters",
            *(name for names in INBOUND.values() for name in names if name not in BOTS),
            *TOKENS,
            *AGENT_S,
        ),
        "put an item, or delete a contact or a seat": [
            *_items(TABLE, ("PutItem",), "telegram#1", "seats#telegram", "lockout#cli", *SIGN_INS),
            *_items(TABLE, ("DeleteItem",), "telegram#1", "seats#telegram"),
        ],
        "look into prompts or budgets, or write there": _items(TABLE, ITEMS, "prompts#telegram#1", "budget#telegram#1"),
        "begin a session, or check a link, a session or a token as who signs in does": [
            *_items(TABLE, ("UpdateItem", "PutItem"), "sessions"),
            *_items(TABLE, ("GetItem", "BatchGetItem", "ConditionCheckItem"), *SIGN_INS),
            *_items(TABLE, ITEMS, "linksx", "sessions#1", "token"),
        ],
        "count guesses that were made elsewhere": _items(
            TABLE, ("GetItem", "UpdateItem", "PutItem", "BatchGetItem"), "lockout#api", "lockout#web", "lockout#ticket"
        ),
        "look up a claim or an invite as who sends it does, or delete one": [
            *_items(TABLE, ("GetItem", "BatchGetItem", "ConditionCheckItem", "PutItem", "DeleteItem"), *TICKETS),
            *_items(TABLE, ("Query",), "claims"),
        ],
        "read seats or guesses in bulk, or anything else from the list": [
            *_items(TABLE, ("BatchGetItem",), "seats#telegram", "lockout#cli"),
            *_items(TABLE, ("Query",), "telegram#1"),
            keyed("Query", TABLE, "seats#telegram", index="listing"),
            *_table(f"{TABLE}/index/listing", "Scan"),
        ],
        "reach a queue or the agent's memory, or change what strangers have written": [
            *MEMORY,
            *_items(AGENT_TABLE, tuple(one for one in ITEMS if one != "BatchGetItem"), "kept#telegram#1"),
            *(
                call
                for queue in (*QUEUES.values(), *DEAD_LETTERS.values())
                for call in _queue(queue, "SendMessage", *TAKING)
            ),
        ],
        **{what: ELSEWHERE[what] for what in NOT_ITS_WORK},
        **NO_SECRET_WRITTEN,
        **ALWAYS,
    },
    "web": {
        "read what verifies webhooks, or a bot's token": parameter(
            "GetParameters",
            *(name for names in INBOUND.values() for name in names if name not in BOTS),
            *TOKENS,
            *AGENT_S,
        ),
        "make, list, change or revoke a token": _items(
            TABLE, ("UpdateItem", "PutItem", "DeleteItem", "Query", "BatchGetItem", "ConditionCheckItem"), "tokens"
        ),
        "put an item, or delete a contact, a seat or a guess": [
            *_items(TABLE, ("PutItem",), "telegram#1", "seats#telegram", "lockout#web", *SIGN_INS),
            *_items(TABLE, ("DeleteItem",), "telegram#1", "seats#telegram", "lockout#api", "lockout#web"),
        ],
        "look into prompts, budgets or the operator's guesses, or write there, save to count a message": [
            *_items(TABLE, ITEMS, "prompts#telegram#1", "lockout#cli"),
            *_items(TABLE, tuple(action for action in ITEMS if action != "UpdateItem"), "budget#telegram#1"),
        ],
        "read seats or guesses in bulk, or anything else from the list": [
            *_items(TABLE, ("BatchGetItem",), "seats#telegram", "lockout#web", *SIGN_INS),
            *_items(TABLE, ("Query",), "telegram#1", "lockout#api", "lockout#web"),
            *_items(TABLE, ITEMS, "linksx", "sessions#1", "token"),
            keyed("Query", TABLE, "seats#telegram", index="listing"),
            *_table(f"{TABLE}/index/listing", "Scan"),
        ],
        "take from a queue, hand the agent a message, put anything aside, reach the agent's memory, or change what strangers have written": [
            *MEMORY,
            *_items(AGENT_TABLE, tuple(one for one in ITEMS if one != "BatchGetItem"), "kept#telegram#1"),
            *_queue(QUEUES["effects"], *TAKING),
            *(
                call
                for queue in (QUEUES["agent"], *DEAD_LETTERS.values())
                for call in _queue(queue, "SendMessage", *TAKING)
            ),
        ],
        "look up a claim or an invite as who sends it does, or delete one": [
            *_items(TABLE, ("GetItem", "BatchGetItem", "ConditionCheckItem", "PutItem", "DeleteItem"), *TICKETS),
            *_items(TABLE, ("Query",), "claims"),
        ],
        "call the admin function, which makes links and tokens": [
            Call("lambda:InvokeFunction", arn("lambda", f"function:{STACK}-admin"))
        ],
        **{what: ELSEWHERE[what] for what in NOT_ITS_WORK if what != "read metrics"},
        **NO_SECRET_WRITTEN,
        **ALWAYS,
    },
    "sweep": {
        "call another function, or do anything else with this one": [
            *(
                Call("lambda:InvokeFunction", arn("lambda", f"function:{STACK}-{name}Function"))
                for name in ("Telegram", "Slack", "Discord", "Provision", "Relay", "Agent", "Admin", "Web")
            ),
            Call("lambda:UpdateFunctionCode", arn("lambda", f"function:{STACK}-CourierFunction")),
        ],
        "reach a table, a queue or a secret": [
            *PAIRING,
            *MEMORY,
            *parameter("GetParameters", *PARAMETERS),
            *(
                call
                for queue in (*QUEUES.values(), *DEAD_LETTERS.values())
                for call in _queue(queue, "SendMessage", *TAKING)
            ),
        ],
        **NO_SECRET_WRITTEN,
        **ALWAYS,
    },
}


# Streams of one group cannot be told apart by a policy, groups can.
for _name, _refused in CANNOT.items():
    _others = [group for group in LOGS if _name not in functions() or group != group_of(_name)]
    _refused["write into another floor's log"] = [
        Call(f"logs:{action}", arn("logs", f"log-group:/doorcode/{STACK}/{group}:log-stream:1"))
        for action in ("CreateLogStream", "PutLogEvents")
        for group in _others
    ]


# What deploying needs. CloudFormation acts with the rights of whoever runs it.

_CRUD = "Create{0} Get{0} Update{0} Delete{0}"
DEPLOYS: dict[str, tuple[str, ...]] = {
    "AWS::ApiGatewayV2::Api": ("apigateway:GET POST PATCH DELETE",),
    "AWS::ApiGatewayV2::Integration": ("apigateway:GET POST PATCH DELETE",),
    "AWS::ApiGatewayV2::Route": ("apigateway:GET POST PATCH DELETE",),
    "AWS::ApiGatewayV2::Stage": (
        "apigateway:GET POST PATCH DELETE",
        "logs:CreateLogDelivery GetLogDelivery UpdateLogDelivery DeleteLogDelivery ListLogDeliveries",
        "logs:PutResourcePolicy DescribeResourcePolicies",
    ),
    "AWS::CloudWatch::Alarm": (
        "cloudwatch:PutMetricAlarm DescribeAlarms DeleteAlarms TagResource UntagResource ListTagsForResource",
    ),
    "AWS::CloudWatch::Dashboard": ("cloudwatch:PutDashboard GetDashboard DeleteDashboards",),
    "AWS::DynamoDB::Table": (
        "dynamodb:CreateTable DescribeTable UpdateTable DeleteTable",
        "dynamodb:UpdateTimeToLive DescribeTimeToLive UpdateContinuousBackups DescribeContinuousBackups",
        "dynamodb:TagResource UntagResource ListTagsOfResource DescribeContributorInsights GetResourcePolicy",
        "dynamodb:DescribeKinesisStreamingDestination",
    ),
    "AWS::IAM::Policy": ("iam:PutRolePolicy GetRolePolicy DeleteRolePolicy",),
    "AWS::IAM::Role": (
        "iam:CreateRole GetRole DeleteRole PassRole",
        "iam:PutRolePolicy GetRolePolicy DeleteRolePolicy ListRolePolicies ListAttachedRolePolicies",
        "iam:UpdateAssumeRolePolicy TagRole UntagRole",
    ),
    "AWS::Lambda::EventSourceMapping": (
        f"lambda:{_CRUD.format('EventSourceMapping')}",
        "lambda:TagResource UntagResource ListTags",
    ),
    "AWS::Lambda::Alias": (f"lambda:{_CRUD.format('Alias')}",),
    "AWS::Lambda::Permission": ("lambda:AddPermission GetPolicy RemovePermission",),
    "AWS::Logs::LogGroup": (
        "logs:CreateLogGroup DescribeLogGroups DeleteLogGroup PutRetentionPolicy DeleteRetentionPolicy",
        "logs:TagResource UntagResource ListTagsForResource DescribeIndexPolicies GetDataProtectionPolicy",
    ),
    "AWS::Logs::MetricFilter": ("logs:PutMetricFilter DescribeMetricFilters DeleteMetricFilter",),
    "AWS::SNS::Subscription": ("sns:Subscribe GetSubscriptionAttributes Unsubscribe",),
    "AWS::SNS::Topic": (
        "sns:CreateTopic GetTopicAttributes SetTopicAttributes ListSubscriptionsByTopic DeleteTopic",
        "sns:TagResource UntagResource ListTagsForResource GetDataProtectionPolicy",
    ),
    "AWS::SQS::Queue": (
        "sqs:CreateQueue GetQueueAttributes GetQueueUrl SetQueueAttributes DeleteQueue",
        "sqs:TagQueue UntagQueue ListQueueTags",
    ),
    "AWS::Scheduler::Schedule": (f"scheduler:{_CRUD.format('Schedule')}",),
    "AWS::Scheduler::ScheduleGroup": (
        "scheduler:CreateScheduleGroup GetScheduleGroup DeleteScheduleGroup",
        "scheduler:TagResource UntagResource ListTagsForResource",
    ),
    "AWS::Serverless::Function": (
        "lambda:CreateFunction GetFunction UpdateFunctionCode UpdateFunctionConfiguration DeleteFunction",
        "lambda:TagResource UntagResource ListTags",
    ),
    "AWS::Serverless::LayerVersion": ("lambda:PublishLayerVersion GetLayerVersion DeleteLayerVersion",),
    "Custom::Secrets": ("lambda:InvokeFunction",),
}
# What sam itself does around the stack.
AROUND = {
    "the stack `{stack}`, and the macro `Serverless-2016-10-31`": (
        "cloudformation:CreateChangeSet DescribeChangeSet ExecuteChangeSet DeleteChangeSet",
        "cloudformation:DescribeStacks DescribeStackEvents GetTemplateSummary GetTemplate DeleteStack",
    ),
    "clearing away a stack `{stack}` that never came up": (
        "cloudformation:DescribeStackResources",
        "dynamodb:Scan",
    ),
    "the stack `aws-sam-cli-managed-default` and its bucket, which hold what is uploaded": (
        "cloudformation:CreateChangeSet DescribeChangeSet ExecuteChangeSet DescribeStacks DescribeStackEvents",
        "s3:CreateBucket PutBucketPolicy PutBucketTagging PutBucketVersioning PutEncryptionConfiguration",
        "s3:PutBucketPublicAccessBlock ListBucket GetBucketLocation PutObject GetObject",
    ),
}


# The page

INTRODUCTION = """# Who may do what

<!-- Made from template.yaml and tests/infra/iam.py with `make iam`; do not edit. A test fails when it is stale. -->

Each function has a role of its own, which only Lambda can take, with the rights below and no others: no managed
policies, no wildcards in actions. What several may do is said once in `template.yaml` and copied into each one's role. Secrets
are encrypted with the account's own `aws/ssm` key, whose policy lets whoever may read a parameter decrypt it. A test runs every function through everything that it does, records each call of AWS, and
matches it against that function's role: each call is allowed, each right is used by some call, and what is listed under
*It cannot* is refused. `{stack}` is the name of the stack; tables, queues and functions go by their names in
`template.yaml`.
"""
LIMITS = """## What this does not promise

- A DynamoDB policy can tell partitions apart, not the items in them nor what is written: a function that may update
  `telegram#*` could write any state of any contact there. That it writes only what the rules allow is the code's promise,
  kept by the conditions of its writes.
- `*` in a partition stands for any id, and in `prompts#*` for any platform too. No other partition begins like these.
- Conditions on partitions hold "for all values", which IAM also finds true of a request that names no partition. Each action
  that is granted on the table always names one; those that do not (Scan, PartiQL) are not granted.
- A log group tells floors apart, not functions: a webhook function could write lines into the log that pass for another
  platform's, and one behind them for another's there. The agent has a group of its own, and nobody else writes into it
  ([decision 11](decisions/0011-said-once.md)).
- Each part of a transaction is matched by itself, with its own partition, as AWS documents it.
- `cloudwatch:GetMetricData` cannot be narrowed, neither to a namespace nor to a metric: the web function, which shows the days'
  numbers, could read every metric of this account and region. It is the one right on `*`.
- A model behind an inference profile may be any foundation model, in any region, but only through the profile that was set.
- The functions' way to the internet (Telegram, Slack, Discord) is no matter of IAM.
- The tests evaluate the roles by IAM's documented rules, on the operators that are used here. They do not ask AWS, and know
  nothing of what an organisation's policies take away beyond.
- Whoever may update the functions or pass their roles in this account has their rights.
"""
NONE_CAN = """## What none of them can

"""
COMMANDS = """## What the command needs

Commands that list and decide, and those that make links and tokens, need `lambda:InvokeFunction` on the function
`{stack}-admin`, and nothing else. Whoever has it decides who is let in, and about questions.

Whoever is only to ask by command, such as the role of an agent, needs the same on the function's alias, `{stack}-admin:asking`, **and must not have it on
`{stack}-admin` itself**: through the alias one can ask, look at, use and take back one's own questions, and decide nothing. IAM tells the two
apart by the resource: `arn:aws:lambda:{region}:{account}:function:{stack}-admin:asking`.

`doorcode parked` needs `cloudformation:ListStackResources` on the stack, and on the dead-letter queues `AgentDeadLetters` and
`EffectsDeadLetters` `sqs:ReceiveMessage` and `sqs:ChangeMessageVisibility`, for `list` also `sqs:GetQueueAttributes`, for
`resend` and `drop` `sqs:DeleteMessage`; `resend` also `sqs:SendMessage` on `AgentQueue` and `EffectsQueue`, where they go. Whoever has
these reads what people wrote that was parked.

`doorcode attach` needs `lambda:InvokeFunction` on `{stack}-admin`, for a token that can only answer, `cloudformation:DescribeStacks` and
`cloudformation:ListStackResources` on the stack, `ssm:GetParameters` on `/doorcode/{stack}/agent/webhook-secret`, on `AgentQueue`
`sqs:ReceiveMessage`, `sqs:ChangeMessageVisibility` and `sqs:DeleteMessage`, and on `AgentDeadLetters` `sqs:SendMessage`. `doorcode agent test`
needs `lambda:InvokeFunction` on `AgentFunction`, and the same of CloudFormation. What setting up needs: [setup.md](setup.md#what-your-credentials-need).
"""


def page() -> str:
    """Return docs/iam.md."""
    known, unset = policies(), policies(model="")
    titles = {name: f"Function `{name}`" for name in functions()}
    sections = [INTRODUCTION]
    for name, policy in known.items():
        always = {statement["Sid"]: listed(statement["Resource"]) for statement in unset[name]}
        about = titles.get(name, f"Schedule `{name}`")
        rows = [_row(name, statement, always.get(statement["Sid"])) for statement in policy]
        sections.append(
            f"## {about}\n\n| statement | why | actions | on | only |\n| --- | --- | --- | --- | --- |\n"
            + "\n".join(rows)
            + "\n\nIt cannot:\n\n"
            + "\n".join(f"- {what}" for what in CANNOT[name] if what not in ALWAYS)
            + f"\n\n{_by_aws(name)}\n"
        )
    sections += [NONE_CAN + "\n".join(f"- {what}" for what in ALWAYS) + "\n", LIMITS, COMMANDS, _deploying()]
    return "\n".join(sections)


def _row(role: str, statement: Statement, always: Sequence[str] | None) -> str:
    """Return a statement's row; ``always`` are the places that it has whoever the agent is, None if it is not there then."""
    actions = "<br>".join(f"`{action}`" for action in listed(statement["Action"]))
    places = "<br>".join(
        _shown(place) + (" where `Agent` needs it" if always is not None and place not in always else "")
        for place in listed(statement["Resource"])
    )
    only = [WHERE[listed(statement["Action"])[0]]] if always is None else []
    for tests in statement.get("Condition", {}).values():
        for key, values in tests.items():
            shown = ", ".join(_shown(value) if value.startswith("arn:") else f"`{value}`" for value in listed(values))
            only.append(f"{CONDITIONS[key]} {shown}")
    return f"| {statement['Sid']} | {_why(role, statement)} | {actions} | {places} | {'; '.join(only)} |"


WHERE = {
    "bedrock:InvokeModel": "`Agent` is `bedrock`",
    "lambda:InvokeFunction": "`Agent` is `function`",
    "bedrock-agentcore:InvokeAgentRuntime": "`Agent` is `agentcore`",
    "lambda:SendDurableExecutionCallbackSuccess": "`ResumeAsks` is `durable` or `both`",
    "states:SendTaskSuccess": "`ResumeAsks` is `task` or `both`",
}
CONDITIONS = {
    "dynamodb:LeadingKeys": "partitions",
    "events:source": "source",
    PROFILE_KEY: "through",
    "ssm:Overwrite": "overwriting is not",
}
SHOWN = (
    (r"\*", "anything"),
    (rf"arn:aws:dynamodb:[^:]+:[^:]+:table/{STACK}-(\w+)/stream/.*", r"stream of `\1`"),
    (rf"arn:aws:dynamodb:[^:]+:[^:]+:table/{STACK}-(\w+)/index/(\w+)", r"index `\2` of `\1`"),
    (rf"arn:aws:dynamodb:[^:]+:[^:]+:table/{STACK}-(\w+)", r"table `\1`"),
    (rf"arn:aws:sqs:[^:]+:[^:]+:{STACK}-(\w+)", r"queue `\1`"),
    (rf"arn:aws:lambda:[^:]+:[^:]+:function:{STACK}-(\w+)", r"`\1`"),
    (rf"arn:aws:ssm:[^:]+:[^:]+:parameter/doorcode/{STACK}/(.+)", r"parameter `/doorcode/{stack}/\1`"),
    (rf"arn:aws:logs:[^:]+:[^:]+:log-group:/doorcode/{STACK}/(\w+):\*", r"log group `/doorcode/{stack}/\1`"),
    (r"arn:aws:lambda:[^:]+:[^:]+:function:\*/durable-execution/\*", "any durable execution of the account"),
    (r"arn:aws:states:[^:]+:[^:]+:stateMachine:\*", "any state machine of the account"),
    (r"arn:aws:events:[^:]+:[^:]+:event-bus/(\w+)", r"event bus `\1`"),
    (rf"arn:aws:bedrock:[^:*]+::foundation-model/{re.escape(MODEL)}", r"foundation model `{AgentModel}`"),
    (rf"arn:aws:bedrock:[^:]+:[^:]+:inference-profile/{re.escape(MODEL)}", r"inference profile `{AgentModel}`"),
    (r"arn:aws:bedrock:\*::foundation-model/\*", r"any foundation model"),
    (rf"{AGENT_ARN}", r"`{AgentArn}`"),
    (rf"{AGENT_ARN}/runtime-endpoint/\*", r"`{AgentArn}/runtime-endpoint/*`"),
)


def _shown(resource: str) -> str:
    for pattern, words in SHOWN:
        if re.fullmatch(pattern, resource):
            return re.sub(pattern, words, resource)
    raise ValueError(f"{resource} cannot be shown")


def _by_aws(name: str) -> str:
    actions = ", ".join(f"`{action}`" for action in dict.fromkeys(call.action for call in asked_by_aws()[name]))
    who = "Lambda itself" if name in functions() else "EventBridge Scheduler"
    return f"Used by {who}, not by code: {actions}."


def _why(role: str, statement: Statement) -> str:
    with given(**EVERYTHING):
        said = policies_of(f"{role.capitalize()}Role")
    (said_by,) = (name for name, its in said.items() if statement["Sid"] in {one["Sid"] for one in its})
    return _whys()[said_by, statement["Sid"]]


def _whys() -> dict[tuple[str, str], str]:
    """Return the comments that stand above the template's statements, by the resource that says them and Sid."""
    whys: dict[tuple[str, str], str] = {}
    said_by = ""
    comment: list[str] = []
    for line in (ROOT / "template.yaml").read_text().splitlines():
        text = line.strip()
        if match := re.fullmatch(r"  (\w+):", line):
            said_by = match[1]
        if text.startswith("# "):
            comment.append(text[2:])
            continue
        if match := re.match(r"- \{?Sid: (\w+)", text):
            whys[said_by, match[1]] = " ".join(comment)
        comment = []
    return whys


def _deploying() -> str:
    kinds = sorted({resource["Type"] for resource in template()["Resources"].values()})
    rows = [f"| {about} | {_actions(actions)} |" for about, actions in AROUND.items()]
    rows += [f"| `{kind}` | {_actions(DEPLOYS[kind])} |" for kind in kinds]
    return (
        "## What deploying needs\n\n"
        "`make deploy` runs `sam deploy`, with your own AWS credentials. CloudFormation makes, changes and deletes each\n"
        "resource with your rights, so you need those below, for what is named `{stack}*` (and the API, whose id AWS makes\n"
        "up). The list is by AWS's documentation of each resource type; a test only sees to it that no type is missing.\n"
        "`iam:PassRole` and `iam:PutRolePolicy` make whoever holds them as mighty as the roles that he can write: where that\n"
        "is too much, give the list to a service role, and pass it with `sam deploy --role-arn`.\n\n"
        "| for | actions |\n| --- | --- |\n" + "\n".join(rows) + "\n"
    )


def _actions(groups: tuple[str, ...]) -> str:
    shown = []
    for group in groups:
        service, _, names = group.partition(":")
        shown += [f"`{service}:{name}`" for name in names.split()]
    return ", ".join(shown)


def as_text(calls: Any) -> str:
    """Return calls one on a line, for a failing test to show."""
    return json.dumps([str(call) for call in calls], indent=1)


if __name__ == "__main__":
    PAGE.write_text(page())
