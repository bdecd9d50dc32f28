"""The HTTP surface as a whole: the table of routes, and the one way that every request takes."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from doorcode.errors import DoorcodeError
from doorcode.pairing.access import Principal
from doorcode.web import (
    activity,
    clearing,
    decisions,
    gate,
    journal,
    lists,
    messages,
    openapi,
    page,
    questions,
    session,
    tickets,
)
from doorcode.web.guard import SAFE_METHODS, Guard
from doorcode.web.refusals import UnknownRouteError, WrongMethodError, told
from doorcode.web.request import JSON, Request, read_request
from doorcode.web.routes import Answer, Call, Route
from doorcode.web.services import Services

API: tuple[Route, ...] = (
    *session.ROUTES,
    *lists.ROUTES,
    *decisions.ROUTES,
    *clearing.ROUTES,
    *tickets.ROUTES,
    *activity.ROUTES,
    *messages.ROUTES,
    *gate.ROUTES,
    *questions.ROUTES,
)
ROUTES: tuple[Route, ...] = (*API, openapi.describing(API), *page.ROUTES)

# On every answer. What a route sets itself comes on top.
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}


class Web:
    """Answers HTTP API events."""

    def __init__(self, services: Callable[[], Services]) -> None:
        """Serve all routes with ``services``, which are asked for when a request first needs them."""
        self._services = services
        self._guard = Guard(services)

    def serve(self, event: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Answer one request at ``now``. A mistake of ours is raised: it is the function's error, and is alarmed."""
        request = read_request(event)
        facts: dict[str, str] = {}
        principal: Principal | None = None
        try:
            route, path = _found(request)
            facts["operation"] = route.name
            # Nothing of a route runs before the guard has let the request pass.
            principal = self._guard.admit(route, request, now, facts)
            answer = route.handle(
                Call(
                    services=self._services,
                    now=now,
                    request=request,
                    path=path,
                    query=request.query_as(route.query),
                    body=None
                    if route.body is None
                    else request.body_as(route.body, route.max_body_bytes, route.invalid),
                    principal=principal,
                    facts=facts,
                )
            )
            journal.done(facts)
        except DoorcodeError as error:
            changing = request.method not in SAFE_METHODS
            refusal = told(error, now, trusted=principal is not None, changing=changing)
            journal.refused(error, refusal.status, facts)
            answer = Answer(status=refusal.status, body=refusal.problem, headers=refusal.headers)
        return _response(answer, bodiless=request.method == "HEAD")


def _found(request: Request) -> tuple[Route, dict[str, str]]:
    """Return the route of a request, and what stands in its path. Raises UnknownRouteError, WrongMethodError."""
    there = [(route, path) for route in ROUTES if (path := route.parameters(request.path)) is not None]
    for route, path in there:
        if request.method in _methods(route):
            return route, path
    if not there:
        raise UnknownRouteError
    raise WrongMethodError(tuple(method for route, _ in there for method in _methods(route)))


def _methods(route: Route) -> tuple[str, ...]:
    return ("GET", "HEAD") if route.method == "GET" else (route.method,)


def _response(answer: Answer, *, bodiless: bool) -> dict[str, Any]:
    """Return an answer as API Gateway takes it (payload format 2.0)."""
    headers = {**HEADERS, **answer.headers}
    content = answer.content
    if answer.body is not None:
        headers["Content-Type"] = JSON
        content = msgspec.json.encode(answer.body)
    response: dict[str, Any] = {
        "statusCode": int(answer.status),
        "headers": headers,
        "cookies": list(answer.cookies),
        "isBase64Encoded": False,
        "body": "",
    }
    if bodiless:
        return response
    try:
        return response | {"body": content.decode()}
    except UnicodeDecodeError:
        return response | {"body": base64.b64encode(content).decode(), "isBase64Encoded": True}
