"""Whose each kind of request is, where they are passed on to a bot."""

import copy
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from doorcode.pairing.contact import Platform
from doorcode.pairing.gate import Reason
from doorcode.pairing.messages import Deed
from doorcode.pairing.texts import english
from doorcode.platforms import registry
from doorcode.platforms.inbound import Webhook, WebhookAnswer
from tests import webhooks
from tests.cases import each
from tests.webhooks import Delivery, load

BOTS = {
    Platform.TELEGRAM: "7000000001:doorcode_bot",
    Platform.SLACK: "T0DOOR0001:E0DOOR0001",
    Platform.DISCORD: "",
    Platform.WHATSAPP: "1500000000000001:15550783881",
}
SAM, OWNER = "987654321", "123456789"
# Whose what is neither a message nor a press is; and where, if it was in a group.
NO_MESSAGES: Mapping[str, str] = {
    "discord/autocomplete": "200000000000000001",
    "discord/entry_point_command": "200000000000000001",
    "discord/message_command": "200000000000000001 in 500000000000000001",
    "discord/modal_submit": "200000000000000001",
    "discord/modal_submit_action_row": "200000000000000001 in 500000000000000001",
    "discord/ping": "nobody",
    "discord/unknown_command": "200000000000000001",
    "discord/unknown_command_subcommand": "200000000000000001 in 500000000000000001",
    "discord/unknown_interaction_type": "nobody",
    "discord/user_command": "200000000000000001 in 500000000000000001",
    "slack/app_home_opened": "U0STRANGER",
    "slack/app_mention_edited": "U0STRANGER in C0GENERAL1",
    "slack/app_mention_from_bot": "nobody",
    "slack/app_rate_limited": "about the bot",
    "slack/app_uninstalled": "about the bot",
    "slack/block_actions_foreign_action": "U0OWNER001",
    "slack/block_actions_select": "U0OWNER001",
    "slack/block_suggestion": "U0STRANGER",
    "slack/bot_message": "nobody",
    "slack/command": "U0STRANGER",
    "slack/interactive_message": "U0OWNER001 in C0GENERAL1",
    # Whoever brought them in did it.
    "slack/member_joined_channel": "U0OWNER001 in C0GENERAL1",
    "slack/message_action": "U0OWNER001 in C0GENERAL1",
    "slack/message_changed": "U0STRANGER",
    "slack/message_changed_unfurl": "U0STRANGER",
    "slack/message_channel": "U0STRANGER in C0GENERAL1",
    "slack/message_channel_join": "U0OWNER001 in C0GENERAL1",
    "slack/message_channel_with_mention": "U0STRANGER in C0GENERAL1",
    "slack/message_deleted": "U0STRANGER",
    "slack/message_mpim": "U0STRANGER in G0GROUPDM1",
    "slack/message_private_channel": "U0STRANGER in C0PRIVATE1",
    "slack/own_message_im": "nobody",
    "slack/reaction_added": "U0STRANGER",
    "slack/shortcut": "U0OWNER001",
    "slack/system_user_im": "nobody",
    "slack/tokens_revoked": "about the bot",
    "slack/unknown_event": "nobody",
    "slack/unknown_interactivity": "nobody",
    "slack/unknown_notice_subtype": "nobody",
    "slack/url_verification": "nobody",
    "slack/view_submission": "U0OWNER001",
    "telegram/auto_delete_timer_private": SAM,
    "telegram/business_connection": OWNER,
    "telegram/business_message": SAM,
    "telegram/channel_post": "nobody",
    "telegram/chat_join_request": f"{SAM} in -1001234567890",
    "telegram/chat_member": f"{SAM} in -1001234567890",
    "telegram/deleted_business_messages": "nobody",
    "telegram/edited_business_message": SAM,
    "telegram/edited_channel_post": "nobody",
    "telegram/edited_message": SAM,
    "telegram/edited_message_group_mention": f"{SAM} in -1001234567890",
    "telegram/forum_topic_created": f"{OWNER} in -1001234567890",
    "telegram/giveaway_created": "1000111",
    "telegram/group_anonymous_admin": "nobody",
    "telegram/group_automatic_forward": "nobody",
    "telegram/group_message_as_channel": "nobody",
    "telegram/guest_message": f"{SAM} in -1001111111111",
    "telegram/inline_query": SAM,
    "telegram/left_chat_member": f"{SAM} in -1001234567890",
    "telegram/message_reaction": SAM,
    "telegram/message_reaction_anonymous": "nobody",
    "telegram/message_reaction_count": "nobody",
    "telegram/migrate_to_supergroup": f"{OWNER} in -4000000001",
    "telegram/my_chat_member_added_to_group": f"{SAM} in -1001234567890",
    "telegram/my_chat_member_blocked": SAM,
    "telegram/new_chat_members": f"{SAM} in -1001234567890",
    "telegram/other_bot_in_group": "nobody",
    "telegram/own_message_in_group": "nobody",
    "telegram/pinned_message_private": SAM,
    "telegram/poll_answer": SAM,
    "telegram/pre_checkout_query": SAM,
    "telegram/private_message_from_bot": "nobody",
    "telegram/private_successful_payment": SAM,
    "telegram/unknown_update_kind": "nobody",
    "telegram/update_id_only": "nobody",
    **dict.fromkeys((
        "whatsapp/account_update", "whatsapp/another_number", "whatsapp/another_object", "whatsapp/errors",
        "whatsapp/identity_changed", "whatsapp/no_sender", "whatsapp/status_delivered", "whatsapp/status_failed",
        "whatsapp/status_sent", "whatsapp/two_people", "whatsapp/user_changed_number",
        "whatsapp/user_changed_user_id",
    ), "nobody"),
    **dict.fromkeys((
        "whatsapp/edit", "whatsapp/edit_caption", "whatsapp/reaction", "whatsapp/reaction_removed",
        "whatsapp/request_welcome", "whatsapp/revoke", "whatsapp/status_read", "whatsapp/unsupported",
        "whatsapp/unsupported_edit",
    ), "US.13491208655302741918"),
}  # fmt: skip


def webhook_of(delivery: Delivery, raw: bytes = b"") -> Webhook:
    """Return a delivery as the rooms are given it."""
    raw = raw or delivery.raw()
    headers = {**delivery.headers, **webhooks.signed(delivery.platform, raw, 1)}
    return Webhook({name.lower(): value for name, value in headers.items()}, raw)


def deed_of(delivery: Delivery, raw: bytes = b"") -> Deed:
    """Return whose a delivery is."""
    room = registry.deeds(delivery.platform)
    return room.deed(webhook_of(delivery, raw), BOTS[delivery.platform])


def whose(deed: Deed) -> str:
    """Say whose a deed is, in a few words."""
    if deed.about_bot and not deed.user_id:
        return "about the bot"
    return f"{deed.user_id} in {deed.group}" if deed.user_id and deed.group else deed.user_id or "nobody"


def test_every_event() -> None:
    """Security 40: each recorded request is one person's, or nobody's; messages and presses are whose they always were."""
    ignored = {name for name in webhooks.names() if load(name).expect["kind"] not in {"message", "press"}}
    assert ignored == NO_MESSAGES.keys()
    for name in webhooks.names():
        event = load(name)
        deed, expect = deed_of(event), event.expect
        if name in ignored:
            assert whose(deed) == NO_MESSAGES[name], name
        else:
            assert deed.user_id == expect["user_id"], name
        if expect["kind"] == "message":
            assert (deed.chat_type, deed.addressed) == (expect["chat_type"], expect["addressed"]), name


def test_an_event_is_the_same_delivery_again() -> None:
    """What a platform delivers twice is one deed for the message budget, and two deeds are two."""
    for name in ("telegram/inline_query", "slack/reaction_added", "discord/modal_submit", "slack/view_submission"):
        event = load(name)
        assert deed_of(event).delivery_id == deed_of(event).delivery_id != ""
    ids = {deed_of(load(name)).delivery_id for name in webhooks.names() if deed_of(load(name)).user_id}
    assert len(ids) > 100


def changed(name: str, *path: str, to: Any) -> Delivery:
    """Return an event with one field changed, or with one more; ``None`` takes it away."""
    event = load(name)
    body = copy.deepcopy(event.body)
    part = body
    for step in path[:-1]:
        part = part.setdefault(step, {})
    if to is None:
        part.pop(path[-1], None)
    else:
        part[path[-1]] = to
    return Delivery(event.platform, body, event.form, event.headers, event.expect)


SOMEBODY = {"id": 555, "is_bot": False, "first_name": "Else"}
CHANNEL = {"id": -1009, "type": "channel", "title": "news"}
ODD = {
    "two kinds at once": changed("telegram/private_text", "callback_query", to=load("telegram/callback_query_game").body["callback_query"]),
    "two kinds, both theirs": changed("telegram/private_text", "inline_query", to={"id": "1", "from": load("telegram/private_text").body["message"]["from"], "query": "", "offset": ""}),
    "a chat beside the user": changed("telegram/message_reaction", "message_reaction", "actor_chat", to=CHANNEL),
    "a voter's channel": changed("telegram/poll_answer", "poll_answer", "voter_chat", to=CHANNEL),
    "as a channel": changed("telegram/edited_message", "edited_message", "sender_chat", to=CHANNEL),
    "a sender and a user": changed("telegram/inline_query", "inline_query", "user", to=SOMEBODY),
    "by a bot": changed("telegram/edited_message", "edited_message", "from", "is_bot", to=True),
    "by the bot, for an account": changed("telegram/business_message", "business_message", "sender_business_bot", to=SOMEBODY),
    "no sender": changed("telegram/inline_query", "inline_query", "from", to=None),
    "another editor than author": changed("slack/message_changed", "event", "message", "edited", to={"user": "U0OTHER", "ts": "1.1"}),
    "was another's": changed("slack/message_changed", "event", "previous_message", "user", to="U0OTHER"),
    "the bot's own message, unfurled": changed("slack/message_changed_unfurl", "event", "message", "bot_id", to="B0BOT00001"),
    "deleted where others are": changed("slack/message_deleted", "event", "channel_type", to="channel"),
    "the bot's own reaction": changed("slack/reaction_added", "event", "user", to="U0BOT00001"),
    "in a shared channel, of either": changed("slack/reaction_added", "is_ext_shared_channel", to=True),
    "a member and a user": changed("discord/modal_submit_action_row", "user", to={"id": "200000000000000009"}),
    "neither": changed("discord/modal_submit", "user", to=None),
}  # fmt: skip
ODD["deleted where others are"].body["event"]["channel"] = "C0GENERAL1"


@each("what", ODD)
def test_what_is_not_clearly_one_person_s_is_nobody_s(what: str) -> None:
    """Security 40: two people, a chat, a bot, or none at all."""
    assert deed_of(ODD[what]).user_id == ""


def test_a_form_says_everything_once() -> None:
    """Security 40: a field that is given twice could be read here as one, and there as the other."""
    command = load("slack/command")
    fields = urlencode(command.body)
    assert deed_of(command, fields.encode()).user_id == "U0STRANGER"
    for more in ("&user_id=U0OWNER001", "&payload=%7B%7D", "&command=%2Fother", "&user_id="):
        assert deed_of(command, (fields + more).encode()).user_id == "", more
    assert deed_of(command, b"ssl_check=1&token=x").user_id == ""


def test_slack_people_of_another_workspace() -> None:
    """Security 39: whose workspace somebody is of is read wherever Slack says it."""
    command = load("slack/command")
    foreign = urlencode({**command.body, "team_id": "T0OTHER001"})
    assert deed_of(command, foreign.encode()).user_id == "T0OTHER001:U0STRANGER"
    user = {"id": "U0OWNER001", "team_id": "T0OTHER001"}
    assert deed_of(changed("slack/unknown_event", "event", to={"type": "user_change", "user": user})).user_id == (
        "T0OTHER001:U0OWNER001"
    )
    modal = changed("slack/view_submission", "user", "team_id", to="T0OTHER001")
    assert deed_of(modal).user_id == "T0OTHER001:U0OWNER001"


def test_the_bot_itself() -> None:
    """Security 40: what nobody did and tells the bot about itself; somebody who put it there did it, and counts."""
    by_admin = changed("telegram/my_chat_member_added_to_group", "my_chat_member", "from", "is_bot", to=True)
    assert whose(deed_of(by_admin)) == "about the bot"
    invited = changed("slack/member_joined_channel", "event", "user", to="U0BOT00001")
    assert whose(deed_of(invited)) == "U0OWNER001 in C0GENERAL1"
    invited.body["event"].pop("inviter")
    assert whose(deed_of(invited)) == "about the bot"


def test_how_strangers_are_answered() -> None:
    """Discord waits for an answer; the others are told nothing."""
    for name in ("telegram/inline_query", "slack/view_submission"):
        event = load(name)
        room = registry.deeds(event.platform)
        assert room.refused(deed_of(event), Reason.POLICY_DENY, english) is None
        assert room.failed(deed_of(event), english).status == 503
    discord = registry.deeds(Platform.DISCORD)
    typing, modal = deed_of(load("discord/autocomplete")), deed_of(load("discord/modal_submit"))
    for answer in (discord.refused(typing, Reason.POLICY_DENY, english), discord.failed(typing, english)):
        assert answer
        assert answer.body == b'{"type":8,"data":{"choices":[]}}'
    refused = discord.refused(modal, Reason.POLICY_DENY, english)
    assert refused
    assert b"This bot is private." in refused.body
    elsewhere = discord.refused(modal, Reason.GROUP_POLICY, english)
    assert elsewhere
    assert b"Write to me in a direct message." in elsewhere.body
    assert b"Something went wrong." in discord.failed(modal, english).body


@each(
    ("platform", "status", "kind", "takes"),
    [
        (Platform.TELEGRAM, 200, "application/json", True),
        (Platform.TELEGRAM, 500, "text/html", True),
        (Platform.TELEGRAM, 302, "text/html", False),
        (Platform.SLACK, 401, "application/json", True),
        (Platform.SLACK, 307, "", False),
        (Platform.DISCORD, 200, "application/json; charset=utf-8", True),
        (Platform.DISCORD, 200, "multipart/form-data; boundary=x", True),
        (Platform.DISCORD, 200, "text/html", False),
        (Platform.DISCORD, 401, "application/json", False),
        (Platform.DISCORD, 302, "application/json", False),
    ],
)
def test_which_answers_are_passed_back(platform: Platform, status: int, kind: str, takes: bool) -> None:
    """A bot's refusal is its answer, where the platform does something with it; a redirect is none anywhere."""
    assert registry.deeds(platform).takes(WebhookAnswer(status, b"{}", kind)) is takes
    assert registry.deeds(Platform.DISCORD).takes(WebhookAnswer(202, b"", ""))
