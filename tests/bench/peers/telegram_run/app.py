"""python-telegram-bot's Application made anew for each call, inside ``asyncio.run``, as many examples have it."""

import asyncio
import hmac
import json
import os

import boto3
from telegram import Update
from telegram.ext import Application, MessageHandler, filters

dynamodb = boto3.client("dynamodb")
sqs = boto3.client("sqs")


async def message(update, context):
    """Hand a message off if its sender is paired."""
    user_id = update.effective_user.id
    key = {"pk": {"S": f"telegram#{user_id}"}, "sk": {"S": "contact"}}
    item = dynamodb.get_item(TableName=os.environ["TABLE_NAME"], Key=key, ConsistentRead=True).get("Item", {})
    if item.get("state") == {"S": "paired"}:
        sqs.send_message(
            QueueUrl=os.environ["AGENT_QUEUE_URL"],
            MessageBody=json.dumps({"user_id": user_id, "text": update.message.text}),
            MessageGroupId=str(update.effective_chat.id),
            MessageDeduplicationId=str(update.update_id),
        )


async def serve(event):
    """Build the application, give it one update, and shut it down."""
    application = (
        Application.builder()
        .token(os.environ["TELEGRAM_BOT_TOKEN"])
        .base_url(os.environ["TELEGRAM_API_URL"] + "/bot")
        .updater(None)
        .build()
    )
    application.add_handler(MessageHandler(filters.TEXT, message))
    async with application:
        await application.process_update(Update.de_json(json.loads(event["body"]), application.bot))


def handler(event, context):
    """Verify, and serve the update."""
    token = event["headers"].get("x-telegram-bot-api-secret-token", "")
    if not hmac.compare_digest(token, os.environ["TELEGRAM_WEBHOOK_SECRET"]):
        return {"statusCode": 401}
    asyncio.run(serve(event))
    return {"statusCode": 200}
