"""The edge's composition root: reads the environment and builds what a webhook stands on, once and lazily."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from doorcode.aws.agent_queue import AgentQueue
from doorcode.aws.budget import MessageBudget
from doorcode.aws.client.errors import TransportError
from doorcode.aws.lockout import Lockout
from doorcode.aws.retrying import Retrying
from doorcode.aws.secrets import SecretStore
from doorcode.aws.table import Table
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints import log
from doorcode.entrypoints.follow_up import post
from doorcode.entrypoints.owner_texts import TEXTS, OwnerTexts
from doorcode.entrypoints.ping import answers_ping
from doorcode.entrypoints.webhook import Door, Glances, NotesProgress, TakesAnswers, TakesNews, TakesTickets, TakesWords
from doorcode.errors import SettingsError
from doorcode.pairing.agents import AgentKind
from doorcode.pairing.contact import Platform
from doorcode.pairing.decisions import Desk
from doorcode.pairing.platform import TRAITS
from doorcode.pairing.ports import CALLBACK_SECRET, GATEWAY_SECRET
from doorcode.pairing.settings import GroupPolicy, Settings, parse_settings
from doorcode.platforms import registry
from doorcode.platforms.inbound import BotIdentity, Inbound
from doorcode.wiring.edge_clients import edge_clients
from doorcode.wiring.environment import required

if TYPE_CHECKING:
    from doorcode.aws.kept_messages import KeptMessages

# The platforms wait for three seconds, and the one call of the edge to a platform takes up to one of them: so much have
# all calls of AWS together, and so much one service before its trouble is told.
REQUEST_SECONDS = 1.8
EDGE_PATIENCE_SECONDS = 1.0

Handler = Callable[[Mapping[str, Any], object], dict[str, Any]]


def edge_handler(name: str) -> Handler:
    """Return the Lambda handler of that platform's webhook; what it needs is built when the first request comes."""
    platform = registry.inbound(Platform(name))

    @cache
    def door() -> Door:
        return build_door(platform, os.environ)

    @answers_ping(door)
    def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
        log.begin(context, platform.PLATFORM)
        try:
            opened = door()
        except SettingsError as error:
            # Nothing is served under settings that were not meant; every line says what to correct.
            log.refused(error)
            return {"statusCode": 503}
        return opened.serve(event, int(time.time()))

    return handler


def build_door(platform: Inbound, environment: Mapping[str, str]) -> Door:
    """Wire up one platform's webhook. Raises SettingsError with every value that is missing or cannot be used."""
    settings = parse_settings(environment)
    table_name, agent_table, queue_url, prefix = required(
        environment, "TABLE_NAME", "AGENT_TABLE_NAME", "AGENT_QUEUE_URL", "PARAMETER_PREFIX"
    )
    if problems := settings.agents.problems({AgentKind.BOT, AgentKind.QUEUE}, {platform.PLATFORM}):
        raise SettingsError(problems)
    log.info(settings.summary())
    for line in settings.warnings():
        log.warning(line, reason="settings")
    clients = edge_clients(environment)
    waits: Any = {"transport_errors": (TransportError,), "deadline": clients.deadline}
    retrying = Retrying(EDGE_PATIENCE_SECONDS, **waits)
    table = Table(clients.dynamodb, table_name, patience=EDGE_PATIENCE_SECONDS, **waits)
    words = partial(Table, clients.dynamodb, agent_table, patience=EDGE_PATIENCE_SECONDS, **waits)
    traits = TRAITS[platform.PLATFORM]
    bot = platform.BOT
    if bot and bot.for_groups_only and settings.group_policy is not GroupPolicy.MENTION_ONLY:
        bot = None
    needed = (GATEWAY_SECRET, CALLBACK_SECRET, platform.SECRET)
    secrets = SecretStore(
        clients.ssm,
        prefix,
        tuple(filter(None, (*needed, traits.handshake_secret, bot.name if bot else ""))),
        max_age=settings.secrets_max_age,
        retrying=retrying,
    )
    room = WaitingRoom(table, settings)
    desk = Desk(room, Lockout(table), secrets, settings)
    make: Callable[..., Door] = Door
    if settings.agent(platform.PLATFORM) is AgentKind.BOT:
        # Imported here: no other stack starts any later for it.
        from doorcode.wiring.bot import bot_door  # noqa: PLC0415

        make = bot_door
    return make(
        platform,
        settings=settings,
        secrets=secrets,
        room=room,
        desk=desk,
        budget=MessageBudget(table, settings.message_budget),
        queue=AgentQueue(clients.sqs, queue_url, retrying),
        kept_messages=_kept_messages(words()) if settings.keeps_messages(platform.PLATFORM) else None,
        begin=partial(clients.deadline.start, REQUEST_SECONDS),
        bot=_identity(secrets, bot),
        call=post,
        api_url=settings.api_url(platform.PLATFORM),
        words=cache(partial(_word_queue, clients.sqs, environment.get("EFFECTS_QUEUE_URL", ""), retrying))
        if "EFFECTS_QUEUE_URL" in environment
        else None,
        undelivered=cache(partial(_undelivered_queue, clients.sqs, environment.get("EFFECTS_QUEUE_URL", ""), retrying))
        if "EFFECTS_QUEUE_URL" in environment
        else None,
        progress=cache(partial(_progress, table)) if traits.many_in_one else None,
        tickets=cache(partial(_ticket_office, table, room, desk, settings)),
        glances=cache(partial(_owner_glance, table, environment.get("WEB_URL", ""))),
        questions=cache(partial(_question_presses, platform, table, words, secrets, settings)),
        # Not among the secrets, which every message needs: only who is told something waits for them.
        own_texts=OwnerTexts(SecretStore(clients.ssm, prefix, (TEXTS,), max_age=settings.secrets_max_age)),
    )


def _kept_messages(table: Table) -> KeptMessages:
    # By default none are kept.
    from doorcode.aws.kept_messages import KeptMessages  # noqa: PLC0415

    return KeptMessages(table)


def _ticket_office(table: Table, room: WaitingRoom, desk: Desk, settings: Settings) -> TakesTickets:
    # Hardly any message is a claim or an invite: the others do not wait for the import.
    from doorcode.aws.tickets import Tickets  # noqa: PLC0415
    from doorcode.entrypoints.ticket_office import TicketOffice  # noqa: PLC0415

    return TicketOffice(Tickets(table), room, desk, Lockout(table), settings)


def _word_queue(client: Any, url: str, retrying: Retrying) -> TakesWords:
    # Likewise: most of what people do is answered by others.
    from doorcode.aws.answer_queue import AnswerQueue  # noqa: PLC0415
    from doorcode.entrypoints.word_queue import WordQueue  # noqa: PLC0415

    return WordQueue(AnswerQueue(client, url, retrying))


def _undelivered_queue(client: Any, url: str, retrying: Retrying) -> TakesNews:
    # Likewise.
    from doorcode.aws.undelivered_queue import UndeliveredQueue  # noqa: PLC0415

    return UndeliveredQueue(client, url, retrying)


def _progress(table: Table) -> NotesProgress:
    # Likewise.
    from doorcode.aws.progress import RequestProgress  # noqa: PLC0415

    return RequestProgress(table)


def _owner_glance(table: Table, web_url: str) -> Glances:
    # Likewise.
    from doorcode.aws.directory import Directory  # noqa: PLC0415
    from doorcode.aws.sign_ins import SignIns  # noqa: PLC0415
    from doorcode.entrypoints.owner_glance import OwnerGlance  # noqa: PLC0415

    return OwnerGlance(Directory(table), SignIns(table), web_url)


def _question_presses(
    platform: Inbound, table: Table, words: Callable[[], Table], secrets: SecretStore, settings: Settings
) -> TakesAnswers:
    # Likewise.
    from doorcode.aws.question_store import QuestionStore  # noqa: PLC0415
    from doorcode.entrypoints.asking.presses import QuestionPresses  # noqa: PLC0415

    store = QuestionStore(table, words(), settings)
    return QuestionPresses(store, secrets, partial(registry.asking, platform.PLATFORM))


def _identity(secrets: SecretStore, bot: BotIdentity | None) -> Callable[[int], str]:
    if bot is None:
        return lambda _: ""

    @cache
    def warn() -> None:
        log.warning(bot.unknown, reason="settings")

    def known(now: int) -> str:
        who = secrets.known(bot.name, now)
        if not who:
            warn()
        return who

    return known
