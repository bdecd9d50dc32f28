"""``doorcode texts``: what people are told, in the owner's own words."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from doorcode.pairing.texts import ENGLISH
from doorcode.pairing.wording import ENGLISH_TAG, EVERY_LANGUAGE, SHIPPED, shipped
from doorcode_cli.deployment import Deployment
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.options import ConfirmOption, JsonOption
from doorcode_cli.output import note, say, say_json
from doorcode_cli.own_texts import StoredTexts, checked_key, checked_language, placeholders, problem, problems, read
from doorcode_cli.shown import duration, shown
from doorcode_cli.target import Target, targeted

FROM_STDIN = "-"
MAX_INPUT = 1 << 16
LONGEST_SHOWN = 4096

app = typer.Typer(no_args_is_help=True, help="Say things to people in words of your own, and in their languages.")

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="Which text: see doorcode texts list.")]
MaybeKeyArgument = Annotated[
    str | None, typer.Argument(metavar="[KEY]", help="Which text. All of them, if none is given.")
]
TextArgument = Annotated[
    str | None,
    typer.Argument(metavar="[TEXT]", help="What to say; - reads it from standard input.", show_default=False),
]
FileOption = Annotated[Path | None, typer.Option("--file", help="Read the text from this file.")]
LanguageOption = Annotated[
    str, typer.Option("--language", "-l", help="Whose language it is for, such as de or pt-BR; * for everybody's.")
]
MaybeLanguageOption = Annotated[
    str | None, typer.Option("--language", "-l", help="That language alone, such as de or pt-BR; * for everybody's.")
]
AllOption = Annotated[bool, typer.Option("--all", help="Every text that is set.")]


@app.callback()
def texts() -> None:
    """Say things to people in words of your own, and in their languages."""


@app.command(
    "list",
    epilog=examples("doorcode texts list", "doorcode texts list code --language de", "doorcode texts list --json"),
)
@targeted
def list_texts(
    target: Target,
    key: MaybeKeyArgument = None,
    *,
    language: MaybeLanguageOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every text: its key, its placeholders, what ships, and what is set."""
    keys = [checked_key(key)] if key else list(ENGLISH)
    tag = checked_language(language) if language else ""
    own = read(StoredTexts(Deployment(target)).value)
    wrong = problems(own)
    ships = {one: shipped(one) for one in (ENGLISH_TAG, *SHIPPED)}
    records = [
        {
            "key": one,
            "placeholders": placeholders(one),
            "ships": {where: found[one] for where, found in ships.items() if tag in {"", where}},
            "set": {where: text for where, text in own.get(one, {}).items() if tag in {"", where}},
            "problems": [why for about, why in wrong if about == one],
        }
        for one in keys
    ]
    if as_json:
        say_json(records)
        return
    for record in records:
        named = " ".join(f"{{{name}}}" for name in placeholders(str(record["key"])))
        say(f"{record['key']}{f'  {named}' if named else ''}")
        for where, text in own.get(str(record["key"]), {}).items():
            if tag in {"", where}:
                say(f"   {f'set {shown(where, 16)}':<9} {shown(text, LONGEST_SHOWN)}")
        for where, found in ships.items():
            # All languages of all texts are more than anybody reads.
            if where == (tag or ENGLISH_TAG) or (key and not tag):
                say(f"   {f'ships {where}':<9} {found[str(record['key'])]}")
    for _, why in wrong if not key else ():
        note(f"⚠️  {why}")
    if not key and not tag:
        note(f"What ships is there in {', '.join(ships)}: doorcode texts list --language {SHIPPED[0]}")


@app.command(
    "set",
    epilog=examples(
        "doorcode texts set request_sent 'Ann has been asked. She is slow, but kind.'",
        "doorcode texts set approved 'Willkommen!' --language de",
        "doorcode texts set declined - < declined.txt",
    ),
)
@targeted
def set_text(  # noqa: PLR0913 (what the command takes)
    target: Target,
    key: KeyArgument,
    text: TextArgument = None,
    *,
    language: LanguageOption = EVERY_LANGUAGE,
    file: FileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Set a text: for everybody, or for those of one language, whose own text goes before one for everybody."""
    key, tag = checked_key(key), checked_language(language)
    if (text is None) is (file is None):
        raise CommandError("Give the text, or - for standard input, or --file.", Exit.USAGE)
    given = _given(text, file)
    if why := problem(key, given):
        raise CommandError(why)
    deployment = Deployment(target)
    _ = deployment.outputs
    stored = StoredTexts(deployment)
    own = read(stored.value)
    own[key] = own.get(key, {}) | {tag: given}
    stored.write(own)
    _said(f"✅ Set {key} {_for(tag)}", {"key": key, "language": tag, "text": given}, as_json=as_json)
    note(f"Running functions take it up within {duration(deployment.secrets_max_age())}.")


@app.command(
    epilog=examples(
        "doorcode texts reset approved", "doorcode texts reset approved --language de", "doorcode texts reset --all"
    )
)
@targeted
def reset(  # noqa: PLR0913 (what the command takes)
    target: Target,
    key: MaybeKeyArgument = None,
    *,
    language: MaybeLanguageOption = None,
    everything: AllOption = False,
    confirm: ConfirmOption = False,
    as_json: JsonOption = False,
) -> None:
    """Have a text as it ships again: in every language, or in one; or all texts."""
    if (key is None) is not everything or (everything and language):
        raise CommandError("Name a text, or give --all alone.", Exit.USAGE)
    deployment = Deployment(target)
    _ = deployment.outputs
    stored = StoredTexts(deployment)
    if key is None:
        if not confirm:
            typer.confirm("Have all texts as they ship?", abort=True)
        stored.write({})
        _said("✅ All texts are as they ship", {"reset": True}, as_json=as_json)
        return
    own = read(stored.value)
    # What is set by other means may have any key.
    found = own.get(key) or own.get(checked_key(key), {})
    tag = checked_language(language) if language else ""
    if not found or (tag and tag not in found):
        raise CommandError(f"{key} is not set{f' {_for(tag)}' if tag else ''}.")
    own[key] = {where: text for where, text in found.items() if tag and where != tag}
    stored.write(own)
    _said(f"✅ Reset {key}{f' {_for(tag)}' if tag else ''}", {"key": key, "language": tag or None}, as_json=as_json)


def _given(text: str | None, file: Path | None) -> str:
    try:
        raw = file.read_bytes() if file else sys.stdin.buffer.read(MAX_INPUT) if text == FROM_STDIN else None
        return (text or "") if raw is None else raw[:MAX_INPUT].decode().strip("\r\n").replace("\r\n", "\n")
    except OSError as error:
        raise CommandError(f"{file} cannot be read ({error.strerror or type(error).__name__}).") from None
    except UnicodeDecodeError:
        raise CommandError("The text is not UTF-8.") from None


def _for(tag: str) -> str:
    return "for everybody" if tag == EVERY_LANGUAGE else f"in {tag}"


def _said(line: str, record: dict[str, object], *, as_json: bool) -> None:
    say(json.dumps(record) if as_json else line)
