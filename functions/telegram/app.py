"""Telegram's webhook."""

from doorcode.platforms.telegram import inbound as telegram
from doorcode.wiring.edge import edge_handler

handler = edge_handler(telegram)
