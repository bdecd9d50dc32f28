"""``doorcode ask``: ask the owner, wait, and go on only with a yes: what it ends with is the answer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from doorcode.asking.client import APPROVED, PENDING, AskClient, AskedQuestion, AskError, digest
from doorcode_cli.asking import way
from doorcode_cli.duration import seconds
from doorcode_cli.examples import examples
from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.output import at, note, say
from doorcode_cli.shown import shown
from doorcode_cli.target import Target, targeted

FROM_STDIN = "-"
# Details and arguments take less.
MAX_INPUT = 1 << 16
DEFAULT_SECONDS, LONGEST_SECONDS = 3600, 604_800
ENDS = {
    "denied": Exit.REFUSED,
    "used": Exit.REFUSED,
    "expired": Exit.EXPIRED,
    "lapsed": Exit.EXPIRED,
    "cancelled": Exit.CANCELLED,
}
USED_BY_THIS = "used"
EPILOG = examples(
    'doorcode ask "Delete 3 files?" --wait 10m && rm a b c',
    'terraform show -no-color plan | doorcode ask "Apply this plan?" --details - --wait 1h && terraform apply plan',
    'doorcode ask "Run it?" --wait 10m --exec -- rm -r build',
)


@targeted
def ask(  # noqa: PLR0913 (the command's options)
    target: Target,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="The question, in one line.")],
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="With --exec: what is to be run.")
    ] = None,
    *,
    details: Annotated[
        str, typer.Option("--details", metavar="TEXT", help="What there is to know; - reads standard input.")
    ] = "",
    arguments: Annotated[
        str,
        typer.Option(
            "--arguments", metavar="JSON", help="What is to be done exactly, as a JSON object; - reads standard input."
        ),
    ] = "",
    choices: Annotated[
        list[str] | None,
        typer.Option("--choice", metavar="TEXT", help="An answer to choose from; 2 to 5 of them, instead of Approve."),
    ] = None,
    match: Annotated[
        bool,
        typer.Option("--match", help="Show a number here, which the owner has to pick of three, instead of Approve."),
    ] = False,
    wait: Annotated[
        int | None,
        typer.Option("--wait", parser=seconds, metavar="DURATION", help="Wait so long for the answer: 30s, 10m, 2h."),
    ] = None,
    use: Annotated[
        bool,
        typer.Option(
            "--use/--no-use", help="Use the approval up, which can be done once; else whatever acts on it has to."
        ),
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of one word.")] = False,
    cancel_on_exit: Annotated[
        bool, typer.Option("--cancel-on-exit", help="Take the question back where nobody has answered by then.")
    ] = False,
    run: Annotated[
        bool, typer.Option("--exec", help="Run the command after -- if it is approved: exactly what was asked.")
    ] = False,
    expires: Annotated[
        int | None,
        typer.Option(
            "--expires",
            parser=seconds,
            metavar="DURATION",
            help="How long it can be answered; else 1h, or as long as --wait.",
        ),
    ] = None,
    valid: Annotated[
        int | None,
        typer.Option(
            "--valid-for", parser=seconds, metavar="DURATION", help="How long after the yes it can be used; else 15m."
        ),
    ] = None,
    key: Annotated[
        str, typer.Option("--key", metavar="KEY", help="Your own name of the question: the same one asks once.")
    ] = "",
    approvals: Annotated[int, typer.Option("--approvals", min=1, max=5, help="How many persons have to approve.")] = 1,
    owners: Annotated[
        list[str] | None,
        typer.Option("--owner", metavar="PLATFORM:ID", help="Ask this owner alone; can be given more than once."),
    ] = None,
    callback: Annotated[
        str, typer.Option("--callback-url", metavar="URL", help="Tell this address what was decided.")
    ] = "",
) -> None:
    """Ask the owner. It ends with 0 only where the answer is yes: 1 denied, 4 expired, 5 nobody answered yet, 6 taken back."""
    if details == arguments == FROM_STDIN:
        raise CommandError("Standard input can be read once: give --details or --arguments another way.", Exit.USAGE)
    body: dict[str, Any] = {
        "details": _read(details) if details == FROM_STDIN else details,
        "arguments": _arguments(arguments, command or [], run=run),
        "choices": choices or [],
        "expires_in": expires or min(max(wait or 0, DEFAULT_SECONDS), LONGEST_SECONDS),
        **({"match": True} if match else {}),
        **({"valid_for": valid} if valid else {}),
        **({"key": key} if key else {}),
        **({"approvals": approvals} if approvals > 1 else {}),
        **({"owners": owners} if owners else {}),
        **({"callback_url": callback} if callback else {}),
    }
    asking = AskRun(way.asker(target), as_json=as_json, quiet=run)
    asking.ask(title, body)
    code = asking.answer(wait or 0, use=use or run, cancel=cancel_on_exit)
    if run and code == Exit.DONE:
        _become(body["arguments"])
    raise typer.Exit(code)


class AskRun:
    """One question, from asking it to the word that says what became of it."""

    def __init__(self, asker: AskClient, *, as_json: bool, quiet: bool) -> None:
        """Ask nothing yet. ``quiet``: standard output belongs to what is run after a yes."""
        self._asker, self._as_json, self._quiet = asker, as_json, quiet

    def ask(self, title: str, body: dict[str, Any]) -> None:
        """Ask, and say who has to answer, and until when. Raises CommandError."""
        try:
            self.question = self._approved_meanwhile(title, body) or self._asker.ask(title, **body)
        except AskError as error:
            raise way.refused(error) from None
        if self.question.state == PENDING:
            until = at(datetime.fromisoformat(str(self.question.record["expires_at"])))
            note(f"Asked: {self.question.id}. The owner can answer until {until} (UTC).")
            if self.question.match:
                note(f"The number to pick: {self.question.match}")

    def _approved_meanwhile(self, title: str, body: dict[str, Any]) -> AskedQuestion | None:
        """Return an approval of exactly this that nobody has used: when it was asked before, nobody waited until it came."""
        asked = {"title": title, **body}
        for record in [] if "key" in body else self._asker.records(APPROVED):
            if record.get("digest") == digest(asked, str(record.get("asker") or "")):
                return self._asker.look(str(record.get("id")))
        return None

    def answer(self, wait: int, *, use: bool, cancel: bool) -> int:
        """Wait, use the approval up, print the word, and return what the command ends with. Raises CommandError."""
        # What ends a job in CI, or a service, ends this as Ctrl-C does.
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            if wait:
                self.question = self._asker.wait(self.question, wait)
        except KeyboardInterrupt:
            note("")
        except AskError as error:
            self._leave(cancel=cancel)
            raise way.refused(error) from None
        finally:
            signal.signal(signal.SIGTERM, before)
        if self.question.state == PENDING:
            self._leave(cancel=cancel)
        used = False
        if self.question.state == APPROVED and use:
            try:
                self.question, used = self._asker.use(self.question), True
            except AskError as error:
                raise way.refused(error) from None
        return self._tell(used=used)

    def _leave(self, *, cancel: bool) -> None:
        """Nobody has answered: take it back if that is wished, and else say how to go on."""
        if cancel:
            try:
                self.question = self._asker.cancel(self.question)
            except AskError as error:
                note(shown(f"It could not be taken back: {error}"))
            return
        note(
            f"Nobody has answered {self.question.id} yet, and it stays asked. To go on waiting, run the same command again. "
            f"To take it back: doorcode asks cancel {self.question.id}"
        )
        if self.question.record.get("reached") == 0:
            note("No owner could be reached in a chat. Owners can answer at their page: doorcode web")

    def _tell(self, *, used: bool) -> int:
        state = self.question.state
        approved = used or state == APPROVED
        word = APPROVED if approved else state
        if not (approved and self._quiet):
            say(json.dumps({"approved": approved, **self.question.record}) if self._as_json else word)
        by = self.question.record.get("decided_by_name") or self.question.record.get("decided_by")
        if by and state != PENDING:
            because = f": {self.question.reason}" if self.question.reason else ""
            note(
                f"{word.capitalize()} by {shown(by)} ({shown(self.question.record.get('decided_via'))}){shown(because, 600)}"
            )
        if state == USED_BY_THIS and not used:
            note("It was approved and has been used before. An approval is good for one time: ask again.")
        if approved:
            return Exit.DONE
        return ENDS.get(state, Exit.PENDING)


def _arguments(text: str, command: list[str], *, run: bool) -> dict[str, Any] | None:
    if command and not run:
        raise CommandError("A command after -- is run only with --exec.", Exit.USAGE)
    if run:
        return _exactly(command, text)
    if not text:
        return None
    try:
        found = json.loads(_read(text) if text == FROM_STDIN else text)
    except ValueError as error:
        raise CommandError(f"--arguments is not JSON: {error}.", Exit.USAGE) from None
    if not isinstance(found, dict):
        raise CommandError('--arguments has to be a JSON object, such as {"files": ["a", "b"]}.', Exit.USAGE)
    return found


def _exactly(command: list[str], arguments: str) -> dict[str, Any]:
    """Return what is asked about a command: the program's own path, what it is given, and where it runs."""
    if not command or arguments:
        raise CommandError(
            "--exec asks about the command after --, and takes no --arguments. Example: --exec -- rm a b", Exit.USAGE
        )
    program = shutil.which(command[0])
    if program is None:
        raise CommandError(f"There is no command {shown(command[0])} to run.", Exit.USAGE)
    return {"command": command, "program": str(Path(program).absolute()), "directory": str(Path.cwd())}


def _become(asked: dict[str, Any]) -> NoReturn:
    """Become what was approved. The path was resolved when it was asked: nothing is looked up again."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.chdir(asked["directory"])
        os.execv(asked["program"], asked["command"])  # noqa: S606 (no shell: that is the point)
    except OSError as error:
        raise CommandError(f"It was approved and could not be run: {error}. The approval is used up.") from None


def _read(_: str) -> str:
    text = sys.stdin.read(MAX_INPUT + 1)
    if len(text) > MAX_INPUT:
        raise CommandError(f"Standard input holds more than {MAX_INPUT} characters.", Exit.USAGE)
    return text.strip("\n")
