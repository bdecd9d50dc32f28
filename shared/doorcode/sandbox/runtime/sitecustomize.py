# ruff: noqa: INP001 (Python looks for it by this name alone, outside of every package)
"""What Lambda's own runtime does for a function and ministack does not: writes log records as JSON, fields included.

On PYTHONPATH of the emulator, so that the functions it runs find it; everything else passes it by.
"""

import json
import logging
import os
import sys

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class _JsonFormatter(logging.Formatter):
    """Formats as Lambda does: what was given as ``extra`` stands beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            **{key: value for key, value in vars(record).items() if key not in _PLAIN},
        }
        if record.exc_info and record.exc_info[0]:
            entry |= {"errorType": record.exc_info[0].__name__, "errorMessage": str(record.exc_info[1])}
        return json.dumps(entry)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _handler = logging.StreamHandler(sys.stderr)
    _handler.setFormatter(_JsonFormatter())
    logging.getLogger().addHandler(_handler)
