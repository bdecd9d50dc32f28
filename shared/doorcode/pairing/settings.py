"""Settings, read from a mapping such as the environment. One clear line for each value that cannot be used."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

from doorcode.errors import InvalidUserIdError, SettingsError
from doorcode.pairing.agents import AgentKind, Agents, read_agents
from doorcode.pairing.contact import checked_user_id
from doorcode.pairing.platform import TRAITS, Platform
from doorcode.pairing.setting_forms import boolean, choice, entries, per_platform, shown, url

T = TypeVar("T")

EVERY_GROUP = "*"
GROUP_EXAMPLES = tuple(
    f"{platform}:{traits.group_example}" for platform, traits in TRAITS.items() if traits.group_example
)
NOBODY = (
    "UNKNOWN_USER_POLICY is deny, and OWNER_USER_IDS and ALLOWED_USERS are empty: nobody can get in but whom you pair "
    "yourself, with doorcode pairing add, or who has a claim or an invite."
)

NOBODY_ASKED = (
    "UNKNOWN_USER_POLICY is pair, but OWNER_USER_IDS is empty: unless somebody is an owner by claim, nobody is "
    "asked, and strangers are told a command for the owner to run. To own the bot: doorcode owner claim"
)

NOBODY_KNOWS = (
    "UNKNOWN_REPLY is silent where UNKNOWN_USER_POLICY is pair, but OWNER_USER_IDS is empty: unless somebody is an owner "
    "by claim, neither strangers nor anybody else hears of their requests. To own the bot: doorcode owner claim"
)


class Policy(StrEnum):
    """What happens to a stranger in a direct chat."""

    DENY = "deny"
    PAIR = "pair"
    ALLOW = "allow"


class UnknownReply(StrEnum):
    """Whether strangers are told anything."""

    TELL = "tell"
    """What becomes of their request."""
    SILENT = "silent"
    """Nothing; the owner is asked all the same."""


class GroupPolicy(StrEnum):
    """What happens in groups."""

    OFF = "off"
    MENTION_ONLY = "mention_only"


class FirstMessage(StrEnum):
    """What becomes of what strangers write while they wait."""

    DROP = "drop"
    """Nobody ever sees it."""
    KEEP = "keep"
    """The agent gets it once its writer is let in."""
    SHOW = "show"
    """The owner sees how it begins, too."""


class ResumeAsks(StrEnum):
    """What may be resumed with the answer to a question."""

    OFF = "off"
    DURABLE = "durable"
    TASK = "task"
    BOTH = "both"

    def takes(self, kind: str) -> bool:
        """Tell whether something of that kind may be."""
        return self in {kind, ResumeAsks.BOTH}


class Settings(Struct, frozen=True, kw_only=True):
    """Every setting of the gate and what follows it, with its default. Durations are in seconds.

    ``owners`` and ``allowed`` hold exact ids; ``allowed_usernames`` are in lower case without ``@``, on platforms where
    people may be named by them.
    """

    unknown_user_policy: Policy = Policy.DENY
    policy_overrides: Mapping[Platform, Policy] = {}
    unknown_reply: UnknownReply = UnknownReply.TELL
    reply_overrides: Mapping[Platform, UnknownReply] = {}
    owners: tuple[tuple[Platform, str], ...] = ()
    allowed: frozenset[tuple[Platform, str]] = frozenset()
    allowed_usernames: frozenset[tuple[Platform, str]] = frozenset()
    code_ttl: int = 3600
    code_cooldown: int = 600
    max_pending: int = 100
    max_prompts: int = 5
    group_policy: GroupPolicy = GroupPolicy.OFF
    # None is answered in unless it is named here, or all are.
    allowed_groups: frozenset[tuple[Platform, str]] = frozenset()
    every_group: bool = False
    message_budget: int = 20
    debounce: int = 0
    tell_denied: bool = True
    first_message: FirstMessage = FirstMessage.DROP
    resume_asks: ResumeAsks = ResumeAsks.OFF
    agents: Agents = Agents()
    # Only what is set; see ``api_url``.
    api_urls: Mapping[Platform, str] = {}
    secrets_max_age: int = 300

    def agent(self, platform: Platform) -> AgentKind:
        """Tell who answers admitted messages on that platform."""
        return self.agents.kind_on(platform)

    def keeps_messages(self, platform: Platform) -> bool:
        """Tell whether what strangers write there is kept for anybody to read."""
        return self.first_message is FirstMessage.SHOW or (
            self.first_message is FirstMessage.KEEP and self.hands_on_later(platform)
        )

    def hands_on_later(self, platform: Platform) -> bool:
        """Tell whether what is kept is handed on after an approval. A bot behind the door can be passed nothing later."""
        return self.first_message is not FirstMessage.DROP and self.agent(platform) is not AgentKind.BOT

    def api_url(self, platform: Platform) -> str:
        """Return where that platform's API is."""
        return self.api_urls.get(platform, TRAITS[platform].api_url)

    def policy(self, platform: Platform) -> Policy:
        """Tell what happens to strangers on that platform."""
        meant = Policy.DENY if TRAITS[platform].denies_unless_named else self.unknown_user_policy
        return self.policy_overrides.get(platform, meant)

    def is_silent(self, platform: Platform) -> bool:
        """Tell whether strangers on that platform are told nothing."""
        return self.reply_overrides.get(platform, self.unknown_reply) is UnknownReply.SILENT

    def is_owner(self, platform: Platform, user_id: str) -> bool:
        """Tell whether that very id, on that very platform, is an owner's by this setting. An empty id is nobody's.

        There are owners by claim beside them: of one contact its standing says it, of all ``WaitingRoom.owners``.
        """
        return bool(user_id) and (platform, user_id) in self.owners

    def answers_in(self, platform: Platform, group: str) -> bool:
        """Tell whether ALLOWED_GROUPS names that very group, or all of them. An empty id names none."""
        return bool(group) and (self.every_group or (platform, group) in self.allowed_groups)

    def is_allowed(self, platform: Platform, user_id: str, username: str = "") -> bool:
        """Tell whether that id is in ALLOWED_USERS, or where people may be named so the username, in any case."""
        if not user_id:
            return False
        if (platform, user_id) in self.allowed:
            return True
        return (platform, username.lower()) in self.allowed_usernames

    @property
    def lets_nobody_in(self) -> bool:
        """Tell whether strangers are dropped everywhere, and nobody is named who would not be one."""
        named = self.owners or self.allowed or self.allowed_usernames
        return not named and all(self.policy(platform) is Policy.DENY for platform in Platform)

    def summary(self) -> str:
        """Say which policy is in force, in one line for the log."""
        policies = ", ".join(f"{platform}={self.policy(platform)}" for platform in Platform)
        silent = ", ".join(platform for platform in Platform if self.is_silent(platform))
        return (
            f"Unknown users: {policies}. {f'Told nothing: {silent}. ' if silent else ''}Groups: {self.group_policy}. "
            f"Owners by setting: {len(self.owners)}. Allowed users: {len(self.allowed) + len(self.allowed_usernames)}."
        )

    def warnings(self) -> tuple[str, ...]:
        """Name what is allowed but probably not meant."""
        lines = []
        policies = {platform: self.policy(platform) for platform in Platform}
        if self.lets_nobody_in:
            lines.append(NOBODY)
        asking = [platform for platform, policy in policies.items() if policy is Policy.PAIR]
        if asking and not self.owners:
            lines.append(NOBODY_KNOWS if any(map(self.is_silent, asking)) else NOBODY_ASKED)
        for platform, policy in policies.items():
            if policy is Policy.ALLOW:
                lines.append(f"UNKNOWN_USER_POLICY is allow on {platform}: anybody who writes there reaches the agent.")
        if self.group_policy is GroupPolicy.MENTION_ONLY and not (self.every_group or self.allowed_groups):
            lines.append(
                "GROUP_POLICY is mention_only, but ALLOWED_GROUPS names no group: this silences every group that used to "
                "be answered. Name the groups, or use *."
            )
        lines.extend(
            f"ALLOWED_USERS names {platform}:@{name}: usernames change hands. Use the numeric id instead."
            for platform, name in sorted(self.allowed_usernames)
        )
        return tuple(lines)


def api_url_setting(platform: Platform) -> str:
    """Return the name of the setting that says where a platform's API is."""
    return f"{platform.upper()}_API_URL"


def is_group(platform: Platform, text: str) -> bool:
    """Tell whether that platform can have given this id to a group."""
    pattern = TRAITS[platform].group_pattern
    return bool(pattern and re.fullmatch(pattern, text))


_Policies = tuple[Policy | None, dict[Platform, Policy]]
_NO_POLICIES: _Policies = (None, {})
_Replies = tuple[UnknownReply | None, dict[Platform, UnknownReply]]
_NO_REPLIES: _Replies = (None, {})
_People = tuple[tuple[Platform, str], ...]


def parse_settings(values: Mapping[str, str]) -> Settings:
    """Read the settings. Absent and blank values mean the default. Raises SettingsError with a line for each bad one."""
    reader = _Reader(values)
    policy, policies = reader.read("UNKNOWN_USER_POLICY", _policies, _NO_POLICIES)
    reply, replies = reader.read("UNKNOWN_REPLY", _replies, _NO_REPLIES)
    nobody: _People = ()
    allowed = reader.read("ALLOWED_USERS", _people_or_usernames, nobody)
    groups = reader.read("ALLOWED_GROUPS", _groups, nobody)
    settings = Settings(
        unknown_user_policy=policy or Policy.DENY,
        policy_overrides=policies,
        unknown_reply=reply or UnknownReply.TELL,
        reply_overrides=replies,
        owners=reader.read("OWNER_USER_IDS", _people, nobody),
        allowed=frozenset((platform, who) for platform, who in allowed if not who.startswith("@")),
        allowed_usernames=frozenset((platform, who[1:].lower()) for platform, who in allowed if who.startswith("@")),
        code_ttl=reader.number("CODE_TTL_SECONDS", 3600, 60, 86_400),
        code_cooldown=reader.number("CODE_COOLDOWN_SECONDS", 600, 60, 86_400),
        max_pending=reader.number("MAX_PENDING", 100, 1, 100),
        max_prompts=reader.number("MAX_PROMPTS", 5, 1, 100),
        group_policy=reader.read("GROUP_POLICY", lambda text: choice(GroupPolicy, text), GroupPolicy.OFF),
        allowed_groups=frozenset(group for group in groups if group[1] != EVERY_GROUP),
        every_group=any(group == EVERY_GROUP for _, group in groups),
        message_budget=reader.number("MESSAGE_BUDGET", 20, 0, 100_000),
        debounce=reader.number("DEBOUNCE_SECONDS", 0, 0, 30),
        first_message=reader.read("FIRST_MESSAGE", lambda text: choice(FirstMessage, text), FirstMessage.DROP),
        resume_asks=reader.read("RESUME_ASKS", lambda text: choice(ResumeAsks, text), ResumeAsks.OFF),
        tell_denied=reader.read("TELL_DENIED", boolean, True),  # noqa: FBT003 (a default, read by its name)
        agents=read_agents(reader.read),
        api_urls={
            platform: address
            for platform, traits in TRAITS.items()
            if (address := reader.read(api_url_setting(platform), url, traits.api_url)) != traits.api_url
        },
        secrets_max_age=reader.number("SECRETS_MAX_AGE_SECONDS", 300, 0, 300),
    )
    if reader.problems:
        raise SettingsError(tuple(reader.problems))
    return settings


class _Reader:
    """Reads one value after another and keeps what is wrong with each, so that all of it is said at once."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        return self._values.get(name, "").strip()

    def read(self, name: str, parse: Callable[[str], T], default: T) -> T:
        text = self.text(name)
        if not text:
            return default
        try:
            return parse(text)
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return default

    def number(self, name: str, default: int, least: int, most: int) -> int:
        def parse(text: str) -> int:
            if not re.fullmatch(r"[+-]?[0-9]{1,40}", text):
                raise ValueError(f"{shown(text)} is not a whole number. Use {name}={default}")
            number = int(text)
            if not least <= number <= most:
                nearest = min(max(number, least), most)
                raise ValueError(f"{number} is not between {least} and {most}. Use {name}={nearest}")
            return number

        return self.read(name, parse, default)


def _policies(text: str) -> _Policies:
    example = f"{Policy.PAIR},{list(Platform)[1]}={Policy.DENY}"
    return per_platform(text, lambda word: choice(Policy, word), "policies", example)


def _replies(text: str) -> _Replies:
    example = f"{UnknownReply.TELL},{list(Platform)[1]}={UnknownReply.SILENT}"
    return per_platform(text, lambda word: choice(UnknownReply, word), "replies", example)


def _people(text: str) -> _People:
    for entry in entries(text):
        if (entry.partition(":")[2] or entry).strip().startswith("@"):
            raise ValueError(f"{shown(entry)} is a username, which changes hands. Use the immutable id.")
    return _people_or_usernames(text)


def _people_or_usernames(text: str) -> _People:
    return tuple(dict.fromkeys(_person(entry) for entry in entries(text)))


def _person(entry: str) -> tuple[Platform, str]:
    name, colon, who = entry.partition(":")
    if not colon:
        guess = next((f" Use {platform}:{entry}" for platform in Platform if _is_surely(platform, entry)), "")
        raise ValueError(f"{shown(entry)} names no platform.{guess}")
    platform, who = choice(Platform, name.strip()), who.strip()
    if who.startswith("@"):
        pattern = TRAITS[platform].username_pattern
        if not pattern:
            known = " and ".join(other for other in Platform if TRAITS[other].username_pattern)
            raise ValueError(f"{shown(entry)}: @names work on {known} only. Use the immutable id.")
        if not re.fullmatch(pattern, who[1:]):
            raise ValueError(f"{shown(entry)} is not a {platform.brand} username.")
        return platform, who
    try:
        return platform, checked_user_id(platform, who)
    except InvalidUserIdError as error:
        raise ValueError(str(error)) from None


def _is_surely(platform: Platform, entry: str) -> bool:
    """Tell whether an id or username without a platform can be this one's alone."""
    traits = TRAITS[platform]
    pattern, text = (traits.username_pattern, entry[1:]) if entry[0] == "@" else (traits.guessed_pattern, entry)
    return bool(pattern and re.fullmatch(pattern, text))


def _groups(text: str) -> _People:
    if text == EVERY_GROUP:
        return tuple((platform, EVERY_GROUP) for platform in Platform)
    return tuple(dict.fromkeys(_group(entry) for entry in entries(text)))


def _group(entry: str) -> tuple[Platform, str]:
    name, colon, group = entry.partition(":")
    if not colon:
        raise ValueError(f"{shown(entry)} names no platform. Use for example {GROUP_EXAMPLES[0]}, or * alone.")
    platform, group = choice(Platform, name.strip()), group.strip()
    if not is_group(platform, group):
        raise ValueError(
            f"{shown(entry)} is no group: {', '.join(GROUP_EXAMPLES[:-1])} or {GROUP_EXAMPLES[-1]}. "
            "The log names the group of each message that was dropped there."
        )
    return platform, group
