"""Settings: what they mean, and one clear line for each that cannot be used."""

import contextlib

import hypothesis.strategies as st
import pytest
from hypothesis import given
from msgspec import structs

from doorcode.errors import SettingsError
from doorcode.pairing.agents import ARN_EXAMPLES, AgentKind, Agents
from doorcode.pairing.contact import Platform, how_ids_look
from doorcode.pairing.settings import FirstMessage, GroupPolicy, Policy, Settings, parse_settings
from tests.cases import each
from tests.unit.pairing.people import DISCORD, SLACK, TELEGRAM, repeatable

DEFAULTS = {
    "unknown_user_policy": "deny",
    "policy_overrides": {},
    "owners": (),
    "allowed": frozenset(),
    "allowed_usernames": frozenset(),
    "code_ttl": 3600,
    "code_cooldown": 600,
    "max_pending": 100,
    "max_prompts": 5,
    "group_policy": "off",
    "allowed_groups": frozenset(),
    "every_group": False,
    "message_budget": 20,
    "debounce": 0,
    "tell_denied": True,
    "unknown_reply": "tell",
    "reply_overrides": {},
    "agents": Agents(),
    "first_message": FirstMessage.DROP,
    "resume_asks": "off",
    "api_urls": {},
    "secrets_max_age": 300,
}
NAMES = (
    "UNKNOWN_USER_POLICY", "ALLOWED_USERS", "OWNER_USER_IDS", "CODE_TTL_SECONDS", "CODE_COOLDOWN_SECONDS",
    "MAX_PENDING", "MAX_PROMPTS", "GROUP_POLICY", "ALLOWED_GROUPS", "MESSAGE_BUDGET", "DEBOUNCE_SECONDS", "TELL_DENIED", "FIRST_MESSAGE", "RESUME_ASKS", "UNKNOWN_REPLY", "AGENT", "AGENT_URL", "AGENT_MODEL", "AGENT_ARN",
    "TELEGRAM_API_URL", "SLACK_API_URL", "DISCORD_API_URL", "SECRETS_MAX_AGE_SECONDS",
)  # fmt: skip
NUMBERS = {
    # name: field, least, most, default
    "CODE_TTL_SECONDS": ("code_ttl", 60, 86_400, 3600),
    "CODE_COOLDOWN_SECONDS": ("code_cooldown", 60, 86_400, 600),
    "MAX_PENDING": ("max_pending", 1, 100, 100),
    "MAX_PROMPTS": ("max_prompts", 1, 100, 5),
    "MESSAGE_BUDGET": ("message_budget", 0, 100_000, 20),
    "DEBOUNCE_SECONDS": ("debounce", 0, 30, 0),
    "SECRETS_MAX_AGE_SECONDS": ("secrets_max_age", 0, 300, 300),
}
URLS = {f"{platform.upper()}_API_URL": platform for platform in Platform}
AWKWARD = NAMES
ONE_CONSUMER = "but there is one queue, and it has one consumer. Use queue for all that no bot answers."


def _problem(name: str, value: str) -> str:
    """Return the one line that is said of a bad value."""
    with pytest.raises(SettingsError) as refusal:
        parse_settings({name: value})
    (problem,) = refusal.value.problems
    assert problem.startswith(f"{name}: ")
    assert problem.isprintable()
    assert len(problem) < 300
    return problem


class TestDefaults:
    """What holds when nothing is said."""

    def test_nothing_set(self) -> None:
        """Without settings, the documented defaults hold."""
        assert structs.asdict(parse_settings({})) == DEFAULTS

    def test_the_struct_agrees(self) -> None:
        """The defaults of the struct are those of the settings."""
        assert Settings() == parse_settings({})

    @each("blank", ["", " ", "\n\t"], ids=["empty", "space", "line and tab"])
    @each("name", NAMES)
    def test_blank(self, name: str, blank: str) -> None:
        """A blank value means the default."""
        assert parse_settings({name: blank}) == Settings()

    def test_others_are_no_business_of_ours(self) -> None:
        """What else is in the environment does not matter."""
        assert parse_settings({"PATH": "/bin", "max_pending": "5", "MAX_PENDING_": "5"}) == Settings()


class TestNumbers:
    """Whole numbers within bounds."""

    @each(("name", "field", "number"), [
        (name, field, number) for name, (field, least, most, _) in NUMBERS.items() for number in (least, least + 1, most)
    ])  # fmt: skip
    def test_within(self, name: str, field: str, number: int) -> None:
        """Both bounds can be used."""
        assert getattr(parse_settings({name: f" {number} "}), field) == number

    @each(("name", "value", "nearest"), [
        (name, value, nearest)
        for name, (_, least, most, _) in NUMBERS.items()
        for value, nearest in (
            (str(least - 1), least), ("-5", least), (str(most + 1), most), ("99999999999999999999", most),
        )
    ])  # fmt: skip
    def test_beyond(self, name: str, value: str, nearest: int) -> None:
        """A number out of bounds is answered with the bounds and the nearest one that can be used."""
        _, least, most, _ = NUMBERS[name]
        assert _problem(name, value) == f"{name}: {value} is not between {least} and {most}. Use {name}={nearest}"

    @each(
        "value", ["1e3", "\u0663", "nan", "inf", "0x10", "1_0", "10.0", "10 s", "--5", "+", "ten", "\uff15", "9" * 41]
    )
    @each("name", NUMBERS)
    def test_no_number(self, name: str, value: str) -> None:
        """What is no whole number in plain digits is answered with the default."""
        assert _problem(name, value) == f"{name}: {value!r} is not a whole number. Use {name}={NUMBERS[name][3]}"

    @repeatable
    @given(text=st.text("0123456789-+ e.", max_size=12) | st.integers().map(str))
    def test_any_text(self, text: str) -> None:
        """Whatever is given, the setting is within its bounds or the start is refused."""
        for name, (field, least, most, _) in NUMBERS.items():
            with contextlib.suppress(SettingsError):
                assert least <= getattr(parse_settings({name: text}), field) <= most


class TestChoices:
    """Words out of a few."""

    @pytest.mark.parametrize("policy", Policy)
    def test_policy(self, policy: Policy) -> None:
        """Each policy holds on every platform."""
        settings = parse_settings({"UNKNOWN_USER_POLICY": policy.value})
        assert {settings.policy(platform) for platform in (TELEGRAM, SLACK, DISCORD)} == {policy}

    @each(
        ("value", "policies"),
        [
            ("pair,slack=deny", "pair deny pair"),
            (" pair , slack = deny , discord=allow ", "pair deny allow"),
            ("slack=pair", "deny pair deny"),
            ("slack=pair,slack=pair", "deny pair deny"),
            ("pair,", "pair pair pair"),
            (",", "deny deny deny"),
        ],
        ids=["one", "two and spaces", "no general one", "said twice", "comma after", "only a comma"],
    )
    def test_policies(self, value: str, policies: str) -> None:
        """After commas, platforms have their own; what is not said is deny."""
        settings = parse_settings({"UNKNOWN_USER_POLICY": value})
        assert [settings.policy(platform) for platform in (TELEGRAM, SLACK, DISCORD)] == policies.split()

    @each(
        ("value", "problem"),
        [
            ("PAIR", "'PAIR' is none of deny, pair, allow. Use pair"),
            ("open", "'open' is none of deny, pair, allow."),
            ("pair;slack=deny", "'pair;slack' is none of telegram, slack, discord, whatsapp."),
            ("pair,deny", "'deny' names no platform. Use for example pair,slack=deny"),
            ("slack=deny,pair", "'pair' names no platform. Use for example pair,slack=deny"),
            ("pair,Slack=deny", "'Slack' is none of telegram, slack, discord, whatsapp. Use slack"),
            ("pair,slack=", "'' is none of deny, pair, allow."),
            ("pair,slack=deny,slack=allow", "slack is given two policies, deny and allow. Use one"),
        ],
    )
    def test_bad_policy(self, value: str, problem: str) -> None:
        """Security 35: a policy that is not understood, or that contradicts itself, is refused, never taken for another."""
        assert _problem("UNKNOWN_USER_POLICY", value) == f"UNKNOWN_USER_POLICY: {problem}"

    def test_unknown_reply(self) -> None:
        """After commas, platforms have their own; what is not said is tell; what is not understood is refused."""
        for value, silent in {
            "": "",
            "silent": "telegram slack discord",
            "tell,slack=silent": "slack",
            "slack=silent": "slack",
        }.items():
            settings = parse_settings({"UNKNOWN_REPLY": value})
            assert [
                platform for platform in (TELEGRAM, SLACK, DISCORD) if settings.is_silent(platform)
            ] == silent.split()
        assert _problem("UNKNOWN_REPLY", "Silent") == "UNKNOWN_REPLY: 'Silent' is none of tell, silent. Use silent"
        assert _problem("UNKNOWN_REPLY", "tell,silent").endswith(
            "'silent' names no platform. Use for example tell,slack=silent"
        )

    @pytest.mark.parametrize("policy", GroupPolicy)
    def test_group_policy(self, policy: GroupPolicy) -> None:
        """Both group policies are understood."""
        assert parse_settings({"GROUP_POLICY": policy.value}).group_policy is policy

    @pytest.mark.parametrize(
        ("value", "problem"),
        [
            ("Mention-Only", "'Mention-Only' is none of off, mention_only. Use mention_only"),
            ("OFF", "'OFF' is none of off, mention_only. Use off"),
            ("on", "'on' is none of off, mention_only."),
        ],
    )
    def test_bad_group_policy(self, value: str, problem: str) -> None:
        """What is nearly a group policy is answered with it."""
        assert _problem("GROUP_POLICY", value) == f"GROUP_POLICY: {problem}"

    @pytest.mark.parametrize(("value", "told"), [("true", True), ("false", False)])
    def test_boolean(self, value: str, told: bool) -> None:
        """There are two truth values."""
        assert parse_settings({"TELL_DENIED": value}).tell_denied is told

    @each(
        ("value", "hint"),
        [("True", " Use true"), ("YES", " Use true"), ("1", " Use true"), ("on", " Use true"), ("False", " Use false"),
         ("no", " Use false"), ("0", " Use false"), ("off", " Use false"), ("maybe", ""), ("2", "")],
    )  # fmt: skip
    def test_bad_boolean(self, value: str, hint: str) -> None:
        """What is nearly a truth value is answered with it."""
        assert _problem("TELL_DENIED", value) == f"TELL_DENIED: {value!r} is neither true nor false.{hint}"

    def test_agents(self) -> None:
        """Who answers, and where they are, may differ by platform; an address is kept to its last character."""
        hook = "https://bot.example/hook/123:ABC/?x=a=b"
        settings = parse_settings(
            {"AGENT": "openai, slack=bot,telegram=bot", "AGENT_URL": f"https://api.example/v1, slack={hook}"}
        )
        assert [settings.agent(platform).value for platform in Platform] == ["bot", "bot", "openai", "openai"]
        urls = [settings.agents.url_on(platform) for platform in Platform]
        assert urls == ["https://api.example/v1", hook, "https://api.example/v1", "https://api.example/v1"]

    @each(
        ("name", "value", "problem"),
        [
            ("AGENT", "gpt", "'gpt' is none of python, bedrock, openai, webhook, function, agentcore, bot, queue."),
            (
                "AGENT",
                "Bot",
                "'Bot' is none of python, bedrock, openai, webhook, function, agentcore, bot, queue. Use bot",
            ),
            ("AGENT", "bot,queue", "'queue' names no platform. Use for example bedrock,slack=bot"),
            ("AGENT", "slack=bot,slack=queue", "slack is given two agents, bot and queue. Use one"),
            (
                "AGENT_URL",
                "http://bot.example",
                "'http://bot.example' is not an https:// address without user and fragment (http:// only to localhost).",
            ),
            ("AGENT_MODEL", "a b", "'a b' is no model's name, such as eu.amazon.nova-lite-v1:0 or gpt-5-mini."),
        ],
    )
    def test_bad_agents(self, name: str, value: str, problem: str) -> None:
        """What cannot be meant is said, with what can."""
        assert _problem(name, value) == f"{name}: {problem}"

    @pytest.mark.parametrize(
        ("values", "problem"),
        [
            (
                {"AGENT": "python,slack=bot"},
                "AGENT is bot on slack, but AGENT_URL says no address for it. Use AGENT_URL=slack=https://…",
            ),
            (
                {"AGENT": "queue,slack=python"},
                f"AGENT is queue on telegram, discord, whatsapp and python elsewhere, {ONE_CONSUMER}",
            ),
            ({"AGENT": "bedrock"}, "AGENT is bedrock, but AGENT_MODEL is empty. Name the model that answers."),
            (
                {"AGENT": "function", "AGENT_ARN": "arn:aws:bedrock-agentcore:eu-central-1:123456789012:runtime/x"},
                f"AGENT is function, but AGENT_ARN is none of lambda. Use for example {ARN_EXAMPLES[AgentKind.FUNCTION]}",
            ),
        ],
    )
    def test_agents_that_lack_something(self, values: dict[str, str], problem: str) -> None:
        """A kind that lacks what it needs is told of, and no kind that is not in use."""
        assert parse_settings(values).agents.problems(AgentKind) == (problem,)
        assert parse_settings(values).agents.problems({AgentKind.WEBHOOK}) == ()


class TestPeople:
    """Owners and those who are allowed."""

    def test_owners(self) -> None:
        """Any number of owners, in order, each once, on their platforms."""
        settings = parse_settings({"OWNER_USER_IDS": "telegram:2, discord:123456789012345678,telegram:1,telegram:2,"})
        assert settings.owners == ((TELEGRAM, "2"), (DISCORD, "123456789012345678"), (TELEGRAM, "1"))

    def test_allowed(self) -> None:
        """Ids stay as they are; usernames lose their sign and their case."""
        settings = parse_settings(
            {"ALLOWED_USERS": "telegram:@Owner,telegram:123456789, slack : U1234ABCD ,telegram:@owner"}
        )
        assert settings.allowed == {(TELEGRAM, "123456789"), (SLACK, "U1234ABCD")}
        assert settings.allowed_usernames == {(Platform.TELEGRAM, "owner")}

    def test_colons(self) -> None:
        """Somebody of another workspace stands behind its id."""
        people = parse_settings({"ALLOWED_USERS": "slack:T0123456789:U1234ABCD"})
        assert people.allowed == {(SLACK, "T0123456789:U1234ABCD")}

    @each("name", ["OWNER_USER_IDS", "ALLOWED_USERS"])
    @each(
        ("value", "problem"),
        [
            ("123456789", "'123456789' names no platform. Use telegram:123456789"),
            ("U1234ABCD", "'U1234ABCD' names no platform."),
            ("123456789012345678", "'123456789012345678' names no platform."),
            ("*", "'*' names no platform."),
            (
                "telegram:1;slack:2 x",
                "'1;slack:2 x' is not a user id: use 1 to 131 visible ASCII characters without spaces.",
            ),
            ("telegram:*", "'*' is not a user id: use 1 to 131 visible ASCII characters without spaces."),
            (
                "discord:987654321",
                "'987654321' is not a user id of discord: " + how_ids_look(DISCORD),
            ),
            ("telegram:", "The user id is empty. Give the platform's immutable id, such as 987654321."),
            ("Telegram:1", "'Telegram' is none of telegram, slack, discord, whatsapp. Use telegram"),
            ("wechat:1", "'wechat' is none of telegram, slack, discord, whatsapp."),
            (":1", "'' is none of telegram, slack, discord, whatsapp."),
        ],
    )
    def test_bad(self, name: str, value: str, problem: str) -> None:
        """Security 5: a wildcard, an empty id or one without a platform is refused, with the correction where it is sure."""
        assert _problem(name, value) == f"{name}: {problem}"

    @each(
        ("value", "problem"),
        [
            ("@owner", "'@owner' names no platform. Use telegram:@owner"),
            ("@x", "'@x' names no platform."),
            ("owner", "'owner' names no platform."),
            ("x@owner", "'x@owner' names no platform."),
            ("slack:@owner", "'slack:@owner': @names work on telegram only. Use the immutable id."),
            ("discord:@owner", "'discord:@owner': @names work on telegram only. Use the immutable id."),
            ("telegram:@", "'telegram:@' is not a Telegram username."),
            ("telegram:@a b", "'telegram:@a b' is not a Telegram username."),
            ("telegram:@*", "'telegram:@*' is not a Telegram username."),
            ("telegram:@1234", "'telegram:@1234' is not a Telegram username."),
            ("telegram:@\uff4fwner", "'telegram:@\uff4fwner' is not a Telegram username."),
        ],
    )
    def test_bad_username(self, value: str, problem: str) -> None:
        """Security 6: usernames are for Telegram only, and only what can be one."""
        assert _problem("ALLOWED_USERS", value) == f"ALLOWED_USERS: {problem}"

    @pytest.mark.parametrize("value", ["telegram:@owner", "slack:@owner", "@owner", "telegram: @owner"])
    def test_no_owner_by_username(self, value: str) -> None:
        """Security 6: an owner is named by id, and no other correction is offered."""
        assert _problem("OWNER_USER_IDS", f"telegram:1,{value}") == (
            f"OWNER_USER_IDS: {value!r} is a username, which changes hands. Use the immutable id."
        )


class TestUrls:
    """Where outbound calls go."""

    @each("name", URLS)
    @each(
        ("value", "url"),
        [
            ("https://example.org", "https://example.org"),
            ("https://example.org/", "https://example.org"),
            ("https://example.org:8443/a/b.c/", "https://example.org:8443/a/b.c"),
            ("https://10.0.0.1/x", "https://10.0.0.1/x"),
            ("https://[2001:db8::1]:1/x", "https://[2001:db8::1]:1/x"),
            ("http://localhost:8787", "http://localhost:8787"),
            ("http://localhost", "http://localhost"),
            ("http://127.0.0.1:8787/telegram", "http://127.0.0.1:8787/telegram"),
            ("http://[::1]:8787/", "http://[::1]:8787"),
        ],
    )
    def test_good(self, name: str, value: str, url: str) -> None:
        """Security 29: https to anywhere, http to this machine, without the slash at the end."""
        assert parse_settings({name: value}).api_url(URLS[name]) == url

    @each("name", URLS)
    @each(
        "value",
        [
            "example.org",
            "//example.org",
            "ftp://example.org",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "https:",
            "https://",
            "https:///path",
            "https://:443",
            "http://example.org",
            "http://10.0.0.1",
            "http://169.254.169.254/latest",
            "http://localhost.example.org",
            "http://localhostx",
            "http://127.0.0.1.example.org",
            "http://127.0.0.10",
            "http://localhost@example.org",
            "https://user@example.org",
            "https://user:pass@example.org",
            "https://example.org?x=1",
            "https://example.org/?x",
            "https://example.org/#x",
            "https://example.org\\@evil.org",
            "https://example.org:port",
            "https://example.org/a b",
            "https://example.org/\u202e",
            "https://ex\u0430mple.org",
            "https://example.org\nx",
        ],
    )
    def test_bad(self, name: str, value: str) -> None:
        """Security 29: no other scheme, no plain http elsewhere, no user, query, fragment, or missing host."""
        assert _problem(name, value).endswith(
            "is not an https:// address without query and user (http:// only to localhost)."
        )


class TestAbsurd:
    """Whatever is set."""

    @each(
        "value",
        [
            "x" * 10_240,
            "\x1b[31m" + "\u202e" * 5000 + "x",
            "a\nb\nc",
            "\ud800",
            "\x00",
            "\u200b",
            "=",
            ":",
            "=,=",
            "%s{0}",
        ],
        ids=["10 kB", "escapes", "lines", "surrogate", "NUL", "zero width", "equals", "colon", "equalses", "format"],
    )
    def test_one_line(self, value: str) -> None:
        """Security 28: an absurd value is refused with one short line that can be printed."""
        assert all(_problem(name, value) for name in AWKWARD)

    @repeatable
    @given(value=st.text(st.characters(), max_size=60))
    def test_any_text(self, value: str) -> None:
        """Any text is used, or refused with one line that begins with the name of the setting."""
        for name in AWKWARD:
            try:
                parse_settings({name: value})
            except SettingsError:
                _problem(name, value)

    def test_all_at_once(self) -> None:
        """Every bad value has its own line, and good ones have none."""
        with pytest.raises(SettingsError) as refusal:
            parse_settings({"MAX_PENDING": "0", "CODE_TTL_SECONDS": "600", "GROUP_POLICY": "x", "TELL_DENIED": "yes"})
        assert sorted(refusal.value.problems) == [
            "GROUP_POLICY: 'x' is none of off, mention_only.",
            "MAX_PENDING: 0 is not between 1 and 100. Use MAX_PENDING=1",
            "TELL_DENIED: 'yes' is neither true nor false. Use true",
        ]

    def test_everything_wrong(self) -> None:
        """As many lines as bad values."""
        with pytest.raises(SettingsError) as refusal:
            parse_settings(dict.fromkeys(AWKWARD, "?"))
        assert sorted(problem.split(":")[0] for problem in refusal.value.problems) == sorted(AWKWARD)


class TestAtStart:
    """Security 35: start prints the policy in force."""

    def test_summary(self) -> None:
        """Security 35: one line tells every platform's policy, and how many are let in anyway, but not who."""
        settings = parse_settings({
            "UNKNOWN_USER_POLICY": "pair,slack=deny",
            "OWNER_USER_IDS": "telegram:1,telegram:2",
            "ALLOWED_USERS": "telegram:@owner,telegram:3,slack:U1234ABCD",
            "GROUP_POLICY": "mention_only",
        })  # fmt: skip
        assert settings.summary() == (
            "Unknown users: telegram=pair, slack=deny, discord=pair, whatsapp=deny. Groups: mention_only. Owners by setting: 2. Allowed users: 3."
        )

    def test_no_warnings(self) -> None:
        """A policy of pair with an owner is nothing to warn of."""
        assert parse_settings({"UNKNOWN_USER_POLICY": "pair", "OWNER_USER_IDS": "slack:U1234ABCD"}).warnings() == ()

    @each(
        ("values", "nobody"),
        [
            ({}, True),
            ({"UNKNOWN_USER_POLICY": "deny,slack=deny"}, True),
            ({"OWNER_USER_IDS": "telegram:1"}, False),
            ({"ALLOWED_USERS": "discord:123456789012345678"}, False),
            ({"ALLOWED_USERS": "telegram:@zoe_x"}, False),
            ({"UNKNOWN_USER_POLICY": "deny,slack=pair"}, False),
            ({"UNKNOWN_USER_POLICY": "deny,slack=allow"}, False),
        ],
    )
    def test_nobody_can_get_in(self, values: dict[str, str], *, nobody: bool) -> None:
        """Strangers are dropped everywhere, and nobody is named who would not be one: one line says so."""
        lines = [line for line in parse_settings(values).warnings() if "nobody can get in" in line]
        assert len(lines) == nobody

    @pytest.mark.parametrize("value", ["pair", "slack=pair"])
    def test_nobody_to_ask(self, value: str) -> None:
        """Security 35: pair without an owner is warned of."""
        (line,) = parse_settings({"UNKNOWN_USER_POLICY": value}).warnings()
        assert line == (
            "UNKNOWN_USER_POLICY is pair, but OWNER_USER_IDS is empty: unless somebody is an owner by claim, nobody is "
            "asked, and strangers are told a command for the owner to run. To own the bot: doorcode owner claim"
        )

    def test_nobody_would_know(self) -> None:
        """Where strangers are told nothing and nobody is asked, that is said instead."""
        silent = {"UNKNOWN_USER_POLICY": "pair", "UNKNOWN_REPLY": "tell,slack=silent"}
        (line,) = parse_settings(silent).warnings()
        assert "neither strangers nor anybody else hears of their requests" in line
        assert "Told nothing: slack. " in parse_settings(silent).summary()
        (line,) = parse_settings(silent | {"UNKNOWN_USER_POLICY": "pair,slack=deny"}).warnings()
        assert "told a command" in line

    def test_open_door(self) -> None:
        """Security 35: allow is warned of, for each platform."""
        assert parse_settings({"UNKNOWN_USER_POLICY": "allow,slack=deny"}).warnings() == (
            "UNKNOWN_USER_POLICY is allow on telegram: anybody who writes there reaches the agent.",
            "UNKNOWN_USER_POLICY is allow on discord: anybody who writes there reaches the agent.",
        )

    def test_usernames(self) -> None:
        """Security 6: every username is warned of."""
        assert parse_settings({"ALLOWED_USERS": "telegram:@zoe_x,telegram:@Owner,telegram:1"}).warnings() == (
            "ALLOWED_USERS names telegram:@owner: usernames change hands. Use the numeric id instead.",
            "ALLOWED_USERS names telegram:@zoe_x: usernames change hands. Use the numeric id instead.",
        )


@each("value", ["1001", "*,telegram:-1", "telegram:*", "telegram:1001", "slack:U1", "discord:#general", "x:1"])
def test_what_is_no_group(value: str) -> None:
    """A group is named with its platform, in that platform's form; one clear line says which is not."""
    with pytest.raises(SettingsError) as caught:
        parse_settings({"ALLOWED_GROUPS": value})
    (line,) = caught.value.problems
    assert line.startswith("ALLOWED_GROUPS: ")


def test_strangers_are_turned_away_where_only_its_own_name_lets_them_in() -> None:
    """A policy for all holds on WhatsApp only if it is deny: its strangers are somebody's customers, often."""
    for value, policy in {
        "": "deny", "pair": "deny", "allow": "deny", "pair,slack=deny": "deny", "whatsapp=pair": "pair", "pair,whatsapp=allow": "allow",
    }.items():  # fmt: skip
        assert parse_settings({"UNKNOWN_USER_POLICY": value}).policy(Platform.WHATSAPP).value == policy


def test_groups() -> None:
    """Each platform's groups, exactly, and never an empty id."""
    settings = parse_settings({"ALLOWED_GROUPS": "telegram:-1001,slack:C0GENERAL1, discord:5,discord:5"})
    assert [settings.answers_in(platform, "5") for platform in Platform] == [False, False, True, False]
    assert settings.answers_in(Platform.TELEGRAM, "-1001")
    assert settings.answers_in(Platform.SLACK, "C0GENERAL1")
    assert not parse_settings({"ALLOWED_GROUPS": "*"}).answers_in(Platform.DISCORD, "")
