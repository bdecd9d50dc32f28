"""Discord: whose an interaction is, and how a bot's answer to one is taken.

https://docs.discord.com/developers/interactions/receiving-and-responding
"""

from __future__ import annotations

from msgspec import Struct

from doorcode.pairing.gate import Reason
from doorcode.pairing.messages import ChatType, Deed
from doorcode.pairing.texts import Say
from doorcode.platforms.discord import inbound
from doorcode.platforms.discord.inbound import (
    AUTOCOMPLETE,
    CHAT_COMMAND,
    CHOICES,
    COMPONENT,
    MODAL,
    PLATFORM,
    Invocation,
)
from doorcode.platforms.inbound import Webhook, WebhookAnswer
from doorcode.platforms.payload import answer as answered
from doorcode.platforms.payload import decoded

# Discord waits for three, and then the person is told that the app does not respond.
SECONDS = 2.5
ANSWER_HEADERS: frozenset[str] = frozenset()

# Every kind of interaction that somebody did, by the word that the log has for it.
KINDS = {CHAT_COMMAND: "command", COMPONENT: "component", AUTOCOMPLETE: "autocomplete", MODAL: "modal"}
UNKNOWN = "unknown_interaction"
# With files, an answer is a form. https://docs.discord.com/developers/reference#uploading-files
READABLE = ("application/json", "multipart/form-data")
SUCCESS = range(200, 300)


class _Kind(Struct):
    type: int


def deed(webhook: Webhook, _bot: str) -> Deed:
    """Tell whose an interaction is: the member's in a server, elsewhere the user's, and never both."""
    kind = decoded(webhook.body, _Kind).type
    if kind not in KINDS:
        return Deed(platform=PLATFORM, what=UNKNOWN)
    interaction = decoded(webhook.body, Invocation)
    direct = inbound.is_direct(interaction)
    people = [one for one in (interaction.member and interaction.member.user, interaction.user) if one]
    return Deed(
        platform=PLATFORM,
        what=KINDS[kind],
        user_id=people[0].id if len(people) == 1 else "",
        delivery_id=interaction.id,
        language=interaction.locale,
        chat_type=ChatType.DIRECT if direct else ChatType.GROUP,
        group="" if direct else inbound.parent_of(interaction.channel) or interaction.channel_id or "",
    )


def comes_again(_webhook: Webhook) -> bool:
    """Say no: each interaction comes once."""
    return False


def refused(deed: Deed, reason: Reason, say: Say) -> WebhookAnswer | None:
    """Turn them away as a message is; someone who types has nothing to choose from."""
    return _none_to_choose(deed) or inbound.turned_away(reason, say)


def failed(deed: Deed, say: Say) -> WebhookAnswer:
    """Ask for another try: Discord itself makes none."""
    return _none_to_choose(deed) or inbound.failed(say)


def _none_to_choose(deed: Deed) -> WebhookAnswer | None:
    if deed.what != KINDS[AUTOCOMPLETE]:
        return None
    return answered({"type": CHOICES, "data": {"choices": []}})


def takes(answer: WebhookAnswer) -> bool:
    """Tell whether Discord reads it: a success, and JSON or a form, or nothing, which says that the bot answers by itself."""
    kind = answer.content_type.partition(";")[0].strip().lower()
    return answer.status in SUCCESS and (not answer.body or kind in READABLE)
