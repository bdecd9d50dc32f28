"""Signing in to the page and out of it."""

import pytest

from doorcode.aws.sign_ins import LINK_SECONDS, SESSION_SECONDS
from doorcode.pairing.access import Scope
from doorcode.pairing.contact import Platform
from tests.harness import T0
from tests.web.gateway import request_event
from tests.web.harness import PAGE, WebHarness


def test_a_link_becomes_a_session(web: WebHarness) -> None:
    """The answer says who is signed in; the cookie is the browser's alone, of this host alone, for twelve hours."""
    reply = web.stranger(**PAGE).post("/api/session", token=web.link("alice@laptop"))
    session = {
        "actor": "alice@laptop", "scope": "pairing", "expires_at": "2027-01-15T20:00:01Z", "via": "web",
        "platforms": list(Platform),
    }  # fmt: skip
    assert (reply.status, reply.body) == (200, session)
    [cookie] = reply.cookies
    value, *attributes = cookie.split("; ")
    assert value.startswith("__Host-doorcode=")
    assert set(attributes) == {"Path=/", "Max-Age=43200", "HttpOnly", "Secure", "SameSite=Strict"}
    assert web.with_cookie(value.partition("=")[2]).get("/api/session").body == session


def test_a_token_tells_who_it_is(web: WebHarness) -> None:
    """A program can ask what its token is."""
    reply = web.token(Scope.READ, name="ci", until=T0 + 60).get("/api/session")
    assert reply.body == {
        "actor": "token ci", "scope": "read", "via": "api", "expires_at": "2027-01-15T08:01:00Z", "platforms": list(Platform),
    }  # fmt: skip
    assert web.token().get("/api/session").body["expires_at"] is None
    assert reply.cookies == []


@pytest.mark.parametrize("kind", ["used", "expired", "never", "malformed", "a session's", "a token's"])
def test_a_link_that_does_not_work(web: WebHarness, kind: str) -> None:
    """Security 12: used, expired and unknown links are one and the same answer, and no cookie."""
    link = web.link()
    if kind == "used":
        assert web.stranger(**PAGE).post("/api/session", token=link).status == 200
    if kind == "expired":
        web.now += LINK_SECONDS
    token = {
        "never": "0" * 16 + "." + "A" * 43,
        "malformed": "<script>",
        "a session's": web.session().headers["cookie"].rpartition("=")[2],
        "a token's": web.token().headers["authorization"].split()[1],
    }.get(kind, link)
    reply = web.stranger(**PAGE).post("/api/session", token=token)
    assert reply.refusal == (401, "not_signed_in")
    assert reply.text == web.stranger().get("/api/session").text
    assert reply.cookies == []


def test_a_session_ends_by_itself(web: WebHarness) -> None:
    """Security 14: over is over, although the item still exists."""
    session = web.session()
    web.now += SESSION_SECONDS - 1
    assert session.get("/api/session").status == 200
    web.now += 1
    assert session.get("/api/session").refusal == (401, "not_signed_in")
    assert [item for item in web.items() if item["pk"]["S"] == "sessions"]


def test_signing_out_ends_this_session_only(web: WebHarness) -> None:
    """The cookie is cleared, and worth nothing if somebody kept it; other sessions go on."""
    mine, other = web.session(), web.session()
    reply = mine.ask("DELETE", "/api/session")
    assert (reply.status, reply.text) == (204, "")
    assert "content-type" not in reply.headers
    assert reply.cookies == ['__Host-doorcode=""; HttpOnly; Max-Age=0; Path=/; SameSite=Strict; Secure']
    assert mine.get("/api/session").refusal == (401, "not_signed_in")
    assert other.get("/api/session").status == 200


def test_everybody_can_be_signed_out_from_elsewhere(web: WebHarness) -> None:
    """Every session and unused link ends at once; tokens go on."""
    sessions, link, token = [web.session(), web.session("bob@desk")], web.link(), web.token()
    reply = token.ask("DELETE", "/api/sessions")
    assert (reply.status, reply.body) == (200, {"signed_out": 3})
    assert [session.get("/api/session").status for session in sessions] == [401, 401]
    assert web.stranger(**PAGE).post("/api/session", token=link).status == 401
    assert token.get("/api/session").status == 200


def test_a_token_has_no_session_to_end(web: WebHarness) -> None:
    """Signing out is for whoever is signed in to the page."""
    assert web.token().ask("DELETE", "/api/session").refusal == (403, "forbidden")


def test_anothers_cookie_is_anothers_name(web: WebHarness) -> None:
    """A session is whoever signed in, with each part of the cookie; parts of two sessions are nobody."""
    alice, bob = web.session("alice@laptop"), web.session("bob@desk")
    assert bob.get("/api/session").body["actor"] == "bob@desk"
    its_id = alice.headers["cookie"].rpartition("=")[2].partition(".")[0]
    secret = bob.headers["cookie"].rpartition(".")[2]
    assert web.with_cookie(f"{its_id}.{secret}").get("/api/session").refusal == (401, "not_signed_in")


def test_a_revoked_token_and_an_ended_one_are_nobody(web: WebHarness) -> None:
    """Security 23: revoking holds from the next request; so does the end."""
    revoked, ending = web.token(), web.token(until=T0 + 60)
    assert [caller.get("/api/session").status for caller in (revoked, ending)] == [200, 200]
    assert web.tokens.revoke(revoked.headers["authorization"].removeprefix("Bearer dc_").partition(".")[0])
    web.now = T0 + 60
    assert revoked.get("/api/session").refusal == (401, "not_signed_in")
    assert ending.get("/api/session").refusal == (401, "not_signed_in")


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_is_written_in_any_case(web: WebHarness, scheme: str) -> None:
    """RFC 9110: schemes ignore case."""
    token = web.token().headers["authorization"].split()[1]
    assert web.stranger(authorization=f"{scheme} {token}").get("/api/session").status == 200


@pytest.mark.parametrize("scheme", ["", "Basic", "Bearer:", "Token", "DPoP"])
def test_a_token_under_another_scheme_is_no_token(web: WebHarness, scheme: str) -> None:
    """What works is what is documented, and nothing near it."""
    token = web.token().headers["authorization"].split()[1]
    reply = web.stranger(authorization=f"{scheme} {token}").get("/api/session")
    assert reply.refusal == (401, "not_signed_in")


@pytest.mark.parametrize("prefix", ["", "dc_dc_", "DC_", " ", "dc_ "])
def test_a_token_is_taken_exactly(web: WebHarness, prefix: str) -> None:
    """Nothing about a token is folded or guessed; a session's cookie is no token, nor the other way round."""
    secret = web.token().headers["authorization"].split()[1].removeprefix("dc_")
    assert web.with_token(prefix + secret).get("/api/session").refusal == (401, "not_signed_in")
    assert web.with_cookie(f"dc_{secret}").get("/api/session").status == 401
    session = web.session().headers["cookie"].rpartition("=")[2]
    assert web.with_token(f"dc_{session}").get("/api/session").status == 401


def test_a_cookie_is_found_in_a_header_too(web: WebHarness) -> None:
    """Not everything that stands in for API Gateway gives cookies a list of their own."""
    event = request_event("GET", "/api/session")
    event["headers"]["Cookie"] = web.session().headers["cookie"]
    assert web.send(event).status == 200


def test_trouble_with_the_table_lets_nobody_in(web: WebHarness) -> None:
    """Security 1: what cannot be looked up is refused, and says no more than that."""
    session = web.session()

    def away(_: str) -> None:
        raise TimeoutError

    web.clients["dynamodb"].before = away
    reply = session.get("/api/session")
    assert reply.refusal == (503, "unavailable")
    assert "table" not in reply.text
