"""What an owner is told who gives the command /door: how many wait, who came last, and a link to the page.

The edge imports this when the first one does. The link signs in whoever opens it, so it stands in the one answer, and in no log.
"""

from __future__ import annotations

from msgspec import Struct

from doorcode.aws.directory import Directory
from doorcode.aws.sign_ins import SignIns
from doorcode.pairing import texts
from doorcode.pairing.messages import Message
from doorcode.pairing.texts import Say


class Glance(Struct, frozen=True):
    """What to say, and the link; empty where there is no page."""

    text: str
    link: str = ""


class OwnerGlance:
    """Looks into the waiting rooms for an owner."""

    def __init__(self, directory: Directory, sign_ins: SignIns, web_url: str) -> None:
        """Look into ``directory``; make links in ``sign_ins`` to the page at ``web_url``, which may be nowhere."""
        self._directory = directory
        self._sign_ins = sign_ins
        self._web_url = web_url

    def look(self, message: Message, say: Say, now: int) -> Glance:
        """Answer an owner's ``message``. Raises UnavailableError."""
        number, last = self._directory.glance(now)
        said = texts.who_waits(number, last, say)
        if not self._web_url:
            return Glance(f"{said}\n{say('no_page')}")
        token = self._sign_ins.link(f"{message.platform}:{message.user_id}", now)
        return Glance(f"{said}\n{say('your_page')}", f"{self._web_url}#token={token}")
