"""``doorcode slack manifest``."""

import pytest
import yaml

from doorcode_cli.exit_codes import CommandError
from doorcode_cli.platforms.slack.commands import team_of
from doorcode_cli.platforms.slack.commands import yaml as as_yaml
from tests.unit.cli.setup_fixtures import API, SLACK_TOKEN, Harness, refusal

URL = f"{API}/slack"


def test_the_manifest_is_complete(harness: Harness) -> None:
    """Addresses, scopes, events, buttons, and a messages tab to write in."""
    ended = harness.run("slack", "manifest")
    assert ended.code == 0
    assert ended.json == {
        "display_information": {
            "name": "Doorcode",
            "description": "A private bot: write to it, and its owner decides who may talk to it.",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "doorcode", "always_online": True},
            "slash_commands": [
                {
                    "command": "/door",
                    "url": URL,
                    "description": "For the owner: who waits, and a link to the page",
                    "should_escape": False,
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": ["chat:write", "commands", "im:history", "im:write", "users:read"]}},
        "settings": {
            "event_subscriptions": {"request_url": URL, "bot_events": ["message.im"]},
            "interactivity": {"is_enabled": True, "request_url": URL},
            "org_deploy_enabled": False,
            "socket_mode_enabled": False,
            "token_rotation_enabled": False,
        },
    }
    assert "doorcode secrets set slack/signing-secret" in ended.err


def test_every_scope_that_is_used_is_asked_for(harness: Harness) -> None:
    """What the stand-in, as Slack, wants for the methods that are called."""
    bot = harness.run("slack", "manifest").json["oauth_config"]["scopes"]["bot"]
    assert set(harness.slack.SCOPES.values()) <= set(bot)


def test_mentions_are_heard_as_the_group_policy_has_it(harness: Harness) -> None:
    """No more rights than are needed."""
    for policy, options, expected in (
        ("off", (), False),
        ("mention_only", (), True),
        ("mention_only", ("--no-groups",), False),
        ("off", ("--groups",), True),
    ):
        harness.configure(GROUP_POLICY=policy)
        made = harness.run("slack", "manifest", *options).json
        assert ("app_mentions:read" in made["oauth_config"]["scopes"]["bot"]) is expected, (policy, options)
        assert ("app_mention" in made["settings"]["event_subscriptions"]["bot_events"]) is expected, (policy, options)


def test_yaml_says_the_same(harness: Harness) -> None:
    """As a parser reads it."""
    made = harness.run("slack", "manifest", "--name", 'He said: "# no" - 日本').json
    ended = harness.run("slack", "manifest", "--yaml", "--name", 'He said: "# no" - 日本')
    assert yaml.safe_load(ended.out) == made
    assert yaml.safe_load(as_yaml({"a": [1, "b: c"], "d": {"e": True}})) == {"a": [1, "b: c"], "d": {"e": True}}


def test_a_name_that_slack_would_refuse_is_usage(harness: Harness) -> None:
    """Before the stack is asked."""
    for name in ("", " ", "x" * 36, "a\x1bb"):
        assert harness.run("slack", "manifest", "--name", name).code == 2, name


def test_a_name_of_other_letters_still_has_a_handle(harness: Harness) -> None:
    """Slack takes a-z and 0-9 there."""
    assert harness.run("slack", "manifest", "--name", "日本").json["features"]["bot_user"]["display_name"] == "doorcode"


def test_no_stack_ends_with_3(harness: Harness) -> None:
    """One line, and nothing that could be taken for a manifest."""
    ended = harness.run("slack", "manifest", "--stack", "other")
    assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1)


def test_a_function_that_cannot_be_asked_ends_with_3(harness: Harness) -> None:
    """Naming the options that make it unnecessary is left to the help."""
    harness.lambda_refused = refusal(
        "AccessDeniedException", "not authorized to perform lambda:GetFunctionConfiguration"
    )
    assert harness.run("slack", "manifest").code == 3
    assert harness.run("slack", "manifest", "--no-groups").code == 0
    harness.lambda_refused = None
    harness.resources_refused = refusal("AccessDenied", "not authorized to perform cloudformation:ListStackResources")
    assert harness.run("slack", "manifest").code == 3


@pytest.mark.parametrize("command", [("secrets", "set", "slack/bot-token"), ("slack", "workspace")])
def test_the_workspace_is_stored(harness: Harness, command: tuple[str, ...]) -> None:
    """Security 39: which workspace the app is in comes from its token, and is kept as it is read."""
    harness.configure()
    if command[0] == "slack":
        harness.put("slack/bot-token", SLACK_TOKEN)
    ended = harness.run(*command, stdin=SLACK_TOKEN.encode())
    assert ended.code == 0
    kept = harness.parameter("slack/team")
    assert (kept["Value"], kept["Type"]) == ("T0WORKSPACE:", "String")
    assert "T0WORKSPACE" in ended.out + ended.err


def test_a_workspace_that_is_not_told_is_said(harness: Harness) -> None:
    """The token is set all the same, and the line says what to do once Slack answers."""
    harness.configure()
    harness.slack.inject(status=500, name="auth.test")
    ended = harness.run("secrets", "set", "slack/bot-token", stdin=SLACK_TOKEN.encode())
    assert ended.code == 0
    assert "doorcode slack workspace" in ended.err
    assert not harness.has("slack/team")


@pytest.mark.parametrize("said", [{}, {"team_id": 5}, {"team_id": "T1:E2"}, {"team_id": "T0A", "enterprise_id": "../"}])
def test_a_workspace_that_is_none_is_refused(said: dict[str, object]) -> None:
    """What Slack says is stored only if it has the form of ids."""
    with pytest.raises(CommandError):
        team_of(said)


def test_an_app_that_is_there_already_changes_only_where_it_is_sent_to(harness: Harness) -> None:
    """Its name, scopes, commands and events are its own."""
    harness.configure(AGENT="slack=bot", AGENT_URL="https://bot.example")
    ended = harness.run("slack", "manifest")
    assert ended.json == {
        "settings": {
            "event_subscriptions": {"request_url": URL},
            "interactivity": {"is_enabled": True, "request_url": URL},
            "socket_mode_enabled": False,
        }
    }
    assert f"slash commands the URL {URL}" in ended.err
