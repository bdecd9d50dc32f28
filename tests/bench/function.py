"""One function's process under Lambda's runtime client, and what the system tells about it."""

from __future__ import annotations

import contextlib
import os
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from tests.bench.canned import Canned
from tests.bench.layout import Layout
from tests.bench.loopback import OURS, THEIRS, Loopback, pin
from tests.bench.runtime_api import Answered, RuntimeApi
from tests.bench.subjects import CONTACT, SECRETS, Subject

# Each file that Python itself opens, by its audit event; written at once, for the process is killed in the end.
WATCH = """
import os, runpy, sys
def watch(event, details, log=os.open(os.environ["BENCH_OPENED"], os.O_WRONLY | os.O_CREAT)):
    if event == "open" and isinstance(details[0], str):
        os.write(log, b".")
sys.addaudithook(watch)
sys.argv = ["awslambdaric", "app.handler"]
runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
"""


class Function:
    """A running function."""

    def __init__(self, subject: Subject, api: RuntimeApi, canned: Canned, process: subprocess.Popen[bytes]) -> None:
        """Keep what belongs together; ``started_at`` is the moment before the process was."""
        self.subject = subject
        self.calls = canned.calls
        self._api = api
        self._pid = process.pid
        self._served = 0

    def serve(self, count: int) -> list[Answered]:
        """Have it answer so many messages; each answer and all calls so far have to be right. Raises FunctionError."""
        answered = self.finish(self.begin(count))
        self.subject.check_calls(self.calls, self._served)
        return answered

    def begin(self, count: int) -> int:
        """Hand out so many messages."""
        self._api.start(self.subject.events(count, self._served))
        return count

    def finish(self, count: int) -> list[Answered]:
        """Wait for the answers."""
        answered = self._api.finish()
        self._served += count
        self.subject.check([one.answer for one in answered])
        return answered

    def cpu(self) -> float:
        """Return the CPU time of the whole process so far, in seconds."""
        return cpu_of(self._pid)

    def memory(self) -> tuple[float, float]:
        """Return the most it ever held, and what it holds now as its share, in MiB."""
        status = Path(f"/proc/{self._pid}/status").read_text()
        rollup = Path(f"/proc/{self._pid}/smaps_rollup").read_text()
        return _kib(status, "VmHWM") / 1024, _kib(rollup, "Pss") / 1024


class Start(Function):
    """A function from its very start: the first answer, in seconds and in seconds of CPU time."""

    wall: float
    first_cpu: float


def cpu_of(pid: int) -> float:
    """Return the CPU time of a process, its threads that have ended included, in seconds: its clock, by number."""
    return time.clock_gettime((~pid << 3) | 2)


@contextlib.contextmanager
def started(  # noqa: PLR0913 (where and how)
    subject: Subject,
    layout: Layout,
    loopback: Loopback,
    *,
    tls: ssl.SSLContext | None = None,
    log: Path = Path(os.devnull),
    opened: Path | None = None,
) -> Iterator[Start]:
    """Start a function and have it answer its first message; with ``tls`` everything it calls speaks TLS."""
    canned = Canned(CONTACT, SECRETS)
    api = RuntimeApi(loopback)
    with (
        loopback.serving(api.answer) as host,
        loopback.serving(canned.answer, tls) as aws,
        log.open("ab") as output,
    ):
        url = f"{'https' if tls else 'http'}://{aws}"
        environment = _environment(subject, layout, host) | subject.environment(url)
        command: list[str | Path] = [layout.python, "-m", "awslambdaric", "app.handler"]
        if opened:
            environment["BENCH_OPENED"] = str(opened)
            command = [layout.python, "-c", WATCH]
        api.start(subject.events(1))
        begin, process = _start(command, environment, layout.task(subject.function), output)
        api.measure = lambda: cpu_of(process.pid)
        try:
            start = Start(subject, api, canned, process)
            (first,) = start.finish(1)
            start.wall, start.first_cpu = first.at - begin, first.measured
            api.measure = lambda: 0.0
            subject.check_calls(start.calls, 1)
            yield start
        finally:
            process.kill()
            process.wait()


def _start(
    command: Sequence[str | Path], environment: dict[str, str], task: Path, output: IO[bytes]
) -> tuple[float, subprocess.Popen[bytes]]:
    pin(THEIRS)
    try:
        begin = time.perf_counter()
        return begin, subprocess.Popen(
            command, env=environment, cwd=task, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    finally:
        pin(OURS)


def _environment(subject: Subject, layout: Layout, host: str) -> dict[str, str]:
    """Return what Lambda itself sets. It writes no bytecode: its disk is read-only."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "HOME": tempfile.gettempdir(),
        "PYTHONPATH": layout.path(subject.function),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAMBDA_TASK_ROOT": str(layout.task(subject.function)),
        "_HANDLER": "app.handler",
        "AWS_LAMBDA_RUNTIME_API": host,
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_SESSION_TOKEN": "a-session-token-of-the-bench-" * 10,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SSL_CERT_FILE": str(layout.machine_trusts),
    }


def _kib(text: str, name: str) -> int:
    (line,) = (line for line in text.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])
