"""Discord's webhook."""

from doorcode.entrypoints.wiring import edge_handler
from doorcode.platforms import discord

handler = edge_handler(discord)
