"""The reference agent: one answer for what came together, in order, once, and an honest word at the end."""

import json
import time
from importlib import import_module
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError
from msgspec import UNSET

from doorcode.agent.bedrock import converse_with
from doorcode.agent.memory import ANSWERED_SECONDS, CONVERSATION_SECONDS, MAX_TURNS, Draft, Memory
from doorcode.entrypoints import agent as agent_module
from doorcode.pairing.contact import Contact, Platform, State
from doorcode.pairing.gate import Reason
from doorcode.pairing.hand_off import HandOff, Turn, hand_off
from doorcode.pairing.messages import ChatType, Message
from doorcode.pairing.texts import NOTHING_SAID, TOO_LONG
from tests.behind.harness import Behind, PatientSqs
from tests.behind.test_trouble import ShortOfTime
from tests.eventually import eventually
from tests.harness import T0
from tests.webhooks import HELLO, STRANGER, load

EACH = pytest.mark.parametrize("platform", list(Platform))
GREETING = "Hi there! How can I help you today?"


class Scripted:
    """A responder that notes what it is asked, and says or raises what it is told to."""

    def __init__(self, *answers: Any) -> None:
        """Give these answers, one after another, and then numbered ones."""
        self.asked: list[list[Turn]] = []
        self.answers = list(answers)

    def __call__(self, message: HandOff) -> tuple[str, ...]:
        """Answer, or fail, as scripted."""
        self.asked.append([*message.history, Turn("user", message.text)])
        answer = self.answers.pop(0) if self.answers else f"answer {len(self.asked)}"
        if isinstance(answer, Exception):
            raise answer
        return (str(answer),)


@pytest.fixture
def harness(behind: Behind) -> Behind:
    """Give a harness in which the strangers are paired."""
    for platform in Platform:
        behind.edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
    return behind


def says(harness: Behind, *answers: Any, **more: Any) -> Scripted:
    """Let the agent answer as scripted."""
    responder = Scripted(*answers)
    harness.agent._responders = lambda _: responder
    for name, value in more.items():
        setattr(harness.agent, f"_{name}", value)
    return responder


@EACH
def test_the_greeting(harness: Behind, platform: Platform) -> None:
    """By default the agent greets, where the message came from."""
    harness.hello(platform)
    harness.answer()
    assert GREETING in harness.heard(platform)[-1]
    assert harness.parked() == 0


@pytest.mark.parametrize(
    "name", ["telegram/private_sticker", "telegram/private_voice", "slack/message_im_file_share_no_text"]
)
def test_what_has_no_text(harness: Behind, name: str) -> None:
    """To what they cannot read, the agent as it comes and a model say so; the model is not asked."""
    event = load(name)
    for number, settings in enumerate(({}, {"AGENT": "bedrock", "AGENT_MODEL": "a.model-v1"})):
        harness.clients["bedrock-runtime"] = None  # type: ignore[assignment]
        harness.cold(**settings)
        harness.deliver(event.another(number))
        harness.answer()
        assert harness.heard(event.platform)[-1] == "I can only read text so far."
    assert len(harness.heard(event.platform)) == 2
    assert harness.parked() == 0


@pytest.mark.parametrize(
    ("name", "kind", "file"),
    [
        ("telegram/private_photo_with_caption", "photo", {"kind": "photo", "size": 112_233}),
        (
            "slack/message_im_file_share_no_text",
            "document",
            {"kind": "file", "name": "references.pdf", "media_type": "application/pdf", "size": 92_582},
        ),
    ],
)
def test_an_agent_of_ones_own_is_given_the_message(
    harness: Behind, name: str, kind: str, file: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``my_agent.respond`` gets who wrote, by their label and role, what was attached, and what was said before."""
    got: list[tuple[HandOff, Any]] = []

    def respond(message: HandOff, history: Any) -> list[str]:
        got.append((message, history))
        return [f"answer {len(got)}", "and more"]

    monkeypatch.setattr(import_module("my_agent"), "respond", respond)
    event = load(name)
    platform = event.platform
    harness.edge.put(
        Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=2, label="Alice of accounting")
    )
    harness.cold()
    for number in range(2):
        harness.deliver(event.another(number))
        harness.answer()
    # Several texts are several messages.
    assert harness.heard(platform) == ["answer 1", "and more", "answer 2", "and more"]
    (message, before), (again, history) = got
    assert (message.user.id, message.user.label, message.user.role) == (
        STRANGER[platform],
        "Alice of accounting",
        "user",
    )
    assert (message.admitted_by, message.chat, before, message.reply) == ("paired", "direct", (), UNSET)
    [said] = message.messages
    [attachment] = said.attachments
    assert said.kind == kind
    assert file.items() <= msgspec.to_builtins(attachment).items()
    assert attachment.id
    assert again.conversation == message.conversation
    assert again.id != message.id
    asked = Turn("user", said.text or f"[{kind}]")
    assert history == (asked, Turn("assistant", "answer 1\nand more"))


async def _soon(message: HandOff, history: Any) -> str:  # noqa: ARG001 (as my_agent has it)
    return "soon"


async def _one_by_one(message: HandOff, history: Any) -> Any:  # noqa: ARG001 (as my_agent has it)
    yield "one"
    yield " "
    yield "two"


@pytest.mark.parametrize(
    ("respond", "heard"),
    [
        (lambda _m, _h: None, []),
        (lambda _m, _h: "", []),
        (lambda _m, _h: ("a", "b"), ["a", "b"]),
        (_soon, ["soon"]),
        (_one_by_one, ["one", "two"]),
    ],
    ids=["none", "blank", "several", "async", "async generator"],
)
def test_what_an_agent_of_ones_own_may_return(
    harness: Behind, respond: Any, heard: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A text, several, or nothing: plain, async, one after another."""
    monkeypatch.setattr(import_module("my_agent"), "respond", respond)
    harness.cold()
    harness.hello(Platform.TELEGRAM)
    harness.answer()
    assert harness.heard(Platform.TELEGRAM) == heard
    assert harness.parked() == 0


def test_what_is_no_answer_is_told(
    harness: Behind, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What ``respond`` returns and cannot be said is named by its type in the log, never by what it holds."""
    monkeypatch.setattr(import_module("my_agent"), "respond", lambda _m, _h: {"text": "my secret words"})
    harness.cold()
    harness.agent.handle({"Records": [_queued(harness, Platform.TELEGRAM)]})
    assert "NoTextError at agent/python.py" in str([vars(record) for record in caplog.records])
    assert "my secret words" not in str([vars(record) for record in caplog.records])


def test_people_who_write_at_once_in_a_group_are_answered_one_by_one(harness: Behind) -> None:
    """An agent is told of one person at a time, whoever else's message came in the same batch."""
    responder = says(harness)
    first = _queued(harness, Platform.TELEGRAM)
    body = json.loads(first["body"])
    body["user"]["id"] = "424242"
    other = first | {
        "messageId": "another", "body": json.dumps(body),
        "attributes": first["attributes"] | {"MessageDeduplicationId": "another"},
    }  # fmt: skip
    assert harness.agent.handle({"Records": [first, other]}) == {"batchItemFailures": []}
    assert len(responder.asked) == 2


def test_typing_is_shown_for_as_long_as_it_takes(harness: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Telegram shows it for five seconds: it is shown again until there is an answer, and not after that."""
    monkeypatch.setattr(agent_module, "TYPING_SECONDS", 0.01)
    telegram = harness.stand_ins[Platform.TELEGRAM]

    def shown() -> int:
        return sum(call.name == "sendChatAction" for call in telegram.calls)

    def slow(_: HandOff) -> tuple[str]:
        eventually(lambda: shown() >= 3)
        return ("at last",)

    harness.agent._responders = lambda _: slow
    harness.hello(Platform.TELEGRAM)
    harness.answer()
    assert harness.heard(Platform.TELEGRAM) == ["at last"]
    assert [call.name for call in telegram.calls][-1] == "sendMessage"


@EACH
def test_what_came_together_is_answered_as_one(harness: Behind, platform: Platform) -> None:
    """A batch of one chat is one call of the responder, in the order of its messages, and one answer."""
    responder = says(harness)
    for number, text in enumerate(("one", "two", "three")):
        harness.deliver(load(HELLO[platform]).another(number).replaced("Hello, may I come in?", text))
    harness.answer()
    assert [[turn.text for turn in turns] for turns in responder.asked] == [["one\ntwo\nthree"]]
    assert sum("answer 1" in text for text in harness.heard(platform)) == 1
    if platform is Platform.DISCORD:
        # Each question there shows that an answer is on its way, until it gets one.
        assert sum("(answered below)" in text for text in harness.heard(platform)) == 2


@EACH
def test_the_same_delivery_is_answered_once(harness: Behind, platform: Platform) -> None:
    """Security 4: what the queue brings again within a day is not answered again."""
    responder = says(harness)
    message = _queued(harness, platform)
    for _ in range(3):
        assert harness.agent.handle({"Records": [message]}) == {"batchItemFailures": []}
    assert len(responder.asked) == 1
    sends = {"sendMessage", "chat.postMessage", "editOriginal", "messages"}
    assert len([call for call in harness.stand_ins[platform].calls if call.name in sends]) == 1


def test_the_answer_goes_into_the_topic(harness: Behind) -> None:
    """The agent answers where the message came from: in the thread or topic."""
    event = load("telegram/private_topic_message")
    thread = event.body["message"]["message_thread_id"]
    harness.stand_ins[Platform.TELEGRAM].open_chat(STRANGER[Platform.TELEGRAM], topics=(thread,))  # type: ignore[attr-defined]
    harness.deliver(event)
    harness.answer()
    shown = harness.stand_ins[Platform.TELEGRAM].in_chat(STRANGER[Platform.TELEGRAM])[-1].shown
    assert shown["message_thread_id"] == thread


def test_typing_is_shown(harness: Behind) -> None:
    """Where the platform has it, the agent shows that an answer is on its way; trouble with that changes nothing."""
    telegram = harness.stand_ins[Platform.TELEGRAM]
    telegram.inject(status=500, name="sendChatAction")
    harness.hello(Platform.TELEGRAM)
    harness.answer()
    assert telegram.named("sendChatAction")
    assert harness.heard(Platform.TELEGRAM) == [GREETING]


def test_a_model_that_fails_is_asked_again(harness: Behind) -> None:
    """A failure comes again with the whole chat, later, and the answer then is one."""
    responder = says(harness, RuntimeError("model"), "at last")
    harness.hello(Platform.TELEGRAM)
    harness.answer()
    assert len(responder.asked) == 2
    assert harness.heard(Platform.TELEGRAM) == ["at last"]
    assert harness.clients["sqs"].delays == [2]


def test_one_chat_s_trouble_is_not_another_s(harness: Behind) -> None:
    """Two chats of one batch: one fails and comes again whole, the other is answered and does not."""
    records = [_queued(harness, Platform.TELEGRAM), _queued(harness, Platform.SLACK)]
    harness.stand_ins[Platform.TELEGRAM].inject(status=500, name="sendMessage")
    failures = harness.agent.handle({"Records": records})["batchItemFailures"]
    assert failures == [{"itemIdentifier": records[0]["messageId"]}]
    assert harness.heard(Platform.SLACK) == [GREETING]


def test_a_429_is_waited_for(harness: Behind) -> None:
    """A platform that asks to wait is waited for exactly as long."""
    harness.stand_ins[Platform.TELEGRAM].inject(status=429, delay=17, name="sendMessage")
    harness.hello(Platform.TELEGRAM)
    harness.answer()
    assert harness.clients["sqs"].delays == [17]
    assert harness.heard(Platform.TELEGRAM) == [GREETING]


def test_a_long_answer_goes_on_where_it_stopped(harness: Behind) -> None:
    """When sending stops after the first part, the next try sends the same answer's rest, and asks nobody again."""
    text = " ".join(f"word{number}" for number in range(1200))
    responder = says(harness, text)
    telegram = harness.stand_ins[Platform.TELEGRAM]
    harness.hello(Platform.TELEGRAM)
    fault = telegram.inject(status=500, name="sendMessage", times=0)
    first = telegram._do

    def fail_after_one(routed: Any) -> Any:
        answer = first(routed)
        if (
            routed.name == "sendMessage"
            and fault.times == 0
            and len(telegram.in_chat(STRANGER[Platform.TELEGRAM])) == 1
        ):
            fault.times = 1
        return answer

    telegram._do = fail_after_one
    harness.answer()
    heard = harness.heard(Platform.TELEGRAM)
    assert len(responder.asked) == 1
    assert " ".join(heard).split() == text.split()


def test_when_it_finally_fails_the_person_is_told(
    harness: Behind, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """After a quarter of an hour the person gets an honest word, the message is parked, and the chat goes on."""
    monkeypatch.setattr(agent_module, "GIVEN_UP_AFTER_SECONDS", 0)
    says(harness, RuntimeError("no model"))
    harness.hello(Platform.TELEGRAM)
    harness.answer()
    assert harness.heard(Platform.TELEGRAM) == ["Sorry, I could not answer that. Please try again later."]
    assert harness.parked() == 1
    assert any(getattr(record, "reason", "") == "unanswered" for record in caplog.records)
    harness.hello(Platform.TELEGRAM, 1)
    harness.answer()
    assert harness.heard(Platform.TELEGRAM)[-1] == "answer 2"


def test_giving_up_with_the_platform_down_ends_too(harness: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    """When not even the honest word can be said, the message is parked all the same."""
    monkeypatch.setattr(agent_module, "GIVEN_UP_AFTER_SECONDS", 0)
    harness.stand_ins[Platform.TELEGRAM].inject(status=500, times=1 << 30)
    harness.hello(Platform.TELEGRAM)
    harness.answer()
    assert harness.parked() == 1


def test_a_person_who_left_is_not_tried_for_ever(harness: Behind, caplog: pytest.LogCaptureFixture) -> None:
    """A refusal that will not change puts the message aside, with its reason, and does not mark it as answered."""
    responder = says(harness)
    harness.stand_ins[Platform.TELEGRAM].block(STRANGER[Platform.TELEGRAM])  # type: ignore[attr-defined]
    record = _queued(harness, Platform.TELEGRAM)
    assert harness.agent.handle({"Records": [record]}) == {"batchItemFailures": []}
    assert harness.parked() == 1
    [logged] = [one for one in caplog.records if getattr(one, "parked", "")]
    assert (logged.levelname, logged.reason) == ("ERROR", "platform_refused")  # type: ignore[attr-defined]
    assert "403" in logged.getMessage()
    # Sent again after they are back, it is answered, with what was said then.
    harness.stand_ins[Platform.TELEGRAM].block(STRANGER[Platform.TELEGRAM], blocked=False)  # type: ignore[attr-defined]
    harness.agent.handle({"Records": [record]})
    assert harness.heard(Platform.TELEGRAM) == ["answer 1"]
    assert len(responder.asked) == 1


@pytest.mark.parametrize(
    "body",
    ["{", "[]", '{"version":2}', '{"version":1,"platform":"whatsapp","user_id":"1","text":"","reply":{}}', "null"],
)
def test_a_poisoned_message_is_parked_alone(harness: Behind, body: str) -> None:
    """What cannot be read is parked, and the same chat's next message is answered."""
    good = _queued(harness, Platform.TELEGRAM)
    bad = good | {
        "messageId": "bad",
        "body": body,
        "attributes": good["attributes"] | {"MessageDeduplicationId": "bad"},
    }
    assert harness.agent.handle({"Records": [bad, good]}) == {"batchItemFailures": []}
    assert harness.parked() == 1
    assert harness.heard(Platform.TELEGRAM) == [GREETING]


def test_of_a_version_to_come(harness: Behind) -> None:
    """A complete message of a version to come is parked, not guessed at."""
    good = _queued(harness, Platform.TELEGRAM)
    body = json.dumps(json.loads(good["body"]) | {"version": 3})
    harness.agent.handle({"Records": [good | {"body": body}]})
    assert harness.parked() == 1
    assert harness.heard(Platform.TELEGRAM) == []


def test_debounce_hands_the_first_message_back(harness: Behind) -> None:
    """With a window, a chat's first message is hidden for the rest of it, and comes with what follows as one."""
    responder = says(harness, debounce=30)
    first = _queued(harness, Platform.TELEGRAM)
    sent = int(first["attributes"]["SentTimestamp"]) // 1000
    harness.agent._clock = lambda: sent + 12
    result = harness.agent.handle({"Records": [first]})
    assert result == {"batchItemFailures": [{"itemIdentifier": first["messageId"]}]}
    assert harness.clients["sqs"].delays == [18]
    again = first | {"attributes": first["attributes"] | {"ApproximateReceiveCount": "2"}}
    second = _queued(harness, Platform.TELEGRAM, 1)
    harness.agent.handle({"Records": [again, second]})
    assert len(responder.asked) == 1
    assert len(harness.heard(Platform.TELEGRAM)) == 1


def test_messages_after_the_window_are_answered_at_once(harness: Behind) -> None:
    """A message that waited longer than the window is not handed back."""
    responder = says(harness, debounce=5)
    record = _queued(harness, Platform.TELEGRAM)
    sent = str((int(time.time()) - 6) * 1000)
    harness.agent.handle({"Records": [record | {"attributes": record["attributes"] | {"SentTimestamp": sent}}]})
    assert len(responder.asked) == 1


@pytest.mark.parametrize("ahead", [1, 7200])
def test_a_queue_s_clock_that_is_ahead(harness: Behind, ahead: int) -> None:
    """However far SQS's clock is ahead, nobody waits without a window, and never longer than it."""
    responder = says(harness, debounce=0)
    record = _queued(harness, Platform.TELEGRAM)
    sent = str((harness.now() + ahead) * 1000)
    record = record | {"attributes": record["attributes"] | {"SentTimestamp": sent}}
    assert harness.agent.handle({"Records": [record]}) == {"batchItemFailures": []}
    assert len(responder.asked) == 1
    harness.agent._debounce = 5
    again = _queued(harness, Platform.SLACK)
    harness.agent.handle({"Records": [again | {"attributes": again["attributes"] | {"SentTimestamp": sent}}]})
    assert harness.clients["sqs"].delays == [5]


def test_a_conversation_is_remembered(harness: Behind) -> None:
    """With a model, the last turns of a chat are given again, oldest first, and another chat's are not."""
    responder = says(harness)
    for number in range(2):
        harness.hello(Platform.TELEGRAM, number)
        harness.answer()
    harness.hello(Platform.SLACK)
    harness.answer()
    assert [len(turns) for turns in responder.asked] == [1, 3, 1]
    assert [turn.role for turn in responder.asked[1]] == ["user", "assistant", "user"]


def test_a_bedrock_model_is_asked_with_its_instructions(harness: Behind) -> None:
    """With AGENT bedrock, Bedrock's Converse is called with that model, the instructions and the turns."""
    asked: list[dict[str, Any]] = []

    class Bedrock:
        def converse(self, **kwargs: Any) -> Any:
            """Note the call, and answer as the service does."""
            asked.append(kwargs)
            return {"output": {"message": {"content": [{"text": "Good day."}, {"reasoningContent": {}}]}}}

    harness.clients["bedrock-runtime"] = Bedrock()  # type: ignore[assignment]
    harness.edge.put_secret("agent/instructions", "Be brief.")
    harness.cold(AGENT="bedrock", AGENT_MODEL="a.model-v1")
    harness.hello(Platform.TELEGRAM)
    harness.answer()
    assert harness.heard(Platform.TELEGRAM) == ["Good day."]
    [call] = asked
    assert (call["modelId"], call["system"]) == ("a.model-v1", [{"text": "Be brief."}])
    assert call["messages"] == [{"role": "user", "content": [{"text": "Hello, may I come in?"}]}]
    harness.edge.ssm.delete_parameter(Name="/doorcode/test/agent/instructions")
    harness.cold()
    harness.hello(Platform.TELEGRAM, 1)
    harness.answer()
    assert "system" not in asked[1]
    assert [message["role"] for message in asked[1]["messages"]] == ["user", "assistant", "user"]


class Narrow:
    """A model that takes so many characters, and refuses more in the words of one of its makers."""

    def __init__(self, takes: int, words: str, code: str = "ValidationException") -> None:
        """Take ``takes`` characters in all."""
        self.asked: list[list[str]] = []
        self.takes = takes
        self._error = {"Error": {"Code": code, "Message": words}}

    def converse(self, **kwargs: Any) -> Any:
        """Answer as the service does."""
        texts = [message["content"][0]["text"] for message in kwargs["messages"]]
        self.asked.append(texts)
        if sum(map(len, texts)) > self.takes:
            raise ClientError(self._error, "Converse")
        return {"output": {"message": {"content": [{"text": "All right."}]}}}


# As people have reported them of Anthropic's, Amazon's, Meta's, Cohere's and Titan's models there.
WORDS = (
    "Input is too long for requested model.",
    "The model returned the following errors: prompt is too long: 200049 tokens > 200000 maximum",
    "The model returned the following errors: input length and `max_tokens` exceed context limit: 188059 + 20000 > 200000",
    "Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again.",
    "This model's maximum context length is 8192 tokens. Please reduce the length of the prompt",
    "400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 9279",
    "Malformed input request: expected maxLength: 50000, actual: 52611, please reformat your input and try again.",
)


def narrow(harness: Behind, takes: int, words: str, code: str = "ValidationException") -> Narrow:
    """Have the agent ask a model that takes only so much, in a chat with ten long exchanges behind it."""
    model = Narrow(takes, words, code)
    harness.clients["bedrock-runtime"] = model  # type: ignore[assignment]
    harness.cold(AGENT="bedrock", AGENT_MODEL="a.model-v1")
    turns = [Turn(("user", "assistant")[number % 2], f"{number:04}" * 100) for number in range(MAX_TURNS)]
    harness.agent._memory.keep_turns(_chat(harness), turns, harness.now())
    return model


def _chat(harness: Behind) -> str:
    harness.hello(Platform.TELEGRAM)
    url = harness.environment["AGENT_QUEUE_URL"]
    [message] = harness.edge.sqs.receive_message(QueueUrl=url, AttributeNames=["All"], VisibilityTimeout=0)["Messages"]
    return str(message["Attributes"]["MessageGroupId"])


@pytest.mark.parametrize("words", WORDS)
def test_more_than_the_model_takes(harness: Behind, words: str) -> None:
    """A conversation that a model finds too long is asked again with its later half, and what fitted is kept."""
    model = narrow(harness, 3000, words)
    harness.answer()
    assert [len(texts) for texts in model.asked] == [21, 11, 5]
    assert model.asked[-1][-2:] == ["0019" * 100, "Hello, may I come in?"]
    assert harness.heard(Platform.TELEGRAM) == ["All right."]
    harness.hello(Platform.TELEGRAM, 1)
    harness.answer()
    assert len(model.asked[-1]) == 7
    assert len(model.asked) == 4
    assert harness.parked() == 0


def test_a_message_that_is_too_long_on_its_own(harness: Behind) -> None:
    """It gets an honest answer and is not tried for ever, and the chat goes on as before."""
    model = narrow(harness, 10, WORDS[0])
    harness.answer()
    assert [len(texts) for texts in model.asked] == [21, 11, 5, 3, 1]
    assert harness.heard(Platform.TELEGRAM) == [TOO_LONG]
    assert harness.parked() == 0
    model.takes = 100_000
    harness.hello(Platform.TELEGRAM, 1)
    harness.answer()
    assert len(model.asked[-1]) == 21


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("ValidationException", "The provided model identifier is invalid."),
        ("ValidationException", "The maximum tokens you requested exceeds the model limit of 512."),
        ("ThrottlingException", "Too many tokens, please wait before trying again."),
    ],
)
def test_what_is_no_matter_of_length(harness: Behind, code: str, words: str) -> None:
    """What fewer turns would not mend is tried again as it is, later."""
    model = narrow(harness, 10, words, code)
    message = harness.edge.sqs.receive_message(QueueUrl=harness.environment["AGENT_QUEUE_URL"], AttributeNames=["All"])
    [received] = message["Messages"]
    record = {
        "messageId": received["MessageId"], "receiptHandle": received["ReceiptHandle"], "body": received["Body"],
        "attributes": received["Attributes"],
    }  # fmt: skip
    assert harness.agent.handle({"Records": [record]})["batchItemFailures"]
    assert [len(texts) for texts in model.asked] == [21]


def test_a_model_that_says_nothing() -> None:
    """An empty answer becomes a sentence, for a platform sends nothing empty."""

    class Silent:
        def converse(self, **_: Any) -> Any:
            """Say nothing."""
            return {"output": {"message": {"content": []}}}

    handed = hand_off(
        Message(
            platform=Platform.TELEGRAM,
            user_id="1",
            delivery_id="1",
            chat_type=ChatType.DIRECT,
            chat="1",
            text="hello",
            reply="{}",
        ),
        Reason.PAIRED,
        "",
    )
    assert converse_with(Silent(), "m", lambda: "")(handed) == (NOTHING_SAID,)


def test_one_refusal_does_not_swallow_the_answer(harness: Behind) -> None:
    """When one of several questions cannot be answered any more, the last one still is."""
    discord = harness.stand_ins[Platform.DISCORD]
    says(harness, "the answer")
    for number in range(2):
        harness.hello(Platform.DISCORD, number)
    first = discord.messages[next(iter(discord.messages))]
    del discord.messages[(first.chat, first.id)]
    harness.answer()
    assert "the answer" in harness.heard(Platform.DISCORD)[-1]


def test_an_old_message_takes_no_fresh_one_along(harness: Behind) -> None:
    """When a chat is given up on, only what waited too long is; what just came is tried again."""
    says(harness, RuntimeError("model"))
    old, fresh = _queued(harness, Platform.TELEGRAM), _queued(harness, Platform.TELEGRAM, 1)
    sent = str((int(time.time()) - 901) * 1000)
    old = old | {"attributes": old["attributes"] | {"SentTimestamp": sent}}
    failures = harness.agent.handle({"Records": [old, fresh]})["batchItemFailures"]
    assert failures == [{"itemIdentifier": fresh["messageId"]}]
    assert harness.parked() == 1


def test_what_joins_a_half_sent_answer_gets_its_own(harness: Behind) -> None:
    """A message that comes while an answer is half sent does not start it anew: the answer is finished, then the next."""
    text = " ".join(f"word{number}" for number in range(1200))
    responder = says(harness, "an answer of its own")
    first = _queued(harness, Platform.TELEGRAM)
    harness.agent._memory.keep_draft(first["attributes"]["MessageDeduplicationId"], Draft((text,), 1, 1), harness.now())
    harness.agent.handle({"Records": [first]})
    heard = harness.heard(Platform.TELEGRAM)
    assert heard[-1].endswith("word1199")
    assert len(responder.asked) == 0
    assert not any(part.startswith("word0 ") for part in heard)
    draft = Draft(("half of it",), 0, 1)
    second, third = _queued(harness, Platform.TELEGRAM, 1), _queued(harness, Platform.TELEGRAM, 2)
    harness.agent._memory.keep_draft(second["attributes"]["MessageDeduplicationId"], draft, harness.now())
    harness.agent.handle({"Records": [second, third]})
    assert harness.heard(Platform.TELEGRAM)[-2:] == ["half of it", "an answer of its own"]


def test_a_queue_that_does_not_answer_fails_only_that_chat(harness: Behind) -> None:
    """When a message cannot be handed back, it is reported all the same, and the next chat is answered."""
    records = [_queued(harness, Platform.TELEGRAM), _queued(harness, Platform.SLACK)]

    def reset(**_: Any) -> None:
        raise ConnectionResetError

    harness.clients["sqs"].change_message_visibility = reset
    harness.stand_ins[Platform.TELEGRAM].inject(status=500, name="sendMessage")
    failures = harness.agent.handle({"Records": records})["batchItemFailures"]
    assert failures == [{"itemIdentifier": records[0]["messageId"]}]
    assert harness.heard(Platform.SLACK) == [GREETING]


def test_parking_that_fails_loses_nothing(harness: Behind) -> None:
    """When not even the dead-letter queue answers, the messages come again."""
    says(harness, RuntimeError("model"))
    record = _queued(harness, Platform.TELEGRAM)
    old = record | {"attributes": record["attributes"] | {"SentTimestamp": "0"}}

    def reset(**_: Any) -> None:
        raise ConnectionResetError

    harness.clients["sqs"].send_message = reset
    failures = harness.agent.handle({"Records": [old]})["batchItemFailures"]
    assert failures == [{"itemIdentifier": record["messageId"]}]


def test_without_time_no_chat_is_begun(harness: Behind) -> None:
    """An invocation that runs out of time hands the other chats back at once."""
    responder = says(harness)
    record = _queued(harness, Platform.TELEGRAM)
    result = harness.agent.handle({"Records": [record]}, ShortOfTime(60_000))
    assert result == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
    assert responder.asked == []


def test_long_conversations_fit_into_an_item(harness: Behind) -> None:
    """A chat of long messages keeps as many exchanges as fit into an item, and begins with the person."""
    memory = Memory(harness.edge.dynamodb, "agent")
    turns = [Turn(("user", "assistant")[number % 2], "x" * 39_000) for number in range(20)]
    memory.keep_turns("c", turns, T0)
    kept = memory.turns("c", T0)
    assert 2 <= len(kept) < 20
    assert kept[0].role == "user"


def test_memory_ends(harness: Behind) -> None:
    """What the agent remembers ends by time, whether or not TTL has deleted it; only the last turns are kept."""
    memory = Memory(harness.edge.dynamodb, "agent")
    memory.note_answered("d", T0)
    assert memory.was_answered("d", T0 + ANSWERED_SECONDS - 1)
    assert not memory.was_answered("d", T0 + ANSWERED_SECONDS)
    memory.keep_turns("c", [Turn(("user", "assistant")[number % 2], str(number)) for number in range(51)], T0)
    # The oldest that fits would be an answer to nothing.
    assert [turn.text for turn in memory.turns("c", T0)] == [str(number) for number in range(52 - MAX_TURNS, 51)]
    memory.keep_turns("c", [Turn("user", "a"), Turn("user", "b"), Turn("assistant", "c"), Turn("assistant", "d")], T0)
    assert memory.turns("c", T0) == [Turn("user", "a\nb"), Turn("assistant", "c\nd")]
    assert memory.turns("c", T0 + CONVERSATION_SECONDS) == []


def _queued(harness: Behind, platform: Platform, number: int = 0) -> dict[str, Any]:
    """Take one handed-off message out of the queue, as Lambda would give it."""
    harness.hello(platform, number)
    url = harness.environment["AGENT_QUEUE_URL"]
    [message] = harness.edge.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=1, AttributeNames=["All"])[
        "Messages"
    ]
    harness.edge.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    # A handle of its own, so that handing back is a call like any other.
    sqs = harness.clients["sqs"]
    assert isinstance(sqs, PatientSqs)
    sqs.change_message_visibility = lambda **kwargs: sqs.delays.append(kwargs["VisibilityTimeout"])
    return {
        "messageId": message["MessageId"], "receiptHandle": message["ReceiptHandle"], "body": message["Body"],
        "attributes": message["Attributes"],
    }  # fmt: skip
