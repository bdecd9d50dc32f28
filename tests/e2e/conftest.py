"""The owner's page over the web function in process, the playground's over a scene that a test writes; and a machine."""

import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from doorcode_cli.checkout import Checkout
from doorcode_sandbox.build import check
from doorcode_sandbox.trouble import SandboxError
from tests.backends import in_process
from tests.browser.tabs import Tab, Windows, open_tab
from tests.e2e import playground_scene
from tests.e2e.owner_harness import OwnerHarness
from tests.e2e.playground_scene import AFRESH, Scene, pane
from tests.e2e.sandbox_process import Machine, copied
from tests.harness import HARNESSES


@pytest.fixture(scope="module")
def clients() -> Iterator[Mapping[str, Any]]:
    """Give clients of AWS in process."""
    with in_process.aws("ssm"):
        yield {name: in_process.client(name) for name in ("dynamodb", "ssm", "cloudwatch", "sqs")}


@pytest.fixture
def harness(clients: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, windows: Windows) -> Iterator[OwnerHarness]:
    """Give the owner's page over an empty table."""
    with OwnerHarness(clients, monkeypatch, windows).running() as running:
        yield running
    HARNESSES.clear()


@pytest.fixture(scope="module")
def served() -> Iterator[Scene]:
    """Give the one scene of a file's tests, which is served."""
    with playground_scene.running() as found:
        yield found


@pytest.fixture(scope="module")
def drawn_page(served: Scene, browser: Browser) -> Iterator[Tab]:
    """Give the one page of a file's tests: to draw it takes longer than what most of them do there."""
    tab = open_tab(browser, served.url)
    expect(pane(tab.page, "stranger").locator(".empty")).to_be_visible()
    yield tab
    tab.page.context.close()


@pytest.fixture
def scene(served: Scene) -> Scene:
    """Give the scene, where nobody wrote yet."""
    served.begin()
    return served


@pytest.fixture
def page(scene: Scene, drawn_page: Tab) -> Iterator[Page]:
    """Give the page, as it is when it was drawn; it may do nothing that no page may."""
    with drawn_page.page.expect_response("**/deliveries"):
        scene.change()
    drawn_page.page.evaluate(AFRESH)
    expect(pane(drawn_page.page, "stranger").locator(".empty")).to_be_visible()
    yield drawn_page.page
    assert drawn_page.troubles() == []


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for machines, if the tools are here."""
    try:
        check(Checkout())
    except SandboxError as error:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(str(error))
    return tmp_path_factory.mktemp("machine")


@pytest.fixture(scope="session")
def machine(folder: Path) -> Iterator[Machine]:
    """Give a machine where everything is built; nothing runs there any more at the end."""
    found = Machine(folder, copied(folder / "built", built=True))
    yield found
    found.close()


@pytest.fixture(scope="session")
def kept(machine: Machine) -> Path:
    """Give what a sandbox has kept there that nobody wrote to: a copy of it, started at the same address, deploys nothing."""
    run = machine.run("kept").is_up()
    assert run.end(signal.SIGTERM) == 0
    return run.store
