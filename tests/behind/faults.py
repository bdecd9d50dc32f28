"""Breaking one call of the functions behind the edge, or every call of the table: before it, after it, by dying or by a time-out.

A story is told in chapters. Each begins with cold functions, and with everything as the chapters before it left it: a fault
in a chapter is followed to the story's end, and nothing before it is told again.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import ReadTimeoutError
from moto.dynamodb.models import dynamodb_backends

from doorcode.pairing.contact import Platform
from doorcode.platforms.send_errors import PassingError
from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn
from tests.behind.harness import Behind, DiedError
from tests.edge.harness import TABLE

KINDS = ("dies after", "times out before", "times out after")
# Where a platform does not matter, all is broken on this one. The others have ways of their own to be sent to: one
# recognises what it was given already, and on one nothing can be changed. Slack has those of Telegram.
ALL, OWN = Platform.TELEGRAM, (Platform.DISCORD, Platform.WHATSAPP)
# Where the stand-ins keep messages.
SHOWN = ("messages", "_nonces", "_interactions", "_responses", "whispers")
Chapter = Callable[[], object]


class Story(NamedTuple):
    """What is told on a platform."""

    platform: Platform
    chapters: Sequence[Chapter]
    # Whether every call is broken, or those alone that are the platform's own: what is sent, and what is noted of that.
    whole: bool
    # Whether whoever gets no answer of the table asks it again at once, as all but the agent do.
    asks_again: bool = True


class Fault:
    """Counts every call of the functions behind the edge, and breaks one of them."""

    def __init__(self, behind: Behind, platform: Platform, kind: str, at: int) -> None:
        self.calls: list[str] = []
        self.answered: set[int] = set()
        self.hit = ""
        self._kind = kind
        self._at = at
        for name, client in behind.clients.items():
            client.before = self._hook(name, "before", ReadTimeoutError(endpoint_url="http://127.0.0.1"))
            client.after = self._hook(name, "after", ReadTimeoutError(endpoint_url="http://127.0.0.1"))
        passing = PassingError(platform, "answer", "timeout")
        behind.before_sending = self._hook("sender", "before", passing)
        behind.after_sending = self._hook("sender", "after", passing)

    def _hook(self, service: str, when: str, timeout: Exception) -> Callable[[str], None]:
        def hook(call: str) -> None:
            # Handing back and parking are the queue's own doing when something else failed.
            name = f"{service}.{call}"
            if when == "before":
                self.calls.append(name)
            else:
                self.answered.add(len(self.calls))
            if len(self.calls) != self._at or self.hit or when not in self._kind:
                return
            self.hit = name
            raise DiedError if self._kind.startswith("dies") else timeout

        return hook


class UnsteadyTable:
    """Has each call of the table time out once: before it, or after it had its effect. All are made again where they failed."""

    def __init__(self, behind: Behind, kind: str) -> None:
        self.broken: list[str] = []
        self._table = behind.clients["dynamodb"]
        self._failed: tuple[str, str] | None = None
        calm(behind)
        setattr(self._table, kind.rpartition(" ")[2], self._once)

    def _once(self, name: str) -> None:
        call = name, str(self._table.arguments[-1])
        if call == self._failed:
            self._failed = None
            return
        self._failed = call
        self.broken.append(name)
        raise ReadTimeoutError(endpoint_url="http://127.0.0.1")


def calls_of(behind: Behind, platform: Platform, story: Chapter) -> list[str]:
    """Return the calls of a story in which nothing fails, such as ``dynamodb.get_item``."""
    begin_again(behind, platform)
    undisturbed = Fault(behind, platform, "", 0)
    story()
    return undisturbed.calls


def faults(behind: Behind, story: Story, kind: str) -> Iterator[tuple[str, str, int]]:
    """Tell a story again for each call that is to be broken, and yield where that was, which call, and in which chapter.

    Where the calls of the table time out, that is all in one telling, see ``UnsteadyTable``; the call is then empty.
    """
    begin_again(behind, story.platform)
    told: list[tuple[Fault, Callable[[], None]]] = []
    for chapter in story.chapters:
        put_back = kept(behind)
        put_back()
        undisturbed = Fault(behind, story.platform, "", 0)
        chapter()
        told.append((undisturbed, put_back))
    for number, (undisturbed, put_back) in enumerate(told):
        for at in steps(undisturbed, story, kind):
            put_back()
            fault = Fault(behind, story.platform, kind, at)
            for chapter in story.chapters[number:]:
                chapter()
            where = f"{kind} at call {at} of chapter {number}, {fault.hit}"
            assert fault.hit == undisturbed.calls[at - 1], where
            yield where, fault.hit, number
    if story.asks_again and kind.startswith("times out"):
        told[0][1]()
        unsteady = UnsteadyTable(behind, kind)
        for chapter in story.chapters:
            chapter()
        assert {"get_item", "update_item"} <= set(unsteady.broken)
        yield f"{kind} at every call of the table", "", 0
    calm(behind)


def steps(undisturbed: Fault, story: Story, kind: str) -> list[int]:
    """Choose the calls of a chapter to break.

    Who dies keeps nothing but what was written, so that to die before a call, or after one that only reads, is to die after
    the last one that wrote. A read that times out is the same before and after. What is refused is followed by nothing.
    """
    chosen, calls = [], undisturbed.calls
    for at, call in enumerate(calls, 1):
        sends = call.startswith("sender.") or any(one.startswith("sender.") for one in calls[max(0, at - 2) : at - 1])
        mine = story.whole or (story.platform in OWN and sends) or call == "sender.lookup_names"
        passes = story.asks_again and kind.startswith("times out") and call.startswith("dynamodb.")
        if mine and not passes and ("before" in kind or (writes(call) and at in undisturbed.answered)):
            chosen.append(at)
    return chosen


def writes(call: str) -> bool:
    """Tell whether a call leaves anything behind."""
    return call.partition(".")[2] not in {
        "get_item",
        "query",
        "get_parameter",
        "get_parameters",
        "get_parameters_by_path",
    }


def calm(behind: Behind) -> None:
    """Let nothing fail."""
    for client in behind.clients.values():
        client.before = client.after = lambda _: None
    behind.before_sending = behind.after_sending = lambda _: None


def begin_again(behind: Behind, platform: Platform) -> None:
    """Forget everything but the wiring."""
    calm(behind)
    behind.edge.clear()
    behind.forget_the_stream()
    behind.events()
    stand_in = behind.stand_ins[platform]
    stand_in.messages.clear()
    stand_in.calls.clear()
    if isinstance(stand_in, DiscordStandIn):
        # What is recognised belongs to another story.
        stand_in._nonces.clear()
    for item in behind.edge.dynamodb.scan(TableName="agent")["Items"]:
        behind.edge.dynamodb.delete_item(TableName="agent", Key={"pk": item["pk"], "sk": item["sk"]})
    behind.edge.forget()
    behind.cold()


def kept(behind: Behind) -> Callable[[], None]:
    """Keep what is in the tables and the chats; return what puts it back, and makes all else empty, and all functions cold."""
    tables = dynamodb_backends["123456789012"]["us-east-1"].tables
    names = (TABLE, "agent")
    items = copy.deepcopy([tables[name].items for name in names])
    shown: list[Any] = copy.deepcopy([_shown(stand_in) for stand_in in behind.stand_ins.values()])

    def put_back() -> None:
        calm(behind)
        for name, its in zip(names, copy.deepcopy(items), strict=True):
            tables[name].items = its
        behind.forget_the_stream()
        behind.events()
        behind.edge.handed_off()
        for stand_in, its in zip(behind.stand_ins.values(), copy.deepcopy(shown), strict=True):
            for name, value in its.items():
                setattr(stand_in, name, value)
        behind.edge.forget()
        behind.cold()

    return put_back


def _shown(stand_in: Any) -> dict[str, Any]:
    return {name: getattr(stand_in, name) for name in SHOWN if hasattr(stand_in, name)}
