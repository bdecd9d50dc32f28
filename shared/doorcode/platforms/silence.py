"""Keeping what the client libraries log out of the log: addresses with tokens in them, and whole messages."""

from __future__ import annotations

import logging

# httpx writes every address, of which some hold tokens, at INFO; httpcore at DEBUG.
LEVELS = {"httpx": logging.WARNING, "httpcore": logging.WARNING}


def silence_libraries(*sdks: str) -> None:
    """Raise the libraries' levels, whatever the root logger's is. What goes wrong is raised, and logged by us.

    ``sdks`` write messages at DEBUG, and at ERROR answers that they cannot read: nothing of theirs is logged.
    """
    for name, level in (LEVELS | dict.fromkeys(sdks, logging.CRITICAL)).items():
        logging.getLogger(name).setLevel(level)
