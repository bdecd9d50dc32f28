"""The HTTP surface as a whole: the table of routes, and the one way that every request takes.

Requests are told apart by Powertools' resolver, which is given the method and the path and nothing else: no body, no
header and no query reaches it, and so nothing of them its logs or its own answers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from doorcode.errors import DoorcodeError
from doorcode.web import activity, clearing, decisions, journal, lists, openapi, page, session
from doorcode.web.guard import SAFE_METHODS, Guard
from doorcode.web.refusals import UnknownRouteError, WrongMethodError, told
from doorcode.web.request import JSON, Request, read_request
from doorcode.web.routes import Answer, Call, Route
from doorcode.web.services import Services

API: tuple[Route, ...] = (*session.ROUTES, *lists.ROUTES, *decisions.ROUTES, *clearing.ROUTES, *activity.ROUTES)
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
        # Whatever the environment says of debugging: it would print what was sent.
        logging.getLogger("aws_lambda_powertools").setLevel(logging.WARNING)
        self._resolver = APIGatewayHttpResolver(debug=False)
        for route in ROUTES:
            rule = route.path.replace("{", "<").replace("}", ">")
            self._resolver.route(rule, method=list(_methods(route)))(self._guarded(route))
        self._resolver.not_found(self._nothing_there)
        self._resolver.exception_handler(DoorcodeError)(self._refused)
        self._resolver.exception_handler(Exception)(_raised)

    def serve(self, event: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Answer one request at ``now``."""
        request = read_request(event)
        self._resolver.context.update(request=request, now=now, facts={})
        asked = {
            "requestContext": {"stage": "$default", "http": {"method": request.method, "path": request.path}},
            "rawPath": request.path,
        }
        context: Any = None
        response = self._resolver.resolve(asked, context)
        if request.method == "HEAD":
            response |= {"body": "", "isBase64Encoded": False}
        return response

    def _guarded(self, route: Route) -> Callable[..., Response[str | bytes]]:
        """Return what the resolver calls: nothing of a route runs before the guard has let the request pass."""

        def guarded(**_: str) -> Response[str | bytes]:
            context = self._resolver.context
            request: Request = context["request"]
            now, facts = context["now"], context["facts"]
            facts["operation"] = route.name
            path = route.parameters(request.path)
            if path is None:
                # The resolver's patterns end before a line feed.
                raise UnknownRouteError
            principal = self._guard.admit(route, request, now, facts)
            context["trusted"] = principal is not None
            call = Call(
                services=self._services,
                now=now,
                request=request,
                path=path,
                query=request.query_as(route.query),
                body=None if route.body is None else request.body_as(route.body),
                principal=principal,
                facts=facts,
            )
            answer = route.handle(call)
            journal.done(facts)
            return _response(answer)

        return guarded

    def _nothing_there(self, _: NotFoundError) -> Response[str | bytes]:
        request: Request = self._resolver.context["request"]
        there = [route for route in ROUTES if route.parameters(request.path) is not None]
        allowed = tuple(method for route in there for method in _methods(route))
        # The resolver's paths hold fewer characters than ours.
        if not there or request.method in allowed:
            raise UnknownRouteError
        raise WrongMethodError(allowed)

    def _refused(self, error: DoorcodeError) -> Response[str | bytes]:
        context = self._resolver.context
        changing = context["request"].method not in SAFE_METHODS
        answer = told(error, context["now"], trusted=context.get("trusted", False), changing=changing)
        journal.refused(error, answer.status, context["facts"])
        return _response(Answer(status=answer.status, body=answer.problem, headers=answer.headers))


def _methods(route: Route) -> tuple[str, ...]:
    return ("GET", "HEAD") if route.method == "GET" else (route.method,)


def _response(answer: Answer) -> Response[str | bytes]:
    headers = {**HEADERS, **answer.headers}
    body: str | bytes = answer.content
    if answer.body is not None:
        headers["Content-Type"] = JSON
        body = msgspec.json.encode(answer.body).decode()
    return Response(status_code=int(answer.status), body=body or "", headers=headers, cookies=list(answer.cookies))


def _raised(error: Exception) -> Response[str | bytes]:
    # A mistake of ours is the function's error, and is alarmed. The resolver would log it once more before that.
    raise error
