"""What only Discord does: answers to interactions, direct messages when those are over, and nonces."""

import json
from typing import Any

import pytest

from doorcode.pairing.contact import Platform
from doorcode.pairing.messages import ChatType, Message
from doorcode.pairing.names import Names
from doorcode.platforms.discord import inbound
from doorcode.platforms.send_errors import (
    AddressError,
    PassingError,
    PermanentRefusalError,
    RateLimitedError,
    SendRefusal,
)
from doorcode.platforms.sender import OutgoingText
from doorcode_sandbox.platforms.server import json_answer
from tests.unit.senders.wires import ADDRESSES, INTERACTION, NOW, Wire, prompt

CHANNEL = "400000000000000001"
LATER = NOW + 900


def _interaction(wired: Wire, *, ephemeral: bool = False) -> None:
    wired.stand_in.interaction(INTERACTION, CHANNEL)
    message = Message(
        platform=Platform.DISCORD,
        user_id=wired.stranger,
        delivery_id="1",
        chat=CHANNEL,
        chat_type=ChatType.GROUP if ephemeral else ChatType.DIRECT,
        private=ephemeral,
    )
    answer = inbound.admitted(message)
    assert answer
    wired.stand_in.respond(INTERACTION, answer.body)


def _shown(wired: Wire, chat: str = CHANNEL) -> list[tuple[str, int]]:
    return [(message.shown["content"], message.shown["flags"]) for message in wired.stand_in.in_chat(chat)]


def test_deferred_answer(discord: Wire) -> None:
    """The agent's answer takes the place of "thinking…", under the question, for the command is not shown."""
    _interaction(discord)
    discord.sender.send_text(
        OutgoingText(
            reply=discord.reply, user_id=discord.stranger, text="Fine, thanks.", key="k", quote="How are\nyou?"
        ),
        NOW,
    )
    assert _shown(discord) == [("> How are you?\nFine, thanks.", 0)]
    assert discord.calls() == ["editOriginal"]


def test_quote(discord: Wire) -> None:
    """A question is quoted in one short line, and none of its markup is live."""
    _interaction(discord)
    question = "# a\n[x](http://y) @everyone <@1> " + "long " * 100
    discord.sender.send_text(
        OutgoingText(reply=discord.reply, user_id=discord.stranger, text="No.", key="k", quote=question), NOW
    )
    ((said, _),) = _shown(discord)
    quote, answer = said.split("\n")
    assert quote.startswith(r"> \# a \[x\](http://y) \@everyone \<\@1\> long")
    assert quote.endswith("…")
    assert len(quote) < 230
    assert answer == "No."
    (message,) = discord.stand_in.in_chat(CHANNEL)
    assert (message.shown["mentions"], message.shown["mention_everyone"]) == ([], False)


@pytest.mark.parametrize("ephemeral", [False, True], ids=["direct", "in a server"])
def test_follow_ups(discord: Wire, *, ephemeral: bool) -> None:
    """What is longer than 2000 characters goes on in follow-ups, seen by the same people as the answer."""
    _interaction(discord, ephemeral=ephemeral)
    discord.sender.send_text(
        OutgoingText(reply=discord.reply, user_id=discord.stranger, text="word " * 1000, key="k"), NOW
    )
    assert [flags for _, flags in _shown(discord)] == [64 * ephemeral] * 3
    assert all(len(said) <= 2000 for said, _ in _shown(discord))
    assert discord.calls() == ["editOriginal", "followUp", "followUp"]


def test_goes_on_where_it_stopped(discord: Wire) -> None:
    """A further try sends the rest only, and asks who may see it."""
    _interaction(discord, ephemeral=True)
    text = "a" * 2000 + "b" * 2000
    discord.stand_in.inject(status=429, delay=0.5, name="followUp")
    with pytest.raises(RateLimitedError) as caught:
        discord.sender.send_text(OutgoingText(reply=discord.reply, user_id=discord.stranger, text=text, key="k"), NOW)
    assert (caught.value.delay, caught.value.done) == (1, 1)
    discord.sender.send_text(
        OutgoingText(reply=discord.reply, user_id=discord.stranger, text=text, key="k", done=caught.value.done), NOW
    )
    assert [(said[:1], flags) for said, flags in _shown(discord)] == [("a", 64), ("b", 64)]
    assert discord.calls() == ["editOriginal", "followUp", "getOriginal", "followUp"]


def test_notice_is_an_edit(discord: Wire) -> None:
    """While the token lives, a notice takes the place of the request's answer; twice makes no difference."""
    _interaction(discord, ephemeral=True)
    for _ in range(2):
        discord.sender.notify(
            OutgoingText(reply=discord.reply, user_id=discord.stranger, text="You've been approved!", key="k"),
            NOW + 100,
        )
    assert _shown(discord) == [("You've been approved!", 64)]
    assert discord.calls() == ["editOriginal"] * 2


def test_after_the_token(discord: Wire) -> None:
    """After 15 minutes a direct message is sent, without asking the dead token."""
    _interaction(discord)
    discord.sender.notify(
        OutgoingText(reply=discord.reply, user_id=discord.stranger, text="You've been approved!", key="k"), LATER
    )
    assert discord.calls() == ["createDM", "createMessage"]
    assert discord.said(discord.chat(discord.stranger)) == ["You've been approved!"]


def test_token_is_over_early(discord: Wire) -> None:
    """If Discord says that the token is over, a direct message is sent, and the bot's own token is still good."""
    _interaction(discord)
    discord.stand_in.clock = lambda: float(LATER)
    discord.sender.notify(
        OutgoingText(reply=discord.reply, user_id=discord.stranger, text="You've been approved!", key="k"), NOW + 800
    )
    assert discord.said(discord.chat(discord.stranger)) == ["You've been approved!"]
    assert discord.calls() == ["editOriginal", "createDM", "createMessage"]


def test_token_ends_half_way(discord: Wire) -> None:
    """The parts that the token did not live for arrive directly."""
    _interaction(discord)
    perform = discord.stand_in.perform

    def performed(call: Any) -> Any:
        answer = perform(call)
        discord.stand_in.clock = lambda: float(LATER)
        return answer

    discord.stand_in.perform = performed
    discord.sender.send_text(
        OutgoingText(reply=discord.reply, user_id=discord.stranger, text="a" * 2000 + "b" * 10, key="k"), NOW + 899
    )
    assert [said[:1] for said, _ in _shown(discord)] == ["a"]
    assert discord.said(discord.chat(discord.stranger)) == ["b" * 10]


def test_answer_before_the_response(discord: Wire) -> None:
    """An answer that is faster than the interaction's own response waits a second instead of writing directly."""
    discord.stand_in.interaction(INTERACTION, CHANNEL)
    with pytest.raises(PassingError) as caught:
        discord.sender.send_text(
            OutgoingText(reply=discord.reply, user_id=discord.stranger, text="hello", key="k"), NOW + 9
        )
    assert caught.value.delay == 1
    discord.sender.send_text(
        OutgoingText(reply=discord.reply, user_id=discord.stranger, text="hello", key="k"), NOW + 10
    )
    assert discord.said(discord.chat(discord.stranger)) == ["hello"]


def test_nonce(discord: Wire) -> None:
    """The same direct message sent again is recognised; another, and the same to somebody else, is not."""
    for key, user_id in (("k", discord.owner), ("k", discord.owner), ("l", discord.owner), ("k", discord.stranger)):
        discord.sender.notify(OutgoingText(user_id=user_id, text="hello", key=key), NOW)
    assert len(discord.said(discord.chat(discord.owner))) == 2
    assert len(discord.said(discord.chat(discord.stranger))) == 1
    first = discord.sender.send_prompt(discord.owner, discord.drawn(prompt()), key="p")
    assert discord.sender.send_prompt(discord.owner, discord.drawn(prompt()), key="p") == first


def test_parts_have_nonces_of_their_own(discord: Wire) -> None:
    """Two parts of one text are two messages."""
    discord.sender.notify(OutgoingText(user_id=discord.stranger, text="a" * 2000 + "b", key="k"), NOW)
    assert [said[:1] for said in discord.said(discord.chat(discord.stranger))] == ["a", "b"]


@pytest.mark.parametrize("code", [50007, 50278])
def test_no_direct_messages(discord: Wire, code: int) -> None:
    """Whoever takes no direct messages is unreachable."""
    discord.stand_in.users[discord.owner].refuses = code
    with pytest.raises(PermanentRefusalError, match=f"code {code}") as caught:
        discord.sender.send_prompt(discord.owner, discord.drawn(prompt()), key="k")
    assert caught.value.refusal is SendRefusal.UNREACHABLE


def test_typing(discord: Wire) -> None:
    """Discord shows by itself that a deferred answer is coming; after that we do."""
    discord.stand_in.channels.add(CHANNEL)
    discord.sender.typing(discord.reply, NOW)
    assert discord.calls() == []
    discord.sender.typing(discord.reply, LATER)
    assert discord.stand_in.typed == [CHANNEL]


def test_names(discord: Wire) -> None:
    """Names are not looked up."""
    assert discord.sender.lookup_names(discord.stranger) == Names()


@pytest.mark.parametrize("field", ["application_id", "channel_id"])
@pytest.mark.parametrize("value", ["../users/@me", "1?x", "1" * 21])
def test_ids_in_paths(discord: Wire, field: str, value: str) -> None:
    """What becomes part of a path is an id and nothing else."""
    reply = json.dumps({**ADDRESSES["discord"], field: value})
    with pytest.raises(AddressError):
        discord.sender.typing(reply, LATER)
    with pytest.raises(AddressError):
        discord.sender.edit_prompt(json.dumps({"channel_id": value, "message_id": "1"}), {})
    assert discord.calls() == []


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (403, {"message": "internal network error", "code": 40333}, PassingError),
        (403, {"message": "error code: 1015"}, PassingError),
        (403, {"message": "Missing Access", "code": 50001}, PermanentRefusalError),
        (400, {"message": "You are opening direct messages too fast", "code": 40003}, RateLimitedError),
        (404, {"message": "404: Not Found", "code": 0}, PermanentRefusalError),
        (400, {"message": "Of a time to come", "code": 99999}, PermanentRefusalError),
    ],
)
def test_codes(
    discord: Wire, monkeypatch: pytest.MonkeyPatch, status: int, answer: dict[str, Any], error: type[Exception]
) -> None:
    """Discord's code decides; a refusal without one comes from what stands before Discord, and passes."""
    monkeypatch.setattr(discord.stand_in, "perform", lambda _: json_answer(answer, status))
    with pytest.raises(error):
        discord.sender.notify(OutgoingText(user_id=discord.stranger, text="hello", key="k"), NOW)


def test_user_agent(discord: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord is told who calls, in the form that it asks for; an interaction's token travels without the bot's."""
    seen: list[dict[str, str]] = []
    route = discord.stand_in.route
    monkeypatch.setattr(
        discord.stand_in, "route", lambda request: (seen.append(dict(request.headers)), route(request))[1]
    )
    _interaction(discord)
    discord.sender.notify(OutgoingText(reply=discord.reply, user_id=discord.stranger, text="hello", key="k"), NOW)
    discord.sender.notify(OutgoingText(user_id=discord.stranger, text="hello", key="k"), NOW)
    assert all(headers["user-agent"].startswith("DiscordBot (https://") for headers in seen)
    assert ["authorization" in headers for headers in seen] == [False, True, True]
