"""In which words people are told things at each platform's door: the owner's own, and in their own language."""

import json

import pytest

from doorcode.aws.client.errors import TransportError
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.wording import SHIPPED, shipped
from tests import webhooks
from tests.edge.harness import PREFIX, Edge, body_of
from tests.edge.test_conversations import told
from tests.harness import T0
from tests.webhooks import DOOR, HELLO, OWNER, STRANGER, Delivery, load

EACH = pytest.mark.parametrize("platform", list(Platform))
SPEAKING = pytest.mark.parametrize("platform", [Platform.TELEGRAM, Platform.DISCORD])
SENT = {"en": "Your request has been sent to the owner for approval."} | {
    tag: shipped(tag)["request_sent"] for tag in SHIPPED
}


def speaking(delivery: Delivery, language: str) -> Delivery:
    """Have the platform say that the sender uses that language; Slack says nothing."""
    if delivery.platform is Platform.TELEGRAM:
        what = delivery.body.get("message") or delivery.body["callback_query"]
        what["from"]["language_code"] = language
    elif delivery.platform is Platform.DISCORD:
        delivery.body["locale"] = language
    return delivery


def set_texts(edge: Edge, value: object) -> None:
    """Set the parameter, as JSON or as it stands."""
    text = value if isinstance(value, str) else json.dumps(value)
    edge.ssm.put_parameter(Name=f"{PREFIX}/texts", Value=text, Type="String", Overwrite=True)


@SPEAKING
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", "de"),
        ("pt-BR", "pt"),
        ("pt-br", "pt"),
        ("es-419", "es"),
        ("ru", "ru"),
        ("fr", "fr"),
        ("ja", "en"),
        ("en-GB", "en"),
        ("\u202e", "en"),
        ("x" * 99, "en"),
    ],
)
def test_a_stranger_is_told_in_their_language(edge: Edge, platform: Platform, language: str, words: str) -> None:
    """The language's own text, else that of its base, else English; and the courier finds the language beside the contact."""
    assert told(edge.deliver(speaking(load(HELLO[platform]), language))) == SENT[words]
    kept = edge.contact(platform).language
    assert kept == (language.lower() if language.isascii() and len(language) < 17 else "")


@SPEAKING
def test_the_owner_s_own_words(edge: Edge, platform: Platform) -> None:
    """Theirs for a language before theirs for everybody, and both before what ships; no placeholder comes out of a value."""
    set_texts(
        edge, {"request_sent": {"*": "Ann was asked.", "pt": "Perguntei.", "fr": ""}, "private": {"en": "Go away."}}
    )
    for number, (language, said) in enumerate(
        (("de", "Ann was asked."), ("pt-BR", "Perguntei."), ("", "Ann was asked."), ("fr", "Ann was asked."))
    ):
        edge.clear()
        assert told(edge.deliver(speaking(load(HELLO[platform]).another(number), language))) == said
    # Kept as secrets are: one look, however many are told.
    assert edge.clients["ssm"].calls == ["get_parameters"] * 2


@SPEAKING
def test_whatever_is_wrong_with_them_people_are_told_what_ships(
    edge: Edge, platform: Platform, caplog: pytest.LogCaptureFixture
) -> None:
    """No JSON, another form, or no right to read it: the gate goes on, and one line of the log says which, once."""

    def refused(call: str) -> None:
        if call == "get_parameters" and "texts" in str(edge.clients["ssm"].arguments[-1]):
            raise PermissionError

    for value, reason in (
        ("{", "texts_unusable"),
        ({"private": "Go"}, "texts_unusable"),
        ("[" * 4000, "texts_unusable"),
        (None, "texts_unreadable"),
    ):
        edge.forget()
        if value is None:
            edge.clients["ssm"].before = refused
        else:
            set_texts(edge, value)
        caplog.clear()
        for number in range(2):
            edge.clear()
            assert told(edge.deliver(load(HELLO[platform]).another(number), T0 + 9 * number)) == SENT["en"]
        found = [record.reason for record in caplog.records if str(getattr(record, "reason", "")).startswith("texts")]  # type: ignore[attr-defined]
        assert found == [reason], value
    edge.clients["ssm"].before = lambda _: None


def test_every_answer_on_discord_is_translated(edge: Edge) -> None:
    """Refusals, repeated answers and trouble, too; under silence one and the same, wherever it was written."""
    german, said = shipped("de"), []
    hello = load(HELLO[Platform.DISCORD])
    said.append(told(edge.deliver(speaking(hello, "de"), UNKNOWN_USER_POLICY="deny")))
    guild = speaking(load("discord/chat_guild"), "de")
    said.extend((told(edge.deliver(guild)), told(edge.deliver(guild.another(1), UNKNOWN_REPLY="silent"))))
    said.append(told(edge.deliver(speaking(load("discord/unknown_command"), "de"))))

    def down(_: str) -> None:
        raise TransportError("down", sent=False)

    edge.clients["dynamodb"].before = down
    said.append(told(edge.deliver(speaking(hello, "de"))))
    assert said == [german[key] for key in ("private", "direct_only", "private", "private", "went_wrong")]


@EACH
def test_who_presses_hears_it_in_their_language(edge: Edge, platform: Platform) -> None:
    """Where the platform tells the language of who presses; Slack and WhatsApp do not."""
    contact = Contact(platform=platform, user_id=STRANGER[platform], state=State.PENDING, rev=1, nonce="a" * 32)
    somebody = "US.4" if platform is Platform.WHATSAPP else "4" * len(OWNER[platform])
    press = speaking(edge.press(contact).replaced(OWNER[platform], somebody), "de")
    response = edge.deliver(press)
    key = "only_the_owner" if platform not in {Platform.SLACK, Platform.WHATSAPP} else ""
    shown = json.dumps(body_of(response), ensure_ascii=False) + str(edge.calls_made) + str(edge.words())
    assert (shipped("de")[key] if key else "Only the owner can do this.") in shown


@EACH
def test_the_agent_is_told_the_language(edge: Edge, platform: Platform) -> None:
    """The platform's word at each message; where it says none, what is known of the person."""
    edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1, language="fr"))
    edge.deliver(speaking(load(HELLO[platform]), "pt-BR"))
    [handed] = edge.handed_off()
    assert handed["user"]["language"] == ("fr" if platform in {Platform.SLACK, Platform.WHATSAPP} else "pt-br")


@EACH
def test_an_owner_hears_who_waits_in_their_language(edge: Edge, platform: Platform) -> None:
    """What /door says is translated, its number and its name put in."""
    edge.put(Contact(platform=platform, user_id=OWNER[platform], state=State.PAIRED, rev=1, language="ru"))
    edge.deliver(load(HELLO[platform]))
    response = edge.deliver(speaking(load(DOOR[platform]), "ru"))
    said = json.dumps(body_of(response), ensure_ascii=False) + str(edge.words())
    assert "Ждут вашего ответа: 1." in said
    assert "Последний запрос: " in said
    assert webhooks.STRANGER[platform] in said
