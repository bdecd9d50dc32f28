"""Guessing codes: counted for the one session or token that guesses, and for nobody else, in parallel too."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from doorcode.aws.lockout import LOCK_SECONDS, MAX_GUESSES
from doorcode.aws.sign_ins import SignIns
from doorcode.aws.tokens import Tokens
from doorcode.pairing.access import Scope
from doorcode.pairing.settings import Settings
from doorcode.web.services import Services
from doorcode.web.surface import Web
from doorcode_sandbox.emulator_guard import Keys
from tests.backends import dynamodb, emulators
from tests.backends.dynamodb import Table
from tests.eventually import PATIENCE_SECONDS
from tests.harness import T0, Harness
from tests.web.gateway import request_event
from tests.web.harness import WebHarness

WRONG = "AAAA2222"
GUESSERS = 3
NOW = T0 + 1


@pytest.mark.parametrize("kind", ["session", "token"])
def test_five_wrong_codes_lock_that_caller_and_nobody_else(web: WebHarness, kind: str) -> None:
    """Security 13: a right code is refused meanwhile; other sessions and tokens of the same person are not locked."""
    web.request("987654321")
    code = web.code("987654321")
    guesser, another = getattr(web, kind)(), getattr(web, kind)()
    for _ in range(MAX_GUESSES):
        reply = guesser.post("/api/pairing/approve", channel="telegram", code=WRONG)
        assert reply.refusal == (404, "unknown_code")
    web.now += 10
    locked = guesser.post("/api/pairing/approve", channel="telegram", code=code)
    assert locked.refusal == (429, "locked_out")
    assert locked.body["retry_after_seconds"] == int(locked.headers["retry-after"]) == LOCK_SECONDS - 10
    assert "doorcode" not in locked.body["error"]
    # Without a code nothing is guessed, and what is looked at is looked at.
    assert guesser.post("/api/pairing/block", channel="telegram", user_id="555001").status == 200
    assert guesser.get("/api/pairing/pending").status == 200
    assert another.post("/api/pairing/approve", channel="telegram", code=code).status == 200


def test_the_lock_ends_when_it_says(web: WebHarness) -> None:
    """A second before, there is a second to wait."""
    web.request("987654321")
    token = web.token()
    for _ in range(MAX_GUESSES):
        token.post("/api/pairing/deny", channel="slack", code=WRONG)
    web.now += LOCK_SECONDS - 1
    body = {"channel": "telegram", "code": web.code("987654321")}
    assert token.post("/api/pairing/deny", **body).body["retry_after_seconds"] == 1
    web.now += 1
    assert token.post("/api/pairing/deny", **body).status == 200


def test_whoever_is_not_signed_in_is_not_even_counted(web: WebHarness) -> None:
    """Nobody can be locked out by somebody who knows no more than that there is a door."""
    for _ in range(MAX_GUESSES + 1):
        assert web.stranger().post("/api/pairing/approve", channel="telegram", code=WRONG).status == 401
    assert web.items() == []


def _environment(url: str, table: str, bearer: str, keys: Keys) -> list[tuple[int, str]]:
    """Guess three times, in an environment of its own, as Lambda runs them: one process, one request at a time."""
    emulators.KEYS = keys
    harness = Harness(Table(dynamodb.client("dynamodb", url), table), patience=PATIENCE_SECONDS)
    unused: Any = None
    services = Services(
        desk=harness.desk,
        room=harness.room,
        directory=harness.directory,
        secrets=harness.secrets,
        sign_ins=SignIns(harness.table),
        tokens=Tokens(harness.table),
        activity=unused,
        answers=unused,
        tickets=unused,
        questions=unused,
        settings=Settings(),
        bots=unused,
        gate=unused,
        kept_messages=None,
    )
    web = Web(lambda: services)
    answers = []
    for one in "ABC":
        body = f'{{"channel":"telegram","code":"AAAA222{one}"}}'.encode()
        headers = {"authorization": f"Bearer {bearer}", "content-type": "application/json"}
        response = web.serve(request_event("POST", "/api/pairing/approve", headers, body), NOW)
        answers.append((response["statusCode"], response["body"]))
    return answers


def test_guesses_of_many_environments_are_one_count(table: Table) -> None:
    """Security 13: of nine wrong codes from three functions at once, no more than five are compared."""
    harness = Harness(table, patience=PATIENCE_SECONDS)
    harness.request("987654321")
    bearer, _ = Tokens(harness.table).create("ci", {Scope.PAIRING}, "alice@laptop", T0)
    other, token = Tokens(harness.table).create("ci", {Scope.PAIRING}, "alice@laptop", T0)
    url = table.client.meta.endpoint_url
    # What all of them need is imported once.
    environments = get_context("forkserver")
    environments.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(GUESSERS, mp_context=environments) as pool:
        asked = [pool.submit(_environment, url, table.name, bearer, emulators.KEYS) for _ in range(GUESSERS)]
        statuses = sorted(status for answers in asked for status, _ in answers.result())
        assert statuses == [404] * MAX_GUESSES + [429] * (3 * GUESSERS - MAX_GUESSES)
        # Another token of the same name and maker guesses as if nobody had.
        assert [status for status, _ in pool.submit(_environment, url, table.name, other, emulators.KEYS).result()] == [
            404
        ] * 3
    locks = {item["sk"]["S"]: item for item in harness.items() if item["pk"]["S"] == "lockout#api"}
    assert len(locks) == 2
    assert len(locks[token.id]["guesses"]["L"]) == 3
