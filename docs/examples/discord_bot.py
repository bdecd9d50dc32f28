"""discord.py, with a gateway connection, behind Doorcode's gate."""

import asyncio
import os

import discord
from discord import app_commands
from discord.ext import commands
from doorcode_gate import ask


# The gate
async def admits(person, update, reply, wrote):
    where = {"type": "group" if update.guild else "direct", "id": str(update.channel.id), "addressed": True}
    who = {"platform": "discord", "user_id": str(person.id), "delivery_id": str(update.id), "username": person.name}
    data = str((getattr(update, "data", None) or {}).get("custom_id", ""))
    if data.startswith(("pair:", "ask:")):
        given = await asyncio.to_thread(ask, "/api/gate/press", data=data, **who)
    else:
        given = await asyncio.to_thread(ask, "/api/gate", chat=where, wrote=wrote, **who)
    if given.get("action") != "admit":
        await reply(given["text"])
    return given.get("action") == "admit"


class Door:
    async def interaction_check(self, interaction):
        async def reply(text):
            if interaction.type is not discord.InteractionType.autocomplete:
                await interaction.response.send_message(text or "This bot is private.", ephemeral=True)

        wrote = interaction.type is discord.InteractionType.application_command
        return await admits(interaction.user, interaction, reply, wrote)


# Your bot: each of its doors asks the gate (so must listeners of messages in cogs, which discord.py calls by themselves)
class Bot(commands.Bot):
    async def on_message(self, message):
        async def reply(text):
            if text:
                await message.channel.send(text)

        if not message.author.bot and await admits(message.author, message, reply, wrote=True):
            await self.process_commands(message)

    async def on_interaction(self, interaction):
        if str((interaction.data or {}).get("custom_id", "")).startswith(("pair:", "ask:")):
            await Door().interaction_check(interaction)


class Tree(Door, app_commands.CommandTree):
    pass


class View(Door, discord.ui.View):
    @discord.ui.button(label="Menu", custom_id="menu")
    async def menu(self, interaction, button):
        await interaction.response.send_message("Hello!")


def build():
    intents = discord.Intents(messages=True, message_content=True, guilds=True)
    bot = Bot("!", intents=intents, tree_cls=Tree)

    @bot.command()
    async def hello(context):
        await context.send("Hello!")

    @bot.tree.command(description="Say hello", name="hello")
    async def hello_command(interaction: discord.Interaction):
        await interaction.response.send_message("Hello!")

    return bot


async def main():
    async with build() as bot:
        bot.add_view(View(timeout=None))
        await bot.start(os.environ["BOT_TOKEN"])


if __name__ == "__main__":
    asyncio.run(main())
