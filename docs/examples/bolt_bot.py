"""Slack's Bolt, in Socket Mode, behind Doorcode's gate."""

import os

from doorcode_gate import ask
from slack_bolt import App, BoltResponse
from slack_bolt.adapter.socket_mode import SocketModeHandler


# The gate
def gate(body, context, client, next):
    event, refused = body.get("event", {}), BoltResponse(status=200)  # another status is sent again
    user, home, team = context.actor_user_id or context.user_id, context.team_id, context.actor_team_id
    if not user or event.get("bot_id"):
        return refused
    who = {"platform": "slack", "user_id": f"{team}:{user}" if team and team != home else user}
    who["delivery_id"] = body.get("event_id") or body.get("trigger_id") or body["actions"][0]["action_ts"]
    data = (body.get("actions") or [{}])[0].get("value") or ""
    if data.startswith(("pair:", "ask:")):
        pressed = ask("/api/gate/press", data=data, **who)
        context.respond(pressed["text"] or "Later, please.", response_type="ephemeral", replace_original=False)
        return refused
    channel, wrote = context.channel_id or "", event.get("type") in {"message", "app_mention"} or "command" in body
    where = {"type": "group" if channel and channel[0] != "D" else "direct", "id": channel}
    given = ask("/api/gate", chat=where | {"addressed": event.get("type") != "message"}, wrote=wrote, **who)
    if given["text"]:
        client.chat_postMessage(channel=user, text=given["text"])
    return next() if given["action"] == "admit" else refused


# Your bot: as it is, but for the line that sets the gate before every kind of request
def build(**options):
    app = App(**options)
    app.use(gate)
    app.event("message")(lambda say: say("Hello!"))
    app.command("/hello")(lambda ack: ack("Hello!"))
    app.action("menu")(lambda ack, say: (ack(), say("Hello!")))
    return app


if __name__ == "__main__":
    SocketModeHandler(build(token=os.environ["SLACK_BOT_TOKEN"]), os.environ["SLACK_APP_TOKEN"]).start()
