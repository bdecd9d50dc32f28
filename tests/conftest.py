"""Fixtures for every test: no way out of this machine, the databases to run against, and the browser."""

import functools
import gc
import importlib
import ipaddress
import logging
import os
import socket
import ssl
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import httpx
import httpx._transports.default as httpx_transports
import hypothesis
import msgspec
import pytest
import typer.main
from botocore import loaders
from playwright.sync_api import Browser
from xdist.remote import Producer
from xdist.workermanage import WorkerController

from doorcode.entrypoints import log
from tests.backends import dynamodb, in_process
from tests.backends.dynamodb import Backend, Table
from tests.backends.emulators import EmulatorError
from tests.backends.shared import Emulators, OthersEmulators, OwnEmulators
from tests.browser import chromium
from tests.browser.chromium import BrowserError, Lent
from tests.browser.tabs import Tab, Windows
from tests.distribution import Dealer, turn_of

EMULATORS = pytest.StashKey[Emulators]()

# How long something takes is no matter of the tests.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Dealer | None:
    """Deal out the tests of ``--dist loadfile`` in our own way."""
    return Dealer(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_sessionstart(session: pytest.Session) -> None:
    """Have each worker begin with other files: their asserts, which pytest rewrites first, are then rewritten by one of them."""
    root, worker = session.config.rootpath, getattr(session.config, "workerinput", None)
    if worker is None:
        return
    places = [root / argument.partition("::")[0] for argument in session.config.args]
    files = sorted({file for place in places for file in place.rglob("test_*.py")})
    for file in files[int(worker["workerid"].removeprefix("gw")) :: worker["workercount"]]:
        # What fails is tried again, and told of, when it is collected; a warning has to fail, too.
        with warnings.catch_warnings(), suppress(Exception):
            warnings.simplefilter("error")
            importlib.import_module(".".join(file.relative_to(root).with_suffix("").parts))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector away from all that is imported and collected, which stays."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        # As often as it comes by itself, it takes every twelfth second of the tests.
        gc.set_threshold(20_000, 20, 20)


def pytest_configure(config: pytest.Config) -> None:
    """Have one process run the emulators, for all workers."""
    told = getattr(config, "workerinput", None)
    config.stash[EMULATORS] = OwnEmulators() if told is None else OthersEmulators(told["emulators"])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Tell a worker where to ask for emulators."""
    owner = node.config.stash[EMULATORS]
    assert isinstance(owner, OwnEmulators)
    node.workerinput["emulators"] = owner.address()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the emulators."""
    config.stash[EMULATORS].close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest."""
    items.sort(key=lambda item: turn_of(item.nodeid))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the end how many seconds each folder of tests took, and how many cases it has."""
    seconds, cases = defaultdict[str, float](float), Counter[str]()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                folder = "/".join(report.nodeid.split("/")[:2])
                seconds[folder] += report.duration
                cases[folder] += report.when == "call"
    terminalreporter.section("seconds of all workers together, by folder")
    for folder in sorted(seconds, key=seconds.__getitem__, reverse=True):
        terminalreporter.write_line(f"{seconds[folder]:8.1f}  {folder} ({cases[folder]} cases)")


@pytest.fixture(scope="session", autouse=True)
def _read_once() -> Iterator[None]:
    """Make once per worker what does not change: AWS's descriptions of its services, the certificates to trust, the command's tree."""
    described = functools.cache(functools.partial(loaders.JSONFileLoader.load_file, loaders.JSONFileLoader()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaders.JSONFileLoader, "load_file", lambda _, path: described(path))
        patch.setattr(httpx_transports, "create_ssl_context", functools.cache(httpx.create_ssl_context))
        patch.setattr(ssl, "create_default_context", _machine_read_once(ssl.create_default_context))
        patch.setattr(typer.main, "get_command", functools.cache(typer.main.get_command))
        yield


def _machine_read_once(make: Callable[..., ssl.SSLContext]) -> Callable[..., ssl.SSLContext]:
    made = functools.cache(lambda *_: make())

    def context(*args: Any, **options: Any) -> ssl.SSLContext:
        return (
            make(*args, **options) if args or options else made(*map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR")))
        )

    return context


@pytest.fixture(scope="session", autouse=True)
def _hermetic() -> Iterator[None]:
    """Keep the machine's AWS settings and proxies out, and refuse every socket beyond loopback."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_DEFAULT_REGION", in_process.REGION)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("NO_PROXY", "*")
        for method in ("connect", "connect_ex"):
            patch.setattr(socket.socket, method, _address_guarded(getattr(socket.socket, method)))
        for function in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
            patch.setattr(socket, function, _host_guarded(getattr(socket, function)))
        yield


def _address_guarded(call: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            _refuse_unless_loopback(address[0])
        return call(self, address)

    return guarded


def _host_guarded(call: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_unless_loopback(host)
        return call(host, *args, **kwargs)

    return guarded


def _refuse_unless_loopback(host: str | bytes | None) -> None:
    name = host.decode() if isinstance(host, bytes) else host or "localhost"
    if name == "localhost" or name.endswith(".localhost"):
        return
    try:
        if ipaddress.ip_address(name).is_loopback:
            return
    except ValueError:
        pass
    # Not an Exception, so that no `except Exception` of the code under test can hide it.
    pytest.fail(f"a test tried to reach {name}, beyond this machine")


@pytest.fixture(autouse=True)
def _log_in_caplog(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put what the product writes to its log into pytest's ``caplog``: each line as a record, its fields as attributes."""

    def written(line: str) -> None:
        told = msgspec.json.decode(line)
        level = logging.getLevelNamesMapping()[told["level"]]
        record = {
            "name": told["logger"],
            "msg": told["message"],
            "levelname": logging.getLevelName(level),
            "levelno": level,
        }
        logging.getLogger("doorcode").handle(logging.makeLogRecord(told | record))

    monkeypatch.setattr(log, "write", written)
    monkeypatch.setattr(log, "_logger", "doorcode")  # no function of another test


@pytest.fixture(scope="session")
def _emulators(pytestconfig: pytest.Config) -> Iterator[Callable[[str], Backend]]:
    """Reach each emulator when the first test needs it."""
    reached: dict[str, Backend] = {}

    def reached_backend(name: str) -> Backend:
        if name not in reached:
            try:
                url = pytestconfig.stash[EMULATORS].url(name.removesuffix(dynamodb.EDGE))
            except EmulatorError as error:
                give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
                give_up(str(error))
            reached[name] = dynamodb.at(url, name)
        return reached[name]

    yield reached_backend
    for backend in reached.values():
        backend.close()


@pytest.fixture
def backend(request: pytest.FixtureRequest, _emulators: Callable[[str], Backend]) -> Iterator[Backend]:
    """Give the strictest DynamoDB, or each that ``EVERYWHERE`` asks for. moto only for one test, with nothing in it."""
    name = getattr(request, "param", dynamodb.STRICT)
    if name != "moto":
        yield _emulators(name)
        return
    with dynamodb.moto() as moto:
        yield moto


@pytest.fixture(scope="session", params=dict.fromkeys([dynamodb.STRICT, f"ministack{dynamodb.EDGE}"]))
def racing_backend(request: pytest.FixtureRequest, _emulators: Callable[[str], Backend]) -> Backend:
    """Give both databases that are atomic, and both clients, one by each."""
    return _emulators(request.param)


@pytest.fixture
def table(backend: Backend) -> Table:
    """Give a new, empty table, with a client: ``client, name = table``."""
    return backend.new_table()


@pytest.fixture
def racing_table(racing_backend: Backend) -> Table:
    """Give a new, empty table to those who race for it."""
    return racing_backend.new_table()


@pytest.fixture
def ssm() -> Iterator[Any]:
    """Give a client of an empty Parameter Store, in process."""
    with in_process.aws("ssm"):
        yield in_process.client("ssm")


@pytest.fixture(scope="session")
def _chromium() -> Iterator[Lent]:
    """Start the browser when the first test needs it, once per worker."""
    with ExitStack() as running:
        try:
            found = running.enter_context(chromium.lent())
        except BrowserError as error:
            give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            give_up(str(error))
        yield found


@pytest.fixture(scope="module")
def browser(_chromium: Lent) -> Iterator[Browser]:
    """Give the browser to the tests of one file: while they use it, no other test of the worker can use asyncio."""
    with _chromium.used() as found:
        yield found


@pytest.fixture
def windows(browser: Browser) -> Iterator[Windows]:
    """Give what opens windows; none of them may have done what no page may."""
    opened = Windows(browser)
    yield opened
    assert opened.close() == []


@pytest.fixture
def window(windows: Windows) -> Callable[..., Tab]:
    """Give a function that opens a URL in a window of its own, like ``open_tab``."""
    return windows.open
