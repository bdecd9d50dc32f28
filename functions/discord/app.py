"""Discord's webhook."""

from doorcode.platforms.discord import inbound as discord
from doorcode.wiring.edge import edge_handler

handler = edge_handler(discord)
