"""The Python client before the real API: it asks, waits and uses, and can neither decide nor be told another question's answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from doorcode.asking import client as module
from doorcode.asking.client import AskClient, AskError
from tests.asking.conftest import Surroundings
from tests.web.gateway import serving

CLIENT = Path(module.__file__)


def test_it_has_nothing_that_decides(around: Surroundings) -> None:
    """Security 51: there is no call for it, and the token is refused."""
    text = CLIENT.read_text()
    assert "/approve" not in text
    assert "/deny" not in text
    question = around.client.ask("Delete?")
    caller = around.web.with_token(around.token)
    for verb in ("approve", "deny"):
        assert caller.post(f"/api/asks/{question.id}/{verb}", digest=question.digest).status == 403
    assert around.client.look(question.id).state == "pending"


def test_an_approval_is_of_what_was_asked(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Security 48: if the stack took down anything else than what was asked, that is an error, and no question of ours."""
    real = AskClient._call

    def other(self: AskClient, *arguments: object) -> dict[str, object]:
        (method, path, body), more = arguments[:3], arguments[3:]
        return real(self, method, path, {**body, "details": "and more"} if path == "/api/asks" else body, *more)  # type: ignore[arg-type, dict-item]

    monkeypatch.setattr(AskClient, "_call", other)
    with pytest.raises(AskError) as refused:
        around.client.ask("Delete?")
    assert refused.value.reason == "digest_mismatch"


def test_one_use(around: Surroundings) -> None:
    """Security 47: the same call again is the same use, and another is refused; a lost answer costs nothing."""
    question = around.client.ask("Delete?", arguments={"files": ["a"]})
    with pytest.raises(AskError) as early:
        around.client.use(question)
    assert early.value.reason == "not_approved"
    around.decides(question.id, "approve")
    assert around.client.use(question).state == "used"
    assert around.client.use(question).state == "used"
    with pytest.raises(AskError) as second:
        around.client.use(around.client.look(question.id))
    assert (second.value.status, second.value.reason) == (409, "already_used")


def test_waiting_outlasts_trouble(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Security 47: what fails on the way while somebody waits is neither a no nor the end of the wait; at its end it is told."""
    monkeypatch.setattr(module, "TRIES", 1)
    for pause in ("PAUSE_SECONDS", "CROWDED_SECONDS"):
        monkeypatch.setattr(module, pause, 0.01)
    question = around.client.ask("Delete?")
    around.decides(question.id, "deny")
    answers = [{"statusCode": 503, "body": ""}, {"statusCode": 200, "body": "<html>"}, {"statusCode": 502, "body": ""}]

    def troubled(event: dict[str, Any], context: object) -> Any:
        return {"headers": {}} | answers.pop() if answers else around.web.handler(event, context)

    with serving(troubled) as url:
        client = AskClient(url, around.token)
        assert client.wait(question, 60).state == "denied"
        answers[:] = [{"statusCode": 503, "body": ""}]
        with pytest.raises(AskError) as refused:
            client.wait(question, 0)
    assert refused.value.status == 503


def test_only_what_was_used_is_a_yes(around: Surroundings) -> None:
    """Fault 6, Security 47: an answer that does not say that this very approval was used is none, whatever its status."""
    question = around.client.ask("Delete?")
    around.decides(question.id, "approve")
    answers = [
        {"state": "approved", "digest": question.digest},
        {"state": "used", "digest": f"sha256:{0:064}"},
        {"state": "used"},
    ]

    def answer(_event: dict[str, Any], _context: object) -> dict[str, Any]:
        return {"headers": {}, "statusCode": 200, "body": json.dumps({"id": question.id} | answers[0])}

    with serving(answer) as url:
        while answers:
            with pytest.raises(AskError) as refused:
                AskClient(url, around.token).use(question)
            assert refused.value.reason == "unreadable", answers[0]
            answers.pop(0)
