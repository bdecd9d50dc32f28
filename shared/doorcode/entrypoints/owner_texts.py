"""The texts that the owner has set, from the parameter ``texts``; read when somebody is told something, kept as secrets are.

Whatever is wrong with it, people are told what ships: that is said once in the log, and again when it is something else.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from doorcode.entrypoints import log
from doorcode.errors import SecretError
from doorcode.pairing.wording import OwnTexts

TEXTS = "texts"
UNREADABLE, UNUSABLE = "texts_unreadable", "texts_unusable"


class Parameters(Protocol):
    """What keeps the parameter."""

    def known(self, name: str, now: int) -> str:
        """Return it as it stands, empty if it is missing. Raises SecretError."""


class OwnerTexts:
    """Reads the parameter, and never fails."""

    def __init__(self, parameters: Parameters) -> None:
        """Read it from ``parameters``."""
        self._parameters = parameters
        self._raw = ""
        self._texts: OwnTexts = {}
        self._trouble = ""

    def at(self, now: int) -> OwnTexts:
        """Return what is set at ``now``, or what was before if it cannot be read; nothing if it is no such JSON."""
        try:
            raw = self._parameters.known(TEXTS, now)
        except SecretError:
            self._say(
                UNREADABLE, "The parameter texts cannot be read: people are told what ships. Run: doorcode doctor"
            )
            return self._texts
        if raw != self._raw:
            self._raw, self._texts = raw, {}
            self._trouble = ""
        if raw and not self._texts and not self._trouble:
            try:
                self._texts = msgspec.json.decode(raw, type=dict[str, dict[str, str]])
            except (ValueError, RecursionError):
                self._say(UNUSABLE, "The parameter texts is of no known form. See: doorcode texts list")
        return self._texts

    def kept(self, _now: int) -> OwnTexts:
        """Return what was read last, and read nothing."""
        return self._texts

    def _say(self, reason: str, line: str) -> None:
        if self._trouble != reason:
            self._trouble = reason
            log.warning(line, reason=reason)
