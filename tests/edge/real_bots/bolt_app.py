"""A Slack Bolt app over HTTP, as its documents show: a message, a command, a menu's options, a modal."""

import os

from slack_bolt import App
from slack_sdk import WebClient

app = App(
    client=WebClient(token=os.environ["TOKEN"], base_url=os.environ["API_URL"]),
    signing_secret=os.environ["SECRET"],
    # Answered in the response.
    process_before_response=True,
)


@app.event("message")
def message(event, say):
    """Answer a message."""
    print("message", event["user"], flush=True)
    say(f"You said: {event['text']}")


@app.event("reaction_added")
def reaction(event):
    """Note a reaction."""
    print("reaction", event["user"], flush=True)


@app.command("/weather")
def weather(ack, command):
    """Answer a command in the response."""
    print("command", command["user_id"], flush=True)
    ack(f"Weather: {command['text']}")


@app.options("city")
def cities(ack, body):
    """Give a menu's options in the response."""
    print("options", body["user"]["id"], flush=True)
    ack(options=[{"text": {"type": "plain_text", "text": "Bern"}, "value": "bern"}])


@app.view("some_view")
def submitted(ack, body):
    """Refuse a modal's input, in the response."""
    print("view", body["user"]["id"], flush=True)
    ack(response_action="errors", errors={"hspI": "Try another"})


app.start(port=int(os.environ["PORT"]), path="/hook", http_server_logger_enabled=False)
