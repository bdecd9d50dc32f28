"""An operator's machine: a checkout of its own, from which ``doorcode init`` builds and deploys to the emulator's account."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from doorcode_cli.checkout import HERE
from tests.backends import dynamodb
from tests.backends.in_process import REGION
from tests.infra.build import CHECKOUT, local_build_held
from tests.integration.stack import Cloud
from tests.integration.terminal import Terminal

COPIED = ("template.yaml", "samconfig.toml", "layers", "functions", "shared")
# sam. Nothing here changes what is built, so that the build that all tests share is taken; and after a deployment comes what the emulator does not do of the template by itself: see doorcode_sandbox.deployment.
SAM = """#!/bin/sh
test "$1" = build && exit 0
{sam} "$@" || exit $?
test "$1" = deploy || exit 0
exec {python} -c 'import boto3, functools; from doorcode_sandbox.deployment import make_good
make_good(functools.partial(boto3.client, region_name="{region}"), "{stack}")'
"""


class OperatorMachine:
    """The machine, whose operator deploys one stack."""

    def __init__(self, folder: Path, cloud: Cloud, stack: str) -> None:
        self.root = folder / "checkout"
        self.root.mkdir()
        for name in COPIED:
            source = HERE / name
            if source.is_dir():
                shutil.copytree(source, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, self.root / name)
        (self.root / ".venv").symlink_to(HERE / ".venv")
        sam = self.root / ".tools/sam/bin/sam"
        sam.parent.mkdir(parents=True)
        sam.write_text(SAM.format(sam=CHECKOUT.sam, python=sys.executable, region=REGION, stack=stack))
        sam.chmod(0o700)
        with local_build_held() as built:
            shutil.copytree(built, self.root / ".aws-sam/build", copy_function=os.link)
        self.answers = self.root / "samconfig.local.toml"
        kept = (
            "PATH",
            "HOME",
            "UV_CACHE_DIR",
            "UV_SYSTEM_CERTS",
            "HTTPS_PROXY",
            "HTTP_PROXY",
            "SSL_CERT_FILE",
            "LANG",
            "LC_ALL",
        )
        self.environment = {
            **{name: os.environ[name] for name in kept if name in os.environ},
            **dynamodb.CREDENTIALS,
            "AWS_ENDPOINT_URL": cloud.url,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PYTHONPATH": str(self.root / "shared"),
            "SAM_CLI_POLL_DELAY": "0.2",
        }

    def terminal(self, *arguments: str) -> Terminal:
        """Run ``doorcode`` at a terminal."""
        return Terminal(self._line(arguments), environment=self.environment, folder=self.root)

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ``doorcode`` as a pipeline does."""
        return subprocess.run(
            self._line(arguments), env=self.environment | environment, cwd=self.root, input=stdin,
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip

    def _line(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "doorcode_cli", *arguments]
