"""The OpenAPI document, made from the routes themselves: their paths, structs, scopes and refusals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec

from doorcode.asking.buttons import QUESTION_ID
from doorcode.errors import DoorcodeError
from doorcode.pairing import hand_off
from doorcode.pairing.access import Scope
from doorcode.pairing.contact import MAX_USER_ID_LENGTH, Platform
from doorcode.web.guard import COOKIE
from doorcode.web.refusals import ASK_REFUSALS, REFUSALS, STATUSES, AlreadyDecided, LockedOut, Problem, RefusedQuestion
from doorcode.web.request import JSON
from doorcode.web.routes import Access, Answer, Call, Route

VERSION = "1.0.0"
REFERENCE = "#/components/schemas/{name}"
DESCRIPTION = """\
Who waits at the door, who is paired, and the decisions about them.

People sign in to the page with a link from `doorcode web`; programs send a token from `doorcode token create`. The
scope `read` may look, and sees no codes; `pairing` may decide as well; `messages`, `gate` and `presses` are for what is
behind the door, `asks` is for asking the owner, and they may do nothing else. Every refusal has a sentence in `error` and a
word for programs in `reason`. Parameters and fields that are not described here are refused."""
PATH_PARAMETERS: Mapping[str, Any] = {
    "ask_id": {"type": "string", "pattern": f"^{QUESTION_ID.pattern}$"},
    "channel": {"$ref": REFERENCE.format(name=Platform.__name__)},
    "invite_id": {"type": "string", "pattern": "^[0-9a-f]{8}$"},
    # What an id may be, without what cannot stand in a path.
    "user_id": {"type": "string", "pattern": rf"^(?!\*$)(?!\.{{1,2}}$)[!$&-.0-Z\[\]^_a-~]{{1,{MAX_USER_ID_LENGTH}}}$"},
}
SECURITY: Mapping[Access, list[dict[str, list[str]]]] = {
    Access.OPEN: [],
    Access.SIGNED_IN: [{"session": []}, {"token": []}],
    Access.SESSION: [{"session": []}],
    Access.READ: [{"session": []}, {"token": [Scope.READ]}],
    Access.PAIRING: [{"session": []}, {"token": [Scope.PAIRING]}],
    Access.MESSAGES: [{"token": [Scope.MESSAGES]}],
    Access.GATE: [{"token": [Scope.GATE]}],
    Access.PRESSES: [{"token": [Scope.PRESSES]}],
    Access.ASKS: [{"token": [Scope.ASKS]}],
    Access.ASKS_OR_PAIRING: [{"session": []}, {"token": [Scope.ASKS]}, {"token": [Scope.PAIRING]}],
}
SECURITY_SCHEMES: Mapping[str, Any] = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "The page's cookie. Whatever changes something must come from the page itself (Sec-Fetch-Site).",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer dc_…`, from `doorcode token create`. Never in a query string.",
    },
}
BODIES: Mapping[int, tuple[type[msgspec.Struct], ...]] = {409: (AlreadyDecided, RefusedQuestion), 429: (LockedOut,)}
RESPONSE_HEADERS: Mapping[int, Mapping[str, Any]] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}}},
    429: {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds."}},
}


# As ``agent.answers`` reads it.
AGENT_ANSWER = {
    "title": "AgentAnswer",
    "type": "object",
    "properties": {"text": {"type": ["string", "null"]}, "texts": {"type": "array", "items": {"type": "string"}}},
    "anyOf": [{"required": ["text"]}, {"required": ["texts"]}],
}


def describing(routes: Sequence[Route]) -> Route:
    """Return the route that serves the document about these routes and itself."""

    @cache
    def described() -> Mapping[str, Any]:
        return document((*routes, route))

    def serve(call: Call) -> Answer:  # noqa: ARG001 (the same for everybody)
        return Answer(body=described())

    route = Route(
        name="openapi",
        method="GET",
        path="/api/openapi.json",
        access=Access.OPEN,
        handle=serve,
        summary="This document",
    )
    return route


def document(routes: Sequence[Route]) -> Mapping[str, Any]:
    """Return the OpenAPI 3.1 document about these routes."""
    kinds = {kind for route in routes for kind in (route.query, route.body, route.gives) if kind is not None}
    every: list[type] = sorted({*kinds, Problem, AlreadyDecided, RefusedQuestion, LockedOut, Platform}, key=_name)
    _, schemas = msgspec.json.schema_components(every, ref_template=REFERENCE)
    for kind in kinds:
        if either := getattr(kind, "either", ()):
            schemas[kind.__name__]["anyOf"] = [{"required": [field]} for field in either]
    queries = {kind: schemas.pop(kind.__name__) for kind in {route.query for route in routes}}
    statuses = sorted({status for route in routes for status in refusals_of(route)})
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, queries[route.query])
    return {
        "openapi": "3.1.0",
        "info": {"title": "Doorcode", "version": VERSION, "description": DESCRIPTION},
        "paths": paths,
        "webhooks": {"message": {"post": _message_posted()}},
        "components": {
            "schemas": {**schemas, **hand_off.schemas(REFERENCE), "AgentAnswer": AGENT_ANSWER},
            "responses": {f"Refused{status}": _refusal(status) for status in statuses},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _message_posted() -> dict[str, Any]:
    """Describe what an agent is sent whose kind is webhook."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    answer = {"schema": {"$ref": REFERENCE.format(name="AgentAnswer")}}
    return {
        "summary": "What an agent is sent at its own address, signed as Standard Webhooks says",
        "parameters": [
            {"name": name, "in": "header", "required": True, "schema": {"type": "string"}} for name in names
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": REFERENCE.format(name="HandOff")}}},
        },
        "responses": {
            "200": {"description": "The answer", "content": {"application/json": answer, "text/plain": {}}},
            "202": {"description": "The answer comes later, by POST /api/messages"},
            "204": {"description": "There is no answer"},
        },
    }


def refusals_of(route: Route) -> list[int]:
    """Return every status with which a route may refuse, for whoever uses a method that it has."""
    statuses = {HTTPStatus.BAD_REQUEST, *route.refuses}
    if route.access is not Access.OPEN:
        statuses |= {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.SERVICE_UNAVAILABLE}
    if route.body is not None:
        statuses |= {
            HTTPStatus.FORBIDDEN,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            HTTPStatus.SERVICE_UNAVAILABLE,
        }
    return sorted(int(status) for status in statuses)


def _operation(route: Route, query: Mapping[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "security": SECURITY[route.access],
        "parameters": [*_path_parameters(route), *_query_parameters(query)],
        "responses": {str(route.status): _success(route)}
        | {str(status): {"$ref": f"#/components/responses/Refused{status}"} for status in refusals_of(route)},
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(_reference(route.body))}
    return operation


def _path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", route.path):
        yield {"name": name, "in": "path", "required": True, "schema": PATH_PARAMETERS[name]}


def _query_parameters(query: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, schema in query["properties"].items():
        yield {"name": name, "in": "query", "required": name in query["required"], "schema": schema}


def _success(route: Route) -> dict[str, Any]:
    if route.status == HTTPStatus.NO_CONTENT:
        return {"description": "Done."}
    schema = _reference(route.gives) if route.gives else {"type": "object"}
    description = (route.gives.__doc__ if route.gives else None) or route.summary
    return {"description": description, "content": _json(schema)}


def _refusal(status: int) -> dict[str, Any]:
    kinds = BODIES.get(status, (Problem,))
    body = _reference(kinds[0]) if len(kinds) == 1 else {"anyOf": [_reference(kind) for kind in kinds]}
    schema = {"allOf": [body, {"properties": {"reason": {"enum": sorted(reasons_of(status))}}}]}
    answer = {"description": HTTPStatus(status).phrase, "content": _json(schema)}
    return answer | ({"headers": RESPONSE_HEADERS[status]} if status in RESPONSE_HEADERS else {})


def reasons_of(status: int) -> set[str]:
    """Return the words that an answer of this status may give as its reason."""
    errors = {error for kind, given in STATUSES.items() if given == status for error in _kinds(kind)}
    refusals = (*REFUSALS.items(), *ASK_REFUSALS.items())
    return {error.reason for error in errors} | {str(refusal) for refusal, given in refusals if given == status}


def _kinds(kind: type[DoorcodeError]) -> Iterator[type[DoorcodeError]]:
    yield kind
    for below in kind.__subclasses__():
        # What other parts of the house add to the tree, if they are loaded, is nothing that is answered here.
        if below.__module__ in {"doorcode.errors", "doorcode.web.refusals"}:
            yield from _kinds(below)


def _name(kind: type) -> str:
    return kind.__name__


def _reference(kind: type[msgspec.Struct]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(name=kind.__name__)}


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {JSON: {"schema": schema}}
