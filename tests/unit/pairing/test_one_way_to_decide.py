"""Who may move a contact: read from the sources, so that a second way past the desk cannot come in unseen."""

import ast
import re
from pathlib import Path

import doorcode

PACKAGE = Path(doorcode.__file__).parent
# What moves a contact or writes one, and the only places that may: each is behind the desk, or is named in the test.
ALLOWED = {
    # The desk decides; `clear` revokes page by page, as the operator's own command.
    "move": {"pairing/decisions.py", "aws/directory.py"},
    # The waiting room alone works out what a contact becomes.
    "moved": {"aws/waiting_room.py"},
    "requested": {"aws/waiting_room.py"},
}


def _calls(tree: ast.AST) -> set[str]:
    """Name every function that is called, by its last part; a bound method that is passed on counts too."""
    named = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    return named | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_nobody_moves_a_contact_past_the_desk() -> None:
    """Security 19: only the desk asks for a decision's move, and only the waiting room works one out."""
    sources = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    some = re.compile(rf"\b({'|'.join(ALLOWED)})\b")
    called = {path: _calls(ast.parse(source)) for path, source in sources.items() if some.search(source)}
    callers = {name: {path for path, names in called.items() if name in names} for name in ALLOWED}
    assert callers == ALLOWED
