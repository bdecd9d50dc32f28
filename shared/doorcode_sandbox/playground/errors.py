"""What the playground refuses, in words for whoever sits before it."""

from __future__ import annotations


class PlaygroundError(Exception):
    """Something cannot be done; ``status`` is the HTTP status that says so."""

    def __init__(self, status: int, problem: str) -> None:
        self.status = status
        super().__init__(problem)
