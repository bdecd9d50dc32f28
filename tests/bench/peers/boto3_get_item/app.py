"""boto3's client and one read of one item: what the SDK costs before there is any product."""

import os

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event, context):
    """Read a contact, verify nothing, answer."""
    key = {"pk": {"S": "telegram#987654321"}, "sk": {"S": "contact"}}
    dynamodb.get_item(TableName=os.environ["TABLE_NAME"], Key=key, ConsistentRead=True)
    return {"statusCode": 200}
