"""``doorcode telegram webhook``, against Telegram's stand-in."""

import time

import pytest

from tests.unit.cli.setup_fixtures import API, OWN, TELEGRAM_TOKEN, House

URL = f"{API}/telegram"


@pytest.fixture(autouse=True)
def _token(house: House) -> None:
    house.put("telegram/bot-token", TELEGRAM_TOKEN)


def test_set_gives_telegram_our_address_and_the_newest_secret(house: House) -> None:
    """Only what the edge reads is asked for, and who the bot is is kept for mentions."""
    house.put("telegram/webhook-secret", f"newest-of-them-0123456789\n{OWN['telegram/webhook-secret']}")
    ended = house.run("telegram", "webhook", "set")
    assert (ended.code, ended.out) == (0, f"✅ Telegram sends what people write to @doorcode_bot to {URL}\n")
    hook = house.telegram.hook
    assert (hook.url, hook.secret_token) == (URL, "newest-of-them-0123456789")
    assert hook.allowed_updates == ["message", "callback_query"]
    assert 1 <= hook.max_connections <= 40
    kept = house.parameter("telegram/bot")
    assert (kept["Type"], kept["Value"]) == ("String", "7000000001:doorcode_bot")


def test_set_twice_is_the_same(house: House) -> None:
    """Nothing is asked and nothing breaks."""
    assert house.run("telegram", "webhook", "set").code == 0
    assert house.run("telegram", "webhook", "set").code == 0


def test_info_before_a_webhook_says_what_to_run(house: House) -> None:
    """And who the bot is."""
    ended = house.run("telegram", "webhook", "info")
    assert ended.out == (
        "Bot:             @doorcode_bot (7000000001)\n"
        "Webhook:         none. Set it with: doorcode telegram webhook set\n"
    )


def test_info_shows_what_is_set(house: House) -> None:
    """And that it is ours."""
    house.run("telegram", "webhook", "set")
    ended = house.run("telegram", "webhook", "info")
    assert ended.code == 0
    assert f"{URL} (this stack's)" in ended.out
    assert "Updates:         message, callback_query" in ended.out
    assert "Last complaint:  none" in ended.out


def test_info_shows_what_telegram_complained_of(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Harmless for the terminal, whatever it holds."""
    at = int(time.time())
    complaint = "Wrong response\x1b[2J from the\u202e webhook: 401 Unauthorized"
    found = {
        "url": "https://elsewhere.example/hook", "pending_update_count": 7, "last_error_date": at,
        "last_error_message": complaint, "max_connections": 40,
    }  # fmt: skip
    monkeypatch.setitem(house.telegram._methods, "getWebhookInfo", (type(house.telegram).__mro__[1], lambda _: found))
    monkeypatch.setattr("doorcode_sandbox.platforms.telegram.stand_in.checked", lambda *_args, **_named: None)
    ended = house.run("telegram", "webhook", "info")
    assert "Pending updates: 7" in ended.out
    assert "Wrong response[2J from the webhook: 401 Unauthorized" in ended.out
    assert "\x1b" not in ended.out
    assert "\u202e" not in ended.out
    assert "not this stack's" in ended.out
    facts = house.run("telegram", "webhook", "info", "--json").json
    assert facts["ours"] is False
    assert facts["pending_updates"] == 7
    assert facts["last_error_at"].endswith("Z")
    assert facts["allowed_updates"] == []


def test_delete_asks(house: House) -> None:
    """The bot hears nothing any more."""
    house.run("telegram", "webhook", "set")
    assert house.run("telegram", "webhook", "delete", stdin=b"n\n").code == 1
    assert house.telegram.hook.url == URL
    ended = house.run("telegram", "webhook", "delete", stdin=b"y\n")
    assert (ended.code, house.telegram.hook.url) == (0, "")


def test_delete_with_confirm_does_not_ask(house: House) -> None:
    """And with nothing to delete it says so."""
    house.telegram.hook.url = "https://elsewhere.example/hook"
    assert "not this stack's" in house.run("telegram", "webhook", "delete", stdin=b"n\n").all
    assert house.run("telegram", "webhook", "delete", "--confirm").code == 0
    ended = house.run("telegram", "webhook", "delete", "--confirm")
    assert (ended.code, ended.out) == (0, "Telegram has no webhook for this bot.\n")


COMMANDS = [("set",), ("info",), ("delete", "--confirm")]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_token_is_one_line(house: House, command: tuple[str, ...]) -> None:
    """With the command that mends it."""
    house.put("telegram/bot-token", "7000000009:nobodys")
    ended = house.run("telegram", "webhook", *command)
    assert (ended.code, ended.err) == (
        1, "Telegram does not accept telegram/bot-token. Set it with: doorcode secrets set telegram/bot-token\n"
    )  # fmt: skip


def test_a_token_that_is_none_never_becomes_part_of_an_address(house: House) -> None:
    """Nothing is called."""
    house.put("telegram/bot-token", "../../evil")
    assert "does not accept telegram/bot-token" in house.run("telegram", "webhook", "set").err
    assert house.telegram.calls == []


@pytest.mark.parametrize("command", COMMANDS)
def test_a_missing_token_is_one_line(house: House, command: tuple[str, ...]) -> None:
    """With the command that sets it."""
    house.ssm.delete_parameter(Name="/doorcode/doorcode/telegram/bot-token")
    ended = house.run("telegram", "webhook", *command)
    assert ended.code == 1
    assert ended.err == "telegram/bot-token is not set. Set it with: doorcode secrets set telegram/bot-token\n"


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"status": 429, "delay": 7}, "asks to wait"),
        ({"status": 502}, "answers HTTP 502"),
        ({"hang": 5, "drop": True}, "does not answer at http://127.0.0.1:"),
    ],
    ids=["rate limited", "down", "hangs"],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_trouble_is_one_line(
    house: House, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], fault: dict[str, float], told: str
) -> None:
    """Never an address with the token in it."""
    monkeypatch.setattr("doorcode_cli.platform_api.TIMEOUT", 0.3)
    house.telegram.inject(times=9, **fault)
    ended = house.run("telegram", "webhook", *command)
    assert ended.code == 1
    assert told in ended.err
    assert ended.err.count("\n") == 1


def test_an_answer_that_is_none_is_trouble(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTP 200 with something else than Telegram says."""
    monkeypatch.setattr(house.telegram, "BOT", "hello")
    assert "refused" in house.run("telegram", "webhook", "info").err
    monkeypatch.setattr(house.telegram, "BOT", {"id": "x\x1b", "username": None})
    assert "does not say who the bot is" in house.run("telegram", "webhook", "info").err
    monkeypatch.setattr(house.telegram, "perform", lambda _: house.telegram.broken(200))
    assert "nothing that can be read" in house.run("telegram", "webhook", "info").err


def test_a_refusal_is_told_in_telegrams_words(house: House) -> None:
    """As they are, but harmless."""
    house.outputs["TelegramWebhookUrl"] = "http://plain.example/telegram"
    ended = house.run("telegram", "webhook", "set")
    assert (ended.code, "An HTTPS URL must be provided" in ended.err) == (1, True)


def test_nobody_listening_is_one_line(house: House) -> None:
    """A name that leads nowhere."""
    house.telegram.stop()
    ended = house.run("telegram", "webhook", "info")
    assert (ended.code, "ConnectError" in ended.err) == (1, True)


@pytest.mark.parametrize("command", COMMANDS)
def test_no_stack_ends_with_3(house: House, command: tuple[str, ...]) -> None:
    """One line."""
    ended = house.run("telegram", "webhook", *command, "--stack", "other")
    assert (ended.code, ended.err.count("\n")) == (3, 1)


def test_a_stack_that_is_none_of_ours_ends_with_3(house: House) -> None:
    """It has no such output."""
    house.outputs.clear()
    ended = house.run("telegram", "webhook", "set")
    assert (ended.code, "no output TelegramWebhookUrl" in ended.err) == (3, True)


def test_a_stack_without_its_functions_is_not_guessed_at(house: House) -> None:
    """The courier knows where Telegram's API is."""
    del house.resources["CourierFunction"]
    ended = house.run("telegram", "webhook", "set")
    assert (ended.code, "has no CourierFunction" in ended.err) == (1, True)


def test_an_api_address_that_cannot_be_used_is_named(house: House) -> None:
    """A token goes over https only."""
    house.configure(TELEGRAM_API_URL="http://plain.example")
    ended = house.run("telegram", "webhook", "set")
    assert (ended.code, "TELEGRAM_API_URL" in ended.err) == (1, True)


def test_the_environment_names_the_api_for_the_sandbox_only(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """In AWS a variable that was left over must not send the token elsewhere."""
    elsewhere = {"TELEGRAM_API_URL": "http://127.0.0.1:9"}
    assert house.run("telegram", "webhook", "info", environment=elsewhere).code == 0
    monkeypatch.setattr("doorcode_cli.target.Target.stack", "doorcode")
    monkeypatch.setattr("doorcode_cli.target.Target.public_url", "")
    ended = house.run("telegram", "webhook", "info", "--local", environment=elsewhere)
    assert (ended.code, "http://127.0.0.1:9" in ended.err) == (1, True)
