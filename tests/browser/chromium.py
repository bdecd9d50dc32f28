"""The Chromium that the pages are tried in: found or installed by ``make browser``, driven by Playwright.

Which one it is stands in ``.tools/browser``: one on this machine, else Playwright's own, else Debian's package. It is
never a matter of the tests: they run the one that stands there, and download nothing.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Error, expect, sync_playwright

from tests.eventually import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
FOUND = ROOT / ".tools/browser"
# The first one that starts is taken.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
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
)


class BrowserError(Exception):
    """No browser is installed."""


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
    named = [os.environ.get("CHROMIUM", ""), *NAMES]
    for path in (*(shutil.which(name) for name in named if name), *APPLICATIONS):
        if path and _starts(path):
            return path
    for install in (_playwrights_own, _debians):
        path = install()
        if path and _starts(path):
            return path
    return None


def _starts(path: str) -> bool:
    try:
        with sync_playwright() as playwright:
            playwright.chromium.launch(executable_path=path, timeout=START_SECONDS * 1000).close()
    except Error:
        return False
    return True


def _playwrights_own() -> str | None:
    os.environ["PLAYWRIGHT_BROWSERS_PATH"] = str(FOUND.with_name("playwright"))
    if not _done(sys.executable, "-m", "playwright", "install", "--no-shell", "chromium"):
        return None
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def _debians() -> str | None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    if not (_done("apt-get", "update") and _done("apt-get", "install", "--yes", "--no-install-recommends", "chromium")):
        return None
    return shutil.which("chromium")


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
