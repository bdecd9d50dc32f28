"""The OpenAPI document is true: what it describes is what there is, and schemathesis finds no answer beside it."""

import json
import re
from collections import Counter
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from doorcode.pairing.access import Scope
from doorcode.web import openapi
from doorcode.web.routes import Access
from doorcode.web.surface import API, ROUTES
from tests.web.gateway import serving
from tests.web.harness import PAGE, Caller, WebHarness

DOCUMENT = "/api/openapi.json"
# They would end the session that the others need.
ENDING = ("sign_out", "sign_everybody_out")
# No schema can tell a cursor that was given out, a label of visible characters, or an id of the platform beside it, from
# other texts.
TEXTS = (
    "paired",
    "blocked",
    "approve",
    "deny",
    "add",
    "change",
    "revoke",
    "block",
    "unblock",
    "say",
    "create_invite",
    "clear_paired",
    "remove_owner",
    "gate",
    "press",
)
# No schema can tell a digest of what was asked, or that owners are named who own the bot.
QUESTIONS = ("ask_owner", "approve_question", "deny_question", "use_approval", "mute_asker")
ACCEPTING = ("2xx", "401", "403", "404", "409", "429")
OTHERS = dict.fromkeys(TEXTS, ("400",)) | dict.fromkeys(QUESTIONS, ("400", "410", "422"))
"""With what else than ``ACCEPTING`` a request may be answered that the document allows."""
SEED = 20270115
OPERATIONS = frozenset(
    operation["operationId"] for path in openapi.document(API)["paths"].values() for operation in path.values()
)


def _for_no(way: str) -> frozenset[str]:
    """Return the operations that nobody gets to who signs in that way: whatever is sent there, it is not looked at."""
    return frozenset(
        operation["operationId"]
        for path in openapi.document(API)["paths"].values()
        for operation in path.values()
        if operation["security"] and not [one for one in operation["security"] if way in one]
    )


Break = Callable[[str, dict[str, Any]], dict[str, Any]]


def _findings(  # noqa: PLR0913 (how schemathesis is to try)
    web: WebHarness,
    caller: Caller,
    *,
    step: int = 0,
    broken: Break | None = None,
    without: Container[str] = (),
    plainly: Container[str] = (),
    thorough: bool = False,
) -> tuple[list[str], Counter[int]]:
    """Run schemathesis as ``caller``; return what it found, and how often each status was answered.

    ``step`` is how many seconds pass with each request; ``broken`` changes what is answered; ``without`` names the
    operations to leave alone, ``plainly`` those to send nothing to but what the document allows. ``thorough`` tries made-up
    requests, too, and one after the other.
    """
    statuses: Counter[int] = Counter()

    def handler(event: dict[str, Any], context: Any) -> Mapping[str, Any]:
        response: dict[str, Any] = web.handler(event, context)
        web.now += step
        if event["rawPath"] == DOCUMENT:
            response = response | {"body": _shortened(response["body"], without)}
        if broken is not None:
            response = broken(event["rawPath"], response)
        statuses[response["statusCode"]] += 1
        return response

    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "generation": {
                "deterministic": True,
                "database": "none",
                "max-examples": 5,
                "no-shrink": True,
                # Beside the caller's own they would be two ways of signing in.
                "with-security-parameters": False,
            },
            # One stands for all: tests/web/test_routes.py has every method.
            "phases": {
                "coverage": {"unexpected-methods": ["put"]},
                "fuzzing": {"enabled": thorough},
                "stateful": {"enabled": thorough},
            },
            # By their usual names, for it takes them away to see what happens then.
            "headers": {name.title(): value for name, value in caller.headers.items()},
            "workers": 1,
            "operations": [
                {
                    "include-operation-id": name,
                    "generation": {"mode": "positive" if name in plainly else "all"},
                    "checks": {
                        "positive_data_acceptance": {"expected-statuses": [*ACCEPTING, *OTHERS.get(name, ())]},
                    },
                }
                for name in sorted(OPERATIONS)
            ],
        }
    )
    found: list[str] = []
    with serving(handler) as url:
        schema = schemathesis.openapi.from_url(f"{url}{DOCUMENT}", config=config)
        for event in from_schema(schema).execute():
            if isinstance(event, events.NonFatalError):
                found.append(str(event.info))
            if isinstance(event, events.FatalError):
                found.append(repr(event.exception))
            if isinstance(event, events.ScenarioFinished):
                found += [
                    f"{event.recorder.label}: {check.failure_info.failure.title}: {check.failure_info.failure.message}"
                    for checks in event.recorder.checks.values()
                    for check in checks
                    if check.failure_info
                ]
    return found, statuses


def _shortened(body: str, without: Container[str]) -> str:
    """Return the document without some operations: to work out what to send takes the longer, the more there are."""
    document = json.loads(body)
    # The same again: of the sign alone and how long it may be, schemathesis makes one expression, which takes half a second
    # to compile, many times over.
    document["components"]["schemas"]["Say"]["properties"]["text"]["pattern"] = r"\S|\S"
    document["paths"] = {
        path: kept
        for path, item in document["paths"].items()
        if (kept := {method: one for method, one in item.items() if one["operationId"] not in without})
    }
    return json.dumps(document)


def test_nothing_is_answered_beside_the_document_with_a_token(web: WebHarness) -> None:
    """Every operation, with a program's token; so much time passes between requests that it is locked out never."""
    web.request("1")
    every_scope, _ = web.tokens.create("everything", set(Scope), "alice@laptop", web.now)
    found, statuses = _findings(web, web.with_token(every_scope), step=61, thorough=True)
    assert found == []
    assert set(statuses) >= {200, 400, 401, 403, 404, 405, 409, 415}


def test_nothing_is_answered_beside_the_document_with_a_session(web: WebHarness) -> None:
    """Every operation that leaves the session alive, as the page asks; no time passes, so it is locked out."""
    web.request("1")
    found, statuses = _findings(web, web.session(), without=ENDING, plainly=_for_no("session"))
    assert found == []
    assert set(statuses) >= {200, 400, 401, 404, 405, 409, 415, 429}


def test_nothing_is_answered_beside_the_document_without_signing_in(web: WebHarness) -> None:
    """Every operation, for somebody who is nobody."""
    found, statuses = _findings(web, web.stranger(**PAGE), plainly=_for_no("anybody"))
    assert found == []
    assert set(statuses) <= {200, 400, 401, 404, 405, 415}
    # The one answer of 200 is the document itself, and nothing was written.
    assert web.items() == []


def _undocumented(path: str, response: dict[str, Any]) -> dict[str, Any]:
    if path != DOCUMENT:
        return response
    document = json.loads(response["body"])
    del document["paths"]["/api/session"]["get"]["responses"]["401"]
    return response | {"body": json.dumps(document)}


def _other_type(path: str, response: dict[str, Any]) -> dict[str, Any]:
    return response if path == DOCUMENT else response | {"body": response["body"].replace('"reason":', '"word":')}


def _failing(path: str, response: dict[str, Any]) -> dict[str, Any]:
    return response if path == DOCUMENT else response | {"statusCode": 500}


@pytest.mark.parametrize(
    ("broken", "finding"),
    [(_undocumented, "Undocumented status code"), (_other_type, "violates schema"), (_failing, "Server error")],
)
def test_what_is_answered_beside_the_document_is_found(web: WebHarness, broken: Break, finding: str) -> None:
    """The runs above can fail: an answer or a document that is changed is noticed."""
    found, _ = _findings(web, web.stranger(), broken=broken, without=OPERATIONS - {"session"})
    assert [one for one in found if finding in one], found


def test_the_document_describes_every_route_of_the_api() -> None:
    """Paths, methods, scopes and refusals come from the routes; the page is no part of the API."""
    document = openapi.document([route for route in ROUTES if route.path.startswith("/api/")])
    described = {
        (method.upper(), path): [sorted(way) for way in operation["security"]]
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    both = [["session"], ["token"]]
    ways = {
        Access.OPEN: [],
        Access.SIGNED_IN: both,
        Access.READ: both,
        Access.PAIRING: both,
        Access.SESSION: [["session"]],
    }
    # What is behind the door, or asks, signs in to no page.
    ways |= {access: [["token"]] for access in (Access.MESSAGES, Access.GATE, Access.PRESSES, Access.ASKS)}
    ways[Access.ASKS_OR_PAIRING] = [["session"], ["token"], ["token"]]
    assert described == {
        (route.method, route.path): ways[route.access] for route in ROUTES if not route.path.startswith("/owner")
    }
    approve = document["paths"]["/api/pairing/approve"]["post"]
    assert approve["security"][1] == {"token": ["pairing"]}
    assert set(approve["responses"]) == {
        "200", "400", "401", "403", "404", "409", "413", "415", "429", "503",
    }  # fmt: skip
    assert len(API) == len(described) - 1


def test_the_document_says_which_word_stands_for_which_refusal(web: WebHarness) -> None:
    """OpenAPI 3.1, for anybody, with the reasons of every status."""
    document = web.stranger().get(DOCUMENT).body
    assert document["openapi"].startswith("3.1.")

    def reasons(status: int) -> set[str]:
        answer = document["components"]["responses"][f"Refused{status}"]
        [_, words] = answer["content"]["application/json"]["schema"]["allOf"]
        return set(words["properties"]["reason"]["enum"])

    assert reasons(401) == {"not_signed_in"}
    assert reasons(403) == {"forbidden", "cross_site", "own_question", "not_an_owner", "not_named"}
    assert reasons(409) == {
        "already_paired", "already_denied", "already_blocked", "blocked", "repeated",
        "owner", "already_owner", "last_owner", "owner_by_setting",
        "key_reused", "already_decided", "already_used", "not_approved", "not_overdue", "wrong_number", "match_differs",
    }  # fmt: skip
    assert reasons(410) == {"expired", "lapsed", "words_lost"}
    assert reasons(422) == {"invalid_question", "digest_mismatch", "unknown_choice", "number_needed", "no_number"}
    assert reasons(429) == {"locked_out", "too_many_pending", "too_often", "muted"}
    assert {"unknown_code", "expired", "not_paired"} <= reasons(404)
    references = set(re.findall(r'"#/components/(\w+)/(\w+)"', json.dumps(document)))
    assert not [(kind, name) for kind, name in references if name not in document["components"][kind]]


def test_the_page_for_people_names_every_route_and_status() -> None:
    """docs/api.md tells of the same operations and refusals as the document."""
    text = (Path(__file__).parents[2] / "docs/api.md").read_text()
    named = set()
    method = path = ""
    for new, there, beside in re.findall(r"`(GET|POST|DELETE) (/api/[\w/{}-]+)`|`…(/\w+)`", text):
        method, path = (new, there) if there else (method, path.rpartition("/")[0] + beside)
        named.add((method, path))
    assert named == {(route.method, route.path) for route in API}
    told = {int(status) for row in re.findall(r"^\| ([\d, ]+) \|", text, re.MULTILINE) for status in row.split(",")}
    # Which method a path has is no matter of one operation.
    assert told == {status for route in API for status in openapi.refusals_of(route)} | {405}
