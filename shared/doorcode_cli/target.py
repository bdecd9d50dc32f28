"""Which stack a command works on, and how it is reached: the options that every command takes."""

from __future__ import annotations

import inspect
import os
import stat
from collections.abc import Callable, Mapping
from functools import cached_property, wraps
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
import typer
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.program import program, work_on

DEFAULT_STACK = "doorcode"
DEFAULT_STORE = Path("~/.doorcode")
# What the sandbox writes into its store while it runs.
SANDBOX_FILE = "sandbox.json"
# How long and how often a client asks: fields of botocore's Config.
CONFIG: Mapping[str, Any] = MappingProxyType(
    {"connect_timeout": 5, "read_timeout": 60, "retries": {"total_max_attempts": 3, "mode": "standard"}}
)

StackOption = Annotated[str, typer.Option("--stack", envvar="DOORCODE_STACK", help="The stack to work on.")]
RegionOption = Annotated[str | None, typer.Option("--region", help="The AWS region, if not the configured one.")]
ProfileOption = Annotated[str | None, typer.Option("--profile", help="The AWS profile, if not the configured one.")]
LocalOption = Annotated[bool, typer.Option("--local", help="Work on the sandbox of this machine.")]
StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store-dir", envvar="DOORCODE_STORE_DIR", help="Where the sandbox keeps its state; implies --local."
    ),
]


class Sandbox(msgspec.Struct, frozen=True):
    """What a running sandbox tells of itself: where its emulator is, and the keys of this run, which open it."""

    endpoint: str
    key: str = ""
    secret: str = ""
    stack: str = DEFAULT_STACK
    region: str = "us-east-1"
    # Where it takes webhooks and shows its pages; and where platforms reach it, if a tunnel leads here.
    url: str = ""
    public_url: str = ""


class Target:
    """A stack, and clients that reach it with the operator's credentials."""

    def __init__(
        self, *, stack: str, region: str | None, profile: str | None, local: bool, store_dir: Path | None
    ) -> None:
        """Aim at a stack in AWS, or at the sandbox. Nothing is called yet."""
        self.local = local or store_dir is not None
        self._store = (store_dir or DEFAULT_STORE).expanduser()
        self._stack = stack
        self._region = region
        self._profile = profile

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self._sandbox.stack if self.local else self._stack

    @property
    def admin_function(self) -> str:
        """The name of the stack's admin function."""
        return f"{self.stack}-admin"

    @property
    def prefix(self) -> str:
        """What the names of the stack's secrets in Parameter Store, and of its log groups, begin with."""
        return f"/doorcode/{self.stack}"

    @property
    def public_url(self) -> str:
        """Where platforms reach the sandbox: through its tunnel, if it was given one. Empty for a stack in AWS."""
        return self._sandbox.public_url or self.local_url if self.local else ""

    @property
    def local_url(self) -> str:
        """Where the sandbox shows its pages; empty for a stack in AWS, which knows its own address."""
        return self._sandbox.url.rstrip("/") if self.local else ""

    @property
    def store(self) -> Path:
        """Where the sandbox keeps its state."""
        return self._store

    def client(self, service: str, config: Mapping[str, Any] = CONFIG) -> Any:
        """Build a client. Raises CommandError where credentials or region are missing."""
        from botocore.config import Config  # noqa: PLC0415 (loaded by whoever asks AWS, and not before)

        try:
            if self.local:
                return self._session.client(
                    service,
                    endpoint_url=self._sandbox.endpoint,
                    region_name=self._sandbox.region,
                    aws_access_key_id=self._sandbox.key,
                    aws_secret_access_key=self._sandbox.secret,
                    config=Config(**config),
                )
            return self._session.client(service, config=Config(**config))
        except BotoCoreError as error:
            raise unreachable(error) from None

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs. Raises CommandError if there is no such stack, or it cannot be asked."""
        try:
            answer = self.client("cloudformation").describe_stacks(StackName=self.stack)
        except (BotoCoreError, ClientError) as error:
            raise unreachable(error, f"the stack {self.stack!r}") from None
        return {output["OutputKey"]: output["OutputValue"] for output in answer["Stacks"][0].get("Outputs", [])}

    @cached_property
    def _session(self) -> Any:
        import boto3  # noqa: PLC0415 (as above: it takes as long to load as all the rest)

        try:
            return boto3.Session(region_name=self._region, profile_name=self._profile)
        except BotoCoreError as error:
            raise unreachable(error) from None

    @cached_property
    def _sandbox(self) -> Sandbox:
        path = self._store / SANDBOX_FILE
        try:
            return msgspec.json.decode(_read_own(path), type=Sandbox)
        except (OSError, msgspec.DecodeError):
            raise CommandError(
                f"No sandbox is running with its state in {self._store}. Start one with: {program()} run",
                Exit.UNREACHABLE,
            ) from None


def _read_own(path: Path) -> bytes:
    """Read what only we can have written: whoever else could would have commands, and secrets, sent where he likes.

    Raises OSError, and CommandError for a file that is somebody else's or that others may write.
    """
    # Asked of the open file, which nobody can exchange any more; and without waiting for what is no file.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.geteuid():
            raise CommandError(
                f"{path} belongs to another user, so it is not followed. Start a sandbox of your own, in another folder: "
                "doorcode run --store-dir DIRECTORY",
                Exit.UNREACHABLE,
            )
        if facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise CommandError(
                f"{path} can be written by others, so it is not followed. End the sandbox, delete the file, and start again: "
                "doorcode run",
                Exit.UNREACHABLE,
            )
        return file.read()


def unreachable(error: Exception, what: str = "AWS") -> CommandError:
    """Make the one line for what kept a command from reaching its stack."""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        detail = f"{code}: {error.response.get('Error', {}).get('Message', '')}".strip(": ")
    else:
        detail = str(error).strip() or type(error).__name__
    line = " ".join(detail.split()).rstrip(".")
    see = "See: doorcode doctor"
    if isinstance(error, NoCredentialsError | NoRegionError) and _sandbox_runs():
        see = "To work on this machine's sandbox, add: --local"
    return CommandError(f"Cannot reach {what}: {line}. {see}", Exit.UNREACHABLE)


def _sandbox_runs() -> bool:
    try:
        return (DEFAULT_STORE.expanduser() / SANDBOX_FILE).exists()
    except (OSError, RuntimeError):
        # Nobody's home, or one that may not be looked into.
        return False


def _named(stack: str, region: str | None, profile: str | None, *, local: bool, store_dir: Path | None) -> list[str]:
    """Return the options that name this stack in another command; none where the environment names it for that, too."""
    if store_dir is not None and os.environ.get("DOORCODE_STORE_DIR") != str(store_dir):
        return ["--store-dir", str(store_dir)]
    if local:
        return ["--local"]
    options: list[str] = []
    if stack not in {DEFAULT_STACK, os.environ.get("DOORCODE_STACK")}:
        options += ["--stack", stack]
    if region:
        options += ["--region", region]
    return [*options, "--profile", profile] if profile else options


def targeted(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say which stack it works on; it takes them as its first argument, a Target."""

    @wraps(command)
    def with_options(
        *arguments: Any,
        stack: str,
        region: str | None,
        profile: str | None,
        local: bool,
        store_dir: Path | None,
        **options: Any,
    ) -> None:
        work_on(*_named(stack, region, profile, local=local, store_dir=store_dir))
        target = Target(stack=stack, region=region, profile=profile, local=local, store_dir=store_dir)
        command(target, *arguments, **options)

    own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
    shared = [
        ("stack", StackOption, DEFAULT_STACK),
        ("region", RegionOption, None),
        ("profile", ProfileOption, None),
        ("local", LocalOption, False),
        ("store_dir", StoreOption, None),
    ]
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, annotation, default in shared
    ]
    with_options.__signature__ = inspect.Signature(own + more)  # type: ignore[attr-defined]
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in own + more}
    return with_options
