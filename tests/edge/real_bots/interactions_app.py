"""A Discord interactions app on a bare HTTP server, with discord-interactions' own check of the signature."""

import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

from discord_interactions import InteractionResponseType, InteractionType, verify_key


class Interactions(BaseHTTPRequestHandler):
    """Answers interactions."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        """Check, then answer by the kind."""
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        signature, timestamp = self.headers["X-Signature-Ed25519"], self.headers["X-Signature-Timestamp"]
        if not (signature and timestamp and verify_key(raw, signature, timestamp, os.environ["SECRET"])):
            self.answer(401, b"Bad request signature")
            return
        interaction = json.loads(raw)
        user = interaction["member"]["user"] if "member" in interaction else interaction["user"]
        kind = interaction["type"]
        print(kind, user["id"], flush=True)
        if kind == InteractionType.APPLICATION_COMMAND_AUTOCOMPLETE:
            said = {
                "type": InteractionResponseType.APPLICATION_COMMAND_AUTOCOMPLETE_RESULT,
                "data": {"choices": [{"name": "Bern", "value": "bern"}]},
            }
        elif kind == InteractionType.MODAL_SUBMIT:
            said = {
                "type": InteractionResponseType.CHANNEL_MESSAGE_WITH_SOURCE,
                "data": {"content": "Thank you"},
            }
        else:
            said = {"type": InteractionResponseType.MODAL, "data": {"custom_id": "m", "title": "A modal"}}
        self.answer(200, json.dumps(said).encode())

    def answer(self, status, body):
        """Send an answer."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Say nothing."""


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Interactions).serve_forever()
