"""Examples, as they stand below a command's help."""

from __future__ import annotations

from doorcode_cli.program import as_called


def examples(*lines: str) -> str:
    """Return an epilog that shows these command lines, each as it is called here."""
    # The character that tells the help not to fill the lines that follow.
    return "\b\n" + "\n".join(["Examples:", *(f"  {as_called(line, on_a_stack=False)}" for line in lines)])
