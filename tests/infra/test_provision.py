"""The custom resource: makes what is missing, keeps what is there, and always answers CloudFormation."""

import importlib.util
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.exceptions import ClientError

from doorcode.aws.provisioning import MADE_HERE, create_missing_secrets
from doorcode.entrypoints import provision as entrypoint
from doorcode.entrypoints.provision import RESOURCE_ID, provision
from doorcode.platforms.telegram import inbound as telegram
from doorcode.wiring import sdk
from doorcode.wiring.provision import connect_to_parameter_store
from tests.infra.template import ROOT, functions

PREFIX = "/doorcode/my-stack"
PATHS = [f"{PREFIX}/{name}" for name in MADE_HERE]


class CloudFormation:
    """Listens at a ResponseURL; the first ``refusals`` answers are refused."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.refusals = 0
        self.heard: list[dict[str, Any]] = []
        self.types: list[str | None] = []

    @property
    def answer(self) -> dict[str, Any]:
        """The one answer that was given."""
        (answer,) = self.heard
        return answer

    def request(self, kind: str) -> dict[str, Any]:
        """Return what the function is invoked with."""
        return {
            "RequestType": kind,
            "ResponseURL": f"{self.url}/answer?signature=abc",
            "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/my-stack/1",
            "RequestId": "request-1",
            "LogicalResourceId": "Secrets",
            "ResourceType": "Custom::Secrets",
            "ResourceProperties": {"Version": "1"},
        }


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    """Give a CloudFormation that waits for answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if listener.refusals:
                listener.refusals -= 1
                self.send_error(503)
                return
            listener.types.append(self.headers["Content-Type"])
            listener.heard.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        listener = CloudFormation(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield listener
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARAMETER_PREFIX", PREFIX)


def secrets(ssm: Any) -> dict[str, str]:
    """Return every secret there is, by path."""
    answer = ssm.get_parameters(Names=PATHS, WithDecryption=True)
    return {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}


class Refusing:
    """A client whose writes fail."""

    def __init__(self, error: Callable[[dict[str, Any]], Exception]) -> None:
        self.error = error

    def put_parameter(self, **kwargs: Any) -> Any:
        """Fail."""
        raise self.error(kwargs)


class Clock:
    """Stands still but for pauses."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def denied(_: dict[str, Any]) -> Any:
    """Return what boto3 raises for a right that the role lacks."""
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "PutParameter")


def test_missing_secrets_are_made(ssm: Any, cloudformation: CloudFormation) -> None:
    """On creation, different encrypted secrets of 256 bits are made, each in its form, and CloudFormation hears of success."""
    provision(cloudformation.request("Create"), lambda: (ssm, PREFIX))
    assert cloudformation.answer == {
        "Status": "SUCCESS",
        "PhysicalResourceId": RESOURCE_ID,
        "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/my-stack/1",
        "RequestId": "request-1",
        "LogicalResourceId": "Secrets",
    }
    # The address is signed for an empty content type.
    assert cloudformation.types == [""]
    made = secrets(ssm)
    assert set(made) == set(PATHS)
    assert len(set(made.values())) == len(PATHS)
    for path, value in made.items():
        # The agent's is as Standard Webhooks has them.
        form = r"whsec_[A-Za-z0-9+/]{43}=" if path.endswith("agent/webhook-secret") else r"[A-Za-z0-9_-]{43}"
        assert re.fullmatch(form, value)
    kinds = {one["Name"]: one["Type"] for one in ssm.describe_parameters()["Parameters"]}
    assert set(kinds.values()) == {"SecureString"}


def test_the_webhooks_secret_is_the_one_that_telegram_is_verified_with() -> None:
    """The secret that is made for Telegram goes by the name that the edge reads."""
    assert telegram.SECRET in MADE_HERE


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_secret_that_is_there_is_kept(ssm: Any, cloudformation: CloudFormation, kind: str) -> None:
    """Only what is missing is made, whatever the request."""
    ssm.put_parameter(Name=PATHS[1], Value="mine", Type="SecureString")
    provision(cloudformation.request(kind), lambda: (ssm, PREFIX))
    assert cloudformation.answer["Status"] == "SUCCESS"
    assert secrets(ssm)[PATHS[1]] == "mine"
    assert len(secrets(ssm)) == len(PATHS)


def test_of_two_at_once_the_first_ones_secrets_stay(ssm: Any) -> None:
    """Whoever writes second finds the first one's secret and leaves it."""

    class Slow:
        def put_parameter(self, **kwargs: Any) -> Any:
            ssm.put_parameter(**{**kwargs, "Value": "the first one's"})
            return ssm.put_parameter(**kwargs)

    assert create_missing_secrets(Slow(), PREFIX) == []
    assert set(secrets(ssm).values()) == {"the first one's"}


def test_deleting_the_stack_leaves_the_secrets(ssm: Any, cloudformation: CloudFormation) -> None:
    """On deletion nothing is called at all."""
    provision(cloudformation.request("Create"), lambda: (ssm, PREFIX))
    before = secrets(ssm)
    provision(cloudformation.request("Delete"), lambda: pytest.fail("nothing is to be done"))
    assert secrets(ssm) == before
    assert [one["Status"] for one in cloudformation.heard] == ["SUCCESS", "SUCCESS"]


def test_a_refused_write_is_answered_with_its_reason(
    cloudformation: CloudFormation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deployment fails at once, and says which secret could not be made and why."""
    clock = Clock(monkeypatch)
    provision(cloudformation.request("Create"), lambda: (Refusing(denied), PREFIX), clock.pause)
    reason = f"The secret {PATHS[0]} cannot be created (AccessDeniedException)."
    assert cloudformation.answer["Status"] == "FAILED"
    assert cloudformation.answer["Reason"] == reason
    assert cloudformation.answer["PhysicalResourceId"] == RESOURCE_ID
    assert caplog.messages[-1] == reason
    assert 0 < clock.now <= entrypoint.RIGHTS_SECONDS


def test_a_new_roles_rights_are_waited_for(
    ssm: Any, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a first deployment the role is seconds old, and what it may do is not known everywhere yet."""

    class Young:
        def put_parameter(self, **kwargs: Any) -> Any:
            if clock.now < 20 or (kwargs["Name"] == PATHS[2] and clock.now < 25):
                raise denied(kwargs)
            return ssm.put_parameter(**kwargs)

    clock = Clock(monkeypatch)
    provision(cloudformation.request("Create"), lambda: (Young(), PREFIX), clock.pause)
    assert cloudformation.answer["Status"] == "SUCCESS"
    assert set(secrets(ssm)) == set(PATHS)
    assert clock.now == 25


def test_no_secret_is_ever_shown(cloudformation: CloudFormation, caplog: pytest.LogCaptureFixture, ssm: Any) -> None:
    """Security 8: neither the answer nor the log holds a value, not even one that the client's own error repeats."""
    caplog.set_level(logging.DEBUG, "doorcode")
    given: list[str] = []

    def repeating(arguments: dict[str, Any]) -> Exception:
        given.append(arguments["Value"])
        return ValueError(f"cannot send {arguments['Value']}")

    provision(cloudformation.request("Create"), lambda: (Refusing(repeating), PREFIX))
    provision(cloudformation.request("Create"), lambda: (ssm, PREFIX))
    shown = json.dumps(cloudformation.heard) + caplog.text
    assert "(ValueError)" in shown
    assert not [value for value in (*given, *secrets(ssm).values()) if value in shown]


def test_whatever_goes_wrong_is_answered(cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that cannot be built, or an environment that lacks the prefix, keeps CloudFormation from nothing."""

    def broken() -> Any:
        raise RuntimeError("secret words")

    provision(cloudformation.request("Create"), broken)
    monkeypatch.delenv("PARAMETER_PREFIX")
    provision(cloudformation.request("Create"), connect_to_parameter_store)
    assert [one["Status"] for one in cloudformation.heard] == ["FAILED", "FAILED"]
    assert [one["Reason"] for one in cloudformation.heard] == [
        "Making the secrets failed (RuntimeError).",
        "PARAMETER_PREFIX is not set: the stack's template sets it.",
    ]


def test_the_answer_is_given_again_if_it_is_not_taken(ssm: Any, cloudformation: CloudFormation) -> None:
    """CloudFormation's storage may refuse once or twice."""
    pauses: list[float] = []
    cloudformation.refusals = 2
    provision(cloudformation.request("Create"), lambda: (ssm, PREFIX), pauses.append)
    assert cloudformation.answer["Status"] == "SUCCESS"
    assert pauses == [1, 1]


def test_an_answer_that_cannot_be_given_fails_the_invocation(ssm: Any, cloudformation: CloudFormation) -> None:
    """After three tries Lambda is told, and invokes the function anew: nothing is made twice."""
    cloudformation.refusals = 3
    with pytest.raises(OSError, match="503"):
        provision(cloudformation.request("Create"), lambda: (ssm, PREFIX), lambda _: None)
    before = secrets(ssm)
    provision(cloudformation.request("Create"), lambda: (ssm, PREFIX))
    assert secrets(ssm) == before


def test_the_handler(ssm: Any, cloudformation: CloudFormation, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function itself builds its client from what Lambda's environment says."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", ssm.meta.region_name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    spec = importlib.util.spec_from_file_location("provision_app", ROOT / "functions/provision/app.py")
    assert spec
    assert spec.loader
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    assert app.handler(cloudformation.request("Create"), None) is None
    assert set(secrets(ssm)) == set(PATHS)
    assert cloudformation.answer["Status"] == "SUCCESS"


def test_it_gives_up_before_lambda_does() -> None:
    """Writes and answers, each as slow as they may be, fit into the function's time."""
    config = (sdk.PROVISION.connect_timeout + sdk.PROVISION.read_timeout) * sdk.PROVISION.retries[
        "total_max_attempts"
    ] * len(MADE_HERE) + entrypoint.RIGHTS_SECONDS
    assert config + entrypoint.ANSWER_TRIES * (entrypoint.ANSWER_SECONDS + 1) < functions()["provision"]["Timeout"]
