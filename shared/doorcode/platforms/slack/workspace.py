"""Whose an id of Slack's is: it counts only together with its workspace, or with the organization above that.

People of other workspaces come through shared channels (Slack Connect), and through other installations of the same app.
They are named ``T…:U…``; those of the app's own workspace just ``U…``. Whatever does not clearly say that somebody is
of the own workspace makes them somebody else.

https://docs.slack.dev/apis/slack-connect, https://docs.slack.dev/enterprise/developing-for-enterprise-orgs
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from doorcode.platforms.slack.payloads import Envelope, Presser


class Origin(Struct, frozen=True):
    """Where something comes from; empty for the app's own workspace.

    ``person`` is the workspace (or organization) of who did it, ``place`` that of the installation it was delivered for.
    """

    person: str = ""
    place: str = ""


def named(workspace: str, slack_id: str) -> str:
    """Return an id with the workspace that it is of; by itself if that is the app's own."""
    return f"{workspace}:{slack_id}" if workspace else slack_id


def event_origin(envelope: Envelope, teams: Iterable[str | None], own: str) -> Origin | None:
    """Return where an event comes from, None if it does not say. ``teams`` are what it says of its person's workspace.

    ``own`` is the app's workspace and organization, ``T…:E…``; while that is empty, those it was delivered for.
    """
    installations = [_given(one.team_id, one.enterprise_id) for one in envelope.authorizations]
    delivered_for = [one for one in installations if one] or [_given(envelope.team_id, envelope.enterprise_id)]
    organizations = {
        envelope.team_id: envelope.enterprise_id,
        envelope.context_team_id: envelope.context_enterprise_id,
    }
    mine = _Own(own, delivered_for, organizations)
    home = next((one for one in delivered_for if any(mine.has(part) for part in one)), None)
    place = "" if home else _first(delivered_for)
    said = _given(*teams)
    # In a shared channel the envelope may be of the other side, whoever wrote.
    if not (envelope.is_ext_shared_channel and said):
        said += _given(envelope.team_id)
    said += [place] if place else []
    return Origin(mine.foreign(said), place) if said or home else None


def press_origin(payload: Presser, own: str) -> Origin | None:
    """Return where a press comes from, None if it does not say. ``own`` is as in ``event_origin``."""
    team = payload.team.id if payload.team else None
    organization = payload.enterprise.id if payload.enterprise else None
    # An app of the whole organization is not told a workspace, only the presser's.
    organizations = {team or payload.user.team_id: organization}
    mine = _Own(own, [_given(team, organization)], organizations)
    said = _given(payload.user.team_id, team)
    return Origin(mine.foreign(said)) if said else None


class _Own:
    """The app's own workspace and organization, and what a payload says of which workspace is of which organization."""

    def __init__(
        self, own: str, delivered_for: list[list[str]], organizations: Mapping[str | None, str | None]
    ) -> None:
        # Nobody has stored it yet: then what was delivered for us tells, and two different workspaces are two.
        self._ids = frozenset(_given(*own.split(":"))) or frozenset(part for one in delivered_for for part in one)
        self._organizations = organizations

    def has(self, workspace: str) -> bool:
        return workspace in self._ids or self._organizations.get(workspace) in self._ids

    def foreign(self, said: Iterable[str]) -> str:
        return next((workspace for workspace in said if not self.has(workspace)), "")


def _given(*texts: str | None) -> list[str]:
    return [text for text in texts if text]


def _first(several: list[list[str]]) -> str:
    return next((part for one in several for part in one), "")
