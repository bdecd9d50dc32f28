"""Wires up the courier. It has time, and uses the platforms' libraries."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from doorcode.aws.agent_queue import AgentQueue
from doorcode.aws.event_bus import EventBus
from doorcode.aws.kept_messages import KeptMessages
from doorcode.aws.owner_queue import OwnerQueues
from doorcode.aws.postbox import Postbox
from doorcode.aws.prompt_book import PromptBook
from doorcode.aws.question_book import QuestionBook
from doorcode.aws.question_store import QuestionStore
from doorcode.aws.resumption import Resumption
from doorcode.aws.retrying import Retrying
from doorcode.aws.secrets import SecretStore
from doorcode.aws.table import Table
from doorcode.aws.tokens import Tokens
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints import log
from doorcode.entrypoints.answers import Answers
from doorcode.entrypoints.asking.courier import QuestionCourier
from doorcode.entrypoints.asking.prompts import QuestionPrompter
from doorcode.entrypoints.courier import Courier
from doorcode.entrypoints.effects import EffectsConsumer
from doorcode.entrypoints.owner_texts import TEXTS, OwnerTexts
from doorcode.entrypoints.ping import answers_ping
from doorcode.entrypoints.prompter import Prompter
from doorcode.pairing.ports import CALLBACK_SECRET, GATEWAY_SECRET
from doorcode.pairing.settings import parse_settings
from doorcode.pairing.wording import Wording
from doorcode.platforms import registry
from doorcode.wiring import sdk
from doorcode.wiring.environment import required
from doorcode.wiring.senders import TokenSenders, what_senders_need

PATIENCE_SECONDS = 5.0

Handler = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


def courier_handler() -> Handler:
    """Return the Lambda handler of the courier: the effects queue's batches, and the sweep's schedule."""

    @cache
    def built() -> tuple[Courier, QuestionCourier, EffectsConsumer]:
        return build_courier(os.environ)

    @answers_ping(built)
    def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        log.begin(context, "courier")
        courier, questions, consumer = built()
        if "Records" in event:
            return consumer.handle(event, context)
        now = _now()
        questions.sweep(now)
        courier.sweep(now)
        return {}

    return handler


def build_courier(environment: Mapping[str, str]) -> tuple[Courier, QuestionCourier, EffectsConsumer]:
    """Wire up the couriers and what reads its queue. Raises SettingsError."""
    settings = parse_settings(environment)
    table_name, agent_table, agent_queue_url, queue_url, dead_letter_url, prefix = required(
        environment,
        *("TABLE_NAME", "AGENT_TABLE_NAME", "AGENT_QUEUE_URL"),
        *("EFFECTS_QUEUE_URL", "EFFECTS_DEAD_LETTER_URL", "PARAMETER_PREFIX"),
    )
    waits: Any = {"transport_errors": sdk.TRANSPORT_ERRORS}
    client, sqs = sdk.client("dynamodb", sdk.TWO_TRIES), sdk.client("sqs", sdk.TWO_TRIES)
    table = Table(client, table_name, patience=PATIENCE_SECONDS, **waits)
    words = Table(client, agent_table, patience=PATIENCE_SECONDS, **waits)
    kept_messages = KeptMessages(words)
    ssm = sdk.client("ssm", sdk.TWO_TRIES)
    own_texts = OwnerTexts(SecretStore(ssm, prefix, (TEXTS,), max_age=settings.secrets_max_age))
    secrets = SecretStore(
        ssm,
        prefix,
        (GATEWAY_SECRET, CALLBACK_SECRET, *what_senders_need()),
        max_age=settings.secrets_max_age,
    )
    room, book, senders = WaitingRoom(table, settings), PromptBook(table), TokenSenders(secrets, settings)
    prompter = Prompter(
        settings=settings,
        secrets=secrets,
        room=room,
        book=book,
        queues=OwnerQueues(table),
        senders=senders,
        pen=registry.inbound,
        kept_messages=kept_messages,
    )
    bus = EventBus(sdk.client("events", sdk.TWO_TRIES), transport_errors=sdk.TRANSPORT_ERRORS)
    agent_queue = AgentQueue(sqs, agent_queue_url, Retrying(PATIENCE_SECONDS, **waits))
    courier = Courier(
        settings=settings,
        secrets=secrets,
        room=room,
        book=book,
        bus=bus,
        senders=senders,
        prompter=prompter,
        kept_messages=kept_messages,
        agent_queue=agent_queue,
        wording=Wording(own_texts.at),
    )
    question_book = QuestionBook(table)
    questions = QuestionCourier(
        settings=settings,
        secrets=secrets,
        store=QuestionStore(table, words, settings),
        book=question_book,
        prompter=QuestionPrompter(
            secrets=secrets,
            room=room,
            book=question_book,
            senders=senders,
            rooms=registry.asking,
            pen=registry.inbound,
            page=environment.get("WEB_URL", ""),
        ),
        room=room,
        bus=bus,
        agent_queue=agent_queue,
        tokens=Tokens(table),
        resumption=Resumption(
            lambda service: sdk.client(service, sdk.TWO_TRIES), transport_errors=sdk.TRANSPORT_ERRORS
        ),
    )
    consumer = EffectsConsumer(
        courier, questions, Answers(senders, book), Postbox(sqs, queue_url, dead_letter_url), _now
    )
    return courier, questions, consumer


def _now() -> int:
    return int(time.time())
