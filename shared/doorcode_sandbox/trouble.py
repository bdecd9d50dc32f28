"""How the sandbox fails: what happened and what to do, and what the tool that failed said last."""

from __future__ import annotations

from doorcode.errors import DoorcodeError


class SandboxError(DoorcodeError):
    """The sandbox cannot be had as it is asked for. ``tail`` is the end of a failed tool's output, empty without one."""

    reason = "sandbox"

    def __init__(self, message: str, tail: str = "") -> None:
        """Say what happened and what to do."""
        self.tail = tail.strip()
        super().__init__(message)

    def __str__(self) -> str:
        """Return the sentence, and the tail below it."""
        return "\n".join(filter(None, (self.message, self.tail)))

    @property
    def message(self) -> str:
        """The sentence alone."""
        return str(self.args[0])
