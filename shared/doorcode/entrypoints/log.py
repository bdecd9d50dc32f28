"""The log: one line for what became of each request, with fields that the metric filters read.

A line is a JSON object of ASCII on standard output. Lambda keeps such lines as they are, and filters them by their ``level``. They
are written here, and not through ``logging`` and the formatter of Lambda's runtime, which took a tenth of all the CPU time
of an admitted message.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html

Never logged: bodies, headers, tokens, codes, callback data, texts and names; what people send appears as the platform, the
id and the reason alone.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from typing import Any

import msgspec

from doorcode.errors import DoorcodeError, SecretError, SettingsError, UnavailableError

_encode = msgspec.json.Encoder(enc_hook=str).encode
_logger = "doorcode"
_request_id = ""


def begin(context: Any, function: str) -> None:
    """Name function and invocation in every line from now on; ``context`` is Lambda's, or None.

    Several functions share a log group, in which ``logger`` tells them apart: ``doorcode.telegram``.
    """
    global _logger, _request_id  # noqa: PLW0603 (an environment serves one at a time)
    _logger = f"doorcode.{function}"
    _request_id = getattr(context, "aws_request_id", "") or ""


def info(text: str, **fields: str) -> None:
    """Log what happened as it should."""
    _log("INFO", text, fields)


def warning(text: str, **fields: str) -> None:
    """Log what was refused, or is probably not meant."""
    _log("WARN", text, fields)


def error(text: str, **fields: str) -> None:
    """Log what somebody has to look at."""
    _log("ERROR", text, fields)


def refused(failure: DoorcodeError, text: str = "Refused", **fields: str) -> None:
    """Log that something was refused, or could not be done, and the reason.

    What somebody has to look at, settings, secrets and services, is an error in its own words. Anything else is a warning
    in those of ``text``: its own may repeat what was sent.
    """
    fields["reason"] = failure.reason
    if isinstance(failure, SettingsError):
        for problem in failure.problems:
            error(problem, **fields)
    elif isinstance(failure, (SecretError, UnavailableError)):
        error(str(failure), **fields)
    else:
        warning(text, **fields)


def write(line: str) -> None:
    """Write a line to standard output, whatever that is at the time."""
    sys.stdout.write(line)


def _log(level: str, text: str, fields: dict[str, str]) -> None:
    now = time.time()
    line = {
        **fields,
        "timestamp": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03}Z",
        "level": level,
        "message": text,
        "logger": _logger,
        "requestId": _request_id,
    }
    write(_ascii(line) + "\n")


def _ascii(line: dict[str, str]) -> str:
    with contextlib.suppress(UnicodeEncodeError):
        encoded = _encode(line)
        if encoded.isascii():
            return encoded.decode()
    # Half a character, which no line can hold, is shown as its number.
    return json.dumps({name: str(value).encode(errors="backslashreplace").decode() for name, value in line.items()})
