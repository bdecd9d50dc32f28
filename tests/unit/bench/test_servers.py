"""The servers that measured functions stand between: Lambda's Runtime API, and AWS answered from memory."""

import http.client
import json
import os
import threading
from typing import Any

import pytest

from tests.backends.dynamodb import client
from tests.bench.canned import PAIRED, STRANGERS, Canned
from tests.bench.function import cpu_of
from tests.bench.loopback import Loopback
from tests.bench.runtime_api import FunctionError, RuntimeApi
from tests.eventually import PATIENCE_SECONDS

CONTACT = {"state": {"S": "paired"}}
KEY = {"pk": {"S": "telegram#987654321"}, "sk": {"S": "contact"}}


def run_function(host: str, answers: int, *, failing: bool = False) -> None:
    """Take events from the Runtime API and give each back, as Lambda's runtime client does; or fail."""
    connection = http.client.HTTPConnection(host, timeout=PATIENCE_SECONDS)
    for _ in range(answers):
        connection.request("GET", "/2018-06-01/runtime/invocation/next")
        taken = connection.getresponse()
        event, request = taken.read(), taken.headers["Lambda-Runtime-Aws-Request-Id"]
        end = "error" if failing else "response"
        connection.request("POST", f"/2018-06-01/runtime/invocation/{request}/{end}", event)
        connection.getresponse().read()
    connection.close()


def test_the_runtime_api_gives_events_and_takes_answers(loopback: Loopback) -> None:
    """Each event is answered once, in order, and timed."""
    api = RuntimeApi(loopback, measure=lambda: 0.25)
    with loopback.serving(api.answer) as host:
        function = threading.Thread(target=run_function, args=(host, 3))
        function.start()
        first = api.invoke([{"number": 1}, {"number": 2}], timeout=PATIENCE_SECONDS)
        second = api.invoke([{"number": 3}], timeout=PATIENCE_SECONDS)
        function.join()
    assert [one.answer["number"] for one in (*first, *second)] == [1, 2, 3]
    assert all(one.seconds > 0 and one.measured == 0.25 for one in (*first, *second))


def test_a_function_that_fails_is_no_measurement(loopback: Loopback) -> None:
    """What a function reports as its error ends the measurement."""
    api = RuntimeApi(loopback)
    with loopback.serving(api.answer) as host:
        function = threading.Thread(target=run_function, args=(host, 1), kwargs={"failing": True})
        function.start()
        with pytest.raises(FunctionError, match="broken"):
            api.invoke([{"errorMessage": "broken"}], timeout=PATIENCE_SECONDS)
        function.join()


def test_aws_is_answered_from_memory_and_counted(loopback: Loopback) -> None:
    """A real client finds what it asks for, and each call is counted by its operation."""
    canned = Canned(CONTACT, {"gateway-secret": "one"})
    with loopback.serving(canned.answer) as host:
        found: dict[str, Any] = client("dynamodb", f"http://{host}").get_item(TableName=PAIRED, Key=KEY)
        missing = client("dynamodb", f"http://{host}").get_item(TableName=STRANGERS, Key=KEY)
        secrets = client("ssm", f"http://{host}").get_parameters(
            Names=["/doorcode/bench/gateway-secret"], WithDecryption=True
        )
        client("sqs", f"http://{host}").send_message(QueueUrl=f"http://{host}/1/agent.fifo", MessageBody="hello")
    assert found["Item"] == KEY | CONTACT
    assert "Item" not in missing
    assert [one["Value"] for one in secrets["Parameters"]] == ["one"]
    assert canned.calls == {"GetItem": 2, "GetParameters": 1, "SendMessage": 1}


def test_an_unsigned_call_is_refused(loopback: Loopback) -> None:
    """A client that saves itself the signature is not measured."""
    canned = Canned(CONTACT, {})
    with loopback.serving(canned.answer) as host:
        connection = http.client.HTTPConnection(host, timeout=PATIENCE_SECONDS)
        body = json.dumps({"TableName": PAIRED, "Key": KEY})
        connection.request("POST", "/", body, {"X-Amz-Target": "DynamoDB_20120810.GetItem"})
        assert connection.getresponse().status == 403
        connection.close()
    assert not canned.calls


def test_the_clock_of_a_process_is_its_cpu_time() -> None:
    """CPU time is read by process, and goes on while it works."""
    before = cpu_of(os.getpid())
    sum(range(100_000))
    assert cpu_of(os.getpid()) > before
