"""Deploying a build onto the emulator: what is uploaded, what CloudFormation is asked for, and how it can fail."""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from doorcode_sandbox.deployment import deploy, package, zipped
from doorcode_sandbox.trouble import SandboxError


class Account:
    """An account's storage and CloudFormation, and what they were asked for."""

    def __init__(self, stack: Mapping[str, str] | None = None, *, refuses: str = "", fails: bool = False) -> None:
        self.objects: dict[str, bytes] = {}
        self.asked: list[tuple[str, dict[str, str], list[str]]] = []
        self.meta = SimpleNamespace(endpoint_url="http://127.0.0.1:8788")
        self._stack, self._refuses, self._fails = stack, refuses, fails

    def client(self, _service: str) -> Any:
        """Return a client."""
        return self

    def create_bucket(self, **_: Any) -> None:
        """Make a bucket."""

    def put_object(self, **given: Any) -> None:
        """Keep an object."""
        self.objects[given["Key"]] = given["Body"]

    def describe_stacks(self, **_: Any) -> Any:
        """Tell of the stack."""
        if self._stack is None:
            raise ClientError({"Error": {"Message": "there is no such stack"}}, "DescribeStacks")
        return {"Stacks": [{"Parameters": [{"ParameterKey": key} for key in self._stack]}]}

    def create_stack(self, **wanted: Any) -> None:
        """Make the stack."""
        self._take("create", wanted)

    def update_stack(self, **wanted: Any) -> None:
        """Change the stack."""
        self._take("update", wanted)

    def _take(self, kind: str, wanted: Any) -> None:
        if self._refuses:
            raise ClientError({"Error": {"Message": self._refuses}}, kind)
        given = {one["ParameterKey"]: one.get("ParameterValue") for one in wanted["Parameters"]}
        self.asked.append(
            (kind, {key: value for key, value in given.items() if value}, [key for key in given if not given[key]])
        )

    def get_waiter(self, name: str) -> Any:
        """Give what waits."""

        def wait(**_: Any) -> None:
            if self._fails:
                raise WaiterError(name, "it ended otherwise", {})

        return SimpleNamespace(wait=wait)

    def describe_stack_events(self, **_: Any) -> Any:
        """Tell what happened, the latest first."""
        event = {"LogicalResourceId": "Table", "ResourceStatus": "CREATE_FAILED"}
        reasons = ("Rollback", "", "No such type")
        return {"StackEvents": [event | ({"ResourceStatusReason": reason} if reason else {}) for reason in reasons]}


def test_what_is_built_is_uploaded_by_its_content(tmp_path: Path) -> None:
    """The same content has the same name, wherever it is built, so that an update leaves alone what has not changed."""
    for build in ("one", "two"):
        for folder in ("layer/python", "code"):
            (tmp_path / build / folder).mkdir(parents=True)
        (tmp_path / build / "layer/python/a.py").write_text("A = 1")
        (tmp_path / build / "code/app.py").write_text("B = 1")
        (tmp_path / build / "template.yaml").write_text("    ContentUri: layer\n    CodeUri: ./code\n    Uri: code\n")
    one, two = Account(), Account()
    assert package(one.client, tmp_path / "one", "here") == "http://127.0.0.1:8788/here/template.yaml"
    package(two.client, tmp_path / "two", "here")
    assert one.objects == two.objects
    text = one.objects["template.yaml"].decode()
    keys = [line.rpartition("s3://here/")[2] for line in text.splitlines()[:2]]
    assert text == f"    ContentUri: s3://here/{keys[0]}\n    CodeUri: s3://here/{keys[1]}\n    Uri: code\n"
    (tmp_path / "layer.zip").write_bytes(one.objects[keys[0]])
    assert zipfile.ZipFile(tmp_path / "layer.zip").read("python/a.py") == b"A = 1"
    (tmp_path / "two/code/app.py").write_text("B = 2")
    assert zipped(tmp_path / "one/code") == one.objects[keys[1]] != zipped(tmp_path / "two/code")


def test_what_is_not_named_stays_as_it_was() -> None:
    """A new stack gets what is named; one that is there keeps everything else."""
    new, there = Account(), Account({"A": "1", "B": "2"})
    for account in (new, there):
        deploy(account.client, "doorcode", "http://x", {"A": 3})
    assert new.asked == [("create", {"A": "3"}, [])]
    assert there.asked == [("update", {"A": "3"}, ["B"])]


def test_nothing_to_do_is_no_failure() -> None:
    """What is deployed already is deployed; any other refusal is one."""
    deploy(Account({}, refuses="No updates are to be performed.").client, "doorcode", "http://x", {})
    with pytest.raises(ClientError, match="not authorized"):
        deploy(Account({}, refuses="not authorized").client, "doorcode", "http://x", {})


def test_why_it_failed_is_told() -> None:
    """Whatever the events give as a reason, in the order in which it happened."""
    with pytest.raises(SandboxError, match="could not be deployed") as failed:
        deploy(Account(fails=True).client, "doorcode", "http://x", {})
    assert failed.value.tail == "Table CREATE_FAILED: No such type\nTable CREATE_FAILED: Rollback"
