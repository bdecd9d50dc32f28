"""Security 29: no sender follows a redirect, which would take the token to somebody else."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from doorcode.platforms.discord.sender import DiscordSender
from doorcode.platforms.send_errors import SendError
from doorcode.platforms.sender import OutgoingText
from doorcode.platforms.slack.sender import SlackSender
from doorcode.platforms.telegram.sender import TelegramSender


class Elsewhere:
    """A host that sends everybody on to another path of its own, and notes who followed."""

    def __init__(self) -> None:
        """Listen on this machine."""
        self.followed: list[tuple[str, str | None]] = []
        followed = self.followed

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if self.path.startswith("/elsewhere"):
                    followed.append((self.path, self.headers.get("Authorization")))
                self.send_response(302)
                self.send_header("Location", f"http://localhost:{self.connection.getsockname()[1]}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = do_PATCH = _answer  # noqa: N815 (http.server's names)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Run the host."""
    host = Elsewhere()
    yield host
    host.server.shutdown()
    host.server.server_close()


@pytest.mark.parametrize(
    ("build", "token"),
    [(TelegramSender, "1:token"), (SlackSender, "xoxb-token"), (DiscordSender, "token")],
    ids=["telegram", "slack", "discord"],
)
def test_no_redirect_is_followed(elsewhere: Elsewhere, build: Any, token: str) -> None:
    """A redirect is trouble: nobody is asked elsewhere, and no token leaves for it."""
    sender = build(token, elsewhere.url)
    try:
        with pytest.raises(SendError):
            sender.notify(OutgoingText(user_id="123456789", text="hello", key="k"), 1_800_000_000)
    finally:
        sender.close()
    assert elsewhere.followed == []
