"""aiogram 3, polling, behind Doorcode's gate."""

import asyncio
import os

from aiogram import BaseMiddleware, Bot, Dispatcher
from doorcode_gate import ask


# The gate
class Gate(BaseMiddleware):
    async def __call__(self, handler, update, data):
        user, chat, bot = data.get("event_from_user"), data.get("event_chat"), data["bot"]
        query, said = update.callback_query, update.message
        if user is None:
            return
        who = {"platform": "telegram", "user_id": str(user.id), "delivery_id": str(update.update_id)}
        who |= {"name": user.full_name, "username": user.username or ""}
        if query and (query.data or "").startswith(("pair:", "ask:")):
            pressed = await asyncio.to_thread(ask, "/api/gate/press", data=query.data, **who)
            return await bot.answer_callback_query(query.id, pressed["text"][:200])
        where = {"type": "group" if chat and chat.type != "private" else "direct", "id": str(chat.id if chat else "")}
        where["addressed"] = bool(query or (said and f"@{(await bot.me()).username}" in (said.text or "")))
        given = await asyncio.to_thread(ask, "/api/gate", chat=where, wrote=said is not None, **who)
        if given["text"]:
            await bot.send_message(user.id, given["text"])
        if given["action"] == "admit":
            return await handler(update, data)


# Your bot: as it is, but for the line that sets the gate before every kind of update
def build():
    dispatcher = Dispatcher()
    dispatcher.update.outer_middleware(Gate())

    @dispatcher.message()
    @dispatcher.callback_query()
    async def answer(event, bot):
        await bot.send_message(event.from_user.id, "Hello!")

    return dispatcher


if __name__ == "__main__":
    asyncio.run(build().start_polling(Bot(os.environ["BOT_TOKEN"])))
