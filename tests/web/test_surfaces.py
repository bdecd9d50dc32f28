"""What the command does with people, invites and owners, the HTTP API and the page do, too."""

import re

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from doorcode.web.page import files
from doorcode.web.surface import API
from doorcode_cli import invite, owner, pairing

# By the command: the route, and what the page's script asks for.
MATRIX = {
    "pairing list": ("GET /api/pairing/pending", "pairing/pending"),
    "pairing list --paired": ("GET /api/pairing/paired", "pairing/${this.kind}"),
    "pairing list --blocked": ("GET /api/pairing/blocked", "pairing/${this.kind}"),
    "pairing approve": ("POST /api/pairing/approve", "pairing/${verb}"),
    "pairing deny": ("POST /api/pairing/deny", "pairing/${verb}"),
    "pairing add": ("POST /api/pairing/add", "pairing/${verb}"),
    # The command's add does this, too.
    "pairing add --label": ("POST /api/pairing/change", "pairing/change"),
    "pairing revoke": ("POST /api/pairing/revoke", "pairing/${action.verb}"),
    "pairing block": ("POST /api/pairing/block", "pairing/${action.verb}"),
    "pairing unblock": ("POST /api/pairing/unblock", "pairing/${action.verb}"),
    "pairing clear": ("POST /api/pairing/clear", "pairing/clear"),
    "pairing clear --pending": ("POST /api/pairing/clear-pending", "pairing/clear-pending"),
    "invite create": ("POST /api/invites", "invites"),
    "invite list": ("GET /api/invites", "invites"),
    "invite revoke": ("DELETE /api/invites/{invite_id}", "invites/${id}"),
    "owner claim": ("POST /api/owners/claim", "owners/claim"),
    "owner list": ("GET /api/owners", "owners"),
    "owner remove": ("POST /api/owners/remove", "owners/remove"),
}
# A lock is taken back from outside: whoever could do so where it locks would guess on. The page guesses no codes.
COMMAND_ALONE = {"pairing unlock"}
# What a command's decision takes, and a route's body by which name.
TAKES = {
    "pairing approve": {"--label": "label", "--for": "for", "--user": "user_id"},
    "pairing deny": {"--user": "user_id"},
    "pairing add": {"--label": "label", "--for": "for"},
    "pairing clear --pending": {"--block": "block"},
    "invite create": {"--uses": "uses", "--for": "for", "--label": "label", "--expires": "expires_in"},
    "owner remove": {"--confirm": "last"},
}


def _commands() -> dict[str, set[str]]:
    """Give every command about people, with its options."""
    found = {}
    for name, app in (("pairing", pairing.app), ("invite", invite.app), ("owner", owner.app)):
        group = get_command(app)
        assert isinstance(group, TyperGroup)
        for verb, command in group.commands.items():
            found[f"{name} {verb}"] = {option for parameter in command.params for option in parameter.opts}
    return found


def test_every_command_is_on_every_surface() -> None:
    """Nothing that is done with people can be done by the command alone, save what is said above."""
    assert {" ".join(row.split()[:2]) for row in MATRIX} | COMMAND_ALONE == set(_commands())
    routes = {f"{route.method} {route.path}" for route in API}
    assert {route for route, _ in MATRIX.values()} <= routes
    script = files()["owner.js"].content.decode()
    asked = set(re.findall(r'call\("[A-Z]+", ["`]([^"`?]+?)(?:\$\{asked[^`]*)?["`]', script))
    assert {what for _, what in MATRIX.values()} <= asked


@pytest.mark.parametrize("row", TAKES)
def test_what_a_command_takes(row: str) -> None:
    """Each of its options is a field of the route's body."""
    route = next(route for route in API if f"{route.method} {route.path}" == MATRIX[row][0])
    assert route.body is not None
    assert set(TAKES[row].values()) <= set(route.body.__struct_encode_fields__)
    command = " ".join(row.split()[:2])
    beside = {"--platform", "--pending", "--confirm", "--json", "--help"}
    options = {option for option in _commands()[command] if option.startswith("--")}
    known = {option for other in TAKES if other.startswith(command) for option in TAKES[other]}
    targeting = {
        option for option in options if option in {"--stack", "--region", "--profile", "--local", "--store-dir"}
    }
    assert options - targeting - beside <= known
