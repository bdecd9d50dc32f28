"""Who is in the playground: an owner and strangers on each platform, and the chats that they have."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping, Sequence

from doorcode.pairing.contact import Platform
from doorcode.pairing.wording import language_tag
from doorcode_sandbox.platforms.chats import Chat, Person, Role, Side
from doorcode_sandbox.playground.errors import PlaygroundError

MAX_PEOPLE = 60
MAX_NAME = 64
# The shortest username that every platform takes.
MIN_USERNAME = 5
NAMES = (("Sam Stranger", "stranger"), ("Mallory Moss", "mallory"), ("Quentin Quill", "quentin"))
STRANGERS_AT_START = 2
OWNER = ("Olivia Owner", "owner")


class Cast:
    """People and chats. Safe between threads; nobody ever leaves."""

    def __init__(self, sides: Sequence[Side], owners: Mapping[Platform, Sequence[str]]) -> None:
        """Put the people of those platforms into place, each platform's owners first."""
        self.sides = {side.platform: side for side in sides}
        self._lock = threading.Lock()
        self._people: dict[tuple[Platform, str], Person] = {}
        self._chats: dict[tuple[Platform, str], Chat] = {}
        for platform, side in self.sides.items():
            for person in _at_start(side, owners.get(platform, ())):
                self._enter(side, person)
            group = side.gather([person for person in self.people() if person.platform is platform])
            self._chats[platform, group.id] = group

    def people(self) -> list[Person]:
        """Return everybody."""
        with self._lock:
            return list(self._people.values())

    def chats(self) -> list[Chat]:
        """Return all chats."""
        with self._lock:
            return list(self._chats.values())

    def side(self, platform: Platform) -> Side:
        """Return a platform that has its stand-in here. Raises PlaygroundError for another."""
        try:
            return self.sides[platform]
        except KeyError:
            said = f"{platform.brand} is not played here: write to the bot with its own app."
            raise PlaygroundError(409, said) from None

    def found(
        self, platform: Platform, chat_id: str, person_id: str, *, present: bool = True
    ) -> tuple[Side, Chat, Person]:
        """Return who does something, and where. Raises PlaygroundError where there is no such thing.

        Whoever is not in the chat can do nothing there, unless ``present`` is not asked for.
        """
        side = self.side(platform)
        with self._lock:
            chat, person = self._chats.get((platform, chat_id)), self._people.get((platform, person_id))
        if chat is None or person is None:
            raise PlaygroundError(404, "There is no such chat." if chat is None else "There is no such person.")
        if present and person.id not in chat.members:
            raise PlaygroundError(403, f"{person.name} is not in that chat.")
        return side, chat, person

    def add(self, platform: Platform, name: str, person_id: str = "", language: str = "en") -> tuple[Person, Chat]:
        """Have another stranger, with a direct chat, whose app is in that language. Raises PlaygroundError for a name that is none, or one too many."""
        side = self.side(platform)
        name = name.strip()
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise PlaygroundError(400, f"A name has 1 to {MAX_NAME} characters that can be seen.")
        if not language_tag(language):
            raise PlaygroundError(400, "A language is a tag such as de or pt-BR.")
        with self._lock:
            if len(self._people) >= MAX_PEOPLE:
                raise PlaygroundError(409, f"There are {MAX_PEOPLE} people here already.")
            taken = {person.username for person in self._people.values()}
        known = person_id or side.new_id()
        person = Person(
            platform=platform,
            id=known,
            name=name,
            username=_username(name, taken),
            role=Role.STRANGER,
            language=language,
        )
        return person, self._enter(side, person)

    def recall(self, contacts: Iterable[tuple[str, object]]) -> None:
        """Have those again whom the table knows: the keys of their contacts, and their names."""
        for key, name in contacts:
            platform, _, user_id = key.partition("#")
            with self._lock:
                known = (platform, user_id) in self._people
            if platform in self.sides and not known:
                try:
                    self.add(Platform(platform), str(name or user_id).removeprefix("@"), user_id)
                except (PlaygroundError, ValueError):
                    # One too many, or added by hand under an id that is none there.
                    continue

    def _enter(self, side: Side, person: Person) -> Chat:
        chat = side.settle(person)
        with self._lock:
            self._people[person.platform, person.id] = person
            self._chats[chat.platform, chat.id] = chat
        return chat


def _at_start(side: Side, owners: Sequence[str]) -> list[Person]:
    people = []
    for number, owner in enumerate(dict.fromkeys(owners), start=1):
        name, username = OWNER
        # Few have a second one.
        suffix = "" if number == 1 else str(number)
        person = Person(
            platform=side.platform,
            id=owner,
            name=f"{name} {suffix}".rstrip(),
            username=f"{username}{suffix}",
            role=Role.OWNER,
        )
        people.append(person)
    strangers = [user_id for user_id in side.strangers if user_id not in owners][:STRANGERS_AT_START]
    for user_id, (name, username) in zip(strangers, NAMES, strict=False):
        people.append(Person(platform=side.platform, id=user_id, name=name, username=username, role=Role.STRANGER))
    return people


def _username(name: str, taken: set[str]) -> str:
    stem = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:24] or "guest"
    stem = f"{stem}_here" if len(stem) < MIN_USERNAME else stem
    names = (stem if number == 1 else f"{stem}{number}" for number in range(1, len(taken) + 2))
    return next(username for username in names if username not in taken)
