"""The owner's page of a deployed stack, in a browser: function, role, API and page as they are. Some 25 seconds."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from doorcode.aws.sign_ins import LINK_SECONDS, LINKS
from doorcode.aws.table import Table
from doorcode.aws.waiting_room import WaitingRoom
from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import parse_keyring
from doorcode.pairing.settings import Settings
from doorcode.pairing.transitions import Asked
from doorcode_sandbox.front import Front
from tests.browser.tabs import Windows
from tests.integration.stack import FRONT_WORD, Stack

ANN, BOB, CAT = "987654321", "U07ABC1234X", "112233445566778899"


@pytest.fixture
def stack(pairing_stack: Stack) -> Stack:
    """Give a stack that pairs."""
    return pairing_stack


@pytest.fixture
def url(stack: Stack) -> Iterator[str]:
    """Give the address of the stack's API on this machine, with nobody at the door."""
    stack.clear()
    with Front(port=0, api=stack.cloud.url, host=stack.host, word=FRONT_WORD) as front:
        yield front.url
    stack.clear()


def asks(stack: Stack, platform: Platform, user_id: str, name: str) -> None:
    """Have somebody ask, as the edge does."""
    room = WaitingRoom(Table(stack.client("dynamodb"), stack.table), Settings())
    asked = Asked(delivery_id=user_id, name=name, reply="{}")
    room.request(room.get(platform, user_id), asked, parse_keyring(stack.secret("gateway-secret")), int(time.time()))


def commands(stack: Stack, command: str, **arguments: str) -> dict[str, str]:
    """Send a command to the admin function, as the doorcode command does."""
    event = {"version": 1, "command": command, "actor": "alice@laptop", **arguments}
    answer: dict[str, str] = stack.invoke("admin", event)
    assert answer.pop("ok"), answer
    return answer


def test_an_owner_at_the_door(stack: Stack, url: str, windows: Windows) -> None:
    """A link signs in; requests are decided here and by the command, and what was decided is taken back."""
    asks(stack, Platform.TELEGRAM, ANN, "@ann")
    asks(stack, Platform.SLACK, BOB, "")
    asks(stack, Platform.DISCORD, CAT, "cat")
    link = commands(stack, "web")
    assert link["url"] == stack.outputs["WebUrl"]
    page = windows.open(f"{url}/owner#token={link['token']}").page
    waiting, paired, blocked = (page.get_by_role("region", name=name) for name in ("Waiting", "Paired", "Blocked"))
    page.get_by_label(f"Label for @ann (Telegram {ANN})").fill("my sister")
    page.get_by_role("button", name=f"Approve @ann (Telegram {ANN})").click()
    expect(waiting.get_by_text("Approved by you")).to_be_visible()
    expect(paired.get_by_text("my sister")).to_be_visible()
    page.get_by_role("button", name=f"Deny cat (Discord {CAT})").click()
    expect(waiting.get_by_text("Denied by you")).to_be_visible()
    commands(stack, "deny", platform="slack", user_id=BOB)
    expect(waiting.get_by_text("Denied by alice@laptop (cli)")).to_be_visible()
    page.get_by_role("button", name="Block @ann").click()
    page.get_by_role("dialog").get_by_role("button", name="Block").click()
    expect(blocked.get_by_text(ANN)).to_be_visible()
    blocked.get_by_role("button", name="Unblock @ann").click()
    expect(blocked.get_by_text("Unblocked: they may ask again")).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("last 7 days"))).to_be_visible()


def test_two_windows(stack: Stack, url: str, windows: Windows) -> None:
    """What one window of an owner's decides, the other shows; signing out in one signs out both."""
    asks(stack, Platform.TELEGRAM, ANN, "@ann")
    one = windows.open(f"{url}/owner#token={commands(stack, 'web')['token']}")
    expect(one.page.get_by_text("Signed in as")).to_be_visible()
    other = one.beside()
    other.page.goto(f"{url}/owner")
    other.page.get_by_role("button", name=f"Approve @ann (Telegram {ANN})").click()
    expect(one.page.get_by_role("region", name="Paired").get_by_text("@ann")).to_be_visible()
    one.page.get_by_role("button", name="Revoke @ann").click()
    one.page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(other.page.get_by_role("region", name="Paired").get_by_text("@ann")).not_to_be_visible()
    assert [item["state"]["S"] for item in stack.items() if item["pk"]["S"] == f"telegram#{ANN}"] == ["revoked"]
    other.page.get_by_role("button", name="Sign out", exact=True).click()
    expect(one.page.get_by_role("heading", name="You are signed out")).to_be_visible()


def test_links_and_sessions_end(stack: Stack, url: str, windows: Windows) -> None:
    """A link signs in once, and for five minutes; the cookie is for this host alone; the command signs everybody out."""
    token = commands(stack, "web")["token"]
    page = windows.open(f"{url}/owner#token={token}").page
    expect(page.get_by_text("Signed in as")).to_be_visible()
    [cookie] = page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (
        "__Host-doorcode", True, True, "Strict",
    )  # fmt: skip
    used = windows.open(f"{url}/owner#token={token}").page
    expect(used.get_by_role("heading", name="This link does not work any more")).to_be_visible()
    late = commands(stack, "web")["token"]
    _five_minutes_pass(stack)
    expired = windows.open(f"{url}/owner#token={late}").page
    expect(expired.get_by_role("heading", name="This link does not work any more")).to_be_visible()
    commands(stack, "sign_out")
    expect(page.get_by_role("heading", name="You are signed out")).to_be_visible()


def _five_minutes_pass(stack: Stack) -> None:
    for item in stack.items():
        if item["pk"]["S"] == LINKS:
            stack.client("dynamodb").update_item(
                TableName=stack.table,
                Key={key: item[key] for key in ("pk", "sk")},
                UpdateExpression="ADD expires_at :passed",
                ExpressionAttributeValues={":passed": {"N": str(-LINK_SECONDS)}},
            )
