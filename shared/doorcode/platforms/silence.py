"""Keeping what the client libraries log out of the log: addresses with tokens in them, and whole messages."""

from __future__ import annotations

import logging

# httpx writes every address, of which Telegram's and Discord's hold tokens, at INFO; httpcore at DEBUG. The two SDKs
# write messages at DEBUG, and at ERROR answers that they cannot read.
LEVELS = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "telegram": logging.CRITICAL,
    "slack_sdk": logging.CRITICAL,
}


def silence_libraries() -> None:
    """Raise the libraries' levels, whatever the root logger's is. What goes wrong is raised, and logged by us."""
    for name, level in LEVELS.items():
        logging.getLogger(name).setLevel(level)
