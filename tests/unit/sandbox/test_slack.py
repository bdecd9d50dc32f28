"""The stand-in for Slack does what Slack's documentation says."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from doorcode_sandbox.platforms.slack.stand_in import SlackStandIn, live_markup
from tests.unit.sandbox.http import call

NOW = 1_800_000_000.0


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    """Give a stand-in with a person who wrote to the app, and one who did not."""
    with SlackStandIn(clock=lambda: NOW) as stand_in:
        stand_in.add_user("U1", "bob", "Robert", channel="D1")
        stand_in.open_chat("U1")
        stand_in.add_user("U2")
        stand_in.add_channel("C1", "U1")
        yield stand_in


def _do(stand_in: SlackStandIn, method: str, **fields: Any) -> Any:
    return call(stand_in, "POST", f"/api/{method}", fields, Authorization=f"Bearer {stand_in.token}")[1]


def _post(stand_in: SlackStandIn, text: str = "hello", **more: Any) -> Any:
    return _do(stand_in, "chat.postMessage", **{"channel": "D1", "text": text, **more})


def _button(text: str = "x", action_id: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": text}, "action_id": action_id, **more}


def _section(text: str, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": text}}


def _actions(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(buttons)}


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "not_authed"),
        ({"Authorization": "Bearer wrong"}, "invalid_auth"),
        ({"Authorization": "Basic xoxb-stand-in"}, "not_authed"),
    ],
)
def test_token(slack: SlackStandIn, headers: dict[str, Any], error: str) -> None:
    """Without the token nothing is done, and the status is 200 all the same."""
    assert call(slack, "POST", "/api/auth.test", {}, **headers)[:2] == (200, {"ok": False, "error": error})


def test_token_in_a_form(slack: SlackStandIn) -> None:
    """A form may hold the token as a field."""
    answer = call(slack, "POST", "/api/auth.test", {"token": slack.token}, form=True)[1]
    assert (answer["ok"], answer["user_id"], answer["team_id"]) == (True, slack.BOT_USER, slack.TEAM)


def test_methods(slack: SlackStandIn) -> None:
    """A method that there is not is said so, and what is no JSON is refused."""
    assert _do(slack, "chat.dance")["error"] == "unknown_method"
    assert call(slack, "POST", "/elsewhere", {})[0] == 404
    assert call(slack, "POST", "/api/auth.test", b"{")[1] == {"ok": False, "error": "invalid_json"}


def test_scopes(slack: SlackStandIn) -> None:
    """A method needs its scope."""
    slack.scopes = {"im:write"}
    assert _post(slack) == {"ok": False, "error": "missing_scope", "needed": "chat:write", "provided": "im:write"}
    assert _do(slack, "auth.test")["ok"]


def test_post(slack: SlackStandIn) -> None:
    """A message has a timestamp for an id, and may go into a thread."""
    answer = _post(slack, thread_ts="1.000001")
    assert (answer["channel"], answer["message"]["text"], answer["message"]["thread_ts"]) == ("D1", "hello", "1.000001")
    assert answer["ts"].startswith("1800000000.")
    assert _post(slack)["ts"] > answer["ts"]


def test_post_to_a_person(slack: SlackStandIn) -> None:
    """A person's id stands for the app's direct messages with them."""
    assert _post(slack, channel="U2")["channel"] == "D2"


def test_blocks(slack: SlackStandIn) -> None:
    """Sections and buttons are taken up to their limits."""
    blocks = [
        _section("x" * 3000),
        _section("y", "plain_text"),
        _actions(_button("x" * 75, "a", value="x" * 2000), _button(action_id="b", style="danger")),
    ]
    assert _post(slack, "", blocks=blocks)["ok"]


def test_refused(slack: SlackStandIn) -> None:
    """What Slack refuses is ``ok: false`` with its word, and is not there."""
    for fields, error in (
        ({"channel": "D9"}, "channel_not_found"),
        ({"text": " "}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"text": "<!channel>"}, "invalid_arguments"),
        ({"text": "<@U1>"}, "invalid_arguments"),
        ({"text": "a & b"}, "invalid_arguments"),
        ({"blocks": [_section("<https://evil.example|x>")]}, "invalid_arguments"),
        ({"colour": "red"}, "invalid_arguments"),
        ({"thread_ts": "yesterday"}, "invalid_arguments"),
        ({"parse": "all"}, "invalid_arguments"),
        ({"blocks": [_section("x" * 3001)]}, "invalid_blocks"),
        ({"blocks": [_section("")]}, "invalid_blocks"),
        ({"blocks": [_section("x")] * 51}, "invalid_blocks"),
        ({"blocks": [{"type": "dance"}]}, "invalid_blocks"),
        ({"blocks": [{**_section("x"), "colour": "red"}]}, "invalid_blocks"),
        ({"blocks": [_actions()]}, "invalid_blocks"),
        ({"blocks": [_actions(_button("x" * 76))]}, "invalid_blocks"),
        ({"blocks": [_actions(_button(action_id="x" * 256))]}, "invalid_blocks"),
        ({"blocks": [_actions(_button(value="x" * 2001))]}, "invalid_blocks"),
        ({"blocks": [_actions(_button(style="blue"))]}, "invalid_blocks"),
        ({"blocks": [_actions(_button(), _button())]}, "invalid_blocks"),
    ):
        answer = _post(slack, **fields)
        assert (answer["ok"], answer["error"]) == (False, error), fields
        assert slack.in_chat("D1") == [], fields


def test_not_strict() -> None:
    """Only the strict stand-in refuses mentions, and fields that Slack would ignore."""
    with SlackStandIn(strict=False) as slack:
        slack.open_chat("U1")
        assert _post(slack, "<!channel>", colour="red")["ok"]


def test_update(slack: SlackStandIn) -> None:
    """A message can be changed as often as one likes, and only where it is."""
    ts = _post(slack, blocks=[_actions(_button())])["ts"]
    for _ in range(2):
        answer = _do(slack, "chat.update", channel="D1", ts=ts, text="other", blocks=[_section("other")])
        assert (answer["ok"], answer["text"], answer["ts"]) == (True, "other", ts)
    assert _do(slack, "chat.update", channel="D1", ts="1.000001", text="x")["error"] == "message_not_found"
    assert _do(slack, "chat.update", channel="D9", ts=ts, text="x")["error"] == "channel_not_found"


def test_open(slack: SlackStandIn) -> None:
    """Direct messages are opened once."""
    assert _do(slack, "conversations.open", users="U2") == {"ok": True, "channel": {"id": "D2"}}
    assert _do(slack, "conversations.open", users="U2")["already_open"] is True
    assert _do(slack, "conversations.open", users="")["error"] == "users_list_not_supplied"
    assert _do(slack, "conversations.open", users="U1,U2")["error"] == "not_enough_users"
    assert _do(slack, "conversations.open", users="U9")["error"] == "user_not_found"


def test_disabled(slack: SlackStandIn) -> None:
    """Whose account is closed gets nothing."""
    slack.users["U1"].disabled = True
    assert _do(slack, "conversations.open", users="U1")["error"] == "user_disabled"
    assert _post(slack)["error"] == "channel_not_found"


def test_info(slack: SlackStandIn) -> None:
    """A person's names can be looked up."""
    user = _do(slack, "users.info", user="U1")["user"]
    assert (user["name"], user["real_name"], user["profile"]["display_name"]) == ("bob", "Robert", "bob")
    assert _do(slack, "users.info", user="U9")["error"] == "user_not_found"


def test_ephemeral(slack: SlackStandIn) -> None:
    """What only one person sees goes to somebody in the channel, and is no message."""
    fields = {"channel": "C1", "user": "U1", "text": "psst"}
    assert _do(slack, "chat.postEphemeral", **fields)["ok"]
    assert _do(slack, "chat.postEphemeral", **fields | {"user": "U2"})["error"] == "user_not_in_channel"
    whispers = [(whisper.chat, whisper.only_for, whisper.shown["text"]) for whisper in slack.whispers]
    assert whispers == [("C1", "U1", "psst")]
    assert slack.in_chat("C1") == []


def test_response_url_in_place_of_the_original(slack: SlackStandIn) -> None:
    """An answer may take the place of the message that was pressed."""
    sent = _post(slack, "Well?", channel="C1")
    path = urlsplit(slack.response_url("U1", "C1", sent["ts"])).path
    assert call(slack, "POST", path, {"replace_original": True, "text": "Done"})[0] == 200
    assert [message.shown["text"] for message in slack.in_chat("C1")] == ["Done"]
    assert slack.whispers == []


def test_response_url() -> None:
    """A press can be answered five times in thirty minutes, without a token."""
    now = [NOW]
    with SlackStandIn(clock=lambda: now[0]) as slack:
        path = urlsplit(slack.response_url("U1", "C1")).path
        said = {"response_type": "ephemeral", "replace_original": False, "text": "Only the owner can do this."}
        assert call(slack, "POST", path, said)[:2] == (200, b"ok")
        assert call(slack, "POST", path, {"response_type": "in_channel", "text": "hello"})[0] == 200
        assert call(slack, "POST", path, {"text": ""})[1]["error"] == "no_text"
        assert slack.whispers[0].shown["text"] == said["text"]
        assert len(slack.in_chat("C1")) == 1
        for _ in range(3):
            assert call(slack, "POST", path, said)[0] == 200
        assert call(slack, "POST", path, said)[:2] == (404, {"ok": False, "error": "used_url"})
        late = urlsplit(slack.response_url("U1", "C1")).path
        now[0] += 30 * 60
        assert call(slack, "POST", late, said)[:2] == (404, {"ok": False, "error": "expired_url"})
        assert call(slack, "POST", "/actions/T/1/made-up", said)[0] == 404


def test_rate_limit(slack: SlackStandIn) -> None:
    """A rate limit is 429 with the seconds in a header."""
    slack.inject(status=429, delay=30)
    status, answer, headers = call(slack, "POST", "/api/auth.test", {}, Authorization=f"Bearer {slack.token}")
    assert (status, answer, headers["Retry-After"]) == (429, {"ok": False, "error": "ratelimited"}, "30")


@pytest.mark.parametrize(
    ("text", "live"),
    [
        ("*bold* _it_ ~gone~ `code`", ["*bold*", "_it_", "~gone~", "`code`"]),
        ("<!channel> <@U1> <https://a.example|b>", ["<!channel>", "<@U1>", "<https://a.example|b>"]),
        ("a_b_c 2*3*4 &lt;!channel&gt;", []),
    ],
)
def test_live_markup(text: str, live: list[str]) -> None:
    """What apps draw as something else than text is told."""
    assert live_markup(text) == live
