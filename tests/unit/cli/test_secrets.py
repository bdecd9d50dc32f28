"""``doorcode secrets``: what is taken, what is kept, and that nothing of it is shown."""

import json
import os
import pty
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from doorcode.agent.webhook import signed
from doorcode.aws.secrets import SecretStore
from doorcode.pairing.keyring import key_id
from doorcode_cli.known_secrets import FORMS
from doorcode_cli.secret_forms import doubt, is_placeholder, problem
from doorcode_cli.secrets import MAX_RING
from tests.eventually import PATIENCE_SECONDS, eventually
from tests.unit.cli.setup_fixtures import OWN, PREFIX, TELEGRAM_TOKEN, Harness, refusal

REAL = {
    "gateway-secret": "another-gateway-secret-0123",
    "callback-secret": "another-callback-secret-0123",
    "telegram/webhook-secret": "another_webhook-secret_0123",
    "telegram/bot-token": "1234567890:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0",
    "slack/signing-secret": "8f742231b10e8888abcd99yyyzzz85a5".replace("y", "0").replace("z", "1"),
    "slack/bot-token": "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy",
    "discord/public-key": "0123456789abcdef" * 4,
    "whatsapp/app-secret": "8f742231b10e8888abcd999000111850",
    "whatsapp/verify-token": "another_verify-token_0123",
    "whatsapp/bot-token": f"EAAG{'m0PX4ZCpsBAKZCr' * 6}",
    "discord/bot-token": "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs0aaaa",
    "agent/instructions": "Your name is Bob.\nBe brief, and [never] rude.",
    "agent/api-key": "sk-proj-0123456789abcdefABCDEF",
    "agent/asks-token": "dc_0123456789abcdef." + "A" * 43,
    "agent/webhook-secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
}

# Where they stand in what ``termios.tcgetattr`` returns.
LOCAL_MODES = 3


# set


def test_a_secret_is_taken_from_standard_input(harness: Harness) -> None:
    """What is piped in is kept, encrypted, and not shown."""
    for name, secret in REAL.items():
        ended = harness.run("secrets", "set", name, stdin=f"  {secret}\r\n".encode())
        assert ended.code == 0, ended.err
        assert ended.out == f"✅ Set {name}\n", name
        assert harness.value(name) == secret, name
        assert harness.parameter(name)["Type"] == "SecureString", name
        assert "usually" not in ended.err, name


def test_a_secret_is_taken_from_a_file(harness: Harness, tmp_path: Path) -> None:
    """A file is read as text, with or without a byte order mark."""
    path = tmp_path / "token"
    path.write_bytes(b"\xef\xbb\xbf" + REAL["telegram/bot-token"].encode() + b"\n")
    ended = harness.run("secrets", "set", "telegram/bot-token", "--file", str(path))
    assert ended.code == 0
    assert harness.value("telegram/bot-token") == REAL["telegram/bot-token"]
    assert "Next: doorcode telegram webhook set" in ended.err


def test_the_prompt_shows_nothing_of_what_is_typed(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal the value is asked for."""
    asked: list[dict[str, object]] = []

    def prompt(text: str, **options: object) -> str:
        asked.append({"text": text, **options})
        return REAL["slack/bot-token"]

    monkeypatch.setattr("doorcode_cli.secrets.typer.prompt", prompt)
    monkeypatch.setattr("doorcode_cli.secrets._at_a_terminal", lambda: True)
    ended = harness.run("secrets", "set", "slack/bot-token")
    assert ended.code == 0
    assert asked == [{"text": "slack/bot-token", "hide_input": True, "err": True}]


def test_a_real_terminal_echoes_nothing() -> None:
    """The prompt, as a process at a terminal of its own: what is typed does not come back."""
    program = (
        "from doorcode_cli import secrets\n"
        "from doorcode_cli.known_secrets import FORMS\n"
        "given = secrets._given(FORMS['telegram/bot-token'], None)\n"
        "print(len(given))\n"
    )
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    seen = b""
    while b": " not in seen:
        seen += os.read(ours, 1000)
    assert eventually(lambda: not termios.tcgetattr(ours)[LOCAL_MODES] & termios.ECHO)
    os.write(ours, b"123456:typed-secret\n")
    while b"19" not in seen:
        seen += os.read(ours, 1000)
    assert process.wait(PATIENCE_SECONDS) == 0
    os.close(ours)
    assert b"typed-secret" not in seen


def test_a_secret_as_an_argument_is_refused_without_repeating_it(harness: Harness) -> None:
    """Usage, and not a word of what was given."""
    for arguments in (
        ("telegram/bot-token", "123456:hidden-value"),
        ("telegram/bot-token", "--value=hidden-value"),
        ("telegram/bot-token", "-iddenvalue"),
        ("123456:hidden-value",),
        ("hidden-value", "telegram/bot-token"),
    ):
        ended = harness.run("secrets", "set", *arguments, stdin=b"1234567:abcdefgh")
        assert ended.code == 2, arguments
        assert "hidden-value" not in ended.all, arguments
        assert "iddenvalue" not in ended.all, arguments
        assert not harness.has("telegram/bot-token"), arguments


def test_a_secret_that_looks_like_asking_for_help_is_not_repeated(harness: Harness) -> None:
    """What begins like ``-h`` asks for help: nothing is set, and not a word of it is said again."""
    ended = harness.run("secrets", "set", "telegram/bot-token", "-hidden-value", stdin=b"1234567:abcdefgh")
    assert ended.code in {0, 2}
    assert "hidden-value" not in ended.all
    assert not harness.has("telegram/bot-token")


def test_what_cannot_be_that_secret_is_refused_in_one_line(harness: Harness) -> None:
    """Exit code 1, one line that says why, nothing of the value, and nothing changed. Security 1, 31."""
    for name, value, told in (
        ("telegram/bot-token", b"", "is empty"),
        ("telegram/bot-token", b"\n \n", "is empty"),
        ("telegram/bot-token", b"hello there", "it has the bot's number"),
        ("telegram/bot-token", b"123:abc\n456:def", "more than one line"),
        ("telegram/bot-token", b"123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11", "placeholder"),
        ("telegram/bot-token", b"123456:your-token", "placeholder"),
        ("telegram/bot-token", b"\xff\xfe", "is no text"),
        ("slack/bot-token", b"xoxp-1-2-3", "a user's token"),
        ("slack/bot-token", b"xapp-1-2-3", "an app-level token"),
        ("slack/bot-token", b"xoxe.xoxb-1-2", "token rotation"),
        ("slack/bot-token", b"0123456789abcdef0123456789abcdef", "the signing secret"),
        ("slack/bot-token", b"xoxb-your-token", "placeholder"),
        ("slack/signing-secret", b"xoxb-1-2-3", "is a token"),
        ("slack/signing-secret", b"<signing secret>", "placeholder"),
        ("discord/public-key", b"abcdef", "64 hex digits"),
        ("discord/public-key", b"g" * 63 + b"h", "64 hex digits"),
        ("discord/public-key", b"MTk4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs", "discord/bot-token"),
        ("discord/bot-token", b"Bot MTk4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs", "Leave out the word".lower()),
        ("discord/bot-token", b"0123456789abcdef" * 4, "discord/public-key"),
        ("discord/bot-token", b"aBcDeFgHiJkLmNoPqRsTuVwXyZ012345", "client secret"),
        ("whatsapp/app-secret", b"EAAGm0PX4ZCpsBAKZCrEAAGm0PX4ZCps", "an access token"),
        ("whatsapp/app-secret", b"123456789012345", "the app's id"),
        ("whatsapp/bot-token", b"0123456789abcdef" * 2, "whatsapp/app-secret"),
        ("whatsapp/bot-token", b"123456|abcdef", "the app's own token"),
        ("whatsapp/bot-token", b"EAA...", "placeholder"),
        ("whatsapp/verify-token", b"short", "16 to 256"),
        ("gateway-secret", b"short", "at least 16 characters"),
        ("agent/instructions", b" \n", "is empty"),
        ("agent/instructions", b"a word " * 600, "too much"),
        ("agent/api-key", b"your-api-key", "placeholder"),
        ("agent/api-key", b"two words", "without spaces"),
        ("agent/webhook-secret", b"0123456789abcdef0123456789abcdef", "24 to 64 random bytes in base64"),
        ("agent/webhook-secret", b"whsec_c2hvcnQ=", "24 to 64 random bytes in base64"),
        ("agent/webhook-secret", b"whsec_your-secret", "placeholder"),
        ("gateway-secret", b"changeme", "placeholder"),
        ("telegram/webhook-secret", b"has.a.dot.in.it.somewhere", "16 to 256"),
        ("telegram/webhook-secret", b"x" * 257, "placeholder"),
        ("gateway-secret", b"\n".join(b"a-secret-of-sixteen-%d" % n for n in range(MAX_RING + 1)), "too much"),
        ("gateway-secret", b"ab" * 2100, "too much"),
        ("gateway-secret", OWN["callback-secret"].encode(), "must not be the same as callback-secret"),
        ("callback-secret", OWN["gateway-secret"].encode(), "must not be the same as gateway-secret"),
    ):
        before = harness.value(name) if harness.has(name) else None
        ended = harness.run("secrets", "set", name, stdin=value)
        assert ended.code == 1, (name, value)
        assert told.lower() in ended.err.lower(), (name, value)
        assert ended.err.count("\n") == 1, (name, value)
        if len(value) > 8:
            assert value.decode(errors="replace") not in ended.all, (name, value)
        assert (harness.value(name) if harness.has(name) else None) == before, (name, value)


def test_what_looks_unusual_is_taken_with_a_warning(harness: Harness) -> None:
    """Nobody but the platform knows for sure."""
    ended = harness.run("secrets", "set", "telegram/bot-token", stdin=TELEGRAM_TOKEN.encode())
    assert ended.code == 0
    assert "usually has 35 characters behind the colon" in ended.err


def test_a_replaced_secret_says_how_long_functions_keep_the_former_one(harness: Harness) -> None:
    """They cache it."""
    ended = harness.run("secrets", "set", "gateway-secret", stdin=REAL["gateway-secret"].encode())
    assert "take it up within 5 minutes" in ended.err
    again = harness.run("secrets", "set", "gateway-secret", stdin=REAL["gateway-secret"].encode())
    assert (again.code, again.err) == (0, "")
    assert harness.parameter("gateway-secret")["Version"] == 2


def test_a_real_token_counts_from_the_sandbox_s_next_start(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until then it goes on with its stand-in; elsewhere there is none."""
    monkeypatch.setattr("doorcode_cli.target.Target.stack", "doorcode")
    for words, settings, told in (
        ("telegram/bot-token --local", {}, True),
        ("slack/bot-token --local", {}, True),
        ("discord/bot-token --local", {}, True),
        ("telegram/bot-token --local", {"TELEGRAM_API_URL": "https://api.telegram.org"}, False),
        ("slack/signing-secret --local", {}, False),
        ("telegram/bot-token", {}, False),
    ):
        harness.configure(**settings)
        name, *option = words.split()
        ended = harness.run("secrets", "set", name, *option, stdin=REAL[name].encode())
        assert ended.code == 0, (words, settings)
        assert ("from its next start on" in ended.err) is told, (words, settings)
        harness.ssm.delete_parameter(Name=f"{PREFIX}/{name}")


def test_keep_old_puts_a_signing_secret_on_top(harness: Harness) -> None:
    """So that Slack's own rotation has an overlap."""
    harness.put("slack/signing-secret", "0" * 31 + "1")
    ended = harness.run(
        "secrets", "set", "slack/signing-secret", "--keep-old", stdin=REAL["slack/signing-secret"].encode()
    )
    assert ended.code == 0
    assert harness.value("slack/signing-secret").split("\n") == [REAL["slack/signing-secret"], "0" * 31 + "1"]


def test_keep_old_is_for_rings(harness: Harness) -> None:
    """A token is one."""
    ended = harness.run("secrets", "set", "slack/bot-token", "--keep-old", stdin=b"xoxb-1")
    assert (ended.code, "--keep-old" in ended.err) == (2, True)


def test_a_file_that_is_not_there_is_usage(harness: Harness, tmp_path: Path) -> None:
    """One line, exit code 2."""
    ended = harness.run("secrets", "set", "slack/bot-token", "--file", str(tmp_path / "none"))
    assert (ended.code, ended.err) == (2, "The file cannot be read: No such file or directory.\n")


def test_a_stack_that_is_not_there_gets_no_secrets(harness: Harness) -> None:
    """A mistyped name is noticed: exit code 3."""
    for command in (("set", "slack/bot-token"), ("rotate",), ("status",)):
        ended = harness.run("secrets", *command, "--stack", "other", stdin=b"xoxb-1")
        assert ended.code == 3, command
        assert "other" in ended.err, command
        assert ended.err.count("\n") == 1, command


def test_a_write_that_is_refused_never_repeats_the_value(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS's own sentence may hold it."""

    def refuse(*_: object, **fields: str) -> None:
        if fields.get("Overwrite"):
            raise refusal("ValidationException", f"1 validation error: Value '{fields['Value']}' failed")

    class Refusing:
        put_parameter = staticmethod(refuse)

        def __getattr__(self, name: str) -> object:
            return getattr(harness.ssm, name)

    monkeypatch.setattr("doorcode_cli.deployment.Deployment.client", lambda deployment, service: (
        Refusing() if service == "ssm" else deployment.target.client(service)
    ))  # fmt: skip
    ended = harness.run("secrets", "set", "slack/bot-token", stdin=b"xoxb-1-2-abcdefgh")
    assert ended.code == 3
    assert "ValidationException" in ended.err
    assert "abcdefgh" not in ended.all


def test_secrets_that_cannot_be_read_end_with_3(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """A permission that is missing is one line."""

    class Refusing:
        def get_parameters(self, **_: object) -> None:
            raise refusal("AccessDeniedException", "User is not authorized to perform ssm:GetParameters")

    monkeypatch.setattr("doorcode_cli.deployment.Deployment.client", lambda deployment, service: (
        Refusing() if service == "ssm" else deployment.target.client(service)
    ))  # fmt: skip
    ended = harness.run("secrets", "status")
    assert ended.code == 3
    assert "not authorized to perform ssm:GetParameters" in ended.err


# rotate


def test_rotation_puts_a_new_secret_on_top(harness: Harness) -> None:
    """The newest signs, all verify. Security 30."""
    ended = harness.run("secrets", "rotate", "gateway-secret")
    assert ended.code == 0
    ring = harness.ring("gateway-secret")
    assert len(ring.secrets) == 2
    assert ring.newest != OWN["gateway-secret"].encode()
    assert ring.find(key_id(OWN["gateway-secret"].encode())) is not None
    assert key_id(ring.newest) in ended.out
    assert "doorcode secrets rotate --drop" in ended.err
    assert harness.value("callback-secret") == OWN["callback-secret"]


def test_a_function_accepts_both_during_the_overlap(harness: Harness) -> None:
    """What a warm function cached is on the new ring still, and what is new it finds by reading again."""
    store = SecretStore(harness.ssm, PREFIX, ("gateway-secret",), max_age=300)
    warm = store.keyring("gateway-secret", 1000)
    harness.run("secrets", "rotate", "gateway-secret")
    assert store.keyring("gateway-secret", 1001) == warm
    fresh = store.reread("gateway-secret", 1002)
    assert fresh is not None
    assert fresh.find(key_id(warm.newest)) == warm.newest
    harness.run("secrets", "rotate", "gateway-secret", "--drop", "--confirm")
    dropped = store.reread("gateway-secret", 1004)
    assert dropped is not None
    assert dropped.find(key_id(warm.newest)) is None
    assert dropped.newest == fresh.newest


def test_every_secret_of_our_own_is_rotated_when_none_is_named(harness: Harness) -> None:
    """Without a bot's token Telegram is not in use, and its secret is left as it is."""
    ended = harness.run("secrets", "rotate")
    assert ended.code == 0
    assert [len(harness.ring(name).secrets) for name in OWN] == [2, 2, 1, 2, 2]
    assert "Telegram is not in use" in ended.err


def test_the_agent_s_webhook_secret_is_rotated_in_its_form(harness: Harness) -> None:
    """Security 30, 42: both sign until the old one is dropped, and a receiver's own library takes either."""
    assert harness.run("secrets", "rotate", "agent/webhook-secret").code == 0
    ring = harness.ring("agent/webhook-secret")
    assert [problem(FORMS["agent/webhook-secret"], secret.decode()) for secret in ring.secrets] == ["", ""]
    headers = signed("an-id", b"{}", ring, int(time.time()))
    for secret in ring.secrets:
        assert Webhook(secret.decode()).verify(b"{}", headers) == {}
    assert harness.run("secrets", "rotate", "agent/webhook-secret", "--drop", "--confirm").code == 0
    assert harness.ring("agent/webhook-secret").secrets == ring.secrets[:1]


def test_a_webhook_secret_without_a_token_is_not_rotated_alone(harness: Harness) -> None:
    """Telegram could not be given it."""
    ended = harness.run("secrets", "rotate", "telegram/webhook-secret")
    assert (ended.code, harness.value("telegram/webhook-secret")) == (1, OWN["telegram/webhook-secret"])


def test_telegram_is_given_the_new_webhook_secret(harness: Harness) -> None:
    """After every function may have read it."""
    harness.put_tokens()
    assert harness.run("telegram", "webhook", "set").code == 0
    assert harness.telegram.hook.secret_token == OWN["telegram/webhook-secret"]
    ended = harness.run("secrets", "rotate", "telegram/webhook-secret")
    assert ended.code == 0
    assert harness.slept == [3]
    assert harness.telegram.hook.secret_token.encode() == harness.ring("telegram/webhook-secret").newest
    assert OWN["telegram/webhook-secret"].encode() in harness.ring("telegram/webhook-secret").secrets


def test_a_webhook_that_is_not_ours_is_left_alone(harness: Harness) -> None:
    """The bot may be at work elsewhere."""
    harness.put_tokens()
    harness.telegram.hook.url = "https://elsewhere.example/hook"
    ended = harness.run("secrets", "rotate", "telegram/webhook-secret")
    assert ended.code == 0
    assert harness.telegram.hook.url == "https://elsewhere.example/hook"
    assert "doorcode telegram webhook set" in ended.err


def test_nothing_changes_when_telegram_cannot_be_asked(harness: Harness) -> None:
    """A wrong token is noticed before the ring is written."""
    harness.put("telegram/bot-token", "7000000002:wrong")
    ended = harness.run("secrets", "rotate")
    assert (ended.code, "does not accept telegram/bot-token" in ended.err) == (1, True)
    assert {name: harness.value(name) for name in OWN} == OWN


def test_telegram_failing_half_way_leaves_both_secrets(harness: Harness) -> None:
    """The old one still works, and the line says what to run."""
    harness.put_tokens()
    harness.run("telegram", "webhook", "set")
    harness.telegram.inject(name="setWebhook", status=502)
    ended = harness.run("secrets", "rotate", "telegram/webhook-secret")
    assert ended.code == 1
    assert "doorcode telegram webhook set" in ended.err
    assert harness.telegram.hook.secret_token.encode() in harness.ring("telegram/webhook-secret").secrets
    assert harness.run("telegram", "webhook", "set").code == 0
    assert harness.telegram.hook.secret_token.encode() == harness.ring("telegram/webhook-secret").newest


def test_a_ring_does_not_grow_for_ever(harness: Harness) -> None:
    """Old ones have to be dropped some time."""
    for _ in range(MAX_RING - 1):
        assert harness.run("secrets", "rotate", "callback-secret").code == 0
    ended = harness.run("secrets", "rotate", "callback-secret")
    assert (ended.code, "doorcode secrets rotate callback-secret --drop" in ended.err) == (1, True)
    assert len(harness.ring("callback-secret").secrets) == MAX_RING


def test_dropping_says_how_many_codes_end_and_asks(harness: Harness) -> None:
    """Only codes of pending requests that were made with an old secret count."""
    harness.run("secrets", "rotate", "gateway-secret")
    newest = key_id(harness.ring("gateway-secret").newest)
    harness.seat("telegram", "00", key="00000000")
    harness.seat("slack", "01", key="00000000")
    harness.seat("slack", "02", key=newest)
    harness.seat("discord", "03", key="00000000", freed_at=1)
    harness.seat("discord", "04", key="00000000", expires_at=1)
    harness.seat("discord", "full", key="00000000")
    refused = harness.run("secrets", "rotate", "gateway-secret", "--drop", stdin=b"n\n")
    assert refused.code == 1
    assert "This ends 2 pending codes." in refused.err
    assert "gateway-secret was changed" in refused.err
    assert len(harness.ring("gateway-secret").secrets) == 2
    done = harness.run("secrets", "rotate", "gateway-secret", "--drop", stdin=b"y\n")
    assert done.code == 0
    assert key_id(harness.ring("gateway-secret").newest) == newest
    assert len(harness.ring("gateway-secret").secrets) == 1
    assert "Dropped 1 old secret of gateway-secret" in done.out


def test_dropping_after_the_cache_is_over_needs_no_warning(harness: Harness) -> None:
    """With an age of 0 no function signs with the old one."""
    harness.configure(SECRETS_MAX_AGE_SECONDS="0")
    harness.run("secrets", "rotate")
    ended = harness.run("secrets", "rotate", "--drop", "--confirm")
    assert ended.code == 0
    assert "may sign" not in ended.err
    assert "buttons" in ended.err
    assert [len(harness.ring(name).secrets) for name in OWN] == [1, 1, 1, 1, 1]


def test_dropping_what_is_not_there_asks_nothing(harness: Harness) -> None:
    """Nothing old, nothing to do."""
    ended = harness.run("secrets", "rotate", "--drop")
    assert (ended.code, ended.out) == (0, "There are no old secrets to drop.\n")


def test_the_old_webhook_secret_goes_only_after_telegram_was_given_the_new_one(harness: Harness) -> None:
    """Also if somebody had set the old one again meanwhile."""
    harness.put_tokens()
    harness.run("telegram", "webhook", "set")
    harness.run("secrets", "rotate", "telegram/webhook-secret")
    harness.telegram.hook.secret_token = OWN["telegram/webhook-secret"]
    harness.telegram.inject(name="setWebhook", status=502)
    failed = harness.run("secrets", "rotate", "telegram/webhook-secret", "--drop", "--confirm")
    assert failed.code == 1
    assert len(harness.ring("telegram/webhook-secret").secrets) == 2
    assert harness.run("secrets", "rotate", "telegram/webhook-secret", "--drop", "--confirm").code == 0
    assert harness.telegram.hook.secret_token == harness.value("telegram/webhook-secret")


def test_two_rotations_at_once_are_noticed(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parameter Store knows no condition, but counts versions."""

    def new_secret(_: str) -> str:
        harness.put("gateway-secret", "somebody-elses-secret-0123")
        return "our-new-secret-0123456789"

    monkeypatch.setattr("doorcode_cli.secrets.new_secret", new_secret)
    ended = harness.run("secrets", "rotate", "gateway-secret")
    assert (ended.code, "at the same moment" in ended.err) == (1, True)


def test_only_our_own_secrets_are_rotated(harness: Harness) -> None:
    """The platforms' come from the platforms."""
    for name in ("slack/signing-secret", "nonsense"):
        assert harness.run("secrets", "rotate", name).code == 2, name


def test_a_secret_that_was_never_made_is_not_rotated(harness: Harness) -> None:
    """The stack makes it."""
    harness.ssm.delete_parameter(Name=f"{PREFIX}/callback-secret")
    ended = harness.run("secrets", "rotate", "callback-secret")
    assert (ended.code, ended.err) == (1, "callback-secret is not there. Deploy the stack with: make deploy\n")


def test_a_table_that_cannot_be_read_stops_the_drop(harness: Harness) -> None:
    """How many codes end would not be known."""
    harness.run("secrets", "rotate", "gateway-secret")
    harness.outputs["TableName"] = "not-there"
    ended = harness.run("secrets", "rotate", "gateway-secret", "--drop", "--confirm")
    assert ended.code == 3
    assert len(harness.ring("gateway-secret").secrets) == 2


def test_settings_that_cannot_be_used_are_named(harness: Harness) -> None:
    """The age of the cache is read from the functions."""
    harness.configure(SECRETS_MAX_AGE_SECONDS="soon")
    ended = harness.run("secrets", "rotate", "gateway-secret")
    assert ended.code == 1
    assert "SECRETS_MAX_AGE_SECONDS" in ended.err


# status


def test_status_shows_ages_and_key_ids_and_no_value(harness: Harness) -> None:
    """The check that nothing secret is shown is part of every run."""
    harness.put_tokens()
    harness.run("secrets", "rotate", "gateway-secret")
    ended = harness.run("secrets", "status")
    assert ended.code == 0
    line = next(line for line in ended.out.splitlines() if line.startswith("gateway-secret"))
    ids = [key_id(secret) for secret in harness.ring("gateway-secret").secrets]
    assert line.split()[-3:] == ["2", *ids]
    # What an agent is given may be missing.
    assert [line.split()[0] for line in ended.out.splitlines() if "missing" in line] == [
        "agent/instructions",
        "agent/api-key",
        "agent/asks-token",
    ]


def test_status_as_json(harness: Harness) -> None:
    """Every secret is listed, whether it is there or not; tokens have no key id."""
    harness.put("telegram/bot-token", TELEGRAM_TOKEN)
    found = harness.run("secrets", "status", "--json").json
    rows = {row["name"]: row for row in found["secrets"]}
    assert list(rows) == list(FORMS)
    assert rows["slack/bot-token"] == {
        "name": "slack/bot-token", "present": False, "secrets": 0, "key_ids": [], "modified": None, "age_seconds": None,
    }  # fmt: skip
    assert rows["telegram/bot-token"]["present"]
    assert rows["telegram/bot-token"]["key_ids"] == []
    assert rows["gateway-secret"]["key_ids"] == [key_id(OWN["gateway-secret"].encode())]
    assert rows["gateway-secret"]["modified"].endswith("Z")
    assert json.dumps(found)


def test_missing_secrets_are_shown_as_missing(harness: Harness) -> None:
    """So that one sees what is left to do."""
    assert harness.run("secrets", "status").out.count("missing") == 10


# Forms


def test_real_values_raise_neither_problem_nor_doubt() -> None:
    """Nobody is turned away with the right thing in hand."""
    for name, secret in REAL.items():
        assert (problem(FORMS[name], secret), doubt(FORMS[name], secret)) == ("", ""), name


def test_placeholders_are_known() -> None:
    """As documentation and templates have them, for whatever secret."""
    for text in (
        "changeme", "CHANGE-ME", "<token>", "{{secret}}", "your-token-here", "xxx", "xxxxxxxx", "TODO", "none", "...",
        "00000000", "[insert]", "placeholder", "my-secret",
    ):  # fmt: skip
        assert all(is_placeholder(form, text) for form in FORMS.values()), text


def test_a_platform_s_own_placeholders_are_known() -> None:
    """As its documents have them, behind what a real one begins with."""
    for name, text in (
        ("slack/bot-token", "xoxb-your-token"),
        ("telegram/bot-token", "123456:your-token"),
        ("telegram/bot-token", "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"),
    ):
        assert "only a placeholder" in problem(FORMS[name], text), (name, text)
