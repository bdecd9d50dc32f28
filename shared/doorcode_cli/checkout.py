"""The checkout that this package stands in: what is built and deployed from it, and the tools that make installs there."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

HERE = Path(__file__).parents[2]


class Checkout(Struct, frozen=True):
    """A checkout of Doorcode."""

    root: Path = HERE

    @property
    def template(self) -> Path:
        """What is deployed."""
        return self.root / "template.yaml"

    @property
    def sam(self) -> Path:
        """The AWS SAM command."""
        return self.root / ".tools/sam/bin/sam"

    @property
    def ministack(self) -> Path:
        """The emulator."""
        return self.root / ".tools/ministack/bin/ministack"

    @property
    def interpreter(self) -> Path:
        """Functions run on ministack's own interpreter there, whatever their Runtime says."""
        return self.ministack.with_name("python")

    @property
    def uv(self) -> Path:
        """What the layers are built with."""
        return self.root / ".venv/bin/uv"

    def problem(self) -> str:
        """Return what is missing that the sandbox needs here, and what to do; empty where all is there."""
        if not self.template.exists():
            return (
                f"The sandbox is built from a checkout of Doorcode, and {self.root} is none. "
                "Clone the repository, and there run: make run"
            )
        for tool, name, target in (
            (self.ministack, "ministack", "ministack"),
            (self.uv, "uv", "setup"),
        ):
            if not tool.exists():
                return (
                    f"{name[0].upper()}{name[1:]} is not installed: run `make {target}` in {self.root}. "
                    "`make run` sets everything up."
                )
        return ""
