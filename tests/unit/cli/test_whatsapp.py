"""``doorcode whatsapp``, against WhatsApp's stand-in, and what doctor says of a number."""

import time
from typing import Any

import pytest

from doorcode_cli.platforms.whatsapp import template
from tests.unit.cli.setup_fixtures import API, WHATSAPP_TOKEN, Harness

URL = f"{API}/whatsapp"
OWNER = "US.13491208655302741918"


@pytest.fixture(autouse=True)
def _set_up(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness.put("whatsapp/bot-token", WHATSAPP_TOKEN)
    harness.put("whatsapp/app-secret", harness.whatsapp.app_secret)
    monkeypatch.setattr("doorcode_cli.platforms.whatsapp.commands.time.sleep", harness.slept.append)


def found(harness: Harness, check: str = "whatsapp") -> list[tuple[str, str, str]]:
    """Return what doctor says: level, text and remedy."""
    _, checks = harness.examine(check)
    return [(one["level"], one["text"], one["remedy"] or "") for one in checks if one["check"] == check]


def test_set_finds_all_by_the_token(harness: Harness) -> None:
    """The app's webhooks go here, by the newest word; the account is subscribed; which number it is is kept, and no secret."""
    harness.put("whatsapp/verify-token", "newest-verify-0123456789\nverify-first-0123456789")
    harness.whatsapp.handshake = lambda url, word: (
        "" if (url, word) == (URL, "newest-verify-0123456789") else "HTTP 403"
    )
    ended = harness.run("whatsapp", "webhook", "set")
    assert (ended.code, ended.out) == (
        0,
        f"✅ Meta sends what people write to +1 555-078-3881 (Doorcode) to {URL}\n",
    )
    assert (harness.whatsapp.callback, harness.whatsapp.subscribed) == (URL, True)
    kept = harness.parameter("whatsapp/bot")
    assert (kept["Type"], kept["Value"]) == ("String", f"{harness.whatsapp.PHONE_NUMBER_ID}:15550783881")
    again = harness.run("whatsapp", "webhook", "set")
    assert (again.code, harness.slept) == (0, [])


def test_another_s_webhook_is_not_taken_unasked(harness: Harness) -> None:
    """Neither the app's nor the account's own; with the option it is, and the account's own is gone."""
    for place in ("callback", "override"):
        setattr(harness.whatsapp, place, "https://elsewhere.example/hook")
        harness.whatsapp.subscribed = True
        refused = harness.run("whatsapp", "webhook", "set")
        assert (refused.code, "elsewhere.example" in refused.err, "--take-over" in refused.err) == (1, True, True)
        assert getattr(harness.whatsapp, place) == "https://elsewhere.example/hook"
        assert harness.run("whatsapp", "webhook", "set", "--take-over").code == 0
        assert (harness.whatsapp.callback, harness.whatsapp.override) == (URL, "")


def test_an_address_that_does_not_prove_itself(harness: Harness) -> None:
    """It is tried again, for a function may have read its secrets a moment before; then said."""
    answers = ["HTTP 403", ""]
    harness.whatsapp.handshake = lambda *_: answers.pop(0)
    assert harness.run("whatsapp", "webhook", "set").code == 0
    assert len(harness.slept) == 1
    harness.whatsapp.handshake = lambda *_: "HTTP Status Code = 403"
    ended = harness.run("whatsapp", "webhook", "set")
    assert (ended.code, "could not verify" in ended.err, "403" in ended.err) == (1, True, True)


def test_what_is_meant_has_to_be_said_where_there_is_more_than_one(harness: Harness) -> None:
    """Accounts and numbers are listed, and none is guessed."""
    whatsapp = harness.whatsapp
    _, method = whatsapp._calls["debug_token"]
    several = {"scope": "whatsapp_business_management", "target_ids": [whatsapp.WABA, "1300000000000002"]}

    def debug(call: Any, fields: Any) -> Any:
        data = method(call, fields)["data"]
        return {"data": data | {"granular_scopes": [several]}}

    whatsapp._calls["debug_token"] = (None, debug)
    ended = harness.run("whatsapp", "webhook", "set")
    assert (ended.code, "1300000000000002" in ended.err, "--account" in ended.err) == (1, True, True)
    assert harness.run("whatsapp", "webhook", "set", "--account", whatsapp.WABA).code == 0
    other = {"id": "1500000000000002", "display_phone_number": "+49 1555 0002", "verified_name": "Other"}
    whatsapp._calls["get_phone_numbers"] = (None, lambda *_: {"data": [whatsapp._phone, other]})
    harness.ssm.delete_parameter(Name="/doorcode/doorcode/whatsapp/bot")
    ended = harness.run("whatsapp", "webhook", "set", "--account", whatsapp.WABA)
    assert (ended.code, "--number" in ended.err, "+49 1555 0002" in ended.err) == (1, True, True)
    assert harness.run("whatsapp", "webhook", "set", "--account", whatsapp.WABA, "--number", "4915550002").code == 0
    assert harness.value("whatsapp/bot") == "1500000000000002:4915550002"
    # From then on it is known.
    assert harness.run("whatsapp", "webhook", "set", "--account", whatsapp.WABA).code == 0
    assert harness.value("whatsapp/bot") == "1500000000000002:4915550002"


def test_tokens_and_secrets_that_are_no_good(harness: Harness) -> None:
    """Each with what mends it, before anything is changed."""
    whatsapp = harness.whatsapp
    for change, told in (
        ({"scopes": ("whatsapp_business_messaging",)}, "lacks whatsapp_business_management"),
        ({"expires_at": 1}, "expired or was revoked"),
        ({"app_secret": "0" * 32}, "does not accept whatsapp/app-secret"),
        ({"token": "EAAother"}, "does not accept whatsapp/bot-token"),
    ):
        before = {name: getattr(whatsapp, name) for name in change}
        for name, value in change.items():
            setattr(whatsapp, name, value)
        ended = harness.run("whatsapp", "webhook", "set")
        assert (ended.code, told in ended.err, "doorcode secrets set whatsapp/" in ended.err) == (1, True, True), ended
        for name, value in before.items():
            setattr(whatsapp, name, value)
    assert not harness.has("whatsapp/bot")
    assert whatsapp.callback == ""


def test_info(harness: Harness) -> None:
    """What there is, in words and as JSON; before it is set, what sets it."""
    before = harness.run("whatsapp", "webhook", "info")
    assert "Set it with: doorcode whatsapp webhook set" in before.out
    harness.run("whatsapp", "webhook", "set")
    harness.whatsapp.funded, harness.whatsapp.health = False, "LIMITED"
    ended = harness.run("whatsapp", "webhook", "info")
    for line in (f"{URL} (this stack's)", "sending LIMITED", "no payment method", "The token expires: never"):
        assert line in ended.out
    facts = harness.run("whatsapp", "webhook", "info", "--json").json
    assert (facts["ours"], facts["fields"], facts["phone_number_id"], facts["payment_method"]) == (
        True, ["messages"], harness.whatsapp.PHONE_NUMBER_ID, False,
    )  # fmt: skip


def test_the_template(harness: Harness) -> None:
    """It is handed in once, kept as the one that is used, and what became of its review is told."""
    assert "doorcode whatsapp template create" in harness.run("whatsapp", "template", "status").err
    harness.whatsapp.review = "PENDING"
    ended = harness.run("whatsapp", "template", "create")
    assert (ended.code, ended.out) == (0, "✅ The template doorcode_request (en) is handed in: PENDING\n")
    assert harness.value("whatsapp/template") == "doorcode_request:en"
    (made,) = harness.whatsapp.templates.values()
    assert (made.body, made.labels) == (template.BODY, ["Approve", "Deny"])
    again = harness.run("whatsapp", "template", "create")
    assert (again.code, "is there: PENDING" in again.out, len(harness.whatsapp.templates)) == (0, True, 1)
    made.status, made.category = "REJECTED", "MARKETING"
    status = harness.run("whatsapp", "template", "status", "--json").json
    assert (status["status"], status["category"]) == ("REJECTED", "MARKETING")
    assert "which costs more" in harness.run("whatsapp", "template", "create").err
    for odd in (("--name", "Ask Me"), ("--language", "English")):
        assert harness.run("whatsapp", "template", "create", *odd).code == 2


def test_a_healthy_number(harness: Harness) -> None:
    """Nothing to say against it."""
    harness.run("whatsapp", "webhook", "set")
    assert {level for level, *_ in found(harness)} == {"ok"}


def test_what_is_wrong_with_a_number(harness: Harness) -> None:
    """Each with what mends it."""
    harness.run("whatsapp", "webhook", "set")
    changes: tuple[tuple[dict[str, Any], str, str, str], ...] = (
        ({"token": "EAAother"}, "wrong", "does not accept whatsapp/bot-token", ""),
        ({"scopes": ()}, "wrong", "lacks whatsapp_business_management and", "doorcode secrets set whatsapp/bot-token"),
        ({"expires_at": int(time.time()) + 3600}, "warn", "expires in 59 minutes", "never expires"),
        ({"app_secret": "0" * 32}, "wrong", "does not accept whatsapp/app-secret", ""),
        ({"callback": ""}, "wrong", "hears nothing", "doorcode whatsapp webhook set"),
        ({"callback": "https://elsewhere.example/"}, "wrong", "the app's webhook is", "doorcode whatsapp webhook set"),
        ({"override": "https://elsewhere.example/"}, "wrong", "the account's own", "doorcode whatsapp webhook set"),
        ({"fields": ("account_update",)}, "wrong", "gets no messages", "doorcode whatsapp webhook set"),
        ({"subscribed": False}, "wrong", "not subscribed", "doorcode whatsapp webhook set"),
        ({"health": "BLOCKED"}, "wrong", "error with the payment method", "wa/manage"),
        ({"health": "LIMITED"}, "warn", "has not been verified", "wa/manage"),
        ({"funded": False}, "warn", "beyond 1,000", "Payment"),
    )
    for change, level, told, remedy in changes:
        ((name, value),) = change.items()
        before = getattr(harness.whatsapp, name)
        setattr(harness.whatsapp, name, value)
        seen = found(harness)
        assert any(one == level and told in text and remedy in mends for one, text, mends in seen), (change, seen)
        setattr(harness.whatsapp, name, before)


def test_a_number_that_is_not_stored(harness: Harness) -> None:
    """Nothing could be sent from it."""
    harness.run("whatsapp", "webhook", "set")
    harness.put("whatsapp/bot", "1:2")
    assert any("nothing can be sent" in text and level == "wrong" for level, text, _ in found(harness))


def test_an_owner_who_is_silent_for_a_day(harness: Harness) -> None:
    """Without a template they cannot be asked; with one that is approved they are."""
    harness.run("whatsapp", "webhook", "set")
    assert {level for level, *_ in found(harness, "templates")} == {"ok"}
    harness.configure(UNKNOWN_USER_POLICY="pair", OWNER_USER_IDS=f"whatsapp:{OWNER}")
    [(level, text, remedy)] = found(harness, "templates")
    assert (level, "24 hours" in text, "doorcode whatsapp template create" in remedy) == ("warn", True, True)
    harness.run("whatsapp", "template", "create")
    assert {level for level, *_ in found(harness, "templates")} == {"ok"}
    harness.whatsapp.templates["doorcode_request", "en"].status = "REJECTED"
    [(level, text, _)] = found(harness, "templates")
    assert (level, "is REJECTED" in text) == ("warn", True)


def test_an_owner_is_sent_a_test(harness: Harness) -> None:
    """Only if that is asked for, to the id or the number that names them."""
    harness.run("whatsapp", "webhook", "set")
    harness.configure(OWNER_USER_IDS=f"whatsapp:{OWNER},whatsapp:15550001002")
    harness.whatsapp.add_user(OWNER, hides_phone=True)
    harness.whatsapp.add_user("US.2", phone="15550001002")
    assert [text for _, text, _ in found(harness, "owners")] == [
        f"whatsapp:{OWNER} was not tried: only sending tells",
        "whatsapp:15550001002 was not tried: only sending tells",
    ]
    assert harness.whatsapp.messages == {}
    harness.run("doctor", "--send-test")
    assert {chat for chat, _ in harness.whatsapp.messages} == {OWNER, "US.2"}
