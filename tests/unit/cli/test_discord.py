"""``doorcode discord register``, against Discord's stand-in."""

import pytest

from doorcode_cli.platforms.discord.commands import DESCRIPTION
from tests.unit.cli.setup_fixtures import API, DISCORD_TOKEN, VERIFY_KEY, Harness

URL = f"{API}/discord"


@pytest.fixture(autouse=True)
def _token(harness: Harness) -> None:
    harness.put("discord/bot-token", DISCORD_TOKEN)


def test_register_does_all_of_it(harness: Harness) -> None:
    """Key, description, kinds of installation, command, endpoint, links."""
    probed: list[tuple[str, str, int]] = []

    def probe(url: str) -> bool:
        probed.append((url, harness.value("discord/public-key"), len(harness.discord.commands)))
        return True

    harness.discord.probe = probe
    ended = harness.run("discord", "register")
    assert ended.code == 0, ended.err
    # The key can be read, by functions that had just looked, before Discord tries the endpoint.
    assert probed == [(URL, VERIFY_KEY, 2)]
    assert harness.slept == [3]
    application = harness.discord.application
    assert application["interactions_endpoint_url"] == URL
    assert application["description"] == DESCRIPTION
    assert application["integration_types_config"]["1"]["oauth2_install_params"]["scopes"] == ["applications.commands"]
    command, door = harness.discord.commands
    # The owner's own, where nobody else reads along.
    assert (door["name"], door["type"], door["contexts"], door["options"]) == ("door", 1, [1], [])
    assert (command["name"], command["type"], command["contexts"]) == ("chat", 1, [0, 1, 2])
    assert command["integration_types"] == [0, 1]
    (option,) = command["options"]
    assert (option["name"], option["type"], option["required"]) == ("message", 3, True)
    client = application["id"]
    assert (
        f"https://discord.com/oauth2/authorize?client_id={client}&scope=applications.commands+bot"
        "&integration_type=0&permissions=0" in ended.out
    )
    link = f"https://discord.com/oauth2/authorize?client_id={client}&scope=applications.commands&integration_type=1"
    assert link in ended.out


def test_register_again_waits_for_nothing(harness: Harness) -> None:
    """The key is there already."""
    harness.run("discord", "register")
    harness.slept.clear()
    ended = harness.run("discord", "register", "--json")
    assert (ended.code, harness.slept) == (0, [])
    assert ended.json["interactions_endpoint_url"] == URL
    assert ended.json["application_id"] == harness.discord.application["id"]
    assert harness.parameter("discord/public-key")["Version"] == 1


def test_what_the_profile_says_already_stays(harness: Harness) -> None:
    """Unless another text is given."""
    harness.discord.application |= {
        "description": "The concierge", "integration_types_config": {"0": {"oauth2_install_params": {"scopes": ["bot"]}}}
    }  # fmt: skip
    harness.run("discord", "register")
    assert harness.discord.application["description"] == "The concierge"
    assert harness.discord.application["integration_types_config"]["0"] == {
        "oauth2_install_params": {"scopes": ["bot"]}
    }
    harness.run("discord", "register", "--description", "Another one")
    assert harness.discord.application["description"] == "Another one"


def test_an_endpoint_that_is_slow_to_verify_is_tried_again(harness: Harness) -> None:
    """A function may have read its secrets just before."""
    answers = [False, True]
    harness.discord.probe = lambda _: answers.pop(0)
    assert harness.run("discord", "register").code == 0
    assert harness.slept == [3, 3]


def test_an_endpoint_that_does_not_verify_is_told_with_what_to_do(harness: Harness) -> None:
    """Discord's own words, how long to wait, and the doctor."""
    harness.discord.probe = lambda _: False
    ended = harness.run("discord", "register")
    assert ended.code == 1
    assert "could not be verified" in ended.err
    assert "within 5 minutes" in ended.err
    assert "doorcode doctor" in ended.err
    assert ended.err.count("\n") == 1
    assert harness.value("discord/public-key") == VERIFY_KEY


def test_a_wrong_token_is_one_line(harness: Harness) -> None:
    """And nothing more is called: Discord counts that."""
    harness.put("discord/bot-token", "somebody.elses.token")
    ended = harness.run("discord", "register")
    assert (ended.code, "does not accept discord/bot-token" in ended.err) == (1, True)
    assert len(harness.discord.calls) == 1


def test_a_missing_token_is_one_line(harness: Harness) -> None:
    """With the command that sets it."""
    harness.ssm.delete_parameter(Name="/doorcode/doorcode/discord/bot-token")
    ended = harness.run("discord", "register")
    assert (ended.code, "doorcode secrets set discord/bot-token" in ended.err) == (1, True)


def test_trouble_is_one_line(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it comes."""
    monkeypatch.setattr("doorcode_cli.platform_api.TIMEOUT", 0.3)
    for fault, told in (
        ({"status": 429, "delay": 7}, "asks to wait 7 s"),
        ({"status": 502}, "answers HTTP 502"),
        ({"hang": 5, "drop": True}, "does not answer"),
    ):
        # One that hangs is waited for, which is the same for each.
        for name in ("putCommands", "editApplication", "getApplication")[: 1 if "hang" in fault else None]:
            harness.discord.inject(name=name, times=9, **fault)
            ended = harness.run("discord", "register")
            assert ended.code == 1, (name, told)
            assert told in ended.err, (name, told)
            assert ended.err.count("\n") == 1, (name, told)
            harness.discord.recover()


def test_trouble_while_setting_the_endpoint_is_no_refusal(harness: Harness) -> None:
    """It is not tried again."""
    harness.discord.probe = lambda _: bool(harness.discord.inject(name="editApplication", status=502)) and False
    ended = harness.run("discord", "register")
    assert (ended.code, "answers HTTP 502" in ended.err) == (1, True)


def test_an_application_that_is_none_is_refused(harness: Harness) -> None:
    """Nothing of it becomes part of an address or a key."""
    for changes, told in (
        ({"verify_key": "short"}, "does not tell the application's public key"),
        ({"verify_key": VERIFY_KEY, "id": "x"}, "another form"),
    ):
        harness.discord.application |= changes
        ended = harness.run("discord", "register")
        assert (ended.code, told in ended.err) == (1, True), changes
        assert not harness.has("discord/public-key"), changes


def test_an_answer_that_is_none_is_trouble(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP 200 with something else than Discord says."""
    monkeypatch.setattr(harness.discord, "perform", lambda _: harness.discord.broken(200))
    assert "nothing that can be read" in harness.run("discord", "register").err


def test_a_description_that_discord_would_refuse_is_usage(harness: Harness) -> None:
    """Before anything is called."""
    for text in ("", "x" * 401):
        assert harness.run("discord", "register", "--description", text).code == 2, text


def test_no_stack_ends_with_3(harness: Harness) -> None:
    """One line."""
    ended = harness.run("discord", "register", "--stack", "other")
    assert (ended.code, ended.err.count("\n")) == (3, 1)


def test_a_bot_behind_the_door_keeps_what_it_has_set_up(harness: Harness) -> None:
    """Its commands, its profile and its kinds of installation; /chat is added where it is asked for, once."""
    harness.configure(AGENT="discord=bot", AGENT_URL="https://bot.example")
    own = {"id": "1", "name": "weather"}
    harness.discord.commands = [own]
    before = dict(harness.discord.application)
    ended = harness.run("discord", "register")
    assert (ended.code, "its commands are left as they are" in ended.out) == (0, True)
    assert harness.discord.commands == [own]
    assert harness.discord.application == before | {"interactions_endpoint_url": URL}
    assert harness.value("discord/public-key") == VERIFY_KEY
    for _ in range(2):
        assert "Registered /chat for" in harness.run("discord", "register", "--chat").out
        assert [command["name"] for command in harness.discord.commands] == ["weather", "chat"]
    assert "Registered /door for" in harness.run("discord", "register", "--door").out
    assert [command["name"] for command in harness.discord.commands] == ["weather", "chat", "door"]
