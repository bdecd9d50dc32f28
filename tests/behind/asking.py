"""What tests of questions share: somebody who asks, owners who press, and what stands in their chats."""

import json
from typing import Any

from doorcode.asking.order import Asker, QuestionOrder
from doorcode.asking.question import Question
from doorcode.aws.question_store import QuestionStore
from doorcode.aws.table import Table
from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import Keyring
from doorcode.pairing.reply_address import ReplyAddress, seal
from doorcode.pairing.settings import parse_settings
from tests import webhooks
from tests.behind.harness import OWNER_CHANNEL, Behind
from tests.edge.harness import GATEWAY, TABLE
from tests.webhooks import OWNER, STRANGER, Delivery

ASKER = Asker(id="tok1", label="token ci")
PRESS = {
    Platform.TELEGRAM: "telegram/callback_query_question",
    Platform.SLACK: "slack/block_actions_question",
    Platform.DISCORD: "discord/component_question_dm",
    Platform.WHATSAPP: "whatsapp/button_approve",
}
WHY = {
    Platform.TELEGRAM: "telegram/private_reply_to_question",
    Platform.SLACK: "slack/block_actions_question_why",
    Platform.DISCORD: "discord/modal_question_why",
}
# What every prompt says, of a question and of a request.
PROMPTS = ("asks before doing this", "wants to chat")
_count = iter(range(1, 10_000))


def store_of(behind: Behind) -> QuestionStore:
    """Give the store, as the web function has it."""
    client = behind.edge.dynamodb
    return QuestionStore(
        Table(client, TABLE), Table(client, "agent"), parse_settings(behind.environment | behind.settings)
    )


def ask(behind: Behind, title: str = "Delete 3 files?", *, asker: Asker = ASKER, **order: Any) -> Question:
    """Ask, as a program with a token does."""
    question, _ = store_of(behind).ask(QuestionOrder(title=title, **order), asker, behind.now())
    return question


def use(behind: Behind, question: Question) -> Question:
    """Use an approval."""
    return store_of(behind).use(question.id, ASKER.id, behind.now(), digest=question.digest)


def reply_to(platform: Platform, now: int) -> str:
    """Give a sealed address of the stranger's conversation."""
    return seal(
        ReplyAddress(
            platform=platform, user_id=STRANGER[platform], conversation=f"{platform}#chat#", reply='{"chat_id":987654321}',
            delivery=f"{platform}#1", issued_at=now,
        ),
        Keyring(GATEWAY.secrets),
    )  # fmt: skip


def buttons(behind: Behind, platform: Platform) -> dict[str, str]:
    """Return what can be pressed in the owner's chat, by its words: the data of the newest prompt's buttons."""
    found: dict[str, str] = {}
    stack: list[Any] = [newest(behind, platform).shown]
    while stack:
        one = stack.pop()
        if isinstance(one, list):
            stack += one
        elif isinstance(one, dict):
            label = one.get("label") or one.get("title") or one.get("text")
            label = label.get("text") if isinstance(label, dict) else label
            data = [one.get(name) for name in ("callback_data", "value", "custom_id", "block_id", "url", "id")]
            carried = next((value for value in data if isinstance(value, str) and value), "")
            if carried and isinstance(label, str):
                found[label] = carried
            stack += list(one.values())
    return found


def pressing(platform: Platform, data: str, *, by: str = "", at: str = "") -> Delivery:
    """Give the owner's press of a button with that data, or somebody else's, as another delivery each time.

    ``at`` is the id of the message where it stands.
    """
    event = webhooks.load(PRESS[platform])
    event = event.replaced(event.expect["callback"], data).replaced("ask_approve", f"ask_{data.split(':')[1]}")
    if at:
        body = event.body
        body.get("callback_query", body).get("message", {}).update({"message_id": int(float(at)), "id": at})
        body.get("container", {}).update({"message_ts": at})
    return (event.replaced(OWNER[platform], by) if by else event).another(next(_count))


def saying_why(platform: Platform, data: str, reason: str) -> Delivery:
    """Give the owner's reason, in the way of the platform."""
    event = webhooks.load(WHY[platform])
    return event.replaced(event.expect["callback"], data).replaced(event.expect["said"], reason).another(next(_count))


def press(behind: Behind, platform: Platform, data: str, *, by: str = "", at: str = "") -> str:
    """Press, and return what the presser alone is told."""
    delivery = pressing(platform, data, by=by, at=at)
    if platform is Platform.WHATSAPP:
        return _told_later(behind, delivery, by or OWNER[platform])
    return told(behind, delivery)


def told(behind: Behind, delivery: Delivery) -> str:
    """Deliver a press, and return what the presser alone is told in answer."""
    before = len(behind.edge.calls_made)
    response = behind.deliver(delivery)
    assert response["statusCode"] == 200
    texts = [json.loads(call.body)["text"] for call in behind.edge.calls_made[before:]]
    body = json.loads(response["body"]) if response.get("body") else {}
    texts += [body["text"]] if "text" in body else []
    texts += [body["data"]["content"]] if "content" in body.get("data", {}) else []
    return " ".join(texts)


def _told_later(behind: Behind, delivery: Delivery, to: str) -> str:
    """Press where nothing in the response is shown, and return what is said to the presser by messages of its own."""
    heard = behind.stand_ins[Platform.WHATSAPP].in_chat
    before = len(heard(to))
    assert behind.deliver(delivery)["statusCode"] == 200
    behind.settle()
    return " ".join(json.dumps(message.shown, ensure_ascii=False) for message in heard(to)[before:])


def newest(behind: Behind, platform: Platform) -> Any:
    """Return the owner's newest prompt there, of a question or a request: not what was only said to them."""
    messages = behind.stand_ins[platform].in_chat(OWNER_CHANNEL[platform])
    return [one for one in messages if any(sign in json.dumps(one.shown, ensure_ascii=False) for sign in PROMPTS)][-1]


def said(behind: Behind, platform: Platform) -> str:
    """Return what the owner's newest prompt there says, as one text."""
    return json.dumps(newest(behind, platform).shown, ensure_ascii=False)
