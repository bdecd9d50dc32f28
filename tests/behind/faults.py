"""Breaking one call of the functions behind the edge: before it, after it, by dying or by a time-out."""

from collections.abc import Callable

from botocore.exceptions import ReadTimeoutError

from doorcode.pairing.contact import Platform
from doorcode.platforms.send_errors import PassingError
from doorcode_sandbox.platforms.discord.stand_in import DiscordStandIn
from tests.behind.harness import Behind, DiedError


class Fault:
    """Counts every call of the functions behind the edge, and breaks one of them."""

    def __init__(self, behind: Behind, platform: Platform, kind: str, at: int) -> None:
        self.calls: list[str] = []
        self.hit = ""
        self._platform = platform
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
            if len(self.calls) != self._at or self.hit or when not in self._kind:
                return
            self.hit = name
            raise DiedError if self._kind.startswith("dies") else timeout

        return hook


def calls_of(behind: Behind, platform: Platform, story: Callable[[], object]) -> list[str]:
    """Return the calls of a story in which nothing fails, such as ``dynamodb.get_item``."""
    begin_again(behind, platform)
    undisturbed = Fault(behind, platform, "", 0)
    story()
    return undisturbed.calls


def writes(call: str) -> bool:
    """Tell whether a call leaves anything behind."""
    return call.partition(".")[2] not in {
        "get_item",
        "query",
        "get_parameter",
        "get_parameters",
        "get_parameters_by_path",
    }


def begin_again(behind: Behind, platform: Platform) -> None:
    """Forget everything but the wiring."""
    for client in behind.clients.values():
        client.before = client.after = lambda _: None
    behind.before_sending = behind.after_sending = lambda _: None
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
