"""python-telegram-bot's Application on one event loop that lives as long as the environment."""

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


application = (
    Application.builder()
    .token(os.environ["TELEGRAM_BOT_TOKEN"])
    .base_url(os.environ["TELEGRAM_API_URL"] + "/bot")
    .updater(None)
    .build()
)
application.add_handler(MessageHandler(filters.TEXT, message))
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(application.initialize())


def handler(event, context):
    """Verify, and give the update to the application."""
    token = event["headers"].get("x-telegram-bot-api-secret-token", "")
    if not hmac.compare_digest(token, os.environ["TELEGRAM_WEBHOOK_SECRET"]):
        return {"statusCode": 401}
    update = Update.de_json(json.loads(event["body"]), application.bot)
    loop.run_until_complete(application.process_update(update))
    return {"statusCode": 200}
