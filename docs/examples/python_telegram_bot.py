"""python-telegram-bot, polling, behind Doorcode's gate."""

import asyncio
import os

from doorcode_gate import ask
from telegram import Update
from telegram.ext import Application, ApplicationHandlerStop, CallbackQueryHandler, MessageHandler, TypeHandler, filters


# The gate
async def admits(update, bot):
    user, chat, query, said = update.effective_user, update.effective_chat, update.callback_query, update.message
    who = {"platform": "telegram", "user_id": str(user.id), "delivery_id": str(update.update_id)}
    who |= {"name": user.full_name, "username": user.username or ""}
    if query and str(query.data).startswith(("pair:", "ask:")):
        pressed = await asyncio.to_thread(ask, "/api/gate/press", data=query.data, **who)
        return await query.answer(pressed["text"][:200]) and False
    where = {"type": "group" if chat and chat.type != "private" else "direct", "id": str(chat.id if chat else "")}
    where["addressed"] = bool(query or (said and f"@{bot.username}" in (said.text or said.caption or "")))
    given = await asyncio.to_thread(ask, "/api/gate", chat=where, wrote=update.message is not None, **who)
    if given["text"]:
        await bot.send_message(user.id, given["text"])
    return given["action"] == "admit"


async def gate(update, context):
    admitted = False
    try:
        admitted = await admits(update, context.bot)
    finally:  # an exception of another kind would let the update pass
        if not admitted:
            raise ApplicationHandlerStop


# Your bot: as it is, but for the handler in a group before all others
async def answer(update, context):
    await context.bot.send_message(update.effective_user.id, "Hello!")


def build(builder):
    application = builder.build()
    application.add_handler(TypeHandler(Update, gate, block=True), group=-1)
    application.add_handler(MessageHandler(filters.ALL, answer))
    application.add_handler(CallbackQueryHandler(answer))
    return application


if __name__ == "__main__":
    build(Application.builder().token(os.environ["BOT_TOKEN"])).run_polling(allowed_updates=Update.ALL_TYPES)
