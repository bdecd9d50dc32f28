"""A playground without a sandbox: a scene that a test writes, behind the real front, which notes what the page asks."""

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

from doorcode_sandbox.front import Front, Stream
from doorcode_sandbox.platforms.server import Answer, Request, json_answer
from doorcode_sandbox.playground.page_files import page_file
from tests.eventually import PATIENCE_SECONDS

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
KINDS = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
BOTS = {"telegram": "@doorcode_bot", "slack": "@Doorcode", "discord": "Doorcode", "whatsapp": "+15550783881"}
IDS = {
    "telegram": ("1001", "2001", "2002"),
    "slack": ("U0OWNER", "U0SAM", "U0KIM"),
    "discord": ("31", "41", "42"),
    "whatsapp": ("DE.10", "US.20", "US.21"),
}
ALIVE_SECONDS = 0.2


class Scene:
    """What the page is told. ``asked`` holds what it wanted done: (path, body); ``refuse`` answers that with an error."""

    def __init__(self) -> None:
        self.version = 1
        self._messages = itertools.count()
        self._stopped = False
        self._changed = threading.Condition()
        self.begin()

    # What a test writes

    def begin(self) -> None:
        """Have the people of a new sandbox: on each platform an owner, two strangers and a group; nobody wrote yet."""
        self.platforms = [
            {"name": name, "bot": "Doorcode", "handle": handle, "real": False} for name, handle in BOTS.items()
        ]
        self.people: list[dict[str, Any]] = []
        self.chats: list[dict[str, Any]] = []
        self.inside: dict[str, list[Any]] = {"items": [], "conversations": [], "events": [], "log": []}
        self.deliveries: list[dict[str, Any]] = []
        self.asked: list[tuple[str, Any]] = []
        self.refuse = ""
        self.hold = threading.Event()
        self.hold.set()
        for platform, (owner, *strangers) in IDS.items():
            self.add_person(platform, owner, "Olivia", role="owner")
            for person, name in zip(strangers, ("Sam", "Kim"), strict=True):
                self.add_person(platform, person, name)
            self.add_chat(platform, f"g-{platform}", "group", [owner, *strangers], "Book club")

    def add_person(self, platform: str, person: str, name: str, *, role: str = "stranger") -> None:
        """Have somebody, with a direct chat."""
        found = {"platform": platform, "id": person, "name": name, "username": name.lower(), "role": role}
        self.people.append(found)
        self.add_chat(platform, f"d-{person}", "direct", [person], name)

    def add_chat(self, platform: str, chat: str, kind: str, members: list[str], title: str) -> None:
        """Have a chat."""
        self.chats.append(
            {"platform": platform, "id": chat, "kind": kind, "title": title, "members": members, "messages": [], "notes": []}
        )  # fmt: skip

    def chat(self, chat: str) -> dict[str, Any]:
        """Return a chat."""
        return next(found for found in self.chats if found["id"] == chat)

    def message(self, chat: str, shown: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Have a message in a chat, the bot's if nothing else is said."""
        messages = self.chat(chat)["messages"]
        number = next(self._messages)
        message = {
            "id": f"m{number}", "from": "bot", "at": f"2026-11-21T{10 + number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z",
            "edited": False, "deferred": False, "only_for": None, "shown": shown, "call": "sendMessage",
            "buttons": [], "delivery": None,
        } | more  # fmt: skip
        messages.append(message)
        return message

    def note(self, chat: str, to: str, text: str, *, alert: bool = False) -> None:
        """Have the answer to a press."""
        self.chat(chat)["notes"].append({"to": to, "text": text, "alert": alert, "at": "2026-11-21T11:00:00Z"})

    def change(self) -> None:
        """Tell the page that there is something new."""
        with self._changed:
            self.version += 1
            self._changed.notify_all()

    def ask(self, platform: str, shown: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Have the bot ask that platform's owner about Sam, with two buttons."""
        styles = ("", "") if platform in {"telegram", "whatsapp"} else ("primary", "danger")
        buttons = [
            {"id": f"0.{number}", "text": text, "style": style}
            for number, (text, style) in enumerate(zip(("✅ Approve", "❌ Deny"), styles, strict=True))
        ]
        return self.message(f"d-{IDS[platform][0]}", shown, buttons=[buttons], **more)

    def delivery(self, delivery: str, **more: Any) -> dict[str, Any]:
        """Have a webhook that was answered, newest first."""
        found = {
            "id": delivery, "platform": "telegram", "at": "2026-11-21T10:00:00Z", "path": "/telegram",
            "headers": {"X-Telegram-Bot-Api-Secret-Token": "…"}, "signature": {"kind": "secret token", "fits": True},
            "body": {"update_id": 1, "message": {"text": "Hello"}}, "status": 200, "answer": {"method": "sendMessage"},
            "ms": 12.4, "again_of": None, "log": [{"level": "INFO", "message": "m", "reason": "pairing_requested"}],
        } | more  # fmt: skip
        self.deliveries.insert(0, found)
        return found

    # What the front calls

    def open(self, url: str) -> None:
        """Begin."""
        self.url = url
        self._stopped = False

    def close(self) -> None:
        """End all streams."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def answer(self, request: Request) -> Answer | Stream:
        """Answer the page."""
        path = request.path.removeprefix("/playground/")
        if request.verb == "POST":
            self.asked.append((path, json.loads(request.body)))
            self.hold.wait(PATIENCE_SECONDS)
            return json_answer({"error": self.refuse}, 400) if self.refuse else json_answer(self._done(*self.asked[-1]))
        told = {
            "scene": {
                "version": self.version, "program": "doorcode", "where": "--local", "platforms": self.platforms, "people": self.people, "chats": self.chats,
            },
            "inside": self.inside,
            "deliveries": {"deliveries": self.deliveries},
        }  # fmt: skip
        if path in told:
            return json_answer(told[path])
        if path == "changes":
            return Stream(self._changes(), {"Content-Type": "text/event-stream"})
        return _file(path)

    def _done(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "people":
            person = f"new{len(self.people)}"
            self.add_person(body["platform"], person, body["name"])
            return {"ok": True, "person": self.people[-1], "chat": self.chats[-1]["id"]}
        return {"ok": True}

    def _changes(self) -> Iterator[bytes]:
        told = 0
        while not self._stopped:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self.version != told, ALIVE_SECONDS)  # noqa: B023 (called at once)
                version = self.version
            yield b": alive\n\n" if version == told else f'data: {{"version": {version}}}\n\n'.encode()
            told = version


# Puts a page back to where it was when it was drawn: whom and what it shows, and what was typed.
AFRESH = """() => {
  document.querySelector('[role=tab]').click();
  for (const box of document.querySelectorAll('textarea')) box.value = '';
  for (const toast of document.querySelectorAll('.toast')) toast.remove();
  for (const people of document.querySelectorAll('.pane-head select:first-of-type')) {
    people.selectedIndex = 0;
    people.dispatchEvent(new Event('change'));
  }
  document.activeElement.blur();
  scrollTo(0, 0);
}"""


@contextmanager
def running(port: int = 0) -> Iterator[Scene]:
    """Serve a scene; its ``url`` is where."""
    scene = Scene()
    with Front(port=port, api="http://127.0.0.1:9", host="nowhere", playground=scene):
        yield scene


def pane(page: Page, side: str) -> Locator:
    """Return the side that is seen: "stranger" or "owner"."""
    return page.locator(f".pane[data-side={side}]:visible")


def box(page: Page, side: str = "stranger") -> Locator:
    """Return where that side types."""
    return pane(page, side).get_by_role("textbox")


def _file(path: str) -> Answer:
    name = "index.html" if path == "/" else Path(path).name
    try:
        content = page_file(name)
    except FileNotFoundError:
        return json_answer({"error": "There is nothing here."}, 404)
    headers = {"Content-Type": f"{KINDS[Path(name).suffix]}; charset=utf-8", "Content-Security-Policy": CSP}
    return Answer(200, content, headers)
