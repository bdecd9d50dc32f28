"""A17, A18, A20: what is paused for an answer goes on with it, whichever it is, once; and only where the stack lets it.

The two services are a stand-in here, which takes the real clients' requests and answers as AWS documents it: no emulator knows them.
"""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

import boto3
import pytest

from doorcode.asking.order import Asker
from doorcode.asking.question import Question, QuestionState, Resume, ResumeKind, Voter
from doorcode.asking.refusals import InvalidQuestionError
from doorcode.aws.resumption import Resumption
from doorcode.aws.table import Table
from doorcode.aws.tokens import Tokens
from doorcode.errors import UnavailableError
from doorcode.pairing.access import Scope
from doorcode.pairing.contact import Platform, Via
from doorcode.wiring import sdk
from tests.behind.asking import ask, buttons, press, store_of
from tests.behind.harness import Behind
from tests.edge.harness import TABLE
from tests.harness import RecordingClient

# As AWS makes them: of characters that mean something in an address.
DURABLE = Resume(kind=ResumeKind.DURABLE, token="Ab3/x+y" * 20 + "==")
TASK = Resume(kind=ResumeKind.TASK, token="AQCtoken+/" * 60)
ALICE = Asker(id="cli:alice@laptop", label="alice")
DURABLE_PATH = ("/2025-12-01/durable-execution-callbacks/", "/succeed")
# By the service: what it says of what waits no more, and of what never did.
OVER = {"lambda": "CallbackTimeoutException", "stepfunctions": "TaskTimedOut"}
UNKNOWN = {"lambda": "InvalidParameterValueException", "stepfunctions": "InvalidToken"}


class Workflows:
    """Lambda's and Step Functions' side: what waits, by its token, and what each was resumed with."""

    def __init__(self) -> None:
        self.waits = {DURABLE.token, TASK.token}
        self.resumed: dict[str, Any] = {}
        # What the next requests are refused with instead.
        self.troubles: list[tuple[int, str]] = []
        self.requests = 0

    def answer(self, path: str, target: str, body: bytes) -> tuple[int, str]:
        """Return a status, and the type of the error where it is one."""
        self.requests += 1
        if self.troubles:
            return self.troubles.pop(0)
        if target:
            assert target == "AWSStepFunctions.SendTaskSuccess"
            asked = json.loads(body)
            service, token, result = "stepfunctions", asked["taskToken"], asked["output"]
        else:
            assert path.startswith(DURABLE_PATH[0])
            assert path.endswith(DURABLE_PATH[1])
            inner = path.removeprefix(DURABLE_PATH[0]).removesuffix(DURABLE_PATH[1])
            assert "/" not in inner
            service, token, result = "lambda", unquote(inner), body.decode()
        if token not in self.waits:
            return 400, (OVER if token in self.resumed else UNKNOWN)[service]
        self.waits.remove(token)
        self.resumed[token] = json.loads(result)
        return 200, ""


@pytest.fixture
def workflows(behind: Behind) -> Iterator[Workflows]:
    """Give the two services, asked by boto3's own clients."""
    state = Workflows()

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, error = state.answer(self.path, self.headers.get("X-Amz-Target", ""), body)
            answer = json.dumps({"__type": error, "message": f"about {self.path}"} if error else {}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            if error:
                self.send_header("x-amzn-ErrorType", error)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        for service in ("lambda", "stepfunctions"):
            made = boto3.session.Session("made", "up", region_name="us-east-1").client(
                service, endpoint_url=url, config=sdk.TWO_TRIES
            )
            behind.clients[service] = RecordingClient(made)
        behind.cold(RESUME_ASKS="both")
        yield state
        server.shutdown()


def pressed(behind: Behind, label: str = "✅ Approve") -> None:
    """Have the owner answer, and everybody hear of it."""
    press(behind, Platform.TELEGRAM, buttons(behind, Platform.TELEGRAM)[label])
    behind.settle()


def paused(behind: Behind, resume: Resume, title: str = "Delete 3 files?", **order: Any) -> Question:
    """Ask, as something does that pauses then."""
    question = ask(behind, title, asker=ALICE, resume=resume, details="secret words", **order)
    behind.settle()
    return question


def test_every_outcome_resumes_what_is_paused(
    behind: Behind, workflows: Workflows, caplog: pytest.LogCaptureFixture
) -> None:
    """A17, A20: approved, denied, cancelled and expired alike, as a success that says which, once, and its token is nowhere else."""
    outcomes = {
        "approved": ("123456789", "button"),
        "denied": ("123456789", "button"),
        "cancelled": ("alice", "cli"),
        "expired": ("", ""),
    }
    for resume, outcome in [(DURABLE, outcome) for outcome in outcomes] + [(TASK, "approved")]:
        workflows.waits.add(resume.token)
        workflows.resumed.clear()
        question = paused(behind, resume, f"{resume.kind} {outcome}?", key=f"{resume.kind}-{outcome}", expires_in=60)
        store, now = store_of(behind), behind.now()
        if outcome == "approved":
            pressed(behind)
            # What follows resumes nothing once more.
            store.use(question.id, ALICE.id, now, digest=question.digest)
        elif outcome == "denied":
            pressed(behind, "❌ Deny")
            store.explain(question.id, "telegram:123456789", "Not today.", now)
        elif outcome == "cancelled":
            store.cancel(question.id, Voter(via=Via.CLI, by="alice", caller=ALICE.id), now, asker=ALICE.id)
        else:
            behind.questions.sweep(now + 61)
        behind.settle()
        by, via = outcomes[outcome]
        (data,) = workflows.resumed.values()
        assert data == {
            "id": question.id, "key": question.key, "state": outcome, "digest": question.digest, "decided_by": by, "decided_via": via,
            "decided_at": data["decided_at"],
        }, (resume.kind, outcome)  # fmt: skip
        assert workflows.resumed.keys() == {resume.token}
    assert workflows.requests == len(outcomes) + 1
    assert behind.parked() == 0
    told = [str(record.__dict__) for record in caplog.records] + [str(one) for one in behind.events()]
    told += [str(item) for item in behind.edge.dynamodb.scan(TableName=TABLE)["Items"]]
    assert not [one for one in told if DURABLE.token[:14] in one or TASK.token[:20] in one]


def test_trouble_there_is_tried_again_and_delays_nobody(
    behind: Behind, workflows: Workflows, caplog: pytest.LogCaptureFixture
) -> None:
    """A17: throttled, failed or not allowed, it is tried for a day; callbacks, events and prompts do not wait for it, nor it for them."""
    called: list[bytes] = []
    behind.questions._post = lambda _url, _headers, body: called.append(body) or 200
    workflows.troubles = [(429, "TooManyRequestsException"), (500, "ServiceException"), (403, "AccessDeniedException")]
    workflows.troubles += [(400, "ThrottlingException")] * 40
    question = paused(behind, DURABLE, callback_url="https://asker.example/")
    press(behind, Platform.TELEGRAM, buttons(behind, Platform.TELEGRAM)["✅ Approve"])
    for _ in range(3):
        behind.relay_once()
        behind.courier_once()
    assert behind.event_types() == ["ask_requested", "ask_approved"]
    assert len(called) == 1
    assert "recorded" in behind.prompts(Platform.TELEGRAM)[0]
    assert not workflows.resumed
    started = behind.now()
    behind.consumer._clock = lambda: started + 80_000
    behind.courier_once()
    assert not behind.parked()
    workflows.troubles.clear()
    behind.settle()
    assert workflows.resumed[DURABLE.token]["id"] == question.id
    assert DURABLE.token not in str([record.__dict__ for record in caplog.records])
    # Nor does an address that does not answer hold up what is paused.
    behind.consumer._clock = behind.now
    behind.questions._post = lambda *_: 500
    paused(behind, TASK, "Another?", callback_url="https://asker.example/")
    press(behind, Platform.TELEGRAM, buttons(behind, Platform.TELEGRAM)["❌ Deny"])
    for _ in range(4):
        behind.relay_once()
        behind.courier_once()
    assert workflows.resumed[TASK.token]["state"] == "denied"


def test_what_waits_no_more_is_left_alone(
    behind: Behind, workflows: Workflows, caplog: pytest.LogCaptureFixture
) -> None:
    """Timed out, closed or never there: that is done, with a line in the log; and a revoked token resumes nothing."""
    for resume in (DURABLE, TASK):
        for gone in (True, False):
            workflows.waits.clear()
            workflows.resumed = {resume.token: {}} if gone else {}
            before = workflows.requests
            paused(behind, resume, f"{resume.kind} {gone}?")
            pressed(behind)
            assert workflows.requests == before + 1
            assert caplog.records[-1].__dict__["outcome"] == "gone"
    assert behind.parked() == 0
    bearer = Tokens(Table(behind.edge.dynamodb, TABLE)).create("ci", {Scope.ASKS}, "alice", behind.now())[1]
    ask(behind, "One more?", asker=Asker(id=bearer.id, label="token ci"), resume=TASK)
    behind.settle()
    Tokens(Table(behind.edge.dynamodb, TABLE)).revoke(bearer.id)
    workflows.waits = {TASK.token}
    pressed(behind)
    assert workflows.waits == {TASK.token}


def test_who_asks_again_is_resumed_last(behind: Behind, workflows: Workflows) -> None:
    """A task that is tried again has another token: the last one goes on, also where the first had none; answered, it is told at once."""
    first = paused(behind, Resume(kind=ResumeKind.TASK, token="before"))
    assert paused(behind, TASK).id == first.id
    pressed(behind)
    assert workflows.resumed.keys() == {TASK.token}
    plain = ask(behind, "Another?", asker=ALICE)
    behind.settle()
    assert ask(behind, "Another?", asker=ALICE, resume=DURABLE).id == plain.id
    pressed(behind, "❌ Deny")
    assert workflows.resumed[DURABLE.token]["state"] == "denied"
    assert ask(behind, "Another?", asker=ALICE, resume=TASK).state is QuestionState.DENIED
    behind.settle()
    assert len(workflows.resumed) == 2


def test_nothing_is_taken_that_is_not_resumed_here(behind: Behind) -> None:
    """Where ResumeAsks is off, or of the other kind, such a question is refused, and says why."""
    for setting, refused in (("off", (DURABLE, TASK)), ("durable", (TASK,)), ("task", (DURABLE,))):
        behind.cold(RESUME_ASKS=setting)
        for resume in refused:
            with pytest.raises(InvalidQuestionError, match=f"{resume.kind}.*ResumeAsks is {setting}"):
                ask(behind, asker=ALICE, resume=resume)


def test_no_answer_is_another_try() -> None:
    """A18: where no answer comes it is tried again; what is no error of AWS's is a bug, and says so."""

    class Silent:
        def send_task_success(self, **_: Any) -> None:
            raise ConnectionError

    resumption = Resumption(lambda _: Silent(), transport_errors=(ConnectionError,))
    with pytest.raises(UnavailableError):
        resumption.tell(TASK, b"{}")
    with pytest.raises(AttributeError):
        resumption.tell(DURABLE, b"{}")
