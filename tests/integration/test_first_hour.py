"""An owner's first hour, from an empty account: one command at a terminal, and from then on nothing but chats.

``doorcode init`` runs at a pseudo-terminal and deploys with sam; Telegram is its stand-in. What the owner does is counted as it
is done, and the count stands in docs/setup.md.
"""

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorcode.pairing.contact import Platform
from doorcode.pairing.texts import APPROVED, REQUEST_SENT
from tests.eventually import eventually
from tests.integration.near_telegram import NearTelegram
from tests.integration.operator_machine import OperatorMachine
from tests.integration.stack import Cloud, Stack
from tests.integration.terminal import Terminal
from tests.webhooks import APPROVE, HELLO, load

STACK = "first-hour"
TOKEN = "7000000001:AAabcdefghijklmnopqrstuvwxyz1234567"
OWNER, STRANGER, FRIEND = 7001, 7002, 7003
GREETING = "Hi there! How can I help you today?"
QUESTIONS = {
    r"The stack's name [^\n]*: ": STACK,
    r"The AWS region [^\n]*: ": "",
    r"several with commas [^\n]*: ": "",
    r"telegram/bot-token: ": TOKEN,
    r"pair, deny or allow[^\n]*: ": "",
    r"One of these[^\n]*: ": "",
    r"Enter for none: ": "",
}


class Hour:
    """The owner's machine and phone, the bot, and everybody who writes to it. ``did`` is what the owner did, action by action."""

    def __init__(self, machine: OperatorMachine, telegram: NearTelegram, cloud: Cloud) -> None:
        self.machine, self.telegram, self.cloud = machine, telegram, cloud
        self.did: list[str] = []
        self._numbers = itertools.count(1)

    def init(self) -> Terminal:
        """Run the one command, on an account with the stand-in for Telegram."""
        settings = {"TelegramApiUrl": self.telegram.api_url, "SecretsMaxAgeSeconds": "0", "FirstMessage": "keep"}
        return self.machine.terminal("init", *(word for pair in settings.items() for word in ("--set", "=".join(pair))))

    def answers(self, terminal: Terminal, until: str, asked: list[str]) -> None:
        """Answer each question, and note it, until that is shown."""
        while not re.search(until, terminal.shown):
            found = terminal.sees("|".join([until, *QUESTIONS]))
            for question, answer in QUESTIONS.items():
                if re.fullmatch(question, found[0]) and not re.search(until, terminal.shown):
                    asked.append(question)
                    terminal.types(answer)

    @property
    def stack(self) -> Stack:
        """The stack that was deployed."""
        return Stack(self.cloud, STACK)

    def says(self, user_id: int, text: str) -> None:
        """Have somebody write to the bot, in a chat of their own."""
        if str(user_id) not in self.telegram.chats:
            self.telegram.open_chat(str(user_id))
        event = load(HELLO[Platform.TELEGRAM])
        message = event.body["message"]
        message["from"]["id"] = message["chat"]["id"] = user_id
        message["text"] = text
        self._send(event.body)

    def presses(self, data: str) -> None:
        """Have the owner press a button."""
        event = load(APPROVE[Platform.TELEGRAM])
        body = json.loads(event.replaced(event.expect["callback"], data).raw())
        body["callback_query"]["from"]["id"] = OWNER
        number = str(next(self._numbers))
        body["callback_query"]["id"] = number
        self.telegram.press(number)
        self._send(body)

    def _send(self, body: dict[str, object]) -> None:
        body["update_id"] = next(self._numbers)
        hook = self.telegram.hook
        reply = self.stack.post(
            "telegram", json.dumps(body).encode(), {"X-Telegram-Bot-Api-Secret-Token": hook.secret_token}
        )
        assert reply.status == 200, reply
        self.telegram.take(reply.body)

    def hears(self, user_id: int, pattern: str) -> re.Match[str]:
        """Wait until the bot has said that to somebody."""

        def found() -> re.Match[str] | None:
            texts = "\n".join(str(one.shown["text"]) for one in self.telegram.in_chat(str(user_id)))
            return re.search(pattern, texts)

        heard = eventually(found)
        assert heard, self.telegram.in_chat(str(user_id))
        return heard

    def button(self, words: str) -> str:
        """Wait until the owner has a button of those words, and return what it carries."""

        def found() -> str:
            rows = [row for one in self.telegram.in_chat(str(OWNER)) for row in one.shown["keyboard"]]
            return next((button["callback_data"] for row in rows for button in row if words in button["text"]), "")

        data = eventually(found)
        assert data
        return data


@pytest.fixture(scope="module")
def hour(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hour]:
    """Give an account in which nothing is deployed under that name, and a checkout in which nothing was answered."""
    with NearTelegram(token=TOKEN) as telegram:
        # What is left goes with the emulator.
        yield Hour(OperatorMachine(tmp_path_factory.mktemp("operator"), cloud, STACK), telegram, cloud)


def test_the_first_hour(hour: Hour) -> None:
    """From an empty account to a stranger's message answered and a friend invited, and how much an owner does for it.

    Left with Ctrl-C at a question, and killed in the deployment as when the machine goes off, it goes on: no action is needed twice.
    That it goes on from every other step is tried with less around it, in tests/unit/cli/test_init.py.
    """
    did = hour.did
    did += ["@BotFather: /newbot", "@BotFather: a name", "@BotFather: a username"]
    did += ["terminal: git clone", "terminal: make deploy"]
    asked: list[str] = []
    for marker in (r"One of these", r"Deploying;[^\n]* [0-9]+ resources"):
        with hour.init() as terminal:
            hour.answers(terminal, marker, asked)
            if marker == "One of these":
                terminal.ctrl_c()
                terminal.sees("Stopped while asking")
                assert terminal.ends() == 1
            assert TOKEN not in terminal.shown
    with hour.init() as terminal:
        hour.answers(terminal, r"Waiting for the claim", asked)
        claim = re.findall(r"https://t\.me/doorcode_bot\?start=(\S+)", terminal.shown)[-1]
        # The one that was asked when it was left is asked once more, and no other.
        assert asked == list(QUESTIONS)
        did += [f"terminal: {question.partition('[')[0].strip(' :')}" for question in asked]
        # The picture is scanned, which opens the chat; there, Start sends what the link has.
        did += ["phone: scan the claim", "phone: Start"]
        hour.says(OWNER, f"/start {claim}")
        terminal.sees("Owned by ")
        terminal.sees("0 wrong")
        assert terminal.ends() == 0
        assert TOKEN not in terminal.shown
    assert TOKEN not in hour.machine.answers.read_text()
    terminal_actions = sum(action.startswith("terminal") for action in did)
    # A stranger writes, and is answered what they wrote once the owner has let them in.
    hour.says(STRANGER, "Hello, may I come in?")
    hour.hears(STRANGER, re.escape(REQUEST_SENT))
    hour.presses(hour.button("Approve"))
    did.append("phone: ✅ Approve")
    hour.hears(STRANGER, re.escape(APPROVED))
    hour.hears(STRANGER, re.escape(GREETING))
    assert len(did) == 15, did
    # A friend is invited from the phone, too.
    hour.says(OWNER, "/door")
    did.append("phone: /door")
    token = hour.hears(OWNER, r"#token=(\S+)")[1]
    same = ("Sec-Fetch-Site", "same-origin"), ("Content-Type", "application/json")
    signed_in = hour.stack.request("POST", "/api/session", json.dumps({"token": token}).encode(), same)
    did.append("phone: open the link")
    cookie = signed_in.headers["set-cookie"].partition(";")[0]
    made = hour.stack.request("POST", "/api/invites", b"{}", (*same, ("Cookie", cookie)))
    assert made.status == 201, made
    did.append("phone: make the invite")
    hour.says(FRIEND, made.json["code"])
    hour.hears(FRIEND, "You're in!")
    hour.says(FRIEND, "Hello!")
    hour.hears(FRIEND, re.escape(GREETING))
    assert len(did) == 18, did
    assert sum(action.startswith("terminal") for action in did) == terminal_actions == 9
    page = (Path(__file__).parents[2] / "docs/setup.md").read_text()
    assert "| Doorcode | 15 | 9 |" in page
