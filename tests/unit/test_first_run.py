"""What a first ``make run`` installs, and what it says meanwhile."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from doorcode_cli.checkout import HERE, Checkout

MAKE = shutil.which("make") or "make"
STEP = HERE / "requirements/step"
LINTED_OR_SERVED_BY = {"cfn-lint", "sympy", "mpmath", "networkx", "cryptography", "pyopenssl"}
OFFLINE = "error: Request failed\n  cause: client error (Connect)\n  cause: dns error"


def pinned(lock: str) -> dict[str, set[str]]:
    """Return the versions in a lock, by name: several where they differ by Python."""
    found: dict[str, set[str]] = {}
    text = (HERE / "requirements" / f"{lock}.lock").read_text()
    for name, version in re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", text, re.MULTILINE):
        found.setdefault(name, set()).add(version)
    return found


def installed_by(target: str) -> set[str]:
    """Return the locks that making this installs where nothing is there."""
    recipe = subprocess.run(
        [MAKE, "--always-make", "--dry-run", target], cwd=HERE, capture_output=True, text=True, check=True
    ).stdout
    return set(re.findall(r"requirements/([a-z-]+)\.lock", recipe))


def test_running_installs_none_of_the_developers_tools() -> None:
    """Only what the command imports, and what installs it and builds the layers, in the versions that are tested."""
    groups = tomllib.loads((HERE / "pyproject.toml").read_text())["dependency-groups"]
    tools = {re.split(r"[\[>=]", one)[0] for one in groups["dev"] if isinstance(one, str)}
    assert {"moto", "mypy", "ruff", "playwright", "schemathesis", "pytest"} <= tools
    assert not tools & pinned("run").keys()
    assert pinned("run").items() <= pinned("dev").items()
    assert pinned("uv").items() <= pinned("run").items()
    assert installed_by("run") == {"uv", "run", "ministack"}


def test_sam_builds_and_deploys_without_its_linter() -> None:
    """What building and deploying leave out of SAM is never imported there."""
    assert installed_by("build") == installed_by("deploy") == {"uv", "run", "sam-run"}
    assert pinned("sam").keys() - pinned("sam-run").keys() == LINTED_OR_SERVED_BY
    assert pinned("sam-run").items() <= pinned("sam").items()
    without = ["cfnlint", "sympy", "mpmath", "networkx", "cryptography", "OpenSSL"]
    of_sam = ["build.command", "build.build_context", "deploy.command", "deploy.deploy_context"]
    script = f"import sys; sys.modules.update(dict.fromkeys({without}))\n" + "\n".join(
        f"import samcli.commands.{name}" for name in [*of_sam, "package.package_context"]
    )
    subprocess.run([Checkout().sam.with_name("python"), "-c", script], check=True)


def step(command: str) -> subprocess.CompletedProcess[str]:
    """Run a step."""
    return subprocess.run([STEP, "Installing it", command], capture_output=True, text=True, check=False)


def test_a_step_says_what_it_does() -> None:
    """When it starts and when it is done; not what the command says."""
    ended = step("echo chatter")
    assert ended.returncode == 0
    assert re.fullmatch(r"   Installing it …\n✅ Installing it \(\d+ s\)\n", ended.stdout)


def test_a_step_that_fails_shows_why() -> None:
    """The first command that fails ends it, and what it said is shown; without a network that is one line."""
    ended = step("echo out of space >&2; false; echo never")
    assert (ended.returncode, ended.stderr) == (1, "❌ Installing it failed:\nout of space\n")
    offline = step(f"echo '{OFFLINE}' >&2; exit 2")
    assert offline.returncode == 1
    assert re.fullmatch(r"❌ Installing it: packages cannot be downloaded\. .*online.*\n", offline.stderr)


@pytest.mark.parametrize("python", ["no-such-python", "false"])
def test_a_missing_python_is_one_line(tmp_path: Path, python: str) -> None:
    """None of that name, and one that is too old."""
    for name in ("Makefile", "pyproject.toml", "requirements", "layers"):
        (tmp_path / name).symlink_to(HERE / name)
    ended = subprocess.run(
        [MAKE, "command", f"PYTHON={python}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{Path(sys.executable).parent}:{os.defpath}", "HOME": str(tmp_path)},
    )
    assert ended.returncode
    said = [line for line in ended.stderr.splitlines() if not line.startswith("make: ***")]
    assert said == [f"Python 3.11 or newer is needed, and {python} is none: install one, or name it with PYTHON="]
