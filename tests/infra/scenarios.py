"""What each function is brought to do, so that every call that it can make of AWS is made."""

import io
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from msgspec.structs import replace

from doorcode.asking.buttons import AskAction, sign_button
from doorcode.asking.order import Asker
from doorcode.asking.question import Question, Resume, ResumeKind
from doorcode.aws import question_store
from doorcode.aws.items import OWNERS
from doorcode.aws.lockout import Lockout
from doorcode.aws.sign_ins import SignIns
from doorcode.aws.table import Table
from doorcode.aws.tickets import Tickets
from doorcode.aws.tokens import Tokens
from doorcode.entrypoints import agent as agent_module
from doorcode.entrypoints import large_request
from doorcode.entrypoints import provision as provision_module
from doorcode.entrypoints.admin import Admin
from doorcode.entrypoints.agent import Agent
from doorcode.entrypoints.asking.courier import QuestionCourier
from doorcode.entrypoints.courier import Courier
from doorcode.entrypoints.effects import EffectsConsumer
from doorcode.entrypoints.relay import Relay
from doorcode.entrypoints.webhook import Door
from doorcode.pairing.access import Scope
from doorcode.pairing.agents import ARN_EXAMPLES
from doorcode.pairing.callbacks import Action
from doorcode.pairing.contact import Contact, ContactRole, Platform, State
from doorcode.pairing.keyring import key_id
from doorcode.pairing.reply_address import ReplyAddress, seal
from doorcode.pairing.tickets import InviteOrder
from doorcode.pairing.transitions import Operation
from doorcode.web.surface import Web
from doorcode.wiring import admin as admin_wiring
from doorcode.wiring import sdk
from doorcode.wiring import web as web_wiring
from doorcode.wiring.provision import connect_to_parameter_store
from tests.backends import in_process
from tests.behind.asking import WHY, ask, pressing, saying_why
from tests.behind.harness import Behind, standing_ins
from tests.edge.harness import ALL_OWNERS, CALLBACKS, GATEWAY, PREFIX, Edge
from tests.edge.loopback_bot import loopback_bot
from tests.harness import COOLDOWN, RecordingClient
from tests.infra.calls import Names, Recorder, in_terms_of_iam
from tests.infra.iam import MADE_HERE, MODEL, environments
from tests.infra.policy import Call
from tests.web.gateway import request_event
from tests.webhooks import DOOR, HELLO, OWNER, STRANGER, load, value_of

NOBODY = {
    Platform.TELEGRAM: "555",
    Platform.SLACK: "U0NOBODY00",
    Platform.DISCORD: "555000000000000555",
    Platform.WHATSAPP: "US.555",
}
CLAIM_OF_NOBODY = "AAAABBBBCCCCDDDD"

# What both kinds of agent can read that are elsewhere.
SAID_ELSEWHERE = b'{"text": "Good day.", "choices": [{"message": {"content": "Good day."}}]}'

Calls = dict[str, list[Call]]
Scenario = Callable[[Behind, Recorder, pytest.MonkeyPatch], None]


def at_the_edge(platform: Platform) -> Scenario:
    """Return what happens at one platform's webhook."""

    def scenario(harness: Behind, _: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
        # A request, the same delivery again, another one within the cooldown, and a press of somebody else's.
        # What is written is kept.
        for number in (0, 0, 1):
            harness.edge.deliver(load(HELLO[platform]).another(number), harness.now(), FIRST_MESSAGE="keep")
        stranger_s = harness.edge.press(harness.edge.contact(platform)).replaced(OWNER[platform], STRANGER[platform])
        harness.edge.deliver(stranger_s)

        # A full room: the overdue request is expired for the next one's seat.
        harness.edge.clear()
        harness.edge.put(_overdue(harness, platform), seat_until=harness.now() - 1)
        harness.edge.deliver(load(HELLO[platform]), harness.now(), MAX_PENDING="1")
        assert harness.edge.contact(platform, "1").state is State.EXPIRED

        # A full room: seats whose holder is gone, or waits no more, are freed for the next one.
        for holder in (None, replace(_overdue(harness, platform), state=State.DENIED, rev=2, seat="")):
            harness.edge.clear()
            harness.edge.put(_overdue(harness, platform), seat_until=harness.now() - 1)
            _forget_contact(harness, platform, "1")
            if holder:
                harness.edge.put(holder)
            harness.edge.deliver(load(HELLO[platform]), harness.now(), MAX_PENDING="1")
            assert harness.edge.contact(platform).state is State.PENDING

        # Every decision, about people of every platform, whose keys alone differ; each edge pairs them in its own way.
        decisions = ((Action.APPROVE, State.PAIRED), (Action.DENY, State.DENIED), (Action.BLOCK, State.BLOCKED))
        for number, about in enumerate(Platform, start=list(Platform).index(platform)):
            action, state = decisions[number % len(decisions)]
            harness.edge.clear()
            harness.edge.deliver(harness.edge.press(harness.hello(about), action, on=platform), harness.now())
            assert harness.edge.contact(about).state is state

        # Messages that are let in: of somebody paired, and of a stranger within his budget and beyond it.
        harness.edge.clear()
        harness.edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
        harness.deliver(load(HELLO[platform]))
        harness.edge.clear()
        for number in range(2):
            message = load(HELLO[platform]).another(number)
            harness.edge.deliver(message, harness.now(), UNKNOWN_USER_POLICY="allow", MESSAGE_BUDGET="1")
        if platform is Platform.TELEGRAM:
            # Who is mentioned in a group has to be known.
            harness.edge.deliver(load("telegram/group_mention"), harness.now(), GROUP_POLICY="mention_only")

        if platform is Platform.WHATSAPP:
            _in_two_goes(harness, monkeypatch)

        # An owner asks who waits.
        harness.edge.clear()
        harness.hello(platform)
        harness.edge.deliver(load(DOOR[platform]), harness.now(), WEB_URL="https://door.example/owner")

        _press_under_questions(harness, platform)

        # A wrong claim, counted; a right one and an invite, used up; and who is asked where the setting names nobody.
        harness.edge.clear()
        tickets = Tickets(Table(harness.edge.dynamodb, harness.environment["TABLE_NAME"]))
        claim = tickets.claim("", "alice", harness.now())[0]
        invite = tickets.invite(InviteOrder(), "alice", harness.now())[0]
        hello = load(HELLO[platform])
        for number, (text, who) in enumerate(
            ((CLAIM_OF_NOBODY, STRANGER), (invite, STRANGER), (claim, OWNER), (hello.expect["text"], NOBODY))
        ):
            sent = (
                hello.replaced(hello.expect["text"], text).replaced(STRANGER[platform], who[platform]).another(number)
            )
            harness.edge.deliver(sent, harness.now(), OWNER_USER_IDS="")
        assert harness.edge.contact(platform).state is State.PAIRED
        assert harness.edge.contact(platform, OWNER[platform]).role == ContactRole.OWNER
        assert harness.edge.contact(platform, NOBODY[platform]).state is State.PENDING

    return scenario


def _press_under_questions(harness: Behind, platform: Platform) -> None:
    """Have an owner by claim deny some, say why, and press once more when it is too late."""
    harness.edge.clear()
    owner = {"pk": {"S": "owners"}, "sk": {"S": "owners"}, "people": {"SS": [f"{platform}:{OWNER[platform]}"]}}
    harness.edge.dynamodb.put_item(TableName=harness.environment["TABLE_NAME"], Item=owner)

    def press(action: AskAction, question: Question) -> None:
        data = sign_button(action, question.id, question.digest, CALLBACKS)
        said = saying_why(platform, data, "No.") if action is AskAction.WHY else pressing(platform, data)
        harness.edge.deliver(said, harness.now(), OWNER_USER_IDS="")

    for number in range(3):
        question = ask(harness, f"{number}?")
        # The last one is too late.
        for action in (AskAction.DENY, AskAction.WHY, AskAction.APPROVE):
            if action is not AskAction.WHY or platform in WHY:
                press(action, question)


def _in_two_goes(harness: Behind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send two messages at once, for which there is no time, and all of it again."""
    both = load(HELLO[Platform.WHATSAPP])
    value_of(both.body)["messages"] += value_of(both.another(7).body)["messages"]
    with monkeypatch.context() as patch:
        patch.setattr(large_request, "SECONDS", 0)
        assert harness.edge.deliver(both, harness.now())["statusCode"] == 503
    assert harness.edge.deliver(both, harness.now())["statusCode"] == 200


def making_secrets(harness: Behind, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deploy with no secret there, again with all there, and take the stack down."""
    answers: list[str] = []
    monkeypatch.setattr(provision_module, "_answer", lambda _event, failure, _pause: answers.append(failure))
    monkeypatch.setenv("PARAMETER_PREFIX", PREFIX)
    for name in MADE_HERE:
        harness.edge.ssm.delete_parameters(Names=[f"{PREFIX}/{name}"])
    for kind in ("Create", "Update", "Delete"):
        with recorder.at_work("provision"):
            provision_module.provision({"RequestType": kind}, connect_to_parameter_store)
    assert answers == ["", "", ""]


def relaying(harness: Behind, _: Recorder, __: pytest.MonkeyPatch) -> None:
    """Copy moves of everybody into the effects queue."""
    for platform in Platform:
        harness.hello(platform)
    assert harness.relay_once()


def following(harness: Behind, _: Recorder, __: pytest.MonkeyPatch) -> None:
    """Ask, name, close, tell, publish; ask anew, give up on an owner, sweep, tell of a full room; hand back and park."""
    harness.cold(FIRST_MESSAGE="show")
    for platform in Platform:
        # Asked, asked again after the cooldown, and decided: what was written is shown, handed on and forgotten.
        harness.hello(platform)
        harness.settle()
        harness.hello(platform, 1, harness.now() + COOLDOWN)
        harness.settle()
        harness.decide(Operation.APPROVE, platform)
        harness.settle()
        harness.decide(Operation.REVOKE, platform)
        harness.settle()

        # Expired by the sweep; seats without a holder freed by it.
        harness.edge.put(_overdue(harness, platform), seat_until=harness.now() - 1)
        harness.courier.sweep(harness.now())
        assert harness.edge.contact(platform, "1").state is State.EXPIRED
        harness.edge.put(replace(_overdue(harness, platform), seat="01"), seat_until=harness.now() - 1)
        _forget_contact(harness, platform, "1")
        harness.courier.sweep(harness.now())
        harness.settle()

        # The owner cannot be reached: the prompt is forgotten. The room is full, and the owners hear of it.
        harness.edge.clear()
        harness.forget_the_stream()
        harness.cold(OWNER_USER_IDS=f"{platform}:{NOBODY[platform]}", MAX_PENDING="1")
        harness.hello(platform, 2)
        harness.settle()
        harness.courier.sweep(harness.now())
        harness.cold(OWNER_USER_IDS=ALL_OWNERS, MAX_PENDING="100")

    # Questions: asked, answered, told to an address and to what is paused; one that nobody decides, and an approval that
    # nobody uses.
    for service in ("lambda", "stepfunctions"):
        harness.clients[service] = RecordingClient(boto3.client(service))
    harness.cold(RESUME_ASKS="both")
    harness.questions._post = lambda *_: 200
    alice = Asker(id="cli:alice@laptop", label="alice")
    paused = (Resume(kind=ResumeKind.DURABLE, token="aaa="), Resume(kind=ResumeKind.TASK, token="t"))
    asked = [
        ask(harness, "1?", callback_url="https://asker.example/"),
        *(ask(harness, f"{resume.kind}?", asker=alice, resume=resume) for resume in paused),
    ]
    for number in (2, 3):
        ask(harness, f"{number}?", callback_url="https://asker.example/")
    harness.settle()
    for one in asked:
        press = sign_button(AskAction.APPROVE, one.id, one.digest, CALLBACKS)
        harness.deliver(pressing(Platform.TELEGRAM, press))
    harness.settle()
    harness.questions.sweep(harness.now() + 3600)
    harness.settle()

    # What cannot be read is parked, and what fails is handed back.
    attributes = {"MessageGroupId": "nobody", "MessageDeduplicationId": "poison"}
    harness.edge.sqs.send_message(QueueUrl=harness.effects_url, MessageBody="{", **attributes)
    harness.settle()
    harness.edge.clear()
    harness.forget_the_stream()
    harness.stand_ins[Platform.TELEGRAM].inject(status=500, times=1)
    harness.hello(Platform.TELEGRAM, 3)
    harness.settle()
    assert harness.parked() == 1


def answering(harness: Behind, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer, by each kind of agent that AWS is asked for; wait for what follows; give up and park."""
    harness.edge.put_secret("agent/instructions", "Be brief.")
    harness.edge.put_secret("agent/api-key", "sk-a-key-of-somebody")
    harness.edge.put_secret("agent/webhook-secret", "whsec_" + "a" * 32)
    harness.clients["bedrock-runtime"] = RecordingClient(boto3.client("bedrock-runtime"))
    for service in ("lambda", "bedrock-agentcore"):
        harness.clients[service] = RecordingClient(boto3.client(service))
    models: tuple[dict[str, str], ...] = (
        {},
        {"AGENT": "bedrock", "AGENT_MODEL": MODEL},
        {"AGENT": "bedrock", "AGENT_MODEL": f"eu.{MODEL}"},
        *({"AGENT": kind, "AGENT_ARN": example} for kind, example in ARN_EXAMPLES.items()),
    )
    with loopback_bot() as server:
        server.answers("200 OK", SAID_ELSEWHERE, "Content-Type: application/json")
        elsewhere = ({"AGENT": kind, "AGENT_URL": server.url} for kind in ("openai", "webhook"))
        # People of every platform at first; then of one after the other, for what is asked of whom is another's matter.
        for number, settings in enumerate((*models, *elsewhere, {"DEBOUNCE_SECONDS": "1"})):
            harness.cold(**settings)
            for platform in list(Platform)[number % len(Platform) :][: 1 if number else None]:
                harness.edge.put(Contact(platform=platform, user_id=STRANGER[platform], state=State.PAIRED, rev=1))
                harness.hello(platform, number)
            harness.answer()
    # A group that has become a supergroup, as Telegram's sender tells and asks.
    moves = harness.agent._memory
    with recorder.at_work("agent"):
        moves.note_moved(Platform.TELEGRAM, "-1", "-1001", harness.now())
        assert moves.moved_to(Platform.TELEGRAM, "-1", harness.now()) == "-1001"
    monkeypatch.setattr(agent_module, "GIVEN_UP_AFTER_SECONDS", 0)
    harness.stand_ins[Platform.TELEGRAM].inject(status=500, times=1 << 30)
    harness.hello(Platform.TELEGRAM, 99)
    harness.answer()
    assert harness.parked() == 1


def administering(harness: Behind, _: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Carry out every command, with codes that are right, wrong and made with a secret that was rotated."""
    monkeypatch.setattr(sdk, "client", lambda service, _config: harness.clients[service])
    admin = admin_wiring.build_admin(
        harness.environment | {"WEB_URL": "https://door.example/owner", "FIRST_MESSAGE": "show"}
    )

    def command(name: str, **arguments: Any) -> dict[str, Any]:
        event = {"version": 1, "command": name, "actor": "alice@laptop", **arguments}
        return admin.answer(event, harness.now())

    for platform in Platform:
        stranger = STRANGER[platform]
        for number, decision in enumerate(("deny", "approve")):
            # After a denial the cooldown is twice as long.
            harness.hello(platform, number, harness.now() + number * 2 * COOLDOWN)
            (waiting,) = command("list", platform=platform, state="pending")["contacts"]
            assert command(decision, platform=platform, code=waiting["code"])["ok"]
        assert command("approve", platform=platform, code="AAAA2222", user_id="1")["error"]
        for state in ("paired", "blocked"):
            assert command("list", platform=platform, state=state)["ok"]
        for decision in ("revoke", "add", "block", "unblock", "add"):
            assert command(decision, platform=platform, user_id=stranger)["ok"]
        assert command("clear", platform=platform)["revoked"] == [stranger]
    harness.edge.put_secret("gateway-secret", "another")
    assert command("approve", platform="telegram", code="AAAA2222")["error"]
    assert command("unlock")["ok"]
    for surface in ("cli", "api", "web", "ticket"):
        Lockout(Table(harness.edge.dynamodb, harness.environment["TABLE_NAME"])).count(surface, "bob", harness.now())
    assert command("unlock", everybody=True) == {"ok": True, "freed": 4}

    # Claims, owners and invites.
    assert command("owner_claim")["ok"]
    harness.edge.put(
        Contact(platform=Platform.TELEGRAM, user_id="1", state=State.PAIRED, role=ContactRole.OWNER, rev=1)
    )
    assert command("owner_list")["owners"]
    assert command("owner_remove", platform="telegram", user_id="1")["ok"]
    invite = command("invite_create")
    assert command("invite_list")["invites"]
    assert command("invite_revoke", id=invite["id"])["ok"]

    # Questions: taken back, denied, approved and used; who asks is muted.
    asked = [command("ask", question={"title": title}) for title in ("one", "two", "three")]
    (first, second, third) = ({"id": one["id"], "digest": one["digest"]} for one in asked)
    assert len(command("ask_list")["asks"]) == 3
    assert command("ask_cancel", id=first["id"])["ok"]
    assert command("ask_deny", actor="bob", reason="No", **second)["ok"]
    assert command("ask_approve", actor="bob", **third)["ok"]
    assert command("ask_use", **third)["ok"]
    assert command("ask_show", id=third["id"])["state"] == "used"
    assert command("ask_list", state="ended")["ok"]
    assert command("ask_mute", asker="cli:alice@laptop", muted=True)["ok"]

    # Links and tokens, and the end of all of them.
    token = command("web")["token"]
    made = command("token_create", scope="asks")
    assert made["callback_secret"]
    assert command("token_list")["tokens"]
    assert command("token_revoke", id=made["id"])["ok"]
    sign_ins = SignIns(Table(harness.edge.dynamodb, harness.environment["TABLE_NAME"]))
    sign_ins.redeem(token, harness.now())
    sign_ins.link("bob", harness.now())
    assert command("sign_out")["signed_out"] == 2


def serving(harness: Behind, _: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer everything that the page and programs ask for: sign-ins, lists, decisions, numbers."""
    clients = harness.clients | {"cloudwatch": RecordingClient(boto3.client("cloudwatch"))}
    monkeypatch.setattr(sdk, "client", lambda service, _config: clients[service])
    services = [
        web_wiring.build_services(harness.environment | {"METRICS_NAMESPACE": "Doorcode/test", "FIRST_MESSAGE": "show"})
    ]
    surface = Web(lambda: services[-1])
    table = Table(harness.edge.dynamodb, harness.environment["TABLE_NAME"])
    sign_ins, tokens = SignIns(table), Tokens(table)

    def ask(who: Mapping[str, str], method: str, target: str, **body: Any) -> Any:
        headers = {"content-type": "application/json", "sec-fetch-site": "same-origin", **who}
        raw = json.dumps(body).encode() if body else None
        response = surface.serve(request_event(method, target, headers, raw), harness.now())
        return response["statusCode"], json.loads(response["body"] or "null"), response.get("cookies", [])

    def signed_in() -> dict[str, str]:
        status, _, cookies = ask({}, "POST", "/api/session", token=sign_ins.link("alice", harness.now()))
        assert status == 200
        return {"cookie": cookies[0].partition(";")[0]}

    def with_a_token() -> dict[str, str]:
        return {"authorization": f"Bearer {tokens.create('ci', {Scope.PAIRING}, 'alice', harness.now())[0]}"}

    # Each platform's people by one of the two, for who decides is no matter of theirs.
    for signs_in, platform in zip(itertools.cycle((signed_in, with_a_token)), Platform, strict=False):
        harness.edge.clear()
        who, stranger = signs_in(), STRANGER[platform]
        for number, decision in enumerate(("deny", "approve")):
            harness.hello(platform, number, harness.now() + number * 2 * COOLDOWN)
            (waiting,) = ask(who, "GET", "/api/pairing/pending")[1]["pending"]
            assert ask(who, "POST", f"/api/pairing/{decision}", channel=platform, code=waiting["code"])[0] == 200
        assert ask(who, "POST", "/api/pairing/approve", channel=platform, code="AAAA2222")[0] == 404
        assert ask(who, "GET", f"/api/pairing/contacts/{platform}/{stranger}")[0] == 200
        for decision in ("revoke", "add", "change", "block", "unblock"):
            more = {"label": "ann"} if decision == "change" else {}
            assert ask(who, "POST", f"/api/pairing/{decision}", channel=platform, user_id=stranger, **more)[0] == 200
        assert ask(who, "POST", "/api/pairing/clear", channel=platform)[0] == 200
        for what in ("pairing/paired", "pairing/blocked", "activity", "session", "openapi.json"):
            assert ask(who, "GET", f"/api/{what}")[0] == 200
    address = ReplyAddress(
        platform=Platform.TELEGRAM, user_id="1", conversation="telegram#1#", reply="{}", delivery="1",
        issued_at=harness.now(),
    )  # fmt: skip
    sealed = seal(address, GATEWAY)
    agent = {"authorization": f"Bearer {tokens.create('agent', {Scope.MESSAGES}, 'alice', harness.now())[0]}"}
    assert ask(agent, "POST", "/api/messages", reply_to=sealed, text="Good day.")[0] == 202

    _asking_the_gate(harness, tokens, ask, services)
    cookie, bearer = signed_in(), with_a_token()
    # Claims, owners and invites.
    assert ask(cookie, "POST", "/api/owners/claim", channel="telegram")[0] == 201
    harness.edge.put(
        Contact(platform=Platform.TELEGRAM, user_id="1", state=State.PAIRED, role=ContactRole.OWNER, rev=1)
    )
    assert ask(cookie, "GET", "/api/owners")[0] == 200
    assert ask(cookie, "POST", "/api/owners/remove", channel="telegram", user_id="1", last=True)[0] == 200
    status, invite, _ = ask(cookie, "POST", "/api/invites", uses=2)
    assert status == 201
    assert ask(cookie, "GET", "/api/invites")[1]["invites"]
    assert ask(cookie, "DELETE", f"/api/invites/{invite['id']}")[0] == 200

    _asking_the_owner(harness, tokens, sign_ins, ask)
    assert ask(cookie, "DELETE", "/api/session")[0] == 204
    assert ask(cookie, "GET", "/api/session")[0] == 401
    signed_in()
    sign_ins.link("bob", harness.now())
    assert ask(bearer, "DELETE", "/api/sessions")[1]["signed_out"] == 2


def _asking_the_owner(harness: Behind, tokens: Tokens, sign_ins: SignIns, ask: Callable[..., Any]) -> None:
    """Ask as a program; wait, deny, approve as an owner by claim, use; mute."""
    listed = {"pk": {"S": OWNERS}, "sk": {"S": OWNERS}, "people": {"SS": ["telegram:1"]}}
    harness.edge.dynamodb.put_item(TableName=harness.environment["TABLE_NAME"], Item=listed)
    program = {"authorization": f"Bearer {tokens.create('ci', {Scope.ASKS}, 'alice', harness.now())[0]}"}
    _, _, cookies = ask({}, "POST", "/api/session", token=sign_ins.link("telegram:1", harness.now()))
    owner = {"cookie": cookies[0].partition(";")[0]}
    for what, then in (("deny", 409), ("approve", 200)):
        status, asked, _ = ask(program, "POST", "/api/asks", title=what, approvals=1)
        assert status == 201
        path = f"/api/asks/{asked['id']}"
        assert ask(program, "GET", f"{path}?wait=1")[0] == 200
        assert ask(owner, "POST", f"{path}/{what}", digest=asked["digest"], reason="So")[0] == 200
        assert ask(program, "POST", f"{path}/use", digest=asked["digest"])[0] == then
    assert ask(owner, "GET", "/api/asks?state=ended")[1]["asks"]
    assert ask(program, "POST", "/api/asks", title="open")[0] == 201
    assert ask(owner, "GET", "/api/asks")[1]["asks"]
    assert ask(owner, "POST", "/api/asks/mute", asker=asked["asker_id"], muted=True)[0] == 200
    assert ask(owner, "DELETE", "/api/session")[0] == 204


def _asking_the_gate(harness: Behind, tokens: Tokens, ask: Callable[..., Any], services: list[Any]) -> None:
    """Ask about strangers of every platform, and report the owner's presses; ``ask`` uses the last of ``services``."""

    def bot() -> dict[str, str]:
        scopes = {Scope.GATE, Scope.PRESSES}
        return {"authorization": f"Bearer {tokens.create('bot', scopes, 'alice', harness.now())[0]}"}

    def asked(reason: str, platform: Platform, policy: str = "pair", **settings: str) -> None:
        # Also where the policy has to name the platform.
        settings |= {"UNKNOWN_USER_POLICY": f"{policy},{platform}={policy}"}
        services.append(web_wiring.build_services(harness.environment | settings))
        who = {"platform": platform, "user_id": STRANGER[platform], "chat": "direct", "delivery_id": reason}
        assert ask(bot(), "POST", "/api/gate", **who)[1]["reason"] == reason
        del services[1:]

    for platform in Platform:
        # A request, and the owner's press. A full room whose seat is overdue, and one whose holder is gone. A budget.
        harness.edge.clear()
        asked("pairing_requested", platform)
        data = harness.edge.button(harness.edge.contact(platform))
        press = {"platform": platform, "user_id": OWNER[platform], "delivery_id": "p", "data": data}
        assert ask(bot(), "POST", "/api/gate/press", **press)[1]["prompt"]
        for gone in (False, True):
            harness.edge.clear()
            harness.edge.put(_overdue(harness, platform), seat_until=harness.now() - 1)
            if gone:
                _forget_contact(harness, platform, "1")
            asked("pairing_requested", platform, MAX_PENDING="1")
        harness.edge.clear()
        asked("policy_allow", platform, "allow")


SCENARIOS: Mapping[str, Scenario] = {
    **{str(platform): at_the_edge(platform) for platform in Platform},
    "provision": making_secrets,
    "relay": relaying,
    "courier": following,
    "agent": answering,
    "admin": administering,
    "web": serving,
}


def recorded() -> Calls:
    """Run every scenario, each over resources of its own; return what each function has asked of AWS, in IAM's terms."""
    calls: Calls = {}
    given = environments()
    for scenario in SCENARIOS.values():
        recorder = Recorder()
        with _harness(recorder) as (harness, monkeypatch):
            scenario(harness, recorder, monkeypatch)
            for asked in recorder.asked:
                known = calls.setdefault(asked.function, [])
                names = Names(harness.environment, given[asked.function])
                known += [call for call in in_terms_of_iam(asked, names) if call not in known]
    return calls


@contextmanager
def _harness(recorder: Recorder) -> Iterator[tuple[Behind, pytest.MonkeyPatch]]:
    """Give everything in process, with each function's calls noted as its own."""
    with pytest.MonkeyPatch.context() as monkeypatch, in_process.aws():
        session = boto3.Session()
        recorder.listen(session)
        session.events.register("before-call.bedrock-runtime.Converse", _model_says)
        session.events.register("before-call.lambda.Invoke", _agent_says)
        session.events.register("before-call.bedrock-agentcore.InvokeAgentRuntime", _agent_says)
        session.events.register("before-call.lambda.SendDurableExecutionCallbackSuccess", _resumed)
        session.events.register("before-call.sfn.SendTaskSuccess", _resumed)
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
        for service in in_process.SERVICES:
            recorder.overhear(in_process.client(service), monkeypatch)
        watched: tuple[tuple[Any, str, Callable[[Any], str]], ...] = (
            (Door, "serve", lambda door: str(door._platform.PLATFORM)),
            (Relay, "handle", lambda _: "relay"),
            (EffectsConsumer, "handle", lambda _: "courier"),
            (Courier, "sweep", lambda _: "courier"),
            (QuestionCourier, "sweep", lambda _: "courier"),
            (Agent, "handle", lambda _: "agent"),
            (Admin, "answer", lambda _: "admin"),
            (Web, "serve", lambda _: "web"),
        )
        for kind, method, name in watched:
            monkeypatch.setattr(kind, method, recorder.watched(getattr(kind, method), name))
        # Questions have the same names whoever asks them, so that what one role does can be looked for in another's.
        names = iter(f"ABCDEFGHJKLMNPQ{letter}" for letter in "ABCDEFGHJK")
        monkeypatch.setattr(question_store, "_new_id", lambda: next(names))
        standing = standing_ins()
        edge = Edge(monkeypatch)
        for service, client in edge.clients.items():
            recorder.hear(service, client)
        harness = Behind(edge, monkeypatch, next(standing))
        try:
            yield harness, monkeypatch
        finally:
            harness.close()
            next(standing, None)


def _model_says(**_: Any) -> tuple[Any, dict[str, Any]]:
    """Answer in Bedrock's place."""
    return SimpleNamespace(status_code=200), {"output": {"message": {"content": [{"text": "Good day."}]}}}


def _agent_says(**_: Any) -> tuple[Any, dict[str, Any]]:
    """Answer in a function's or a runtime's place."""
    body = StreamingBody(io.BytesIO(b'"Good day."'), 11)
    return SimpleNamespace(status_code=200), {"Payload": body, "response": body, "contentType": "application/json"}


def _resumed(**_: Any) -> tuple[Any, dict[str, Any]]:
    """Answer as who was paused, and goes on."""
    return SimpleNamespace(status_code=200), {}


def _overdue(harness: Behind, platform: Platform) -> Contact:
    """Return somebody whose request nobody has decided on in time."""
    asked = harness.now() - 7200
    return Contact(
        platform=platform, user_id="1", state=State.PENDING, rev=1, nonce="0" * 32, key_id=key_id(GATEWAY.newest),
        seat="00", requested_at=asked, code_expires_at=harness.now() - 1, next_code_at=asked + COOLDOWN,
        reply=json.dumps({"chat_id": 1}),
    )  # fmt: skip


def _forget_contact(harness: Behind, platform: Platform, user_id: str) -> None:
    key = {"pk": {"S": f"{platform}#{user_id}"}, "sk": {"S": "contact"}}
    harness.edge.dynamodb.delete_item(TableName=harness.environment["TABLE_NAME"], Key=key)
