"""The HTTP API and the owner's page."""

from doorcode.wiring.web import web_handler

handler = web_handler()
