"""The Chromium that the pages are tried in: found or installed by ``make browser``, driven by Playwright.

Which one it is stands in ``.tools/chromium``: the headless shell of this machine, else Debian's package of it, else
Playwright's own, else a whole browser. The shell has the same engine and none of a browser's windows: a page in it
takes a third of the work. It is never a matter of the tests: they run the one that stands there, and download nothing.
"""

import asyncio
import contextlib
import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Browser, Error, expect, sync_playwright

from tests.eventually import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
FOUND = ROOT / ".tools/chromium"
# The first one that starts is taken.
SHELLS = ("chromium-headless-shell", "chrome-headless-shell")
WHOLE = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
START_SECONDS = 60
INSTALL_SECONDS = 600
# A page under test reaches this machine and nothing else, whatever it asks for.
# ``evil.example`` leads here, as a name does that somebody has rebound.
REBOUND = "evil.example"
ARGUMENTS = (
    f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--force-color-profile=srgb",
    # Less work for the same page: no process is kept ready for one to come, and none is there for drawing alone.
    "--renderer-process-limit=1",
    "--num-raster-threads=1",
    "--in-process-gpu",
)


class BrowserError(Exception):
    """No browser is installed."""


class Lent:
    """A browser that runs for long, and is used for a while now and then. It holds the thread's asyncio only while it is used."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        # Playwright's own loop goes on for as long as it runs, and stands still while nothing is asked of it.
        self._loop = asyncio.get_running_loop()

    @contextlib.contextmanager
    def used(self) -> Iterator[Browser]:
        """Give the browser. Others in the thread can use asyncio before and after that."""
        asyncio._set_running_loop(self._loop)
        try:
            yield self._browser
        finally:
            asyncio._set_running_loop(None)


@contextlib.contextmanager
def lent() -> Iterator[Lent]:
    """Run the browser to be used now and then. Raises BrowserError where none is installed."""
    with running() as browser:
        found = Lent(browser)
        asyncio._set_running_loop(None)
        try:
            yield found
        finally:
            asyncio._set_running_loop(found._loop)


@contextlib.contextmanager
def running() -> Iterator[Browser]:
    """Run the browser without a window. Raises BrowserError where none is installed."""
    if not FOUND.exists():
        raise BrowserError("no Chromium is installed: run `make browser`")
    # What a page shows may have a long way behind it, and a test that passes never waits so long.
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=FOUND.read_text().strip(), args=list(ARGUMENTS), timeout=START_SECONDS * 1000
        )
        with contextlib.closing(browser):
            yield browser


def find() -> str | None:
    """Return the path of a Chromium that starts, and install one where there is none; None if that fails."""
    ways: list[Callable[[], str | None]] = [
        *(functools.partial(shutil.which, name) for name in (os.environ.get("CHROMIUM", ""), *SHELLS) if name),
        functools.partial(_debians, SHELLS[0]),
        _playwrights_own,
        *(functools.partial(shutil.which, name) for name in (*WHOLE, *APPLICATIONS)),
        functools.partial(_debians, WHOLE[0]),
    ]
    found = (path for way in ways if (path := way()))
    return next(filter(_starts, found), None)


def _starts(path: str) -> bool:
    try:
        with sync_playwright() as playwright:
            playwright.chromium.launch(executable_path=path, timeout=START_SECONDS * 1000).close()
    except Error:
        return False
    return True


def _playwrights_own() -> str | None:
    folder = FOUND.with_name("playwright")
    os.environ["PLAYWRIGHT_BROWSERS_PATH"] = str(folder)
    if not _done(sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"):
        return None
    return next(map(str, folder.glob("chromium_headless_shell-*/*/*headless*shell")), None)


def _debians(package: str) -> str | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    install = ("apt-get", "install", "--yes", "--no-install-recommends", package)
    done = _done(*install) or (_done("apt-get", "update") and _done(*install))
    return shutil.which(package) if done else None


def _done(*command: str) -> bool:
    """Run an installer, which speaks on stderr alone."""
    settings = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(command, env=settings, stdout=sys.stderr, timeout=INSTALL_SECONDS).returncode == 0  # noqa: PLW1510
    except (OSError, subprocess.TimeoutExpired):
        return False


def main() -> None:
    """Write down which browser there is. Exits with 1 where none can be had."""
    path = find()
    if path is None:
        sys.exit("no Chromium is on this machine and none can be installed; name one with CHROMIUM=")
    FOUND.parent.mkdir(exist_ok=True)
    FOUND.write_text(f"{path}\n")


if __name__ == "__main__":
    main()
