"""What the sandbox is built from: a checkout, its tools, and when it has to be built again."""

from pathlib import Path
from typing import Any

import pytest

from doorcode_cli.checkout import Checkout
from doorcode_sandbox import build as builds
from doorcode_sandbox import emulator
from doorcode_sandbox.build import check
from doorcode_sandbox.clients import Clients
from doorcode_sandbox.emulator_guard import made_keys
from doorcode_sandbox.trouble import SandboxError
from tests.backends.emulators import free_port

TOOLS = (".tools/ministack/bin/ministack", ".venv/bin/uv")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Give a checkout with tools that do nothing, save an interpreter."""
    for name in (*TOOLS, ".tools/ministack/bin/python", "template.yaml", "shared/doorcode/errors.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("#!/bin/sh\necho 3.11\n")
        (tmp_path / name).chmod(0o755)
    return Checkout(tmp_path)


def test_this_is_a_checkout() -> None:
    """The package stands in one."""
    assert Checkout().template.exists()


def test_no_checkout_is_told(tmp_path: Path) -> None:
    """An installed package has no template: what to do is said."""
    with pytest.raises(SandboxError, match="make run"):
        check(Checkout(tmp_path))


@pytest.mark.parametrize("tool", TOOLS)
def test_a_missing_tool_is_told(checkout: Checkout, tool: str) -> None:
    """In one line, with the command that installs it."""
    check(checkout)
    (checkout.root / tool).unlink()
    with pytest.raises(
        SandboxError, match=r"is not installed: run `make \w+`.*`make run` sets everything up"
    ) as raised:
        check(checkout)
    assert "\n" not in str(raised.value)


def test_it_is_built_again_only_when_its_sources_changed(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not part of the layers is no reason; a change while building is one, the next time."""
    built: list[int] = []
    source = checkout.root / "shared/doorcode/errors.py"
    while_building: list[str] = []

    def build(checkout: Checkout, *_: Any) -> None:
        builds.local(checkout).mkdir(parents=True)
        built.append(1)
        if while_building:
            source.write_text(while_building.pop())

    monkeypatch.setattr(builds, "build", build)
    builds.build_local(checkout, {})
    first = builds.built_key(checkout)
    (checkout.root / "shared/doorcode_cli").mkdir()
    (checkout.root / "shared/doorcode_cli/app.py").touch()
    builds.build_local(checkout, {})
    assert len(built) == 1
    source.write_text("two")
    builds.build_local(checkout, {})
    assert len(built) == 2
    assert builds.built_key(checkout) != first
    source.write_text("three")
    while_building.append("four")
    builds.build_local(checkout, {})
    assert builds.built_key(checkout) != builds.built_key(checkout)
    builds.build_local(checkout, {})
    assert len(built) == 4


def test_a_failing_rule_is_quoted(checkout: Checkout) -> None:
    """What it said last goes with the error; the layers that are still being built are given up."""
    for name, rule in (("edge", "echo trouble with $@; exit 1"), ("slow", "sleep 600")):
        folder = checkout.root / "layers" / name
        folder.mkdir(parents=True)
        (folder / "Makefile").write_text(f"build-{name.title()}Layer:\n\t@{rule}\n")
    with pytest.raises(SandboxError, match="Building EdgeLayer failed") as raised:
        builds.build(checkout, checkout.root / "target", {})
    assert raised.value.tail.startswith("trouble with build-EdgeLayer")


def test_a_template_says_where_what_is_built_lies(checkout: Checkout) -> None:
    """A layer by its name, a function where it is; whatever stands around it."""
    folder = checkout.root / "layers/edge"
    folder.mkdir(parents=True)
    (folder / "Makefile").write_text("build-EdgeLayer:\n\ttouch $(ARTIFACTS_DIR)/built\n")
    checkout.template.write_text(
        "A: {ContentUri: layers/edge/, B: c}\nD: {CodeUri: functions/d}\nE:\n  CodeUri: functions/e/\n"
    )
    builds.build(checkout, checkout.root / "some/target", {})
    assert (checkout.root / "some/target/EdgeLayer/built").exists()
    assert (checkout.root / "some/target/template.yaml").read_text() == (
        "A: {ContentUri: EdgeLayer, B: c}\nD: {CodeUri: ../../functions/d}\nE:\n  CodeUri: ../../functions/e\n"
    )


def test_an_emulator_that_does_not_start_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that ends, and one that never answers."""
    monkeypatch.setattr(emulator, "START_SECONDS", 0.2)
    for script in ("echo no; exit 1", "echo no; sleep 600"):
        with (
            pytest.raises(SandboxError, match="The emulator did not start") as raised,
            emulator.running(["/bin/sh", "-c", script], free_port(), {}, tmp_path),
        ):
            pass
        assert raised.value.tail in {"no", ""}


def test_this_machine_s_settings_are_not_the_sandbox_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A profile that there is none of, and a proxy, do not come between us and the emulator."""
    (tmp_path / "config").write_text("[default]\nendpoint_url = http://192.0.2.1\n")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1")
    clients = Clients("http://127.0.0.1:9", made_keys())
    assert clients("ssm") is clients("ssm")
    assert clients("ssm").meta.endpoint_url == "http://127.0.0.1:9"
    assert clients("ssm").meta.config.proxies == {}
