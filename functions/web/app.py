"""The HTTP API and the owner's page."""

from doorcode.web.surface import Web
from doorcode.wiring.web import web_handler

handler = web_handler(Web)
