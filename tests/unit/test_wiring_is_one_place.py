"""Whoever asks where something is wired, or what the environment is read for, looks into one folder."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "shared/doorcode"


def _imported(source: str) -> set[str]:
    tree = ast.parse(source)
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_only_wiring_builds_clients_and_reads_the_environment() -> None:
    """boto3 is built in one module; the process's environment is read by what wires, and by nothing that is wired."""
    sources = {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    importers = [name for name, source in sources.items() if "boto3" in source and "boto3" in _imported(source)]
    assert importers == ["wiring/sdk.py"]
    readers = {name for name, source in sources.items() if re.search(r"\bos\.(environ|getenv)", source)}
    assert readers
    assert all(name.startswith("wiring/") for name in readers)


def test_functions_import_wiring_alone() -> None:
    """A function's module is its wiring's handler, and nothing else."""
    for app in (ROOT / "functions").glob("*/app.py"):
        assert all(name.startswith("doorcode.wiring.") for name in _imported(app.read_text("utf-8"))), app
