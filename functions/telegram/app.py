"""Telegram's webhook."""

from doorcode.entrypoints.wiring import edge_handler
from doorcode.platforms import telegram

handler = edge_handler(telegram)
