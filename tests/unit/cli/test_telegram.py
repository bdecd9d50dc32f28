"""``doorcode telegram webhook``, against Telegram's stand-in."""

import time

import pytest

from tests.unit.cli.setup_fixtures import API, OWN, TELEGRAM_TOKEN, Harness

URL = f"{API}/telegram"


@pytest.fixture(autouse=True)
def _token(harness: Harness) -> None:
    harness.put("telegram/bot-token", TELEGRAM_TOKEN)


def test_set_gives_telegram_our_address_and_the_newest_secret(harness: Harness) -> None:
    """Only what the edge reads is asked for, and who the bot is is kept for mentions."""
    harness.put("telegram/webhook-secret", f"newest-of-them-0123456789\n{OWN['telegram/webhook-secret']}")
    ended = harness.run("telegram", "webhook", "set")
    assert (ended.code, ended.out) == (0, f"✅ Telegram sends what people write to @doorcode_bot to {URL}\n")
    hook = harness.telegram.hook
    assert (hook.url, hook.secret_token) == (URL, "newest-of-them-0123456789")
    assert hook.allowed_updates == ["message", "callback_query", "edited_message"]
    assert 1 <= hook.max_connections <= 40
    kept = harness.parameter("telegram/bot")
    assert (kept["Type"], kept["Value"]) == ("String", "7000000001:doorcode_bot")


def test_set_twice_is_the_same(harness: Harness) -> None:
    """Nothing is asked and nothing breaks."""
    assert harness.run("telegram", "webhook", "set").code == 0
    assert harness.run("telegram", "webhook", "set").code == 0


def test_info_before_a_webhook_says_what_to_run(harness: Harness) -> None:
    """And who the bot is."""
    ended = harness.run("telegram", "webhook", "info")
    assert ended.out == (
        "Bot:             @doorcode_bot (7000000001)\n"
        "Webhook:         none. Set it with: doorcode telegram webhook set\n"
    )


def test_info_shows_what_is_set(harness: Harness) -> None:
    """And that it is ours."""
    harness.run("telegram", "webhook", "set")
    ended = harness.run("telegram", "webhook", "info")
    assert ended.code == 0
    assert f"{URL} (this stack's)" in ended.out
    assert "Updates:         message, callback_query" in ended.out
    assert "Last complaint:  none" in ended.out


def test_info_shows_what_telegram_complained_of(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Harmless for the terminal, whatever it holds."""
    at = int(time.time())
    complaint = "Wrong response\x1b[2J from the\u202e webhook: 401 Unauthorized"
    found = {
        "url": "https://elsewhere.example/hook", "pending_update_count": 7, "last_error_date": at,
        "last_error_message": complaint, "max_connections": 40,
    }  # fmt: skip
    monkeypatch.setitem(
        harness.telegram._methods, "getWebhookInfo", (type(harness.telegram).__mro__[1], lambda _: found)
    )
    monkeypatch.setattr("doorcode_sandbox.platforms.telegram.stand_in.checked", lambda *_args, **_named: None)
    ended = harness.run("telegram", "webhook", "info")
    assert "Pending updates: 7" in ended.out
    assert "Wrong response[2J from the webhook: 401 Unauthorized" in ended.out
    assert "\x1b" not in ended.out
    assert "\u202e" not in ended.out
    assert "not this stack's" in ended.out
    facts = harness.run("telegram", "webhook", "info", "--json").json
    assert facts["ours"] is False
    assert facts["pending_updates"] == 7
    assert facts["last_error_at"].endswith("Z")
    assert facts["allowed_updates"] == []


def test_delete_asks(harness: Harness) -> None:
    """The bot hears nothing any more."""
    harness.run("telegram", "webhook", "set")
    assert harness.run("telegram", "webhook", "delete", stdin=b"n\n").code == 1
    assert harness.telegram.hook.url == URL
    ended = harness.run("telegram", "webhook", "delete", stdin=b"y\n")
    assert (ended.code, harness.telegram.hook.url) == (0, "")


def test_delete_with_confirm_does_not_ask(harness: Harness) -> None:
    """And with nothing to delete it says so."""
    harness.telegram.hook.url = "https://elsewhere.example/hook"
    assert "not this stack's" in harness.run("telegram", "webhook", "delete", stdin=b"n\n").all
    assert harness.run("telegram", "webhook", "delete", "--confirm").code == 0
    ended = harness.run("telegram", "webhook", "delete", "--confirm")
    assert (ended.code, ended.out) == (0, "Telegram has no webhook for this bot.\n")


COMMANDS = [("set",), ("info",), ("delete", "--confirm")]


def test_a_wrong_token_is_one_line(harness: Harness) -> None:
    """With the command that mends it."""
    for command in COMMANDS:
        harness.put("telegram/bot-token", "7000000009:nobodys")
        ended = harness.run("telegram", "webhook", *command)
        assert (ended.code, ended.err) == (
            1, "Telegram does not accept telegram/bot-token. Set it with: doorcode secrets set telegram/bot-token\n"
        ), command  # fmt: skip


def test_a_token_that_is_none_never_becomes_part_of_an_address(harness: Harness) -> None:
    """Nothing is called."""
    harness.put("telegram/bot-token", "../../evil")
    assert "does not accept telegram/bot-token" in harness.run("telegram", "webhook", "set").err
    assert harness.telegram.calls == []


def test_a_missing_token_is_one_line(harness: Harness) -> None:
    """With the command that sets it."""
    harness.ssm.delete_parameter(Name="/doorcode/doorcode/telegram/bot-token")
    for command in COMMANDS:
        ended = harness.run("telegram", "webhook", *command)
        assert ended.code == 1, command
        assert ended.err == "telegram/bot-token is not set. Set it with: doorcode secrets set telegram/bot-token\n", (
            command
        )


def test_trouble_is_one_line(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never an address with the token in it."""
    monkeypatch.setattr("doorcode_cli.platform_api.TIMEOUT", 0.3)
    for fault, told in (
        ({"status": 429, "delay": 7}, "asks to wait"),
        ({"status": 502}, "answers HTTP 502"),
        ({"hang": 5, "drop": True}, "does not answer at http://127.0.0.1:"),
    ):
        # One that hangs is waited for, which is the same for each.
        for command in COMMANDS[: 1 if "hang" in fault else None]:
            harness.telegram.inject(times=9, **fault)
            ended = harness.run("telegram", "webhook", *command)
            assert ended.code == 1, (command, told)
            assert told in ended.err, (command, told)
            assert ended.err.count("\n") == 1, (command, told)
            harness.telegram.recover()


def test_an_answer_that_is_none_is_trouble(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP 200 with something else than Telegram says."""
    monkeypatch.setattr(harness.telegram, "BOT", "hello")
    assert "refused" in harness.run("telegram", "webhook", "info").err
    monkeypatch.setattr(harness.telegram, "BOT", {"id": "x\x1b", "username": None})
    assert "does not say who the bot is" in harness.run("telegram", "webhook", "info").err
    monkeypatch.setattr(harness.telegram, "perform", lambda _: harness.telegram.broken(200))
    assert "nothing that can be read" in harness.run("telegram", "webhook", "info").err


def test_a_refusal_is_told_in_telegrams_words(harness: Harness) -> None:
    """As they are, but harmless."""
    harness.outputs["TelegramWebhookUrl"] = "http://plain.example/telegram"
    ended = harness.run("telegram", "webhook", "set")
    assert (ended.code, "An HTTPS URL must be provided" in ended.err) == (1, True)


def test_nobody_listening_is_one_line(harness: Harness) -> None:
    """A name that leads nowhere."""
    harness.telegram.stop()
    ended = harness.run("telegram", "webhook", "info")
    assert (ended.code, "ConnectError" in ended.err) == (1, True)


def test_no_stack_ends_with_3(harness: Harness) -> None:
    """One line."""
    for command in COMMANDS:
        ended = harness.run("telegram", "webhook", *command, "--stack", "other")
        assert (ended.code, ended.err.count("\n")) == (3, 1), command


def test_a_stack_that_is_none_of_ours_ends_with_3(harness: Harness) -> None:
    """It has no such output."""
    harness.outputs.clear()
    ended = harness.run("telegram", "webhook", "set")
    assert (ended.code, "no output TelegramWebhookUrl" in ended.err) == (3, True)


def test_a_stack_without_its_functions_is_not_guessed_at(harness: Harness) -> None:
    """The courier knows where Telegram's API is."""
    del harness.resources["CourierFunction"]
    ended = harness.run("telegram", "webhook", "set")
    assert (ended.code, "has no CourierFunction" in ended.err) == (1, True)


def test_an_api_address_that_cannot_be_used_is_named(harness: Harness) -> None:
    """A token goes over https only."""
    harness.configure(TELEGRAM_API_URL="http://plain.example")
    ended = harness.run("telegram", "webhook", "set")
    assert (ended.code, "TELEGRAM_API_URL" in ended.err) == (1, True)


def test_the_environment_names_the_api_for_the_sandbox_only(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """In AWS a variable that was left over must not send the token elsewhere."""
    elsewhere = {"TELEGRAM_API_URL": "http://127.0.0.1:9"}
    assert harness.run("telegram", "webhook", "info", environment=elsewhere).code == 0
    monkeypatch.setattr("doorcode_cli.target.Target.stack", "doorcode")
    monkeypatch.setattr("doorcode_cli.target.Target.public_url", "")
    ended = harness.run("telegram", "webhook", "info", "--local", environment=elsewhere)
    assert (ended.code, "http://127.0.0.1:9" in ended.err) == (1, True)


def test_a_bot_behind_the_door_gets_whatever_people_do(harness: Harness) -> None:
    """Also what Telegram leaves out unless asked; or what is named, and always what Doorcode itself needs."""
    harness.configure(AGENT="bot", AGENT_URL="https://bot.example")
    assert harness.run("telegram", "webhook", "set").code == 0
    kinds = harness.telegram.hook.allowed_updates
    assert {"message", "callback_query", "inline_query", "chat_member", "message_reaction"} <= set(kinds)
    assert not {"poll", "channel_post", "chat_boost"} & set(kinds)
    assert harness.run("telegram", "webhook", "set", "--updates", "inline_query, poll_answer").code == 0
    assert harness.telegram.hook.allowed_updates == ["message", "callback_query", "inline_query", "poll_answer"]
    # A new secret changes nothing about them.
    assert harness.run("secrets", "rotate", "telegram/webhook-secret").code == 0
    assert harness.telegram.hook.allowed_updates == ["message", "callback_query", "inline_query", "poll_answer"]
    wrong = harness.run("telegram", "webhook", "set", "--updates", "channel_post")
    assert (wrong.code, "channel_post is nothing that somebody does" in wrong.err) == (2, True)


def test_updates_are_for_a_bot(harness: Harness) -> None:
    """No other agent reads more than messages and presses."""
    ended = harness.run("telegram", "webhook", "set", "--updates", "inline_query")
    assert (ended.code, "Agent=bot" in ended.err, harness.telegram.hook.url) == (2, True, "")
