"""Slack Bolt for Python with its own Lambda adapter: verify, read the contact, hand the message of a paired one off."""

import json
import os

import boto3
from slack_bolt import App
from slack_bolt.adapter.aws_lambda import SlackRequestHandler
from slack_sdk import WebClient

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")
app = App(
    client=WebClient(token=os.environ["SLACK_BOT_TOKEN"], base_url=os.environ["SLACK_API_URL"]),
    signing_secret=os.environ["SLACK_SIGNING_SECRET"],
    process_before_response=True,
)
adapter = SlackRequestHandler(app)


@app.event("message")
def message(event):
    """Hand a message off if its sender is paired."""
    key = {"pk": {"S": f"slack#{event['user']}"}, "sk": {"S": "contact"}}
    item = dynamodb.get_item(TableName=os.environ["TABLE_NAME"], Key=key, ConsistentRead=True).get("Item", {})
    if item.get("state") == {"S": "paired"}:
        sqs.send_message(
            QueueUrl=os.environ["AGENT_QUEUE_URL"],
            MessageBody=json.dumps({"user_id": event["user"], "text": event["text"], "channel": event["channel"]}),
            MessageGroupId=event["channel"],
            MessageDeduplicationId=f"{event['channel']}:{event['ts']}",
        )


def handler(event, context):
    """Give the request to Bolt."""
    return adapter.handle(event, context)
