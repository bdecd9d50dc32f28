"""Security 39: on Slack a person is workspace and id, whatever way another workspace's people come."""

import json
from typing import Any

import pytest

from doorcode.pairing.contact import Contact, Platform, State
from tests.edge.harness import Edge
from tests.webhooks import APPROVE, OWNER, STRANGER, Delivery, load

SLACK = Platform.SLACK
OTHER, OTHER_ORGANIZATION = "T0OTHER001", "E0OTHER001"


def _changed(name: str, changes: dict[str, Any]) -> Delivery:
    delivery = load(name)
    for path, value in changes.items():
        *parents, last = path.split(".")
        target = delivery.body
        for parent in parents:
            target = target[int(parent) if isinstance(target, list) else parent]
        target[last] = value
    return delivery


def _reasons(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [
        (r.__dict__["reason"], r.__dict__["user_id"])
        for r in caplog.records
        if getattr(r, "user_id", "") and hasattr(r, "reason")
    ]


# Each is enough: an event that Slack delivers with it comes from somebody else than the owner, whose id it has.
FOREIGN: dict[str, dict[str, Any]] = {
    "user_team": {"event.user_team": OTHER},
    "source_team": {"event.source_team": OTHER},
    "team": {"event.team": OTHER},
    "another organization": {"event.user_team": OTHER_ORGANIZATION},
    "happened there": {"team_id": OTHER},
    "happened there, nothing else said": {"team_id": OTHER, "event.team": None},
    "shared channel": {"is_ext_shared_channel": True, "event.user_team": OTHER},
    "another installation": {"authorizations.0.team_id": OTHER},
    "another installation, of an organization": {
        "authorizations.0.team_id": None, "authorizations.0.enterprise_id": OTHER_ORGANIZATION,
    },
}  # fmt: skip


@pytest.mark.parametrize("changes", FOREIGN.values(), ids=FOREIGN)
def test_the_owner_s_id_elsewhere_is_a_stranger(
    edge: Edge, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Security 39: neither owner nor paired, but somebody with an id of their own, who may ask as every stranger may."""
    edge.put(Contact(platform=SLACK, user_id=OWNER[SLACK], state=State.PAIRED, rev=1))
    edge.deliver(_changed("slack/message_im_owner", changes))
    ((reason, user_id),) = _reasons(caplog)
    workspace, _, plain = user_id.partition(":")
    assert (reason, plain) == ("pairing_requested", OWNER[SLACK])
    assert workspace in {OTHER, OTHER_ORGANIZATION}
    assert edge.handed_off() == []
    assert edge.contact(SLACK, user_id).state is State.PENDING


def test_the_same_id_of_another_workspace(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    """Security 39: the recorded case; approved, that person is in, in a conversation of their own."""
    event = load("slack/message_im_other_workspace")
    edge.deliver(event)
    assert _reasons(caplog) == [("pairing_requested", f"{OTHER}:{OWNER[SLACK]}")]
    contact = edge.contact(SLACK, f"{OTHER}:{OWNER[SLACK]}")
    edge.deliver(edge.press(contact))
    edge.deliver(event.another(1))
    ((handed,),) = [[body["user"]["id"] for body in edge.handed_off()]]
    assert handed == f"{OTHER}:{OWNER[SLACK]}"


OWN: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "the owner in a channel of the other side": {"is_ext_shared_channel": True, "team_id": OTHER},
    "for the organization": {
        "authorizations.0.team_id": None, "authorizations.0.enterprise_id": "E0DOOR0001", "enterprise_id": "E0DOOR0001",
    },
    "another workspace of the organization": {
        "team_id": "T0DOOR0002", "enterprise_id": "E0DOOR0001", "event.team": "T0DOOR0002",
    },
    "by the organization's id": {"event.user_team": "E0DOOR0001"},
}  # fmt: skip


@pytest.mark.parametrize("changes", OWN.values(), ids=OWN)
def test_the_own_workspace_s_people_are_known(
    edge: Edge, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """In whatever way Slack says that they are the workspace's own, or its organization's, they have their plain id."""
    edge.put_secret("slack/team", "T0DOOR0001:E0DOOR0001")
    edge.deliver(_changed("slack/message_im_owner", changes))
    assert _reasons(caplog) == [("owner", OWNER[SLACK])]


@pytest.mark.parametrize(
    "changes", [{"user.team_id": OTHER}, {"team.id": OTHER}, {"user.team_id": OTHER, "team.id": OTHER}]
)
def test_a_press_from_another_workspace_is_nobody_s(
    edge: Edge, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Security 39: a presser with the owner's id in another workspace is told that only the owner can do this."""
    edge.deliver(load("slack/message_im"))
    caplog.clear()
    press = edge.press(edge.contact(SLACK))
    genuine = json.loads(json.dumps(press.body))
    for path, value in changes.items():
        part, name = path.split(".")
        press.body[part][name] = value
    edge.deliver(press)
    assert edge.contact(SLACK).state is State.PENDING
    assert _reasons(caplog) == [("forbidden", f"{OTHER}:{OWNER[SLACK]}")]
    edge.deliver(Delivery(SLACK, genuine, form=True, headers=press.headers))
    assert edge.contact(SLACK).state is State.PAIRED


@pytest.mark.parametrize("path", ["event.user_team", "event.team", "team_id"])
def test_until_the_workspace_is_known_two_are_two(edge: Edge, path: str, caplog: pytest.LogCaptureFixture) -> None:
    """Security 39: a stack of before goes on working, but whoever's payload shows two workspaces is not its own."""
    edge.ssm.delete_parameter(Name="/doorcode/test/slack/team")
    edge.deliver(load("slack/message_im_owner"))
    edge.deliver(_changed("slack/message_im_owner", {path: OTHER}).another(1))
    assert _reasons(caplog) == [("owner", OWNER[SLACK]), ("pairing_requested", f"{OTHER}:{OWNER[SLACK]}")]
    assert caplog.text.count("doorcode slack workspace") == 1
    assert edge.calls().count("get_parameters") == 1


def test_what_names_no_workspace_is_nobody_s(edge: Edge, caplog: pytest.LogCaptureFixture) -> None:
    """Security 39: Slack always says whose an event is; one that does not starts and reaches nothing."""
    changes: dict[str, Any] = {"team_id": None, "event.team": None, "authorizations": []}
    edge.deliver(_changed("slack/message_im_owner", changes))
    press = load(APPROVE[SLACK])
    press.body["team"], press.body["user"]["team_id"] = None, None
    edge.deliver(press)
    assert [record.__dict__["reason"] for record in caplog.records if hasattr(record, "action")] == [
        "not_a_message"
    ] * 2
    assert edge.items() == []
    assert edge.contact(SLACK, STRANGER[SLACK]).state is State.NONE
