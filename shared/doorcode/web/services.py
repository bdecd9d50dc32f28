"""What the routes work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct

from doorcode.aws.activity import Activity
from doorcode.aws.answer_queue import AnswerQueue
from doorcode.aws.directory import Directory
from doorcode.aws.kept_messages import KeptMessages
from doorcode.aws.sign_ins import SignIns
from doorcode.aws.tickets import Tickets
from doorcode.aws.tokens import Tokens
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints.gate_door import GateDoor
from doorcode.entrypoints.question_office import QuestionOffice
from doorcode.pairing.contact import Platform
from doorcode.pairing.decisions import Desk
from doorcode.pairing.ports import Secrets
from doorcode.pairing.settings import Settings


class Services(Struct, frozen=True, kw_only=True):
    """What the routes work with."""

    desk: Desk
    room: WaitingRoom
    directory: Directory
    secrets: Secrets
    sign_ins: SignIns
    tokens: Tokens
    activity: Activity
    answers: AnswerQueue
    tickets: Tickets
    questions: QuestionOffice
    settings: Settings
    # The bots' usernames at a time, where they are known.
    bots: Callable[[int], Mapping[Platform, str]]
    gate: Callable[[Platform], GateDoor]
    # Where owners are shown what strangers wrote.
    kept_messages: KeptMessages | None
