"""What the agent remembers, in a table of its own: answered deliveries for a day, each chat's last turns, and moved chats.

Everything has a ``ttl``; the answers that matter compare the time themselves, for TTL deletes late.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from doorcode.pairing.hand_off import Turn

# Longer than any platform delivers again: Meta does for seven days.
ANSWERED_SECONDS = 8 * 86_400
CONVERSATION_SECONDS = 86_400
# Longer than any message waits, also one that was put aside.
MOVED_SECONDS = 30 * 86_400
# The last turns that an agent is given again, so that they begin with the person.
MAX_TURNS = 20
# An item holds 400 KB.
MAX_BYTES = 300_000


class MemoryClient(Protocol):
    """What is used of a DynamoDB client, as boto3 documents it."""

    def get_item(self, **kwargs: Any) -> Any: ...  # noqa: D102
    def put_item(self, **kwargs: Any) -> Any: ...  # noqa: D102


class Draft(Struct, frozen=True):
    """An answer that was made, in its texts, how many of their parts were sent, and how many messages it answers.

    Without texts it is still to be made: an agent is asked again what it was asked before, and nothing more with it.
    """

    texts: tuple[str, ...] | None
    done: int = 0
    taken: int = 1


class Memory:
    """The agent's table: ``pk``, ``sk``, ``ttl``."""

    def __init__(self, client: MemoryClient, table_name: str) -> None:
        """Remember in that table."""
        self._client = client
        self._name = table_name

    def was_answered(self, delivery: str, now: int) -> bool:
        """Tell whether a delivery was answered within the last eight days."""
        item = self._get(f"delivery#{delivery}", "answered")
        return bool(item) and now < int(item["until"]["N"])

    def note_answered(self, delivery: str, now: int) -> None:
        """Remember for eight days that a delivery was answered."""
        until = now + ANSWERED_SECONDS
        self._put(f"delivery#{delivery}", "answered", until, until={"N": str(until)})

    def draft(self, delivery: str) -> Draft | None:
        """Return the answer that an earlier try has made to that delivery."""
        item = self._get(f"delivery#{delivery}", "draft")
        return _draft(item) if item else None

    def keep_draft(self, delivery: str, draft: Draft, now: int) -> None:
        """Keep an answer, so that the next try goes on with the very same one."""
        texts = msgspec.json.encode(draft.texts).decode()
        fields = {"texts": {"S": texts}, "done": {"N": str(draft.done)}, "taken": {"N": str(draft.taken)}}
        self._put(f"delivery#{delivery}", "draft", now + ANSWERED_SECONDS, **fields)

    def turns(self, chat: str, now: int) -> list[Turn]:
        """Return what was said last in a chat, oldest first."""
        item = self._get(f"chat#{chat}", "turns")
        if not item or now >= int(item["until"]["N"]):
            return []
        return msgspec.json.decode(item["turns"]["S"], type=list[Turn])

    def keep_turns(self, chat: str, turns: Sequence[Turn], now: int) -> None:
        """Remember the last turns of a chat."""
        until = now + CONVERSATION_SECONDS
        kept = from_the_person(merged(turns)[-MAX_TURNS:])
        text = msgspec.json.encode(kept)
        while len(text) > MAX_BYTES and (shorter := from_the_person(kept[1:])):
            kept = shorter
            text = msgspec.json.encode(kept)
        self._put(f"chat#{chat}", "turns", until, turns={"S": text.decode()}, until={"N": str(until)})

    def moved_to(self, platform: str, chat: str, now: int) -> str:
        """Return what a chat has become, as ``outbound.port.Moves`` says; empty if it is still itself."""
        item = self._get(f"moved#{platform}#{chat}", "moved")
        return item["to"]["S"] if item and now < int(item["until"]["N"]) else ""

    def note_moved(self, platform: str, chat: str, to: str, now: int) -> None:
        """Remember what a chat has become."""
        until = now + MOVED_SECONDS
        self._put(f"moved#{platform}#{chat}", "moved", until, to={"S": to}, until={"N": str(until)})

    def _get(self, pk: str, sk: str) -> Any:
        key = {"pk": {"S": pk}, "sk": {"S": sk}}
        return self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True).get("Item", {})

    def _put(self, pk: str, sk: str, ttl: int, **fields: Any) -> None:
        item = {"pk": {"S": pk}, "sk": {"S": sk}, "ttl": {"N": str(ttl)}, **fields}
        self._client.put_item(TableName=self._name, Item=item)


def merged(turns: Sequence[Turn]) -> list[Turn]:
    """Return turns in which the two take turns, as models want it: who speaks twice is written down once."""
    found: list[Turn] = []
    for turn in turns:
        if found and found[-1].role == turn.role:
            found[-1] = Turn(turn.role, f"{found[-1].text}\n{turn.text}")
        else:
            found.append(turn)
    return found


def from_the_person(turns: Sequence[Turn]) -> list[Turn]:
    """Return the turns from the first one on that is the person's."""
    first = next((number for number, turn in enumerate(turns) if turn.role == "user"), len(turns))
    return list(turns[first:])


def _draft(item: Any) -> Draft:
    return Draft(
        msgspec.json.decode(item["texts"]["S"], type=tuple[str, ...] | None),
        int(item["done"]["N"]),
        int(item["taken"]["N"]),
    )
