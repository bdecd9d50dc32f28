"""Slack's webhook."""

from doorcode.entrypoints.wiring import edge_handler
from doorcode.platforms import slack

handler = edge_handler(slack)
