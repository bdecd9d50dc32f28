"""Sustained load: admitted messages through one function alone, and through the whole stack on ministack."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from msgspec import Struct

from doorcode.aws.items import CONTACT, contact_attributes, contact_pk
from doorcode.pairing.contact import Contact, Platform, State
from tests import webhooks
from tests.bench.runtime_api import FunctionError
from tests.bench.stand import Stand, Way
from tests.bench.subjects import Subject
from tests.integration import stack as stacks
from tests.integration.stack import Stack
from tests.webhooks import HELLO, STRANGER, load

ALONE_MESSAGES = 2_000
STACK_MESSAGES = 400
WARM_UP = 40
SENDERS = 4
LIMIT_SECONDS = 120.0


class Load(Struct, frozen=True):
    """One run: seconds of each message, of the whole, and of the function's own share in each message on average."""

    name: str
    senders: int
    errors: int
    whole: float
    seconds: list[float]
    function: float


def alone(stand: Stand, subject: Subject) -> Load:
    """Send messages to one warm function, each as soon as the one before is answered; its share is its CPU time."""
    with stand.start(subject, Way.TLS) as function:
        function.serve(WARM_UP)
        cpu, begin = function.cpu(), time.perf_counter()
        answered = function.serve(ALONE_MESSAGES)
        whole = time.perf_counter() - begin
        cpu = function.cpu() - cpu
    return Load(subject.name, 1, 0, whole, [one.seconds for one in answered], cpu / ALONE_MESSAGES)


def through_the_stack(say: Callable[[str], None]) -> Load:
    """Send messages over HTTP to the stack on ministack; its share is the duration that ministack reports."""
    with stacks.start() as cloud:
        say("Deploying onto ministack")
        stack = cloud.deploy(UnknownUserPolicy="pair", SecretsMaxAgeSeconds=300)
        _prepare(stack)
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(partial(_send, stack), range(WARM_UP), timeout=LIMIT_SECONDS))
            say(f"{STACK_MESSAGES} messages through the stack")
            begin = time.perf_counter()
            numbers = range(WARM_UP, WARM_UP + STACK_MESSAGES)
            sent = list(pool.map(partial(_send, stack), numbers, timeout=LIMIT_SECONDS))
            whole = time.perf_counter() - begin
        errors = sum(status != 200 for status, _ in sent)
        arrived = len(stack.admitted())
        if arrived != WARM_UP + STACK_MESSAGES - errors:
            raise FunctionError(f"{arrived} messages arrived in the agent's queue")
        durations = _durations(stack)[-STACK_MESSAGES:]
        return Load(
            "telegram, the whole stack on ministack",
            SENDERS,
            errors,
            whole,
            [seconds for _, seconds in sent],
            sum(durations) / max(len(durations), 1),
        )


def _prepare(stack: Stack) -> None:
    stack.set_secret("telegram/webhook-secret", webhooks.WEBHOOK_SECRET)
    # What is handed off stays to be counted.
    stack.rest()
    contact = Contact(
        platform=Platform.TELEGRAM, user_id=STRANGER[Platform.TELEGRAM], state=State.PAIRED, rev=1, paired_at=1
    )
    key = {"pk": {"S": contact_pk(contact.platform, contact.user_id)}, "sk": {"S": CONTACT}}
    stack.client("dynamodb").put_item(TableName=stack.table, Item=key | contact_attributes(contact))


def _send(stack: Stack, number: int) -> tuple[int, float]:
    raw = load(HELLO[Platform.TELEGRAM]).another(number).raw()
    headers = webhooks.signed(Platform.TELEGRAM, raw, int(time.time()))
    begin = time.perf_counter()
    status = stack.post(Platform.TELEGRAM, raw, headers).status
    return status, time.perf_counter() - begin


def _durations(stack: Stack) -> list[float]:
    pages = (
        stack.client("logs")
        .get_paginator("filter_log_events")
        .paginate(logGroupName=f"/doorcode/{stack.name}/telegram")
    )
    lines = [event["message"] for page in pages for event in page["events"]]
    found = [re.search(r"\bDuration: ([\d.]+) ms", line) for line in lines if line.startswith("REPORT ")]
    return [float(match[1]) / 1000 for match in found if match]
