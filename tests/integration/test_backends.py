"""What the product relies on, shown of every DynamoDB that the tests use."""

import socket
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from doorcode.aws.client.errors import ServiceError
from tests.backends.dynamodb import EVERYWHERE, Table

CONTACT = {"pk": {"S": "telegram#1"}, "sk": {"S": "contact"}, "rev": {"N": "1"}}


def write(table: Table, rev: int, expected: int | None, token: str) -> None:
    """Move the contact to a revision in a transaction, if it is still at the expected one."""
    put: dict[str, Any] = {
        "TableName": table.name,
        "Item": {**CONTACT, "rev": {"N": str(rev)}},
        "ConditionExpression": "attribute_not_exists(rev)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if expected is not None:
        put |= {
            "ConditionExpression": "rev = :expected",
            "ExpressionAttributeValues": {":expected": {"N": str(expected)}},
        }
    table.client.transact_write_items(TransactItems=[{"Put": put}], ClientRequestToken=token)


@EVERYWHERE
def test_gives_back_what_was_put(table: Table) -> None:
    """An item is read as it was written."""
    table.client.put_item(TableName=table.name, Item=CONTACT)
    key = {"pk": CONTACT["pk"], "sk": CONTACT["sk"]}
    answer = table.client.get_item(TableName=table.name, Key=key, ConsistentRead=True)
    assert answer["Item"] == CONTACT


@EVERYWHERE
def test_a_lost_transaction_returns_the_item_that_won(table: Table) -> None:
    """ALL_OLD puts the item that failed the condition into the cancellation reasons."""
    table.client.put_item(TableName=table.name, Item=CONTACT)
    with pytest.raises((ClientError, ServiceError)) as lost:
        write(table, rev=1, expected=7, token=uuid.uuid4().hex)
    response: Any = lost.value.response
    (reason,) = response["CancellationReasons"]
    assert reason["Code"] == "ConditionalCheckFailed"
    assert reason["Item"] == CONTACT


def test_a_repeated_transaction_succeeds_again(racing_table: Table) -> None:
    """The same ClientRequestToken with the same items is the same write. moto ignores the token."""
    token = uuid.uuid4().hex
    for _ in range(2):
        write(racing_table, rev=1, expected=None, token=token)
    with pytest.raises((ClientError, ServiceError), match="TransactWriteItems"):
        write(racing_table, rev=1, expected=None, token=uuid.uuid4().hex)


@pytest.mark.parametrize("turn", ["first", "second"])
def test_every_parameter_store_is_empty(ssm: Any, turn: str) -> None:
    """What one test writes into the Parameter Store, the next does not find."""
    ssm.put_parameter(Name="/doorcode/test/secret", Value=turn, Type="SecureString")
    answer = ssm.get_parameter(Name="/doorcode/test/secret", WithDecryption=True)
    assert answer["Parameter"]["Value"] == turn


def test_no_test_reaches_beyond_this_machine() -> None:
    """Neither an address nor a name of another machine can be reached."""
    with pytest.raises(pytest.fail.Exception, match=r"192\.0\.2\.1"):
        socket.create_connection(("192.0.2.1", 443))
    with pytest.raises(pytest.fail.Exception, match=r"host\.invalid"):
        socket.getaddrinfo("host.invalid", 443)
