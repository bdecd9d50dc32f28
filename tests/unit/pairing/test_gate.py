"""The gate, against its rules told once more in the plainest words."""

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.gate import OVER_BUDGET, WAITING_ROOM_FULL, GateAction, Reason, Verdict, decide
from doorcode.pairing.messages import ChatType, Deed, Ignored, Message
from doorcode.pairing.settings import GroupPolicy, Policy, Settings, parse_settings
from doorcode.pairing.transitions import Decision, Operation, moved
from tests.cases import each
from tests.unit.pairing.people import DISCORD, EVERYONE, NOW, SLACK, TELEGRAM, contact

USER = "987654321"
LISTED: dict[str, dict[str, Any]] = {
    "nobody": {},
    "owner": {"owners": ((TELEGRAM, USER),)},
    "allowed": {"allowed": frozenset({(TELEGRAM, USER)})},
    "by username": {"allowed_usernames": frozenset({(Platform.TELEGRAM, "stranger")})},
    "owner and allowed": {"owners": ((TELEGRAM, USER),), "allowed": frozenset({(TELEGRAM, USER)})},
    "somebody else": {"owners": ((TELEGRAM, "1"), (SLACK, USER)), "allowed": frozenset({(DISCORD, USER)})},
}


def _message(**fields: Any) -> Message:
    usual: dict[str, Any] = {
        "platform": TELEGRAM,
        "user_id": USER,
        "username": "stranger",
        "delivery_id": "delivery-2",
        "chat_type": ChatType.DIRECT,
        "chat": USER,
    }
    return Message(**usual | fields)


def _deed(message: Message) -> Deed:
    return Deed(
        platform=message.platform,
        what="a reaction",
        user_id=message.user_id,
        username=message.username,
        chat_type=message.chat_type,
        group=message.group,
        addressed=message.addressed,
    )


def _expected(  # noqa: C901, PLR0911, PLR0913 (every rule in its own words)
    who: str, listed: str, policy: str, group_policy: str, *, group: bool, addressed: bool, same: bool, cooling: bool
) -> str:
    """Say what the rules say, one by one, from the names of things alone."""
    if who == "blocked":
        return "drop blocked"
    if group and group_policy == "off":
        return "drop group_policy"
    if group and group_policy == "mention_only" and not addressed:
        return "drop group_policy"
    if who == "owner" or listed in {"owner", "owner and allowed"}:
        return "admit owner"
    if listed in {"allowed", "by username"}:
        return "admit allowed_user"
    if who in {"paired", "guest"}:
        return "admit paired"
    if policy == "deny":
        return "drop policy_deny"
    if group:
        return "drop group_unknown"
    if policy == "allow":
        return "admit policy_allow"
    if same and who == "pending":
        return "pair pairing_requested"  # the same answer again
    if same and who != "stranger":
        return "pair rate_limited"  # it was asked once, and decided
    if cooling or who == "overdue":  # it has expired this very second, and the wait counts from there
        return "pair rate_limited"
    return "pair pairing_requested"


@each("policy", Policy)
@each("who", EVERYONE)
def test_every_case(who: str, policy: Policy) -> None:
    """Security 22, 34 and 40: whatever anybody does has the one action and reason of the first rule that matches."""
    flags = itertools.product((False, True), repeat=4)
    seen = 0
    for listed, group_policy, (group, addressed, same, cooling) in itertools.product(LISTED, GroupPolicy, list(flags)):
        settings = Settings(unknown_user_policy=policy, group_policy=group_policy, every_group=True, **LISTED[listed])
        message = _message(
            chat_type=ChatType.GROUP if group else ChatType.DIRECT,
            addressed=addressed,
            delivery_id="delivery-1" if same else "delivery-2",
        )
        person = structs.replace(EVERYONE[who], next_code_at=NOW + 1 if cooling else NOW)
        verdict = decide(settings, message, person, NOW)
        case = {"group": group, "addressed": addressed, "same": same, "cooling": cooling}
        expected = _expected(who, listed, policy, group_policy, **case)
        assert f"{verdict.action} {verdict.reason}" == expected, (listed, case)
        # What is no message is decided on alike, and asks for nothing.
        deed = decide(settings, _deed(message), person, NOW)
        expected = "ignore not_a_message" if expected.startswith("pair ") else expected
        assert f"{deed.action} {deed.reason}" == expected, (listed, case)
        seen += 1
    assert seen == len(LISTED) * 2 * 2**4


@each("who", EVERYONE)
@each("listed", LISTED)
def test_not_a_message(who: str, listed: str) -> None:
    """Security 27: what nobody said is ignored, whoever it is about, and whatever the policy."""
    settings = Settings(unknown_user_policy=Policy.ALLOW, **LISTED[listed])
    verdict = decide(settings, Ignored(platform=TELEGRAM, what="edited_message", user_id=USER), EVERYONE[who], NOW)
    assert verdict == Verdict(GateAction.IGNORE, Reason.NOT_A_MESSAGE)


def test_what_a_bot_hears_about_itself() -> None:
    """Security 40: what has no person goes no further, save what tells the bot about itself, and not from any group."""
    nobody = contact(State.NONE, user_id="")
    about = Deed(platform=TELEGRAM, what="my_chat_member", about_bot=True)
    in_group = structs.replace(about, chat_type=ChatType.GROUP, group="-1001")
    named = parse_settings({"GROUP_POLICY": "mention_only", "ALLOWED_GROUPS": "telegram:-1001"})
    of_another = structs.replace(in_group, group="-1002")
    cases = [
        (Settings(), about, "admit bot_itself"),
        (Settings(), structs.replace(about, about_bot=False), "ignore not_a_message"),
        (Settings(), in_group, "ignore not_a_message"),
        (named, in_group, "admit bot_itself"),
        (named, of_another, "ignore not_a_message"),
    ]
    for settings, deed, expected in cases:
        verdict = decide(settings, deed, nobody, NOW)
        assert f"{verdict.action} {verdict.reason}" == expected, deed
    # Somebody did it: then they are asked about, and a stranger's is theirs.
    somebody = decide(Settings(), structs.replace(about, user_id=USER), contact(), NOW)
    assert somebody == Verdict(GateAction.DROP, Reason.POLICY_DENY)


@pytest.mark.parametrize("policy", Policy)
def test_nobody_says_nothing(policy: Policy) -> None:
    """Security 5: a message without a sender is ignored under every policy, even if nobody were an owner and paired."""
    settings = Settings(
        unknown_user_policy=policy,
        owners=((TELEGRAM, ""),),
        allowed=frozenset({(TELEGRAM, "")}),
        allowed_usernames=frozenset({(Platform.TELEGRAM, "")}),
    )
    nobody = contact(State.PAIRED, user_id="")
    verdict = decide(settings, _message(user_id="", username=""), nobody, NOW)
    assert verdict == Verdict(GateAction.IGNORE, Reason.NOT_A_MESSAGE)


@each("user_id", ["", "98765432", "9876543210", "87654321", " 987654321", "*", "telegram:987654321"])
def test_other_ids(user_id: str) -> None:
    """Security 5: an empty, shorter, longer or decorated id is neither the owner's nor allowed."""
    settings = parse_settings({"OWNER_USER_IDS": f"telegram:{USER}", "ALLOWED_USERS": f"telegram:{USER}"})
    assert settings.is_owner(TELEGRAM, USER)
    assert settings.is_allowed(TELEGRAM, USER)
    assert not settings.is_owner(TELEGRAM, user_id)
    assert not settings.is_allowed(TELEGRAM, user_id)


def test_an_empty_id_is_nobody() -> None:
    """Security 5: an empty id is nobody's, even where an empty one was let into the lists."""
    nobody = {(TELEGRAM, "")}
    settings = Settings(
        owners=tuple(nobody), allowed=frozenset(nobody), allowed_usernames=frozenset({(Platform.TELEGRAM, "owner")})
    )
    assert not settings.is_owner(TELEGRAM, "")
    assert not settings.is_allowed(TELEGRAM, "", "owner")


@pytest.mark.parametrize("user_id", ["u1234abcd", "U1234ABCd"])
def test_case_counts(user_id: str) -> None:
    """Security 5: an id in another case is another id."""
    settings = parse_settings({"OWNER_USER_IDS": "slack:U1234ABCD", "ALLOWED_USERS": "slack:U1234ABCD"})
    assert not settings.is_owner(SLACK, user_id)
    assert not settings.is_allowed(SLACK, user_id)


@each("username", ["owner", "OWNER", "oWnEr"])
@each("platform", Platform)
def test_usernames(platform: Platform, username: str) -> None:
    """Security 6: a username is allowed on Telegram, in any case, and on no other platform."""
    settings = parse_settings({"ALLOWED_USERS": "telegram:@Owner"})
    assert settings.is_allowed(platform, "5", username) is (platform is TELEGRAM)


@each("username", ["", "owne", "owner2", "owner ", "@owner", "\uff4fwner", "*"])
def test_other_usernames(username: str) -> None:
    """Security 6: another username, or none, is not allowed."""
    assert not parse_settings({"ALLOWED_USERS": "telegram:@owner"}).is_allowed(TELEGRAM, "5", username)


@pytest.mark.parametrize("name", ["owner", "@owner", USER])
def test_names_are_nobody(name: str) -> None:
    """Security 6: a shown name, or a username that reads like an id, lets nobody in."""
    settings = parse_settings(
        {"ALLOWED_USERS": f"telegram:@owner,telegram:{USER}", "OWNER_USER_IDS": f"telegram:{USER}"}
    )
    message = _message(user_id="5", name=name, username=USER)
    verdict = decide(settings, message, Contact(platform=TELEGRAM, user_id="5"), NOW)
    assert verdict.reason is Reason.POLICY_DENY


def test_a_username_is_no_owner() -> None:
    """Security 6: a username in ALLOWED_USERS makes nobody an owner."""
    settings = parse_settings({"ALLOWED_USERS": "telegram:@owner"})
    assert not settings.is_owner(TELEGRAM, "@owner")
    assert not settings.is_owner(TELEGRAM, "owner")


@each("home", Platform)
@each("here", Platform)
def test_the_same_id_elsewhere(home: Platform, here: Platform) -> None:
    """Security 7: the same id on another platform is neither the owner's nor allowed."""
    settings = Settings(owners=((home, USER),), allowed=frozenset({(home, USER)}))
    assert settings.is_owner(here, USER) is (home is here)
    assert settings.is_allowed(here, USER, USER) is (home is here)


@pytest.mark.parametrize("platform", Platform)
def test_policy_of_each_platform(platform: Platform) -> None:
    """A platform's own policy holds there, and the general one elsewhere."""
    settings = Settings(unknown_user_policy=Policy.DENY, policy_overrides={SLACK: Policy.PAIR})
    verdict = decide(settings, _message(platform=platform), Contact(platform=platform, user_id=USER), NOW)
    assert verdict.reason is (Reason.PAIRING_REQUESTED if platform is SLACK else Reason.POLICY_DENY)


def test_the_defaults_let_nobody_in() -> None:
    """Security 21: without settings, a stranger is dropped: the first one, too."""
    verdict = decide(Settings(), _message(), EVERYONE["stranger"], NOW)
    assert verdict == Verdict(GateAction.DROP, Reason.POLICY_DENY)


@pytest.mark.parametrize("operation", [Operation.REVOKE, Operation.BLOCK])
def test_the_next_message(operation: Operation) -> None:
    """Security 23: a revocation or a block holds from the very next message, in the same second."""
    settings = Settings(unknown_user_policy=Policy.DENY)
    assert decide(settings, _message(), EVERYONE["paired"], NOW).action is GateAction.ADMIT
    assert (
        decide(settings, _message(), moved(EVERYONE["paired"], operation, NOW, Decision()), NOW).action
        is GateAction.DROP
    )


@pytest.mark.parametrize(("second", "reason"), [(-1, Reason.PAIRED), (0, Reason.POLICY_DENY)], ids=["before", "at"])
def test_a_guest_s_last_second(second: int, reason: Reason) -> None:
    """Security 14: a guest is let in until the second before their time is up."""
    guest = contact(State.PAIRED, paired_until=NOW)
    assert decide(Settings(), _message(), guest, NOW + second).reason is reason


@pytest.mark.parametrize(
    ("second", "reason"), [(-1, Reason.RATE_LIMITED), (0, Reason.PAIRING_REQUESTED)], ids=["before", "at"]
)
def test_the_cooldown_s_last_second(second: int, reason: Reason) -> None:
    """Security 25: a new request is possible from the second at which the cooldown is over."""
    settings = Settings(unknown_user_policy=Policy.PAIR)
    assert decide(settings, _message(), contact(State.DENIED, next_code_at=NOW), NOW + second).reason is reason


def test_what_only_the_table_can_tell() -> None:
    """Over the budget is dropped; a full room leaves the stranger a pairing case without a code."""
    assert Verdict(GateAction.DROP, Reason.OVER_BUDGET) == OVER_BUDGET
    assert Verdict(GateAction.PAIR, Reason.WAITING_ROOM_FULL) == WAITING_ROOM_FULL


def test_reasons() -> None:
    """Security 34: the reason codes are the documented ones, in order."""
    assert list(Reason) == [
        "not_a_message", "bot_itself", "blocked", "group_policy", "claimed", "invited", "claim_refused", "invite_refused", "locked_out",
        "owner", "allowed_user", "paired", "policy_deny", "group_unknown",
        "policy_allow", "over_budget", "pairing_requested", "rate_limited", "waiting_room_full",
    ]  # fmt: skip


def test_every_reason_is_in_the_runbook() -> None:
    """Whoever finds a reason in the log can read what it means, in the order in which they are looked at."""
    runbook = Path(__file__).parents[3] / "docs/operations.md"
    section = runbook.read_text().partition("\n## Reasons\n")[2]
    # The first table: the agent's own reasons follow in one of their own.
    table = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)[0]
    named = [reason for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for reason in re.findall(r"\w+", row)]
    assert named == [*Reason, "bad_signature", "bot_failed", "put_aside"]


@each(
    ("named", "answered"),
    [
        ("", False),
        ("*", True),
        ("telegram:-1001", True),
        ("telegram:-2, telegram:-1001", True),
        ("telegram:-100", False),
        ("telegram:-10012", False),
        ("discord:1001", False),
    ],
)
def test_a_group_is_answered_only_if_named(named: str, answered: bool) -> None:
    """Security 5 and 22: whoever is let in, even an owner, is heard only in groups that ALLOWED_GROUPS names exactly."""
    settings = parse_settings({
        "GROUP_POLICY": "mention_only", "ALLOWED_GROUPS": named, "OWNER_USER_IDS": f"telegram:{USER}",
    })  # fmt: skip
    message = _message(chat_type=ChatType.GROUP, chat="-1001", addressed=True)
    reason = Reason.OWNER if answered else Reason.GROUP_POLICY
    assert decide(settings, message, contact(), NOW).reason is reason
    assert decide(settings, structs.replace(message, chat_type=ChatType.DIRECT), contact(), NOW).reason is Reason.OWNER
    assert (len(settings.warnings()) == 1) is (named == "")
