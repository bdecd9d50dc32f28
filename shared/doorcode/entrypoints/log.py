"""The log: one line for what became of each request, with fields that the metric filters read.

Lambda writes each record as JSON, with the fields beside the message. Never logged: bodies, headers, tokens, codes,
callback data, texts and names; what people send appears as the platform, the id and the reason alone.
"""

from __future__ import annotations

import logging

logger = logging.getLogger("doorcode")
# Lambda's root logger passes warnings only, unless the function's log level says otherwise.
logger.setLevel(logging.INFO)


def info(text: str, **fields: str) -> None:
    """Log what happened as it should."""
    logger.info(text, extra=fields)


def warning(text: str, **fields: str) -> None:
    """Log what was refused, or is probably not meant."""
    logger.warning(text, extra=fields)


def error(text: str, **fields: str) -> None:
    """Log what somebody has to look at."""
    logger.error(text, extra=fields)
