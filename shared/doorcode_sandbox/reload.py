"""Deploying what changes while the sandbox runs: a function's folder, or the package that all of them import.

Not through CloudFormation, which would take several times as long and, killed half way, leave a stack that cannot be
used; ``reloaded`` in the store remembers that functions differ from what it knows.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from doorcode_cli.checkout import Checkout
from doorcode_sandbox.build import build_layers
from doorcode_sandbox.deployment import Clients, resource, zipped
from doorcode_sandbox.watch import Watch

FUNCTIONS = "functions/"
AGENT = "agent"
MY_AGENT = "my_agent.py"
PACKAGE = "shared/doorcode/"
LAYER = "DoorcodeLayer"
SOURCES = ("functions/**/*", "shared/doorcode/**/*", "template.yaml", "layers/**/*")


class Reload:
    """The functions of a deployed stack, kept as their sources are."""

    def __init__(
        self,
        checkout: Checkout,
        client: Clients,
        stack: str,
        environment: Mapping[str, str],
        my_agent: Path | None = None,
    ) -> None:
        """Take the sources as they are for what is deployed; ``my_agent`` is what stands in that module's place."""
        self._checkout = checkout
        self._client = client
        self._stack = stack
        self._environment = environment
        self._my_agent = my_agent
        others = [my_agent] if my_agent else []
        self._watch = Watch(checkout, SOURCES, others)
        self._agent = Watch(checkout, [f"{FUNCTIONS}{AGENT}/**/*"], others)

    def changed(self) -> tuple[str, ...]:
        """Return what has changed since this was last asked: paths in the checkout."""
        return self._watch.changed()

    def agent_changed(self) -> tuple[str, ...]:
        """Likewise, of what the agent consists of alone: that is somebody's own, and worked on."""
        return self._agent.changed()

    def apply(self, changed: Collection[str]) -> list[str]:
        """Deploy what those files are part of; return what was deployed. Raises SandboxError, and nothing was."""
        parts = {name.split("/")[1] for name in changed if name.startswith(FUNCTIONS)}
        if str(self._my_agent) in changed:
            parts.add(AGENT)
        layer = self._layer() if any(name.startswith(PACKAGE) for name in changed) else b""
        for name in sorted(parts):
            folder = self._checkout.root / FUNCTIONS / name
            if folder.exists():
                self._client("lambda").update_function_code(
                    FunctionName=resource(self._client, self._stack, f"{name.capitalize()}Function"),
                    ZipFile=self._code(folder),
                )
        if layer:
            self._publish(layer)
        return [f"{FUNCTIONS}{name}" for name in sorted(parts)] + ([PACKAGE.rstrip("/")] if layer else [])

    def everything(self) -> None:
        """Deploy every function and the package."""
        self.apply([*self._watch.names()])

    def _code(self, folder: Path) -> bytes:
        if folder.name != AGENT or self._my_agent is None:
            return zipped(folder)
        with tempfile.TemporaryDirectory() as target:
            copy = shutil.copytree(folder, Path(target, AGENT))
            shutil.copyfile(self._my_agent, copy / MY_AGENT)
            return zipped(copy)

    def _layer(self) -> bytes:
        with tempfile.TemporaryDirectory() as target:
            build_layers(self._checkout, Path(target), self._environment, [LAYER])
            return zipped(Path(target, LAYER))

    def _publish(self, layer: bytes) -> None:
        functions = self._client("lambda")
        given = {
            name: [one["Arn"] for one in functions.get_function_configuration(FunctionName=name).get("Layers", [])]
            for name in self._functions()
        }
        # arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION
        name = next(arn.split(":")[6] for arns in given.values() for arn in arns if LAYER in arn)
        published = functions.publish_layer_version(LayerName=name, Content={"ZipFile": layer})["LayerVersionArn"]
        for function, arns in given.items():
            functions.update_function_configuration(
                FunctionName=function, Layers=[published if LAYER in arn else arn for arn in arns]
            )

    def _functions(self) -> list[str]:
        pages = self._client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self._stack)
        return [
            found["PhysicalResourceId"]
            for page in pages
            for found in page["StackResourceSummaries"]
            if found["ResourceType"] == "AWS::Lambda::Function"
        ]
