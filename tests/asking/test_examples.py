"""The examples of docs/asking.md that can run here: a shell script, a step of GitHub Actions, and a workflow that pauses."""

import base64
import importlib.util
import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError
from standardwebhooks import Webhook

from doorcode.asking.client import AskError
from tests.asking.conftest import Surroundings

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs/examples/asking"
# Takes notes, and has a plan.
TERRAFORM = """#!/bin/sh
echo "$@" >> terraform.log
case $1 in plan) echo a plan > plan.tfplan;; show) echo "+ one server";; esac
"""
SECRET = f"whsec_{base64.b64encode(b'k' * 32).decode()}"


def run(command: list[str], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run something in that folder, with ``doorcode`` and what stands there on the path."""
    path = os.pathsep.join([str(folder), str(Path(sys.executable).parent), os.environ["PATH"]])
    given = os.environ | {"PATH": path} | environment
    return subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)


def program(path: Path, text: str) -> None:
    """Lay a program down."""
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_a_plan_is_applied_after_a_yes(around: Surroundings, tmp_path: Path) -> None:
    """Fault 9: the script ends before apply for as long as there is no yes; the plan's checksum is under what is approved."""
    program(tmp_path / "terraform", TERRAFORM)
    script = (EXAMPLES / "terraform.sh").read_text()
    # Nobody waits for an hour here: the same question is asked again instead.
    program(tmp_path / "deploy.sh", script.replace(" --wait 1h", " --expires 1h --key plan"))
    assert " --wait 1h" in script
    assert run(["./deploy.sh"], tmp_path).returncode == 5
    question = around.only()
    assert question["details"] == "+ one server"
    assert len(question["arguments"]["sha256"]) == 64
    around.decides(question["id"], "approve")
    assert "apply" not in (tmp_path / "terraform.log").read_text()
    ended = run(["./deploy.sh"], tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "terraform.log").read_text().endswith("apply -input=false plan.tfplan\n")


def test_what_the_document_begins_with(around: Surroundings, tmp_path: Path) -> None:
    """Its first line of shell and its lines of Python, as they stand there, delete after a yes, once, and nothing after a no."""
    document = (ROOT / "docs/asking.md").read_text()
    shell, python = (re.findall(rf"```{kind}\n(.*?)```", document, re.DOTALL)[0] for kind in ("sh", "python"))
    verbs = iter(["approve", "deny"] * 2)
    around.web.meanwhile = lambda: around.decides(around.only()["id"], next(verbs))
    for left in ([], ["a", "b", "c"]):
        for name in "abc":
            (tmp_path / name).touch()
        ended = run(["bash", "-c", shell], tmp_path)
        assert ended.returncode == (1 if left else 0), ended.stderr
        assert sorted(path.name for path in tmp_path.iterdir()) == left
    deleted: list[tuple[str, ...]] = []
    for _ in range(2):
        exec(python, {"os": os, "delete": lambda *files: deleted.append(files)})  # noqa: S102 (our own document)
        assert deleted == [("a", "b", "c")]


def test_a_step_of_github_actions(around: Surroundings, tmp_path: Path) -> None:
    """It says which commit, and a job that ends takes its question back."""
    steps = yaml.safe_load((EXAMPLES / "github-actions.yml").read_text())["jobs"]["deploy"]["steps"]
    (step,) = (step for step in steps if step.get("name") == "Ask the owner")
    assert set(step["env"]) == {"DOORCODE_URL", "DOORCODE_TOKEN"}
    github = {
        "SHA": "c0ffee",
        "SERVER_URL": "https://github.com",
        "REPOSITORY": "o/r",
        "RUN_ID": "7",
        "RUN_ATTEMPT": "1",
    }
    ended = run(
        ["bash", "-e", "-c", step["run"].replace("--wait 30m", "--wait 1s")],
        tmp_path,
        **{f"GITHUB_{name}": value for name, value in github.items()},
    )
    assert (ended.returncode, ended.stdout) == (6, "cancelled\n"), ended.stderr
    (question,) = around.page.get("/api/asks?state=cancelled").body["asks"]
    assert (question["title"], question["key"]) == ("Deploy c0ffee to production?", "deploy-7-1")
    assert question["details"] == "https://github.com/o/r/commit/c0ffee"


class Aws:
    """Takes down what the two services are told."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.gone = False

    def __call__(self, service: str) -> "Aws":
        """Give a client."""
        assert service in {"stepfunctions", "lambda"}
        return self

    def send_task_success(self, **arguments: Any) -> None:
        """Take it, or say that nobody waits."""
        self.told.append(arguments)
        if self.gone:
            kind = type("TaskTimedOut", (ClientError,), {})
            raise kind({"Error": {"Code": "TaskTimedOut"}}, "SendTaskSuccess")

    send_durable_execution_callback_success = send_task_success


def test_a_workflow_that_pauses(around: Surroundings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks with its token in the address, or to be resumed; goes on with every outcome once the callback is verified, and uses a yes itself."""
    monkeypatch.setenv("DECIDED_URL", "https://decided.example/")
    monkeypatch.setenv("DOORCODE_CALLBACK_SECRET", SECRET)
    spec = importlib.util.spec_from_file_location("workflows", EXAMPLES / "workflows.py")
    assert spec is not None
    assert spec.loader is not None
    workflows = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(workflows)
    aws = Aws()
    monkeypatch.setattr(workflows.boto3, "client", aws)
    asked: Mapping[str, Any] = {"token": "AQC+/a=" * 20, "title": "Pay 3 invoices?", "arguments": {"ids": [1, 2, 3]}}
    question_id = workflows.ask({"kind": "task", **asked}, None)
    around.decides(question_id, "approve")
    data = {"id": question_id, "state": "approved", "digest": around.client.look(question_id).digest}
    body = json.dumps({"type": "ask.approved", "data": data})
    now = datetime.now(UTC)
    headers = {"webhook-id": "m", "webhook-timestamp": str(int(now.timestamp()))}
    headers["webhook-signature"] = Webhook(SECRET).sign("m", now, body)
    query = f"kind=task&token={workflows.quote(asked['token'], safe='')}"
    event = {"headers": headers, "rawQueryString": query, "body": body}
    assert workflows.decided(event, None) == {"statusCode": 204}
    assert aws.told == [{"taskToken": asked["token"], "output": json.dumps(data)}]
    assert workflows.decided(event | {"body": body + " "}, None) == {"statusCode": 401}
    durable = event | {"rawQueryString": query.replace("task", "durable"), "isBase64Encoded": True}
    assert workflows.decided(durable | {"body": base64.b64encode(body.encode()).decode()}, None) == {"statusCode": 204}
    assert aws.told[1:] == [{"CallbackId": asked["token"], "Result": json.dumps(data).encode()}]
    with pytest.raises(AskError, match="ResumeAsks is off") as off:
        workflows.ask_to_be_resumed({"kind": "task", **asked}, None)
    assert off.value.status == 422
    around.web.restart(RESUME_ASKS="task")
    resumed = {"kind": "task", **asked, "title": "Pay one more?"}
    paused = workflows.ask_to_be_resumed(resumed, None)
    assert around.client.look(paused).state == "pending"
    aws.gone = True
    assert workflows.decided(event, None) == {"statusCode": 410}
    with pytest.raises(AskError) as other:
        workflows.use(data | {"digest": f"sha256:{0:064}"}, None)
    assert other.value.reason == "digest_mismatch"
    workflows.use(data, None)
    with pytest.raises(AskError) as again:
        workflows.use(data, None)
    assert again.value.reason == "already_used"
