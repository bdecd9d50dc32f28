"""The layers as they are built: complete in themselves, compiled, and for the right machine."""

import _imp
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorcode_cli.checkout import Checkout
from doorcode_sandbox.build import layer_environment
from tests.backends.emulators import EmulatorError
from tests.infra.build import INTERPRETER, build, build_local, local_build_held
from tests.infra.template import ROOT, functions, resources

LAYERS = tuple(resources("AWS::Serverless::LayerVersion"))
PYTHON = functions()["telegram"]["Runtime"].removeprefix("python")
AARCH64 = 183
# As many as Lambda takes.
LAYERS_OF_A_FUNCTION = 5
UNCHECKED_HASH = 0b01


@pytest.fixture(scope="module")
def local() -> Iterator[Path]:
    """Give the build for this machine."""
    try:
        build_local()
    except EmulatorError as error:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(str(error))
    with local_build_held() as built:
        yield built


@pytest.fixture(scope="module")
def deployable(local: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001 (has checked the tools)
    """Give the build for AWS, as ``make build`` makes it."""
    target = tmp_path_factory.mktemp("build")
    build(target, {})
    return target


ALONE = """
import sys, json
sys.path[:0] = json.loads(sys.argv[1])
given = set(sys.modules)
exec(sys.argv[2])
print(json.dumps({name: getattr(module, "__file__", None) for name, module in sys.modules.items() if name not in given}))
"""


def loaded(layers: list[Path], code: str) -> dict[str, str]:
    """Run code where nothing but the standard library and the layers can be imported; tell what came from where."""
    ran = subprocess.run(
        [INTERPRETER, "-I", "-S", "-c", ALONE, json.dumps([str(layer) for layer in layers]), code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return {name: file for name, file in json.loads(ran.stdout).items() if file}


IMPORTS = {
    "EdgeLayer": "import msgspec, nacl.signing",
    "AwsLayer": "import boto3\nfor name in ('bedrock-agentcore', 'bedrock-runtime', 'cloudwatch', 'dynamodb', 'events', 'lambda', 'sqs', 'ssm'): boto3.client(name, region_name='eu-central-1')",
    "BehindLayer": "import aws_lambda_powertools.utilities.batch, httpx, slack_sdk, telegram",
}


@pytest.mark.parametrize("layer", IMPORTS)
def test_a_layer_stands_alone(local: Path, layer: str) -> None:
    """What a layer is for works with nothing but that layer."""
    folder = local / layer / "python"
    files = loaded([folder], IMPORTS[layer])
    assert any(file.startswith(str(folder)) for file in files.values())
    assert not [file for file in files.values() if "site-packages" in file]


SDKS = {"aws_lambda_powertools", "httpx", "slack_sdk", "telegram"}


@pytest.mark.parametrize("name", list(functions()))
def test_a_function_needs_only_its_layers(local: Path, name: str) -> None:
    """Every handler is imported from its own folder and the layers that the template gives it.

    Neither the edge nor the relay nor the web function imports a chat SDK, for their start is waited for.
    """
    given = [layer.rpartition("-")[2] for layer in functions()[name]["Layers"]]
    folders = [ROOT / "functions" / name, *(local / layer / "python" for layer in given)]
    files = loaded(folders, "import app; assert callable(app.handler)")
    assert files["doorcode"].startswith(str(local / "DoorcodeLayer"))
    assert not [file for file in files.values() if "site-packages" in file or str(ROOT / "shared") in file]
    if name not in {"courier", "agent"}:
        assert "BehindLayer" not in given
        assert SDKS & {module.partition(".")[0] for module in files} == set()


def compiled(layer: Path) -> list[tuple[Path, bytes]]:
    """Return every module of a layer, with its bytecode by the one interpreter that wrote any."""
    sources = [path for path in layer.rglob("*.py") if path.is_relative_to(layer)]
    assert sources
    tags = {path.name.split(".")[-2] for path in layer.rglob("*.pyc")}
    assert len(tags) == 1
    (tag,) = tags
    return [(path, (path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc").read_bytes()) for path in sources]


def assert_fresh(layer: Path, magic: bytes) -> None:
    """Check that an interpreter with that magic number takes the bytecode without looking at dates."""
    for source, bytecode in compiled(layer):
        assert bytecode[:4] == magic, source
        assert int.from_bytes(bytecode[4:8], "little") == UNCHECKED_HASH, source
        assert bytecode[8:16] == _imp.source_hash(int.from_bytes(magic, "little"), source.read_bytes()), source


def magic_of(interpreter: str | Path) -> bytes:
    """Ask an interpreter for its bytecode's magic number."""
    code = "import importlib.util; print(importlib.util.MAGIC_NUMBER.hex())"
    return bytes.fromhex(subprocess.run([interpreter, "-c", code], capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_hold_fresh_bytecode(local: Path, layer: str) -> None:
    """Every module is compiled, such that neither dates nor a read-only folder make it be compiled again."""
    assert_fresh(local / layer, magic_of(INTERPRETER))


@pytest.mark.parametrize("layer", LAYERS)
def test_bytecode_names_the_place_where_it_runs(local: Path, layer: str) -> None:
    """Tracebacks name files as they are in Lambda, and nothing of the machine that built them."""
    assert not [source for source, bytecode in compiled(local / layer) if str(ROOT).encode() in bytecode]


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_hold_nothing_that_is_not_needed(local: Path, layer: str) -> None:
    """No commands, no tests of ours, no bytecode of other interpreters, and within what Lambda takes."""
    folder = local / layer
    assert [path.name for path in folder.iterdir()] == ["python"]
    assert not (folder / "python/bin").exists()
    assert not list(folder.rglob("conftest.py"))
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 40_000_000


def test_the_deployable_build_is_for_lambdas_machine(deployable: Path) -> None:
    """Extension modules are arm64's, for the runtime's version of Python."""
    modules = list(deployable.rglob("*.so"))
    assert {path.name.split(".")[0] for path in modules} >= {"_core", "_sodium", "_cffi_backend"}
    for path in modules:
        assert int.from_bytes(path.read_bytes()[18:20], "little") == AARCH64
        tag = path.name.split(".")[1]
        assert tag == "abi3" or tag.startswith(f"cpython-{PYTHON.replace('.', '')}-aarch64")


def test_the_deployable_build_is_compiled_for_the_runtime(deployable: Path) -> None:
    """Bytecode is of the runtime's minor version. Without such an interpreter at hand there is none."""
    written = list(deployable.rglob("*.pyc"))
    if not written:
        pytest.skip(f"there is no Python {PYTHON} here, so the layers have no bytecode")
    name = f"cpython-{PYTHON.replace('.', '')}"
    assert {path.name.split(".")[-2] for path in written} == {name}
    for layer in LAYERS:
        magic = compiled(deployable / layer)[0][1][:4]
        assert_fresh(deployable / layer, magic)


def test_templates_point_at_the_build(deployable: Path, local: Path) -> None:
    """The layers that were built are deployed, and the functions as they are: on this machine the same as by ``sam deploy``."""
    for built in (deployable, local):
        text = (built / "template.yaml").read_text()
        assert sorted(re.findall(r"ContentUri: (\w+)", text)) == sorted(LAYERS)
        functions_there = {(built / folder).resolve() for folder in re.findall(r"CodeUri: (\S+)", text)}
        assert functions_there == {ROOT / "functions" / name for name in functions()}


def test_a_build_for_this_machine_has_the_same_in_it(deployable: Path, local: Path) -> None:
    """What the sandbox builds without SAM is what SAM builds, but for what is compiled for a machine."""
    for layer in LAYERS:
        here, there = (
            {
                path.relative_to(built): path.read_bytes()
                for path in (built / layer).rglob("*")
                if path.suffix in {".py", ".json"} and not path.name.startswith("_cffi")
            }
            for built in (local, deployable)
        )
        assert here == there, layer


def test_the_locks_are_those_that_were_tested() -> None:
    """Layers have the very versions that the tests run with; what is the operator's own besides changes none of them."""
    pins = pinned(ROOT / "requirements/dev.lock")
    for lock in ROOT.glob("layers/*/requirements.lock"):
        assert {
            name: version for name, version in pinned(lock).items() if name in pins or lock.parent.name != "agent"
        }.items() <= pins.items()


def test_what_my_agent_needs_is_built(tmp_path: Path) -> None:
    """A package that is named for the agent's layer and locked is imported from there, by my_agent.py as by anything.

    Built once, it is built again where there is no network.
    """
    layers = tmp_path / "layers"
    shutil.copytree(ROOT / "layers", layers)
    # One that another layer's lock holds: nothing is downloaded that was not before.
    locked = (ROOT / "layers/aws/requirements.lock").read_text()
    (six,) = re.findall(r"^six==.*\n(?: +--hash.*\n)+", locked, re.MULTILINE)
    (layers / "agent/requirements.lock").write_text(six)
    built = tmp_path / "built"
    uv, offline = ROOT / ".venv/bin/uv", tmp_path / "offline"
    # uv itself asks the index of what it looked up ten minutes ago; this one does not let it.
    offline.write_text(f'#!/bin/sh\ncase "$*" in *--offline*) exec {uv} "$@";; *) exit 9;; esac\n')
    offline.chmod(0o755)
    for program in (uv, offline):
        shutil.rmtree(built, ignore_errors=True)
        told = {"LAYER_UV": str(program), "ARTIFACTS_DIR": str(built), **layer_environment(Checkout())}
        command = ["make", "--silent", "-C", str(layers / "agent"), "build-AgentLayer"]
        subprocess.run(
            [*command, *(f"{name}={value}" for name, value in told.items())], check=True, capture_output=True
        )
    (tmp_path / "my_agent.py").write_text("import six\n")
    files = loaded([tmp_path, built / "python"], "import my_agent")
    assert files["six"] == str(built / "python/six.py")
    assert functions()["agent"]["Layers"][-1].endswith("AgentLayer")
    assert len(functions()["agent"]["Layers"]) <= LAYERS_OF_A_FUNCTION


def pinned(lock: Path) -> dict[str, str]:
    """Return the versions in a lock, by name."""
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", lock.read_text(), re.MULTILINE))


def test_this_interpreter_hashes_sources_alike() -> None:
    """The check above stands on the interpreter's own function."""
    source = b"print()"
    mine = importlib.util.source_hash(source)
    assert mine == _imp.source_hash(int.from_bytes(importlib.util.MAGIC_NUMBER, "little"), source)
    assert sys.version_info >= (3, 11)
