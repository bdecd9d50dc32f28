"""What follows from a claim and from an invite: who hears of it, what closes, what is published; whatever fails on the way."""

import pytest

from doorcode.aws.table import Table
from doorcode.aws.tickets import Tickets
from doorcode.pairing import texts
from doorcode.pairing.contact import ContactRole, Platform, State
from doorcode.pairing.tickets import InviteOrder, shown
from doorcode.pairing.transitions import Operation
from tests.behind.faults import KINDS, Story, faults
from tests.behind.harness import OWNER_CHANNEL, STRANGER_CHANNEL, Behind
from tests.behind.test_pairing import has_buttons
from tests.edge.harness import TABLE
from tests.webhooks import HELLO, OWNER, STRANGER, load

EACH = pytest.mark.parametrize("platform", list(Platform))


def says(behind: Behind, platform: Platform, text: str, number: int, *, owner: bool = False) -> None:
    """Have the stranger, or who is to be the owner, say something."""
    hello = load(HELLO[platform])
    said = hello.replaced(hello.expect["text"], text).another(number)
    if owner:
        said = said.replaced(STRANGER[platform], OWNER[platform])
        said = said.replaced(STRANGER_CHANNEL[platform], OWNER_CHANNEL[platform])
    behind.deliver(said)


def a_claim(behind: Behind) -> str:
    """Make a claim."""
    return shown(Tickets(Table(behind.edge.dynamodb, TABLE)).claim("", "alice", behind.now())[0])


def an_invite(behind: Behind) -> str:
    """Make an invite."""
    return shown(Tickets(Table(behind.edge.dynamodb, TABLE)).invite(InviteOrder(), "alice", behind.now())[0])


@EACH
def test_owners_by_claim_are_asked(behind: Behind, platform: Platform) -> None:
    """Where OWNER_USER_IDS is empty, whoever has claimed the bot is asked about strangers, and no stranger gets a code."""
    behind.cold(OWNER_USER_IDS="")
    says(behind, platform, a_claim(behind), 50, owner=True)
    behind.settle()
    assert behind.event_types() == ["pairing_approved"]
    if platform is Platform.SLACK:
        assert texts.CLAIMED in behind.prompts(platform)[0]
    behind.hello(platform)
    behind.settle()
    asked = [prompt for prompt in behind.prompts(platform) if has_buttons(prompt)]
    assert len(asked) == 1
    assert "wants to chat. Approve access?" in asked[0]
    assert behind.heard(platform) == [texts.REQUEST_SENT]
    # Also from elsewhere, where nobody owns the bot.
    elsewhere = next(other for other in Platform if other is not platform)
    behind.hello(elsewhere)
    behind.settle()
    assert len([prompt for prompt in behind.prompts(platform) if has_buttons(prompt)]) == 2
    # Removed, they are not asked any more.
    behind.decide(Operation.REMOVE_OWNER, platform, OWNER[platform], last=True)
    behind.settle()
    behind.decide(Operation.DENY, elsewhere)
    behind.settle()
    assert len([prompt for prompt in behind.prompts(platform) if "wants to chat" in prompt]) == 2
    assert behind.parked() == 0


@EACH
def test_the_other_owners_hear_of_a_new_one(behind: Behind, platform: Platform) -> None:
    """Each other owner is told once who owns the bot now, by whose claim and what to do about it; nobody else."""
    says(behind, platform, a_claim(behind), 1)
    behind.settle()
    who = f"{platform} {STRANGER[platform]}"
    for other in Platform:
        [told] = behind.prompts(other)
        assert who in told
        assert "alice" in told
        assert f"doorcode owner remove {who}" in told
    heard = behind.heard(platform)
    assert heard == [texts.CLAIMED]
    assert behind.event_types() == ["pairing_approved"]


@EACH
def test_an_invite_ends_the_request_that_waits(behind: Behind, platform: Platform) -> None:
    """Whoever waits and sends an invite is in: the prompts close, they are welcomed once, and it is published once."""
    behind.hello(platform)
    behind.settle()
    says(behind, platform, an_invite(behind), 1)
    behind.settle()
    [prompt] = behind.prompts(platform)
    assert not has_buttons(prompt)
    assert "Approved by alice (invite)" in prompt
    assert behind.heard(platform) == [texts.REQUEST_SENT, texts.invited(platform)]
    requested, approved = behind.events()
    assert requested["detail-type"] == "pairing_requested"
    assert approved["detail-type"] == "pairing_approved"
    assert approved["detail"].items() >= {"decided_by": "alice", "decided_via": "invite"}.items()


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_in_every_call_after_a_claim(behind: Behind, kind: str) -> None:
    """Security 44: whichever call fails, every other owner hears of the new one; twice only where a platform cannot tell."""
    platform = Platform.SLACK

    def claims() -> None:
        says(behind, platform, a_claim(behind), 1)
        behind.settle()

    broken = set()
    for where, hit, _ in faults(behind, Story(platform, (claims,), whole=True), kind):
        broken.add(hit)
        assert behind.edge.contact(platform).role == ContactRole.OWNER, where
        assert behind.edge.contact(platform).state is State.PAIRED, where
        for other in Platform:
            assert 1 <= len(behind.prompts(other)) <= 2, where
        assert set(behind.event_types()) == {"pairing_approved"}, where
        assert behind.parked() == 0, where
    assert "sender.notify" in broken
