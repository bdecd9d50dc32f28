"""Answering by a sealed reply address: what is taken, and what is refused."""

import json
from typing import Any

import pytest
from msgspec import structs

from doorcode.aws.answer_queue import read_answer
from doorcode.pairing.access import Scope
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.reply_address import LIFETIME_SECONDS, ReplyAddress, seal
from doorcode.web.messages import MAX_BODY_BYTES, MAX_TEXT
from tests.harness import KEYS, T0, TELEGRAM
from tests.web.harness import Reply, WebHarness

ADDRESS = ReplyAddress(
    platform=TELEGRAM, user_id="1", conversation="telegram#1#", reply='{"chat_id":1}', delivery="telegram#7",
    issued_at=T0,
)  # fmt: skip
SEALED = seal(ADDRESS, KEYS)


def say(web: WebHarness, **body: Any) -> Reply:
    """Answer, with a token of its own."""
    return web.token(Scope.MESSAGES).post("/api/messages", **{"reply_to": SEALED, "text": "Hi."} | body)


def queued(web: WebHarness) -> list[dict[str, Any]]:
    """Return what was put into the queue, as it was sent."""
    return [arguments for arguments in web.clients["sqs"].arguments if "MessageBody" in arguments]


def test_an_answer_is_accepted(web: WebHarness) -> None:
    """It waits in its conversation's group, with all that is needed to say it, and is nothing that the API tells again."""
    reply = say(web, text="All of it.")
    assert (reply.status, list(reply.body)) == (202, ["id"])
    (sent,) = queued(web)
    answer = read_answer(sent["MessageBody"])
    assert (answer.id, sent["MessageDeduplicationId"]) == (reply.body["id"], reply.body["id"])
    assert sent["MessageGroupId"] == "answers#telegram#1#"
    assert (answer.text, answer.user_id, answer.reply, answer.at) == ("All of it.", "1", '{"chat_id":1}', T0 + 1)
    assert say(web).body != reply.body


def test_a_key_makes_it_once(web: WebHarness) -> None:
    """The same key to the same message is the same answer, with whatever token; to another one, another."""
    other = seal(structs.replace(ADDRESS, delivery="telegram#8"), KEYS)
    elsewhere = seal(structs.replace(ADDRESS, conversation="telegram#2#"), KEYS)
    ids = [say(web, key="a", text=text).body["id"] for text in ("Hi.", "Otherwise.")]
    ids += [say(web, **more).body["id"] for more in ({"key": "b"}, {"key": "a", "reply_to": other}, {"key": ""})]
    ids.append(say(web, key="a", reply_to=elsewhere).body["id"])
    assert ids[0] == ids[1]
    assert len(set(ids)) == len(ids) - 1


def test_what_is_no_address_here_is_refused_alike(web: WebHarness) -> None:
    """Security 41: changed, old, another stack's or no address at all: one answer, and nothing is sent."""
    old = seal(structs.replace(ADDRESS, issued_at=T0 + 1 - LIFETIME_SECONDS), KEYS)
    foreign = seal(ADDRESS, Keyring((b"another stack's secret",)))
    wrong = [
        "",
        "x",
        SEALED[:-1],
        SEALED + "A",
        SEALED[:20] + "A" + SEALED[21:],
        old,
        foreign,
        "\0",
        "é" * 100,
        "A" * 9000,
    ]
    replies = [say(web, reply_to=text) for text in wrong if text != SEALED]
    assert {reply.refusal for reply in replies} == {(400, "bad_reply_address")}
    assert len({reply.text for reply in replies}) == 1
    assert queued(web) == []


def test_an_address_from_before_a_rotation(web: WebHarness) -> None:
    """One that was sealed under the secret before is good, and so is one under a secret that this function has yet to read."""
    web.put_secret(f"a new one\n{KEYS.newest.decode()}")
    assert say(web).status == 202
    web.put_secret("newer\na new one")
    web.now += 10
    assert say(web, reply_to=seal(ADDRESS, Keyring((b"newer",)))).status == 202


@pytest.mark.parametrize("character", ["a", "\U0001f600", "\u0001", "\uffff", "\u00e9", '"'], ids=ascii)
def test_the_longest_text(web: WebHarness, character: str) -> None:
    """40,000 characters of any kind fit into the queue, and one more is a clear 400."""
    assert say(web, text="a" + character * (MAX_TEXT - 1)).status == 202
    (sent,) = queued(web)
    assert read_answer(sent["MessageBody"]).text == "a" + character * (MAX_TEXT - 1)
    reply = say(web, text="a" + character * MAX_TEXT)
    assert reply.refusal == (400, "invalid_input")
    assert "40000" in reply.body["error"]


def test_what_cannot_be_said(web: WebHarness) -> None:
    """Nothing, blanks, half a character, another type, a long key, a field of one's own; and what is beyond any text."""
    for body in ({"text": ""}, {"text": " \n\t"}, {"text": None}, {"text": 7}, {"key": "k" * 129}, {"via": "cli"}):
        assert say(web, **body).refusal == (400, "invalid_input"), body
    half = json.dumps({"reply_to": SEALED, "text": "\ud800"}).encode()
    assert web.token(Scope.MESSAGES).ask("POST", "/api/messages", half).status == 400
    huge = say(web, text="a" * MAX_BODY_BYTES)
    assert huge.refusal == (413, "body_too_large")
    assert "512 KiB" in huge.body["error"]
    assert queued(web) == []


def test_trouble_with_the_queue_says_so(web: WebHarness, caplog: pytest.LogCaptureFixture) -> None:
    """What may have been taken is said to be in doubt; nothing of what was said is in the log."""

    def away(_: str) -> None:
        raise TimeoutError

    web.clients["sqs"].before = away
    reply = say(web, text="my friend")
    assert reply.refusal == (503, "unavailable")
    assert SEALED not in caplog.text
