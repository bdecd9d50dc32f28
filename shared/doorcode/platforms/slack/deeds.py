"""Slack: whose an event, a command or an interaction is, and how a bot's answer to one is taken.

https://docs.slack.dev/reference/events, https://docs.slack.dev/reference/interaction-payloads,
https://docs.slack.dev/interactivity/implementing-slash-commands
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs

from doorcode.pairing.gate import Reason
from doorcode.pairing.messages import ChatType, Deed
from doorcode.pairing.texts import Say
from doorcode.platforms.inbound import UnusablePayloadError, Webhook, WebhookAnswer
from doorcode.platforms.payload import decoded
from doorcode.platforms.slack import inbound
from doorcode.platforms.slack.inbound import (
    MAX_FORM_FIELDS,
    PLATFORM,
    SIGNATURE_HEADER,
    SPOKEN_SUBTYPES,
    SYSTEM_USERS,
    user_id,
)
from doorcode.platforms.slack.payloads import Envelope, Named, Presser, SlackUser
from doorcode.platforms.slack.workspace import event_origin, named, press_origin

# Slack waits for three.
SECONDS = 2.5
ANSWER_HEADERS = frozenset({"retry-after", "x-slack-no-retry"})

Path = tuple[str, ...]
Json = dict[str, Any]
# Every kind of event that says who did it, and where it says so. An id, or an object that has one; `item_user`,
# `authed_users` and `authorizations` are others'. Kinds that Slack adds are nobody's until they stand here.
PEOPLE: Mapping[str, Path] = MappingProxyType({
    **dict.fromkeys((
        "app_home_opened", "app_mention", "channel_archive", "channel_left", "channel_unarchive", "dnd_updated_user",
        "entity_details_requested", "group_archive", "group_close", "group_open", "group_unarchive", "im_close",
        "im_created", "im_open", "link_shared", "member_joined_channel", "member_left_channel", "message", "pin_added",
        "pin_removed", "reaction_added", "reaction_removed", "star_added", "star_removed", "team_join", "user_change",
        "user_huddle_changed", "user_profile_changed", "user_status_changed",
    ), ("user",)),
    **dict.fromkeys((
        "call_rejected", "file_change", "file_created", "file_deleted", "file_public", "file_shared", "file_unshared",
        "message_metadata_deleted", "message_metadata_posted", "message_metadata_updated",
    ), ("user_id",)),
    "assistant_thread_context_changed": ("assistant_thread", "user_id"),
    "assistant_thread_started": ("assistant_thread", "user_id"),
    "channel_created": ("channel", "creator"),
    "subteam_created": ("subteam", "created_by"),
})  # fmt: skip
JOINED, JOINED_SUBTYPES = "member_joined_channel", frozenset({"channel_join", "group_join"})
# A message of which a person's client is not the only sender: what it tells that somebody did.
TOLD_SUBTYPES = frozenset({
    "channel_archive", "channel_join", "channel_leave", "channel_name", "channel_posting_permissions", "channel_purpose",
    "channel_topic", "channel_unarchive", "group_archive", "group_join", "group_leave", "group_name", "group_purpose",
    "group_topic", "group_unarchive", "pinned_item", "unpinned_item",
})  # fmt: skip
CHANGED, DELETED = inbound.CHANGED, "message_deleted"
# Everything in them that says whose the message is or was. They all have to be one.
CHANGERS: Mapping[str, tuple[Path, ...]] = MappingProxyType({
    CHANGED: (("message", "user"), ("message", "edited", "user"), ("previous_message", "user")),
    DELETED: (("previous_message", "user"),),
})  # fmt: skip
# Where an event says where it was.
PLACES: tuple[Path, ...] = (("channel",), ("channel_id",), ("item", "channel"), ("assistant_thread", "channel_id"))
# Where it says whose the person is: their workspace's id, or their own object's.
TEAMS: tuple[Path, ...] = (("user_team",), ("source_team",), ("team",), ("user", "team_id"))
# It tells the app about itself: it was removed, or heard too much.
ABOUT_APP = frozenset({"app_rate_limited", "app_uninstalled", "tokens_revoked"})
# What comes in a form's field `payload`; in each of them `user` did it.
INTERACTIONS = frozenset({
    "block_actions", "block_suggestion", "dialog_cancellation", "dialog_submission", "dialog_suggestion",
    "interactive_message", "message_action", "shortcut", "view_closed", "view_submission",
})  # fmt: skip
COMMAND = "command"
UNKNOWN = "unknown_request"


def deed(webhook: Webhook, workspace: str) -> Deed:
    """Tell whose a request is; ``workspace`` is the app's own, with its organization."""
    if inbound.is_form(webhook):
        return _of_form(webhook, workspace)
    sent = decoded(webhook.body, Json)
    if sent.get("type") in ABOUT_APP:
        return _nobody(sent["type"])
    event = sent.get("event")
    if sent.get("type") != "event_callback" or not isinstance(event, dict) or not isinstance(event.get("type"), str):
        return _nobody(UNKNOWN)
    return _of_event(decoded(webhook.body, Envelope), event, str(sent.get("event_id") or ""), workspace)


def _nobody(what: str) -> Deed:
    return Deed(platform=PLATFORM, what=what, about_bot=what in ABOUT_APP)


def _of_event(envelope: Envelope, event: Json, delivery_id: str, workspace: str) -> Deed:
    kind: str = event["type"]
    bots = {who.user_id for who in envelope.authorizations if who.is_bot}
    place = _id(event, *PLACES)
    direct = not place or event.get("channel_type") == "im" or place.startswith("D")
    teams = [_id(event, path) for path in TEAMS]
    origin = event_origin(envelope, teams, workspace)
    # In a channel that two workspaces share, an event that does not say whose the person is may be about either's.
    if origin is None or (envelope.is_ext_shared_channel and not any(teams)):
        return _nobody(kind)
    user = _doer(kind, event, bots, direct=direct)
    return Deed(
        platform=PLATFORM,
        what=kind,
        user_id=user_id(named(origin.person, user)) if user else "",
        delivery_id=delivery_id,
        chat_type=ChatType.DIRECT if direct else ChatType.GROUP,
        group="" if direct else named(origin.place, place),
        addressed=direct or kind != "message" or _is_to_bot(event, bots),
        text=_text(event) if kind in {"message", "app_mention"} else "",
        about_bot=kind in ABOUT_APP or (kind == JOINED and event.get("user") in bots and not event.get("inviter")),
    )


def _doer(kind: str, event: Json, bots: set[str | None], *, direct: bool) -> str:
    """Return the one person's id, empty if there is none: an app, Slack itself, several."""
    if kind not in PEOPLE:
        return ""
    subtype = str(event.get("subtype") or "") if kind == "message" else ""
    written = [event]
    if subtype in CHANGERS:
        # Who deleted is not told. In the bot's own chat with them nobody else can have.
        said = [_id(event, path) for path in CHANGERS[subtype]] if subtype == CHANGED or direct else []
        written += [part for part in (event.get("message"), event.get("previous_message")) if isinstance(part, dict)]
    elif not subtype or subtype in SPOKEN_SUBTYPES | TOLD_SUBTYPES or event.get("client_msg_id"):
        # What else stands where others say it has to say the same.
        said = [_id(event, path) for path in (PEOPLE[kind], ("user",), ("user_id",))]
        if kind == JOINED or subtype in JOINED_SUBTYPES:
            # Whoever brought them did it.
            said = [_id(event, ("inviter",), *([] if event.get("inviter") else [PEOPLE[kind]]))]
    else:
        return ""
    if any(part.get("bot_id") or part.get("bot_profile") for part in written):
        return ""
    people = {one for one in said if one}
    one = people.pop() if len(people) == 1 else ""
    return "" if one in bots or one in SYSTEM_USERS else one


def _id(value: Json, *paths: Path) -> str:
    """Return the id at the end of the first path that leads to one: a text, or an object's own."""
    for path in paths:
        found: Any = value
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, dict):
            found = found.get("id")
        if found and isinstance(found, str):
            return found
    return ""


def _text(event: Json) -> str:
    changed = event.get("message")
    return str((changed if isinstance(changed, dict) else event).get("text") or "")


def _is_to_bot(event: Json, bots: set[str | None]) -> bool:
    text = _text(event)
    return any(f"<@{bot}>" in text or f"<@{bot}|" in text for bot in bots)


def _of_form(webhook: Webhook, workspace: str) -> Deed:
    try:
        fields = parse_qs(
            webhook.body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS
        )
    except ValueError:
        raise UnusablePayloadError("The payload is not a form.") from None
    # Given twice, one of them would be read here and another by the bot.
    if any(len(values) != 1 for values in fields.values()) or ("payload" in fields) is ("command" in fields):
        return _nobody(UNKNOWN)
    form = {name: values[0] for name, values in fields.items()}
    # Neither is ever sent again, and no two have the same signature.
    delivery_id = webhook.headers.get(SIGNATURE_HEADER, "")
    if "payload" in form:
        payload = decoded(form["payload"], Json)
        kind = payload.get("type")
        if kind not in INTERACTIONS:
            return _nobody(UNKNOWN)
        doer = decoded(form["payload"], Presser)
        place = _id(payload, ("channel",), ("container", "channel_id"))
    else:
        kind, place = COMMAND, form.get("channel_id", "")
        doer = Presser(
            user=SlackUser(id=form.get("user_id", "")),
            team=Named(id=form.get("team_id")),
            enterprise=Named(id=form.get("enterprise_id")),
        )
    origin = press_origin(doer, workspace)
    if origin is None or not doer.user.id:
        return _nobody(UNKNOWN)
    direct = not place or place.startswith("D")
    return Deed(
        platform=PLATFORM,
        what=kind,
        user_id=user_id(named(origin.person, doer.user.id)),
        delivery_id=delivery_id,
        chat_type=ChatType.DIRECT if direct else ChatType.GROUP,
        group="" if direct else place,
    )


def comes_again(webhook: Webhook) -> bool:
    """Say yes for events: Slack delivers them three times more. Commands and interactions come once."""
    return not inbound.is_form(webhook)


def refused(_deed: Deed, _reason: Reason, _say: Say) -> WebhookAnswer | None:
    """Say nothing."""
    return None


def failed(_deed: Deed, say: Say) -> WebhookAnswer:
    """Have Slack deliver it again; whoever used a command or a button sees that it did not work."""
    return inbound.failed(say)


def takes(answer: WebhookAnswer) -> bool:
    """Tell whether it is an answer. Slack would follow a redirect, past the door."""
    return not 300 <= answer.status < 400  # noqa: PLR2004 (redirects)
