"""The HTTP API and the owner's page."""

from doorcode.entrypoints.web_wiring import web_handler
from doorcode.web.surface import Web

handler = web_handler(Web)
