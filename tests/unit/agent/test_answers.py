"""What an agent of somebody else's may answer, and what is made of what it may not."""

import pytest

from doorcode.agent.answers import (
    LONGEST_RETRY_SECONDS,
    MAX_ANSWER_BYTES,
    UnusableAnswerError,
    read_answer,
    read_json,
)
from doorcode.agent.responder import AgentRefusedError, AgentUnavailableError
from tests.cases import each

NOW = 1_784_624_400  # Tue, 21 Jul 2026 09:00:00 GMT
JSON = "application/json"


@each(
    ("status", "kind", "body", "texts"),
    [
        (200, JSON, b'{"text": "Hi"}', ("Hi",)),
        (200, JSON, b'\xef\xbb\xbf{"text": "Hi", "more": {"is": "passed over"}}', ("Hi",)),
        (200, "application/vnd.agent+json; charset=utf-8", b'{"texts": ["One", "", " ", "Two"]}', ("One", "Two")),
        (201, "Application/JSON", b'{"text": "One", "texts": ["Two"]}', ("One", "Two")),
        (200, JSON, b'{"text": null}', ()),
        (200, JSON, b'{"texts": []}', ()),
        (200, JSON, b"null", ()),
        (200, JSON, b'"Hi"', ("Hi",)),
        (200, "text/plain", "Grüß".encode(), ("Grüß",)),
        (200, "text/plain; charset=ISO-8859-1", "Grüß".encode("latin-1"), ("Grüß",)),
        (200, "text/html", b" \n", ()),
        (204, None, b"", ()),
        (202, "text/html", b"<p>queued", ()),
    ],
)
def test_answers(status: int, kind: str | None, body: bytes, texts: tuple[str, ...]) -> None:
    """What is documented is read; 202, 204 and nothing at all are no answer."""
    assert tuple(read_answer(status, {"content-type": kind} if kind else {}, body, NOW)) == texts


@each(
    ("kind", "body", "words"),
    [
        ("text/html", b"<h1>secret</h1>", "with text/html"),
        (None, b'{"text": "secret"}', "without a Content-Type"),
        (JSON, b'{"text": "secret', "JSON that cannot be read"),
        (JSON, b"[" * 100_000, "JSON that cannot be read"),
        (JSON, b'{"text": "\\ud800 secret"}', "JSON that cannot be read"),
        (JSON, b'{"message": "secret"}', 'neither "text" nor "texts"'),
        (JSON, b'{"text": {"secret": 1}}', "another form"),
        (JSON, b'{"texts": ["a", 7]}', "another form"),
        (JSON, b'["secret"]', "no object"),
        ("text/plain", b"secret \xff", "not utf-8"),
        ("text/plain; charset=klingon", b"secret", "not klingon"),
        (JSON, b'{"text": "%s"}' % (b"secret" * (MAX_ANSWER_BYTES // 6)), "more than 1024 KiB"),
    ],
)
def test_what_cannot_be_read(kind: str | None, body: bytes, words: str) -> None:
    """It is refused at once, in words that say what came and what is expected, and repeat nothing of it."""
    with pytest.raises(UnusableAnswerError) as caught:
        read_answer(200, {"content-type": kind} if kind else {}, body, NOW)
    assert words in str(caught.value)
    assert "secret" not in str(caught.value)
    with pytest.raises(UnusableAnswerError):
        read_json(b'{"text": "%s"}' % (b"a" * MAX_ANSWER_BYTES))


@each(
    ("said", "delay"),
    [
        ("7", 7),
        ("0", 0),
        ("999999999999999999", LONGEST_RETRY_SECONDS),
        ("Tue, 21 Jul 2026 09:00:30 GMT", 30),
        ("Tue, 21 Jul 2026 10:00:30 +0100", 30),
        ("Tue, 21 Jul 2026 08:00:00 GMT", 0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY_SECONDS),
        ("-5", 0),
        ("soon", 0),
        ("³", 0),
    ],
)
def test_retry_after(said: str, delay: int) -> None:
    """Seconds or a date, within what a message may wait."""
    with pytest.raises(AgentUnavailableError) as caught:
        read_answer(429, {"retry-after": said}, b"", NOW)
    assert caught.value.delay == delay


def test_statuses() -> None:
    """Each says whether to ask again."""
    for status in (408, 425, 429, 500, 501, 503, 504, 599):
        with pytest.raises(AgentUnavailableError, match=str(status)):
            read_answer(status, {}, b"secret", NOW)
    for status in (301, 302, 304, 307, 308):
        with pytest.raises(AgentRefusedError, match=r"Redirects are not followed"):
            read_answer(status, {"location": "https://elsewhere.example"}, b"", NOW)
    for status in (100, 400, 401, 403, 404, 410, 413, 422, 499):
        with pytest.raises(AgentRefusedError, match=str(status)):
            read_answer(status, {}, b"secret", NOW)
