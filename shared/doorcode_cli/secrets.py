"""``doorcode secrets``: setting, rotating and looking after the stack's secrets. None is ever shown.

Rotation has an overlap: a new secret is put on top of the ring, and everything that was signed with the former one goes
on working until ``--drop``. A platform is given a new webhook secret only when every function can already read it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table as Columns
from rich.text import Text

from doorcode.aws.items import seat_from_item, seats_pk
from doorcode.aws.provisioning import MADE_HERE, new_secret
from doorcode.pairing.contact import Platform
from doorcode.pairing.keyring import key_id
from doorcode.pairing.ports import CALLBACK_SECRET, GATEWAY_SECRET
from doorcode.pairing.seats import SEAT_NAMES
from doorcode_cli.deployment import SETTLING_SECONDS, Deployment
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.known_secrets import FORMS, HELD, TOKENS
from doorcode_cli.options import ConfirmOption, JsonOption
from doorcode_cli.output import note
from doorcode_cli.parameter_store import Kept
from doorcode_cli.platform_api import PlatformError
from doorcode_cli.platforms.port import SecretHolder
from doorcode_cli.platforms.registry import PLATFORMS
from doorcode_cli.secret_forms import LONGEST_VALUE, Form, doubt, lines, problem, values_of
from doorcode_cli.shown import counted, duration, iso, moment
from doorcode_cli.target import Target, targeted, unreachable

# As many as ever overlap, with some to spare: more are a sign that nothing was dropped for years.
MAX_RING = 5
MAX_INPUT = 1 << 16
WIDE = 160

app = typer.Typer(no_args_is_help=True, help="Set, rotate and look after the stack's secrets.")

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help=f"One of: {', '.join(FORMS)}.", show_default=False)
]  # fmt: skip
RotatedArgument = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help=f"One of: {', '.join(MADE_HERE)}. All of them, if none is given.")
]
FileOption = Annotated[Path | None, typer.Option("--file", help="Read the value from this file.")]
KeepOldOption = Annotated[
    bool, typer.Option("--keep-old", help="Go on accepting the former one, until the secret is set without this.")
]
DropOption = Annotated[bool, typer.Option("--drop", help="Remove the old ones, instead of making a new one.")]


@app.command(
    "set",
    # What stands behind the name is refused here, in words that do not repeat it.
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    epilog=examples(
        "doorcode secrets set telegram/bot-token",
        "doorcode secrets set slack/bot-token < token.txt",
        "doorcode secrets set slack/signing-secret --keep-old --file secret.txt",
    ),
)
@targeted
def set_secret(
    target: Target,
    ctx: typer.Context,
    name: NameArgument,
    *,
    file: FileOption = None,
    keep_old: KeepOldOption = False,
) -> None:
    """Set a secret: from a prompt that shows nothing, from standard input, or from a file. Never from an argument."""
    if ctx.args:
        raise CommandError(
            "A secret is never given as an argument, where the shell keeps it: leave it away and enter it at the "
            "prompt, or use standard input or --file.",
            Exit.USAGE,
        )
    form = _form(name, FORMS)
    if keep_old and not form.ring:
        raise CommandError(f"--keep-old does not fit {form.name}, of which there is one at a time.", Exit.USAGE)
    deployment = Deployment(target)
    # A stack that is not there is noticed before anything is typed, and gets no secrets.
    _ = deployment.outputs
    values = _checked(form, _given(form, file))
    before = deployment.parameter_store.read([form.name]).get(form.name)
    _refuse_shared(deployment, form, values)
    if keep_old and before:
        values = list(dict.fromkeys([*values, *lines(before.value)]))
    value = "\n".join(values)
    if len(values) > MAX_RING or len(value) > LONGEST_VALUE:
        raise CommandError(
            f"{form.name} would hold too much: at most {MAX_RING} secrets and {LONGEST_VALUE} characters."
        )
    if before is None or before.value.strip() != value:
        deployment.parameter_store.write(form.name, value)
    typer.echo(f"✅ Set {form.name}")
    if before is not None and before.value.strip() != value:
        note(f"Running functions take it up within {duration(deployment.secrets_max_age())}.")
    if form.name in TOKENS:
        _token_was_set(deployment, TOKENS[form.name])
    if form.next:
        note(f"Next: {form.next}")


@app.command(
    epilog=examples(
        "doorcode secrets rotate",
        "doorcode secrets rotate --drop",
        "doorcode secrets rotate telegram/webhook-secret",
    )
)
@targeted
def rotate(
    target: Target, name: RotatedArgument = None, *, drop: DropOption = False, confirm: ConfirmOption = False
) -> None:
    """Make new secrets of our own; the old ones work on until they are dropped with --drop."""
    names = list(MADE_HERE) if name is None else [_form(name, MADE_HERE).name]
    deployment = Deployment(target)
    _ = deployment.outputs
    rings = deployment.parameter_store.read(
        [*names, *(PLATFORMS[platform].api.token.name for platform in HELD.values())]
    )
    for missing in [name for name in names if name not in rings]:
        raise CommandError(f"{missing} is not there. Deploy the stack with: make deploy")
    holders: dict[str, SecretHolder] = {}
    for held, platform in HELD.items():
        if held not in names:
            continue
        token = PLATFORMS[platform].api.token
        holder = _holder(deployment, platform, rings.get(token.name))
        if holder:
            holders[held] = holder
        elif name is None:
            names.remove(held)
            note(f"{held} is left as it is: there is no {token.name}, so {platform.brand} is not in use.")
        else:
            raise CommandError(
                f"{token.name} is not set, so {platform.brand} cannot be given the new secret. Set it with: {token.sets}"
            )
    wanted = {name: rings[name] for name in names}
    if drop:
        _drop_old(deployment, wanted, holders, confirm=confirm)
    else:
        _add_new(deployment, wanted, holders)


@app.command(epilog=examples("doorcode secrets status", "doorcode secrets status --json"))
@targeted
def status(target: Target, *, as_json: JsonOption = False) -> None:
    """Tell which secrets are there, how old they are, and how many are on each ring. Never a value."""
    deployment = Deployment(target)
    _ = deployment.outputs
    kept = deployment.parameter_store.read(list(FORMS))
    now = time.time()
    rows = [_row(form, kept.get(form.name), now) for form in FORMS.values()]
    if as_json:
        typer.echo(json.dumps({"stack": target.stack, "secrets": rows}, indent=2))
        return
    columns = Columns(box=None, pad_edge=False, header_style="bold")
    for heading in ("Secret", "Set", "Age", "Secrets"):
        columns.add_column(heading, no_wrap=True)
    columns.add_column("Key ids", overflow="fold")
    for row in rows:
        age = duration(row["age_seconds"]) if row["present"] else ""
        written = moment(now - row["age_seconds"]) if row["present"] else "missing"
        many = str(row["secrets"]) if row["present"] else ""
        columns.add_row(*(Text(cell) for cell in (row["name"], written, age, many, " ".join(row["key_ids"]))))
    # Nothing is cut where there is no terminal to fit in.
    Console(highlight=False, width=None if sys.stdout.isatty() else WIDE).print(columns)


def _token_was_set(deployment: Deployment, platform: Platform) -> None:
    follow = PLATFORMS[platform].token_was_set
    if follow:
        follow(deployment)
    if deployment.plays(platform):
        note("The sandbox calls the real platform from its next start on: end it with Ctrl-C, and start it again.")


def _row(form: Form, kept: Kept | None, now: float) -> dict[str, Any]:
    secrets = values_of(form, kept.value) if kept else []
    return {
        "name": form.name,
        "present": bool(secrets),
        "secrets": len(secrets),
        # Names of what signs and verifies; tokens and public keys need none.
        "key_ids": [key_id(secret.encode()) for secret in secrets] if form.ring else [],
        "modified": iso(kept.modified) if kept else None,
        "age_seconds": max(int(now - kept.modified), 0) if kept else None,
    }


def _form(name: str, known: Collection[str]) -> Form:
    if name not in known:
        # Not repeated: it may be the secret itself.
        raise CommandError(f"There is no secret of that name. Use one of: {', '.join(known)}.", Exit.USAGE)
    return FORMS[name]


def _given(form: Form, file: Path | None) -> str:
    if file is not None:
        try:
            with file.open("rb") as source:
                raw = source.read(MAX_INPUT)
        except OSError as error:
            raise CommandError(f"The file cannot be read: {error.strerror}.", Exit.USAGE) from None
    elif _at_a_terminal():
        prompt: str = typer.prompt(form.name, hide_input=True, err=True)
        return prompt
    else:
        try:
            raw = sys.stdin.buffer.read(MAX_INPUT)
        except OSError as error:
            raise CommandError(f"Standard input cannot be read: {error.strerror}.", Exit.USAGE) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CommandError(f"The value for {form.name} is no text.") from None


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _checked(form: Form, given: str) -> list[str]:
    values = values_of(form, given)
    if not form.ring and len(values) > 1:
        raise CommandError(f"The value for {form.name} has more than one line.")
    for value in values or [""]:
        wrong = problem(form, value)
        if wrong:
            raise CommandError(wrong)
    for doubted in dict.fromkeys(filter(None, (doubt(form, value) for value in values))):
        note(f"⚠️  {doubted}")
    return values


def _refuse_shared(deployment: Deployment, form: Form, values: list[str]) -> None:
    """Codes and buttons are signed with different secrets, so that one leaked does not give away the other."""
    other = {GATEWAY_SECRET: CALLBACK_SECRET, CALLBACK_SECRET: GATEWAY_SECRET}.get(form.name)
    kept = deployment.parameter_store.read([other]).get(other) if other else None
    if kept and set(lines(kept.value)) & set(values):
        raise CommandError(f"{form.name} must not be the same as {other}.")


# Rotation


def _holder(deployment: Deployment, platform: Platform, token: Kept | None) -> SecretHolder | None:
    """Return the platform's side of the secret that it holds, if it is in use. Raises PlatformError."""
    kind = PLATFORMS[platform].holder
    return kind(deployment, token.value) if kind and token and token.value.strip() else None


def _add_new(deployment: Deployment, rings: dict[str, Kept], holders: Mapping[str, SecretHolder]) -> None:
    for name, ring in rings.items():
        if len(lines(ring.value)) >= MAX_RING:
            raise CommandError(f"{name} holds {MAX_RING} secrets. First run: doorcode secrets rotate {name} --drop")
    for name, ring in rings.items():
        secret = new_secret(name)
        deployment.parameter_store.write(name, "\n".join([secret, *lines(ring.value)]), after=ring.version)
        if name in holders:
            _tell(HELD[name], holders[name], secret)
        many = counted(len(lines(ring.value)), "older one")
        typer.echo(f"✅ Rotated {name} (new key id {key_id(secret.encode())}; {many} still accepted)")
    if rings:
        wait = duration(deployment.secrets_max_age())
        note(f"Functions sign with the new ones within {wait}. Then run: doorcode secrets rotate --drop")


def _tell(platform: Platform, holder: SecretHolder, secret: str) -> None:
    form = holder.secret
    if not holder.ours:
        note(f"{platform.brand}'s webhook is not this stack's, so it was told nothing. Run: {form.next}")
        return
    # A function that read its secrets just before would refuse the new one until it may read again.
    time.sleep(SETTLING_SECONDS)
    try:
        holder.give(secret)
    except PlatformError as error:
        raise CommandError(
            f"{form.name} is rotated, but {platform.brand} goes on with the old one, which still works. "
            f"{error} Then run: {form.next}"
        ) from None


def _drop_old(
    deployment: Deployment, rings: dict[str, Kept], holders: Mapping[str, SecretHolder], *, confirm: bool
) -> None:
    old = {name: ring for name, ring in rings.items() if len(lines(ring.value)) > 1}
    if not old:
        typer.echo("There are no old secrets to drop.")
        return
    for consequence in _consequences(deployment, old):
        note(consequence)
    if not confirm:
        many = counted(sum(len(lines(ring.value)) - 1 for ring in old.values()), "old secret")
        typer.confirm(f"Drop {many} of {', '.join(old)}?", abort=True)
    for name, ring in old.items():
        newest = lines(ring.value)[0]
        if name in holders:
            # Whatever it uses now: given once more, it surely uses the one that stays.
            holders[name].give(newest)
        deployment.parameter_store.write(name, newest, after=ring.version)
        typer.echo(f"✅ Dropped {counted(len(lines(ring.value)) - 1, 'old secret')} of {name}")


def _consequences(deployment: Deployment, old: dict[str, Kept]) -> list[str]:
    told = []
    if GATEWAY_SECRET in old:
        newest = key_id(lines(old[GATEWAY_SECRET].value)[0].encode())
        told.append(f"This ends {counted(_codes_of_others(deployment, newest), 'pending code')}.")
    if CALLBACK_SECRET in old:
        told.append("The buttons of prompts that were sent before the rotation stop working.")
    max_age = deployment.secrets_max_age()
    for name in (GATEWAY_SECRET, CALLBACK_SECRET):
        # AWS's time: it may be ahead of this machine's.
        age = max(time.time() - old[name].modified, 0) if name in old else max_age
        if age < max_age:
            told.append(
                f"⚠️  {name} was changed {duration(age)} ago: functions may sign with the old one for another "
                f"{duration(max_age - age)}, and what they sign then is refused."
            )
    return told


def _codes_of_others(deployment: Deployment, newest: str) -> int:
    """Count the pending requests whose code was made with another secret than the newest."""
    now = time.time()
    table = deployment.output("TableName")
    count = 0
    for platform in Platform:
        try:
            answer = deployment.client("dynamodb").query(
                TableName=table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": seats_pk(platform)}},
                ConsistentRead=True,
            )
        except (BotoCoreError, ClientError) as error:
            raise unreachable(error, f"the table {table}") from None
        seats = [seat_from_item(item) for item in answer["Items"] if item["sk"]["S"] in SEAT_NAMES]
        count += sum(not seat.freed_at and now < seat.expires_at and seat.key_id != newest for seat in seats)
    return count
