"""What may be asked, and its limits."""

from typing import Any

import pytest
from msgspec import structs

from doorcode.asking.order import QuestionOrder, checked_reason, text_of
from doorcode.asking.question import NOT_YET_KNOWN, Outlets, QuestionState, Resume, ResumeKind
from doorcode.asking.refusals import InvalidQuestionError
from tests.cases import each
from tests.unit.asking.questions import ADA, ASKER, BOB, QUESTION_ID, T0, question, words

FULL = {
    "title": "t" * 200, "details": "d" * 4000, "arguments": {"a": "x" * 16_000}, "expires_in": 604_800, "valid_for": 86_400, "key": "k" * 128,
    "on_behalf_of": "telegram:1", "owners": (ADA, BOB, ADA), "approvals": 5, "callback_url": "https://example.com:443/x?y=1",
    "reply_to": "sealed", "resume": Resume(kind=ResumeKind.TASK, token="!" * 2048),
}  # fmt: skip


def test_all_that_can_be_asked() -> None:
    """A question at its limits is taken, and its record has none of its words."""
    text, asked = words(**FULL), question(**FULL)
    assert text.outlets == Outlets(
        callback_url="https://example.com:443/x?y=1",
        reply_to="sealed",
        resume=Resume(kind=ResumeKind.TASK, token="!" * 2048),
    )
    assert (asked.expires_at, asked.valid_for, asked.owners, asked.tells) == (T0 + 604_800, 86_400, (ADA, BOB), True)
    assert asked.resumes
    assert not question().resumes
    assert question(resume=Resume(kind=ResumeKind.DURABLE, token="a" * 1024)).resumes
    assert (asked.state, asked.rev, asked.reached, asked.id) == (QuestionState.PENDING, 1, NOT_YET_KNOWN, QUESTION_ID)
    told = str(structs.asdict(asked))
    for word in ("ttt", "ddd", "xxx", "example.com", "sealed", "!!!"):
        assert word not in told
    assert question(choices=("a", "b")).choices == 2
    assert not question().tells
    assert checked_reason("because") == "because"


@each(
    "order",
    [{"title": ""}, {"title": " \n"}, {"title": "t" * 201}, {"title": "\ud800"}, {"details": "d" * 4001}, {"arguments": ["x" * 16_384]},
     {"arguments": 0.1}, {"choices": ("a",)}, {"choices": tuple("abcdef")}, {"choices": ("a", "a")}, {"choices": ("a", " ")},
     {"choices": ("a", "b" * 41)}, {"choices": ("a", "b"), "approvals": 2}, {"choices": ("a", "b"), "match": True}, {"expires_in": 59}, {"expires_in": 604_801}, {"valid_for": 59},
     {"valid_for": 86_401}, {"approvals": 0}, {"approvals": 6}, {"key": "k" * 129}, {"key": "a b"}, {"key": "ü"}, {"on_behalf_of": "123"},
     {"on_behalf_of": "telegram:abc"}, {"owners": ("nobody:1",)}, {"owners": ("Telegram:1",)}, {"owners": tuple(f"telegram:{n}" for n in range(1, 22))},
     {"callback_url": "http://example.com"}, {"callback_url": "https://example.com:8443"}, {"callback_url": "https://a@example.com"},
     {"callback_url": "https://"}, {"callback_url": "https://example.com/#x"}, {"callback_url": "https://example.com:x/"},
     {"callback_url": "https://example.com/" + "x" * 2000},
     *({"resume": Resume(kind=kind, token=token)} for kind, token in (
         (ResumeKind.TASK, ""), (ResumeKind.TASK, "t" * 2049), (ResumeKind.TASK, "ü"), (ResumeKind.DURABLE, ""), (ResumeKind.DURABLE, "a" * 1025),
         (ResumeKind.DURABLE, "a-b"), (ResumeKind.DURABLE, "a\n")))],
)  # fmt: skip
def test_what_cannot_be_asked(order: dict[str, Any]) -> None:
    """What is beyond a limit, or names nobody, is refused with a sentence that does not repeat the text."""
    with pytest.raises(InvalidQuestionError) as refused:
        text_of(QuestionOrder(**{"title": "t"} | order), ASKER)
    assert len(str(refused.value)) < 300


def test_a_reason_has_a_limit() -> None:
    """An owner's reason is short, and Unicode."""
    for reason in ("r" * 501, "\ud800"):
        with pytest.raises(InvalidQuestionError):
            checked_reason(reason)
