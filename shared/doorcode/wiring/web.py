"""Wires up the HTTP API and the owner's page."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from doorcode.aws.activity import Activity
from doorcode.aws.answer_queue import AnswerQueue
from doorcode.aws.budget import MessageBudget
from doorcode.aws.deadline import Deadline
from doorcode.aws.directory import Directory
from doorcode.aws.kept_messages import KeptMessages
from doorcode.aws.lockout import Lockout
from doorcode.aws.question_store import QuestionStore
from doorcode.aws.retrying import Retrying
from doorcode.aws.secrets import SecretStore
from doorcode.aws.sign_ins import SignIns
from doorcode.aws.table import Table
from doorcode.aws.tickets import Tickets
from doorcode.aws.tokens import Tokens
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints import log
from doorcode.entrypoints.asking.presses import QuestionPresses
from doorcode.entrypoints.gate_door import GateDoor, PressedElsewhere
from doorcode.entrypoints.owner_texts import TEXTS, OwnerTexts
from doorcode.entrypoints.ping import answers_ping
from doorcode.entrypoints.question_office import QuestionOffice
from doorcode.pairing.contact import Platform
from doorcode.pairing.decisions import Desk
from doorcode.pairing.ports import CALLBACK_SECRET, GATEWAY_SECRET
from doorcode.pairing.settings import FirstMessage, parse_settings
from doorcode.web.services import Services
from doorcode.web.surface import Web
from doorcode.wiring import bots, sdk
from doorcode.wiring.environment import required

# A person or a program waits for the answer, and the function is stopped after 10 seconds. Each try is made again until
# all that a request asks for has had its time: the last one begins before that, and takes four more at most.
REQUEST_SECONDS = 5.0


def web_handler() -> Callable[[Mapping[str, Any], object], Any]:
    """Return the Lambda handler of the HTTP API and the page. Its services are built when a request first needs them."""
    deadline = Deadline()

    @cache
    def services() -> Services:
        return build_services(os.environ, deadline)

    web = Web(services)

    @answers_ping(services)
    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
        log.begin(context, "web")
        deadline.start(REQUEST_SECONDS)
        return web.serve(event, int(time.time()))

    return handler


def build_services(environment: Mapping[str, str], deadline: Deadline | None = None) -> Services:
    """Wire up the web function; ``deadline`` ends what one request asks of AWS. Raises SettingsError."""
    settings = parse_settings(environment)
    table_name, agent_table, queue_url, prefix = required(
        environment, "TABLE_NAME", "AGENT_TABLE_NAME", "EFFECTS_QUEUE_URL", "PARAMETER_PREFIX"
    )
    # Empty where the stack counts nothing.
    namespace = environment.get("METRICS_NAMESPACE", "")
    waits: Any = {"transport_errors": sdk.TRANSPORT_ERRORS, "deadline": deadline}
    retrying = Retrying(REQUEST_SECONDS, **waits)
    client = sdk.client("dynamodb", sdk.ONE_TRY)
    table = Table(client, table_name, patience=REQUEST_SECONDS, **waits)
    agent_items = Table(client, agent_table, patience=REQUEST_SECONDS, **waits)
    names = (GATEWAY_SECRET, CALLBACK_SECRET, *bots.PARAMETERS)
    secrets = SecretStore(
        sdk.client("ssm", sdk.ONE_TRY), prefix, names, max_age=settings.secrets_max_age, retrying=retrying
    )
    room = WaitingRoom(table, settings)
    desk = Desk(room, Lockout(table), secrets, settings)

    ssm = sdk.client("ssm", sdk.ONE_TRY)
    own_texts = OwnerTexts(SecretStore(ssm, prefix, (TEXTS,), max_age=settings.secrets_max_age))

    questions = QuestionStore(table, agent_items, settings)
    presses = QuestionPresses(questions, secrets, PressedElsewhere)

    def gate(platform: Platform) -> GateDoor:
        standing_on: Any = {"settings": settings, "secrets": secrets, "room": room, "desk": desk}
        budget = MessageBudget(table, settings.message_budget)
        return GateDoor(platform, budget=budget, own_texts=own_texts, questions=lambda: presses, **standing_on)

    return Services(
        desk=desk,
        gate=gate,
        room=room,
        directory=Directory(table),
        secrets=secrets,
        sign_ins=SignIns(table),
        tokens=Tokens(table),
        activity=Activity(sdk.client("cloudwatch", sdk.ONE_TRY), namespace, retrying),
        kept_messages=KeptMessages(agent_items) if settings.first_message is FirstMessage.SHOW else None,
        answers=AnswerQueue(sdk.client("sqs", sdk.ONE_TRY), queue_url, retrying),
        tickets=Tickets(table),
        questions=QuestionOffice(
            questions,
            secrets,
            begin=lambda: deadline.start(REQUEST_SECONDS) if deadline else None,
            clock=time.time,
            sleep=time.sleep,
        ),
        settings=settings,
        bots=bots.usernames(secrets),
    )
