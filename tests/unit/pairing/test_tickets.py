"""Claims and invites as texts and as values; what becomes of them is shown at the edge and on every table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorcode.errors import InputError, InvalidLabelError, InvalidTimeError
from doorcode.pairing.codes import ALPHABET
from doorcode.pairing.contact import END_OF_TIME, Platform
from doorcode.pairing.tickets import (
    CLAIM_SECONDS,
    LENGTHS,
    LONGEST_INVITE_SECONDS,
    MAX_USES,
    Entered,
    InviteOrder,
    Ticket,
    TicketKind,
    entered,
    new_claim,
    new_invite,
    shown,
    ways,
)
from tests.cases import each
from tests.unit.pairing.people import DISCORD, NOW, SLACK, TELEGRAM, WHATSAPP, repeatable

CODE = "ABCDEFGHJKLM"
CLAIM = "ABCDEFGHJKLMNPQR"


def test_their_bits() -> None:
    """Security 44: a claim has 80 random bits and an invite 60, and each is shown in groups of four."""
    assert {kind: 5 * length for kind, length in LENGTHS.items()} == {TicketKind.CLAIM: 80, TicketKind.INVITE: 60}
    assert (shown(CLAIM), shown(CODE)) == ("ABCD-EFGH-JKLM-NPQR", "ABCD-EFGH-JKLM")


@repeatable
@given(kind=st.sampled_from(list(TicketKind)), data=st.data())
def test_whatever_is_shown_is_read(kind: TicketKind, data: st.DataObject) -> None:
    """A code as it is shown, in any case and with any hyphen, is read as that very code and no other."""
    length = LENGTHS[kind]
    code = "".join(data.draw(st.lists(st.sampled_from(ALPHABET), min_size=length, max_size=length)))
    hyphen = data.draw(st.sampled_from("-\u2010\u2011\u2012\u2013\u2014"))
    for text in (shown(code), shown(code).lower(), code, f"  `{shown(code)}`\n"):
        assert entered(text.replace("-", hyphen), Platform.SLACK) == Entered(kind, code)


@each(
    "text",
    ["", "ABCD", "ABCD2345", "abcdefghjklm", "ABCD-EFGH", "ABCD-EFGH-JKL", "ABCD-EFGH-JKLMN", "ABCDEFGH-JKLM", "ABC-DEFGH-JKLM",
     "ABCD-EFGH-JKLM-NPQR-STUV", "ABCD-EFGH-JKL0", "ABCD-EFGH-JKLI", "my ABCD-EFGH-JKLM", "ABCD-EFGH-JKLM!", "ABCD EFGH JKLM", "that was great",
     "they want beer", "ABCD--EFGH-JKLM", "-ABCD-EFGH-JKLM", "\u017fBCD-EFGH-JKLM", "\uff21BCD-EFGH-JKLM", "A" * 4000, "/start", "/startABCD-EFGH-JKLM",
     "/chat ABCD-EFGH-JKLM", "\ud83d" * 12],
)  # fmt: skip
def test_other_texts(text: str) -> None:
    """Security 44: nothing else looks like one, and no ordinary words do."""
    for platform in Platform:
        assert entered(text, platform) is None


def test_what_a_link_has_sent() -> None:
    """A link's command stands before the code on the platform that has links, and nowhere else."""
    assert entered(f"/start {CODE}", TELEGRAM) == entered(CODE, TELEGRAM) == Entered(TicketKind.INVITE, CODE)
    assert entered(f"/start {CODE}", SLACK) is None
    assert entered(f"/start {CODE}", DISCORD) is None


def test_digests() -> None:
    """Security 44: the table gets a hash that is slow, of each kind its own; and nothing shows the code itself."""
    invite, claim = Entered(TicketKind.INVITE, CODE), Entered(TicketKind.CLAIM, CODE)
    assert len({invite.digest, claim.digest, Entered(TicketKind.INVITE, CLAIM).digest}) == 3
    assert invite.digest == Entered(TicketKind.INVITE, CODE).digest
    assert invite.digest == "81b84c21ec92b8e6551c96d714c4f56a351354e42f7ed0c2a75599f0b4f7a07d"
    assert CODE not in f"{invite!r} {invite.digest}"


def invite(**more: object) -> Ticket:
    """Make an invite."""
    return new_invite(InviteOrder(**more), id="1", digest="d", actor="alice", now=NOW)  # type: ignore[arg-type]


def test_when_a_ticket_works() -> None:
    """Security 14, 44: until the second before its end, as long as it has uses left and nobody has taken it back."""
    claim = new_claim(id="1", digest="d", platform="", actor="alice", now=NOW)
    assert (claim.uses, claim.expires_at) == (1, NOW + CLAIM_SECONDS)
    for ticket in (claim, invite(expires_seconds=CLAIM_SECONDS)):
        assert ticket.works(NOW + CLAIM_SECONDS - 1)
        assert not ticket.works(NOW + CLAIM_SECONDS)
        for spent in ({"left": 0}, {"left": -1}, {"revoked_at": NOW}):
            assert not _with(ticket, **spent).works(NOW)
        assert all(ticket.works_on(platform, NOW) for platform in Platform)
    assert invite(platform="slack").works_on(SLACK, NOW)
    assert not invite(platform="slack").works_on(TELEGRAM, NOW)


def _with(ticket: Ticket, **changed: object) -> Ticket:
    fields = {name: getattr(ticket, name) for name in ticket.__struct_fields__}
    return Ticket(**fields | changed)


@each(
    ("order", "error"),
    [({"uses": 0}, InputError), ({"uses": MAX_USES + 1}, InputError), ({"expires_seconds": 0}, InvalidTimeError),
     ({"expires_seconds": LONGEST_INVITE_SECONDS + 1}, InvalidTimeError), ({"for_seconds": -90_000}, InvalidTimeError), ({"for_seconds": END_OF_TIME}, InvalidTimeError),
     ({"label": "a\u202eb"}, InvalidLabelError)],
)  # fmt: skip
def test_what_no_invite_can_be(order: dict[str, object], error: type[Exception]) -> None:
    """What an invite cannot be is refused with what to do."""
    with pytest.raises(error):
        invite(**order)


def test_ways() -> None:
    """How a ticket is used is said for each platform that it holds on: a link where there is one, and what to send."""
    found = ways(CODE, "", {TELEGRAM: "my_bot", WHATSAPP: "15550783881"})
    assert [(way.platform, way.text, way.link) for way in found] == [
        (TELEGRAM, "ABCD-EFGH-JKLM", "https://t.me/my_bot?start=ABCD-EFGH-JKLM"),
        (SLACK, "ABCD-EFGH-JKLM", ""),
        (DISCORD, "/chat ABCD-EFGH-JKLM", ""),
        (WHATSAPP, "ABCD-EFGH-JKLM", "https://wa.me/15550783881?text=ABCD-EFGH-JKLM"),
    ]
    assert [(way.platform, way.link) for way in ways(CODE, "telegram", {})] == [(TELEGRAM, "")]
