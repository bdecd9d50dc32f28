"""Examples, as they stand below a command's help."""

from __future__ import annotations

from doorcode_cli.program import example


def examples(*lines: str) -> str:
    """Return an epilog that shows these command lines, each as it is called here."""
    # The character that tells the help not to fill the lines that follow.
    return "\b\n" + "\n".join(["Examples:", *(f"  {example(line)}" for line in lines)])
