"""A python-telegram-bot bot with a webhook, as its documents show: messages, edits, a button, an inline query."""

import os

from telegram import Update
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    InlineQueryHandler,
    MessageHandler,
    MessageReactionHandler,
    PreCheckoutQueryHandler,
    filters,
)


def told(kind):
    """Make a handler that says what came and from whom."""

    async def handler(update, context):
        print(kind, update.update_id, update.effective_user.id, flush=True)
        if kind == "message":
            await update.message.reply_text(f"You said: {update.message.text}")
        elif kind == "button":
            await update.callback_query.answer("pressed")

    return handler


application = (
    Application.builder().token(os.environ["TOKEN"]).base_url(os.environ["API_URL"] + "/bot").build()
)  # fmt: skip
application.add_handler(MessageHandler(filters.UpdateType.MESSAGE & filters.SUCCESSFUL_PAYMENT, told("payment")))
application.add_handler(MessageHandler(filters.UpdateType.MESSAGE, told("message")))
application.add_handler(MessageHandler(filters.UpdateType.EDITED_MESSAGE, told("edit")))
application.add_handler(CallbackQueryHandler(told("button")))
application.add_handler(InlineQueryHandler(told("inline")))
application.add_handler(PreCheckoutQueryHandler(told("checkout")))
application.add_handler(MessageReactionHandler(told("reaction")))
application.run_webhook(
    listen="127.0.0.1",
    port=int(os.environ["PORT"]),
    url_path="hook",
    webhook_url="https://door.example/telegram",
    secret_token=os.environ["SECRET"],
    allowed_updates=Update.ALL_TYPES,
)
