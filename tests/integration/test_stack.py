"""The template, deployed: what it makes, what it leaves, and what a function may not do."""

import json

from tests.eventually import eventually
from tests.integration.stack import Cloud, Stack

MADE_HERE = ("gateway-secret", "callback-secret", "telegram/webhook-secret", "agent/webhook-secret")


def test_every_output_is_there(stack: Stack) -> None:
    """The outputs are those that the operator and the command rely on."""
    assert stack.outputs.keys() >= {
        *("TelegramWebhookUrl", "SlackWebhookUrl", "DiscordWebhookUrl", "WebUrl"),
        *("TableName", "AgentQueueUrl", "ParameterPrefix"),
    }
    assert stack.outputs["ParameterPrefix"] == f"/doorcode/{stack.name}"


def test_missing_secrets_are_made_and_kept(cloud: Cloud) -> None:
    """Deploying makes three secrets; updating and deleting the stack leave them, and the table, as they are."""
    stack = cloud.deploy("kept")
    made = {name: stack.secret(name) for name in MADE_HERE}
    assert len(set(made.values())) == len(MADE_HERE)
    stack.redeploy(MaxPending=7)
    assert {name: stack.secret(name) for name in MADE_HERE} == made
    cloud.delete("kept")
    assert {name: stack.secret(name) for name in MADE_HERE} == made
    assert stack.items() == []
    label = (
        cloud.client("dynamodb").describe_table(TableName=stack.table)["Table"]["LatestStreamArn"].rpartition("/")[2]
    )
    again = cloud.deploy("kept", ExistingTableName=stack.table, ExistingTableStreamLabel=label)
    assert {name: again.secret(name) for name in MADE_HERE} == made
    assert again.table == stack.table
    cloud.delete("kept")


def test_a_webhook_is_refused_with_a_logged_reason(stack: Stack) -> None:
    """A request without a signature reaches the function, is answered 401, and its reason can be counted."""
    assert stack.post("telegram", b"{}").status == 401

    def refused() -> list[str]:
        # The lines of the request alone: a function that has just started also tells what its settings mean.
        return [
            record["reason"] for record in stack.log("telegram") if record["message"].startswith("Refused a request")
        ]

    assert eventually(refused) == ["bad_signature"]


def test_no_other_route_exists(stack: Stack) -> None:
    """Anything else is refused before it reaches a function."""
    assert stack.request("GET", "/telegram").status in {404, 405}
    assert stack.request("POST", "/admin").status == 404


def test_the_role_is_enforced(stack: Stack) -> None:
    """Without the right to read its contacts, the edge fails closed: the tests above ran under the roles as written."""
    iam, role = stack.client("iam"), stack.resource("TelegramRole")
    policies = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in ("deciders", "edge")
    }
    # All that reads an item goes: the emulator does not tell which partition is read, so that any of them would do.
    without = {
        name: {**policy, "Statement": [one for one in policy["Statement"] if "dynamodb:GetItem" not in one["Action"]]}
        for name, policy in policies.items()
    }
    update = {
        "update_id": 1,
        "message": {
            "message_id": 1,
            "date": 1,
            "chat": {"id": 55, "type": "private"},
            "from": {"id": 55, "is_bot": False, "first_name": "A"},
            "text": "hi",
        },
    }
    headers = {"X-Telegram-Bot-Api-Secret-Token": stack.secret("telegram/webhook-secret")}
    body = json.dumps(update).encode()
    assert stack.post("telegram", body, headers).status == 200
    for name, policy in without.items():
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
    try:
        assert stack.post("telegram", body, headers).status == 503
    finally:
        for name, policy in policies.items():
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
