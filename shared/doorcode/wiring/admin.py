"""Wires up the admin function."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from doorcode.aws.directory import Directory
from doorcode.aws.kept_messages import KeptMessages
from doorcode.aws.lockout import Lockout
from doorcode.aws.question_store import QuestionStore
from doorcode.aws.secrets import SecretStore
from doorcode.aws.sign_ins import SignIns
from doorcode.aws.table import Table
from doorcode.aws.tickets import Tickets
from doorcode.aws.tokens import Tokens
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.entrypoints import log
from doorcode.entrypoints.admin import Admin, answer_to
from doorcode.entrypoints.admin_access import AccessCommands
from doorcode.entrypoints.admin_questions import QuestionCommands
from doorcode.entrypoints.admin_tickets import TicketCommands
from doorcode.entrypoints.ping import answers_ping
from doorcode.entrypoints.question_office import QuestionOffice
from doorcode.errors import SettingsError
from doorcode.pairing.decisions import Desk
from doorcode.pairing.ports import CALLBACK_SECRET, GATEWAY_SECRET
from doorcode.pairing.settings import FirstMessage, parse_settings
from doorcode.wiring import bots, sdk
from doorcode.wiring.environment import required

PATIENCE_SECONDS = 5.0
ARN_PARTS = 7


def admin_handler() -> Callable[[object, object], dict[str, Any]]:
    """Return the Lambda handler of the operator's commands."""

    @cache
    def admin() -> Admin:
        return build_admin(os.environ)

    @answers_ping(admin)
    def handler(event: object, context: object) -> dict[str, Any]:
        log.begin(context, "admin")
        try:
            built = admin()
        except SettingsError as error:
            log.refused(error)
            return answer_to(error)
        return built.answer(event, int(time.time()), asking_only=_qualified(context))

    return handler


def _qualified(context: object) -> bool:
    """Tell whether the function was invoked by an alias, of which there is one: it may ask, and decide nothing."""
    arn = str(getattr(context, "invoked_function_arn", ""))
    # arn:aws:lambda:REGION:ACCOUNT:function:NAME, and the alias behind it.
    return len(arn.split(":")) > ARN_PARTS


def build_admin(environment: Mapping[str, str]) -> Admin:
    """Wire up the admin function. Raises SettingsError."""
    settings = parse_settings(environment)
    table_name, agent_table, prefix, web_url = required(
        environment, "TABLE_NAME", "AGENT_TABLE_NAME", "PARAMETER_PREFIX", "WEB_URL"
    )
    client = sdk.client("dynamodb", sdk.ONE_TRY)
    waits: Any = {"transport_errors": sdk.TRANSPORT_ERRORS, "patience": PATIENCE_SECONDS}
    table = Table(client, table_name, **waits)
    names = (GATEWAY_SECRET, CALLBACK_SECRET, *bots.PARAMETERS)
    secrets = SecretStore(sdk.client("ssm", sdk.ONE_TRY), prefix, names, max_age=settings.secrets_max_age)
    agent_items = Table(client, agent_table, **waits)
    room, lockout = WaitingRoom(table, settings), Lockout(table)
    return Admin(
        desk=Desk(room, lockout, secrets, settings),
        room=room,
        directory=Directory(table),
        lockout=lockout,
        secrets=secrets,
        kept_messages=KeptMessages(agent_items) if settings.first_message is FirstMessage.SHOW else None,
        questions=QuestionCommands(QuestionOffice(QuestionStore(table, agent_items, settings), secrets)),
        access=AccessCommands(SignIns(table), Tokens(table), web_url, secrets),
        tickets=TicketCommands(Tickets(table), room, settings, bots.usernames(secrets)),
    )
