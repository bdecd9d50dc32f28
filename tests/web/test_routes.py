"""Every route, and the guard before it."""

import re
from collections.abc import Collection

import pytest

from doorcode.pairing.access import Scope
from doorcode.web.page import content_security_policy
from doorcode.web.routes import Access, Route
from doorcode.web.surface import HEADERS, ROUTES
from tests.web.gateway import request_event
from tests.web.harness import PAGE, WebHarness

EXPECTED = {
    ("POST", "/api/session"): Access.OPEN,
    ("GET", "/api/session"): Access.SIGNED_IN,
    ("DELETE", "/api/session"): Access.SESSION,
    ("DELETE", "/api/sessions"): Access.PAIRING,
    ("GET", "/api/pairing/pending"): Access.READ,
    ("GET", "/api/pairing/paired"): Access.READ,
    ("GET", "/api/pairing/blocked"): Access.READ,
    ("GET", "/api/pairing/contacts/{channel}/{user_id}"): Access.READ,
    ("POST", "/api/pairing/approve"): Access.PAIRING,
    ("POST", "/api/pairing/deny"): Access.PAIRING,
    ("POST", "/api/pairing/add"): Access.PAIRING,
    ("POST", "/api/pairing/change"): Access.PAIRING,
    ("POST", "/api/pairing/revoke"): Access.PAIRING,
    ("POST", "/api/pairing/block"): Access.PAIRING,
    ("POST", "/api/pairing/unblock"): Access.PAIRING,
    ("POST", "/api/pairing/clear-pending"): Access.PAIRING,
    ("POST", "/api/pairing/clear"): Access.PAIRING,
    ("GET", "/api/invites"): Access.READ,
    ("POST", "/api/invites"): Access.PAIRING,
    ("DELETE", "/api/invites/{invite_id}"): Access.PAIRING,
    ("GET", "/api/owners"): Access.READ,
    ("POST", "/api/owners/claim"): Access.SESSION,
    ("POST", "/api/owners/remove"): Access.SESSION,
    ("GET", "/api/activity"): Access.READ,
    ("POST", "/api/messages"): Access.MESSAGES,
    ("POST", "/api/gate"): Access.GATE,
    ("POST", "/api/gate/press"): Access.PRESSES,
    ("POST", "/api/asks"): Access.ASKS,
    ("GET", "/api/asks"): Access.ASKS_OR_PAIRING,
    ("GET", "/api/asks/{ask_id}"): Access.ASKS_OR_PAIRING,
    ("POST", "/api/asks/{ask_id}/cancel"): Access.ASKS_OR_PAIRING,
    ("POST", "/api/asks/{ask_id}/use"): Access.ASKS,
    ("POST", "/api/asks/{ask_id}/approve"): Access.PAIRING,
    ("POST", "/api/asks/{ask_id}/deny"): Access.PAIRING,
    ("POST", "/api/asks/mute"): Access.PAIRING,
    ("GET", "/api/openapi.json"): Access.OPEN,
    ("GET", "/owner"): Access.OPEN,
    ("GET", "/owner/{file}"): Access.OPEN,
}
CLOSED = [route for route in ROUTES if route.access is not Access.OPEN]
CHANGING = [route for route in ROUTES if route.method != "GET"]
DECIDING = [route for route in ROUTES if route.access is Access.PAIRING]


def _target(route: Route) -> str:
    given = {"channel": "telegram", "user_id": "1", "invite_id": "3f9a1c0b", "ask_id": "ABCDEFGHJKLMNPQR", "file": "x"}
    return route.path.format(**given)


def test_these_are_all_routes() -> None:
    """Security 19, 20: what there is, and who may use it, is written down twice; whatever changes, changes here too."""
    assert {(route.method, route.path): route.access for route in ROUTES} == EXPECTED
    assert len(ROUTES) == len(EXPECTED)


def test_nobody_passes_without_signing_in(web: WebHarness) -> None:
    """Security 20: no sign-in means closed, on every route; the table is not even read."""
    with web.clients["dynamodb"].counting() as calls:
        for route in CLOSED:
            reply = web.stranger().ask(route.method, _target(route), b"{")
            assert reply.refusal == (401, "not_signed_in"), route
            assert reply.headers["www-authenticate"] == "Bearer"
    assert calls == []


@pytest.mark.parametrize(
    "headers",
    [
        {"cookie": "__Host-doorcode="},
        {"cookie": "__Host-doorcode=0000000000000000.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"cookie": "doorcode=0000000000000000.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"authorization": "Bearer dc_0000000000000000.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"authorization": "Bearer"},
        {"authorization": ""},
        {"authorization": "Basic YWxpY2U6cHc="},
    ],
    ids=["empty", "unknown", "other-name", "token", "no-token", "nothing", "basic"],
)
def test_a_wrong_credential_is_no_credential(web: WebHarness, headers: dict[str, str]) -> None:
    """Security 20: whatever is wrong with it, the answer is the same on every route."""
    replies = [web.stranger(**PAGE, **headers).ask(route.method, _target(route), b"{") for route in CLOSED]
    assert {reply.refusal for reply in replies} == {(401, "not_signed_in")}
    assert len({reply.text for reply in replies}) == 1


def test_each_scope_opens_its_own_routes_and_no_other(web: WebHarness) -> None:
    """Security 20, 43: what a token may do is what its scope says; only who it is may any token ask, and end no session."""
    opens: dict[Access, Collection[str]] = {
        Access.READ: {"read", "pairing"},
        Access.SIGNED_IN: set(Scope),
        Access.SESSION: set(),
        Access.ASKS_OR_PAIRING: {"asks", "pairing"},
    }
    for scope in Scope:
        caller = web.token(scope)
        for route in CLOSED:
            reply = caller.ask(route.method, _target(route), b"{")
            may = scope in opens.get(route.access, {str(route.access)})
            assert (reply.status != 403) is may, (scope, route)
    page = {"read", "pairing", "signed_in", "session", "asks_or_pairing"}
    for route in CLOSED:
        reply = web.session().ask(route.method, _target(route), b"{")
        assert (reply.status != 403) is (route.access in page), route


def test_the_scope_read_decides_nothing(web: WebHarness) -> None:
    """Security 20: read and decide are separate scopes, on every route that changes something."""
    web.request("1")
    reader = web.token(Scope.READ)
    before = web.items()
    body = {"channel": "telegram", "user_id": "1"}
    for route in DECIDING:
        assert reader.ask(route.method, _target(route), body).refusal == (403, "forbidden"), route
    assert web.items() == before


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": ""},
        {"sec-fetch-site": "same-origin,cross-site"},
        {"sec-fetch-site": "cross-site", "origin": "https://api.example"},
        {"origin": "https://evil.example"},
        {"origin": "https://api.example.evil.example"},
        {"origin": "https://api.example:444"},
        {"origin": "https://[api.example"},
        {"origin": "ftp://api.example"},
        {"origin": "null"},
        {"origin": "null", "host": ""},
        {"referer": "https://api.example/owner"},
    ],
    ids=str,
)
def test_another_site_changes_nothing_with_the_pages_cookie(web: WebHarness, headers: dict[str, str]) -> None:
    """Security 20: what does not visibly come from the page is refused, signing in included, before anything is read."""
    other_site = web.stranger(cookie=web.session().headers["cookie"], **headers)
    with web.clients["dynamodb"].counting() as calls:
        for route in CHANGING:
            assert other_site.ask(route.method, _target(route), b"{").refusal == (403, "cross_site"), route
    assert calls == []


def test_a_browser_without_fetch_metadata_is_told_by_its_origin(web: WebHarness) -> None:
    """Where Sec-Fetch-Site is absent, an Origin whose host is the request's own passes."""
    web.request("1")
    cookie = web.session().headers["cookie"]
    older = web.stranger(cookie=cookie, origin="https://API.example")
    assert older.post("/api/pairing/deny", channel="telegram", user_id="1").status == 200


@pytest.mark.parametrize(
    "query", ["token=x", "access_token=x", "x", "%74oken=x", "days=7&x=1", "=", "a=%ff", "a=1&a=2"]
)
def test_parameters_that_are_not_documented_are_refused(web: WebHarness, query: str) -> None:
    """Security 20: tokens never in a query string, where logs and histories keep them: on no route, for nobody."""
    token = web.token()
    query = query.replace("=x", f"={token.headers['authorization'].split()[1]}")
    for route in ROUTES:
        for caller in (token, web.stranger(**PAGE)):
            reply = caller.ask(route.method, f"{_target(route)}?{query}")
            assert reply.refusal == (400, "invalid_input"), route
            assert "dc_" not in reply.text


def test_two_ways_of_signing_in_at_once_are_refused(web: WebHarness) -> None:
    """A request with a cookie and a token, or with two cookies, could mean two people: it means nobody."""
    both = {**web.session().headers, **web.token().headers}
    assert web.stranger(**both).get("/api/session").refusal == (400, "invalid_input")
    twice = f"{web.session().headers['cookie']}; {web.session('bob').headers['cookie']}"
    assert web.stranger(cookie=twice).get("/api/session").refusal == (400, "invalid_input")


@pytest.mark.parametrize("before", ["\u00a0", "\u0085", "\u2000", "\u3000", "\x0b", "\x1c"], ids=ascii)
def test_a_name_that_only_looks_like_the_cookies_is_another(web: WebHarness, before: str) -> None:
    """Security 20: what a browser keeps under another name than ``__Host-``, a neighbouring site may have set.

    Sign nobody in with it, and let it keep nobody out. Source: https://www.rfc-editor.org/rfc/rfc6265#section-4.2.1
    """
    mine, other = (caller.headers["cookie"].partition("; ")[2] for caller in (web.session(), web.session("bob")))
    event = request_event("GET", "/api/session")
    assert web.send(event | {"cookies": [f"{before}{other}"]}).refusal == (401, "not_signed_in")
    assert web.send(event | {"cookies": [f"{before}{other}", f"\t {mine}"]}).body["actor"] == "alice@laptop"


NOWHERE = [
    ("GET", "/", (404, "unknown_route")),
    ("GET", "/api", (404, "unknown_route")),
    ("GET", "/api/", (404, "unknown_route")),
    ("GET", "/api/session/", (404, "unknown_route")),
    ("GET", "//api/session", (404, "unknown_route")),
    ("GET", "/API/session", (404, "unknown_route")),
    ("GET", "/api/session\n", (404, "unknown_route")),
    ("GET", "/api/session%0a", (404, "unknown_route")),
    ("GET", "/api/pairing/contacts/telegram/", (404, "unknown_route")),
    ("GET", "/api/pairing/contacts/telegram/a/b", (404, "unknown_route")),
    ("GET", "/api/pairing/../session", (404, "unknown_route")),
    ("GET", "/" + "a" * 8000, (404, "unknown_route")),
    ("GET", "/\x00", (404, "unknown_route")),
    ("PUT", "/api/session", (405, "wrong_method")),
    ("OPTIONS", "/api/pairing/approve", (405, "wrong_method")),
    ("GET", "/api/pairing/approve", (405, "wrong_method")),
    ("PROPFIND", "/owner", (405, "wrong_method")),
    ("POST", "/owner", (405, "wrong_method")),
    ("POST", "/api/openapi.json", (405, "wrong_method")),
]


@pytest.mark.parametrize("signed_in", [False, True])
def test_unknown_routes_and_methods(web: WebHarness, signed_in: bool) -> None:
    """What is not there is 404, what is there for other methods is 405 with these; nothing of the path comes back."""
    caller = web.session() if signed_in else web.stranger()
    for method, path, refusal in NOWHERE:
        event = request_event(method, "/", caller.headers)
        event["rawPath"] = path
        reply = web.send(event)
        assert reply.refusal == refusal, path
        if refusal[0] == 405:
            here = {known for known, where in EXPECTED if where == path}
            assert set(reply.headers["allow"].split(", ")) == here | ({"HEAD"} if "GET" in here else set())
        assert len(reply.text) < 200


def test_head_is_get_without_a_body(web: WebHarness) -> None:
    """HEAD answers what GET would, with nothing in it."""
    caller = web.session()
    for path in ("/owner", "/api/session", "/api/openapi.json", "/api/pairing/approve"):
        get, head = caller.get(path), caller.ask("HEAD", path)
        assert (head.status, head.headers, head.text) == (get.status, get.headers, "")
    assert web.stranger().ask("HEAD", "/api/session").status == 401


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_every_answer_has_the_headers_and_none_of_another_origins(web: WebHarness, origin: str) -> None:
    """Security 20: no cross-origin; nothing is stored, sniffed, framed or referred."""
    web.request("1")
    session = web.session()
    styles = re.search(r"style-src ([^;]+);", content_security_policy())[1]  # type: ignore[index]
    assert styles.startswith("'sha256-")
    for caller in (session, web.stranger()):
        for method, path in (*EXPECTED, ("GET", "/nowhere"), ("OPTIONS", "/api/session")):
            reply = caller.ask(method, path, None, {"origin": origin, "access-control-request-method": "POST", **PAGE})
            wanted = {name.lower(): value for name, value in HEADERS.items()}
            if path.startswith("/owner") and reply.status == 200:
                wanted |= {
                    "cache-control": "no-cache",
                    "content-security-policy": f"default-src 'none'; script-src 'self'; style-src {styles}; "
                    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
                    "frame-ancestors 'none'; require-trusted-types-for 'script'; "
                    "trusted-types 'none'",
                }
            assert reply.headers.items() >= wanted.items()
            assert not [name for name in reply.headers if name.startswith("access-control-")]
    assert wanted["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert wanted["cache-control"] == "no-store"
    assert wanted["referrer-policy"] == "no-referrer"
    assert wanted["x-content-type-options"] == "nosniff"
    assert wanted["strict-transport-security"].startswith("max-age=")
