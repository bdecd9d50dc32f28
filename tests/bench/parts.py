"""What a warm message is made of: the function that misses its bar by most, with one part of its work left out at a time."""

from __future__ import annotations

import contextlib
import shutil
from collections import defaultdict
from collections.abc import Callable

from msgspec.structs import replace

from tests.bench.stand import Stand, Way
from tests.bench.subjects import Subject
from tests.bench.warm import WARM_UP, one_round

SUBJECT = "discord: admitted message"
ROUNDS = 15

SWAP = """
def swap(owner, name, value):
    getattr(owner, name)
    setattr(owner, name, value)

def once(owner, name):
    asked, kept = getattr(owner, name), []
    def answered(*arguments):
        if not kept:
            kept.append(asked(*arguments))
        return kept[0]
    setattr(owner, name, answered)
"""
PARTS = {
    "the Ed25519 signature": """
from doorcode.platforms.discord import inbound as discord
swap(discord, "_fits", lambda *_: True)
""",
    "reading the interaction": """
from doorcode.platforms.discord import inbound as discord
once(discord, "parse")
""",
    "reading the contact, and judging": """
from doorcode.aws import waiting_room
from doorcode.pairing import gate
once(waiting_room, "contact_from_item")
once(gate, "decide")
""",
    "writing the hand-off": """
from doorcode.aws import agent_queue
once(agent_queue, "_ascii")
""",
    "signing the two calls": """
from doorcode.aws.client.signature import RequestForm
once(RequestForm, "authorization")
""",
    "reading the two answers": """
from doorcode.aws.client import connection
from doorcode.aws.client.answer import HttpAnswer
swap(connection, "read_answer", lambda source: HttpAnswer(200, {}, source.read1(65536).partition(b"\\r\\n\\r\\n")[2], False))
""",
    "looking whether the connection still stands": """
from doorcode.aws.client.timed_socket import TimedSocket
swap(TimedSocket, "is_stale", lambda _: False)
""",
    "the log line": """
from doorcode.entrypoints import log
swap(log, "info", lambda *_, **__: None)
""",
}
"""Each part, and the code that takes it out or does it only once. Fails where what it takes out is not there any more."""

Found = dict[str, list[float]]
"""CPU seconds per message of each round: by what is left out; under "" the whole, and under their names two others."""


def measure(stand: Stand, subjects: list[Subject], say: Callable[[str], None]) -> Found:
    """Have the function answer in turn with itself, without each part; the empty handler and the floor beside it."""
    say(f"Parts of {SUBJECT}")
    whole = next(subject for subject in subjects if subject.name == SUBJECT)
    every = {subject.name: subject for subject in subjects[:2]} | {"": whole}
    every |= {name: _without(stand, whole, name) for name in PARTS}
    found: Found = defaultdict(list)
    with contextlib.ExitStack() as stack:
        functions = {name: stack.enter_context(stand.start(subject, Way.TLS)) for name, subject in every.items()}
        for function in functions.values():
            function.serve(WARM_UP)
        for _ in range(ROUNDS):
            for name, function in functions.items():
                used, _seconds = one_round(function)
                found[name].append(used)
    return found


def _without(stand: Stand, subject: Subject, part: str) -> Subject:
    layout, variant = stand.layouts[True], f"without-{part.replace(' ', '-')}"
    shutil.copytree(layout.task(subject.function), layout.task(variant))
    (layout.root / "opt" / variant).symlink_to(layout.root / "opt" / subject.function)
    app = layout.task(variant) / "app.py"
    app.write_text(f"{SWAP}\n{PARTS[part]}\n{app.read_text()}")
    return replace(subject, function=variant)
