"""Slack's webhook."""

from doorcode.platforms.slack import inbound as slack
from doorcode.wiring.edge import edge_handler

handler = edge_handler(slack)
