"""``doorcode asks``: the questions of agents and programs. To decide takes the right to invoke the stack's admin function."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer
from msgspec import Struct, structs

from doorcode.asking.layout import lay_out
from doorcode.asking.question import QuestionState
from doorcode_cli.admin_client import AdminClient
from doorcode_cli.asking.listed import EveryQuestion, ListedQuestion, checked, source
from doorcode_cli.examples import examples
from doorcode_cli.options import ConfirmOption, JsonOption
from doorcode_cli.output import at, note, say, say_fields, say_json
from doorcode_cli.shown import counted, iso, shown
from doorcode_cli.target import Target, targeted

# More than can be asked.
NO_LIMIT = 1 << 20

app = typer.Typer(help="See and decide what agents and programs ask the owner.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="As the list shows it.")]
ReasonOption = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Why: whoever asked is told, as your words.")
]


class _Muted(Struct, frozen=True):
    muted: bool


@app.command("list", epilog=examples("doorcode asks list", "doorcode asks list --state denied --json"))
@targeted
def list_asks(
    target: Target,
    *,
    state: Annotated[
        QuestionState | None,
        typer.Option("--state", help="Those alone, the ended ones, too; else what can still be decided or used."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List what is asked. Times are UTC."""
    found = source(target).listed(str(state or ""))
    if as_json:
        say_json(record(question) for question in found)
        return
    say(f"Found {counted(len(found), 'question')}:" if found else "No questions found.")
    if not found:
        note('To ask one: doorcode ask "Delete 3 files?"')
    for question in found:
        say_fields(
            {
                "Question": question.id,
                "State": question.state,
                "Title": question.title,
                "Asker": question.asker,
                "Expires": question.expires_at if question.state == QuestionState.PENDING else None,
                "Decided": _decider(question),
            }
        )


@app.command(epilog=examples("doorcode asks show 7KQ2M9XWB4TR8HCN"))
@targeted
def show(target: Target, question_id: IdArgument, *, as_json: JsonOption = False) -> None:
    """Show a question in full, with every character that would not be seen."""
    question = checked(source(target).one(question_id))
    if as_json:
        say_json([record(question)])
        return
    _say_in_full(question)


@app.command(
    epilog=examples(
        "doorcode asks approve 7KQ2M9XWB4TR8HCN",
        'doorcode asks approve 7KQ2M9XWB4TR8HCN --choice 2 --reason "Not the logs" --confirm',
    )
)
@targeted
def approve(  # noqa: PLR0913 (the command's options)
    target: Target,
    question_id: IdArgument,
    *,
    choice: Annotated[
        int | None,
        typer.Option("--choice", min=1, max=5, metavar="NUMBER", help="Which of its choices, where it has some."),
    ] = None,
    number: Annotated[
        int | None,
        typer.Option(
            "--number", min=10, max=99, help="The one that the asker shows, where it shows one. Any other denies."
        ),
    ] = None,
    reason: ReasonOption = "",
    confirm: ConfirmOption = False,
) -> None:
    """Show a question in full, ask whether you are sure, and approve exactly that."""
    _decide(target, question_id, "approve", confirm=confirm, reason=reason, choice=choice, match=number)


@app.command(epilog=examples('doorcode asks deny 7KQ2M9XWB4TR8HCN --reason "Use the archive"'))
@targeted
def deny(target: Target, question_id: IdArgument, *, reason: ReasonOption = "") -> None:
    """Deny a question."""
    _decide(target, question_id, "deny", confirm=True, reason=reason)


@app.command(epilog=examples("doorcode asks cancel 7KQ2M9XWB4TR8HCN"))
@targeted
def cancel(target: Target, question_id: IdArgument) -> None:
    """Take a question back: one that waits, or an approval that was not used."""
    question = source(target).cancelled(question_id)
    say(f"✅ Cancelled {shown(question.id)}")


@app.command(epilog=examples("doorcode asks mute 4f1c0a7be2d95833"))
@targeted
def mute(
    target: Target,
    asker: Annotated[str, typer.Argument(metavar="ASKER", help="The id of the token that asks, as show prints it.")],
) -> None:
    """Refuse whatever an asker asks from now on. It approves nothing and denies nothing that was asked before."""
    AdminClient(target).ask(_Muted, command="ask_mute", asker=asker, muted=True)
    say(f"✅ Muted {shown(asker)}")
    note(f"To hear from it again: doorcode asks unmute {shown(asker)}")


@app.command(epilog=examples("doorcode asks unmute 4f1c0a7be2d95833"))
@targeted
def unmute(target: Target, asker: Annotated[str, typer.Argument(metavar="ASKER", help="As mute took it.")]) -> None:
    """Let an asker ask again."""
    AdminClient(target).ask(_Muted, command="ask_mute", asker=asker, muted=False)
    say(f"✅ Unmuted {shown(asker)}")


def record(question: ListedQuestion) -> dict[str, Any]:
    """Return a question as JSON has it."""
    return {
        field: iso(value.timestamp()) if isinstance(value, datetime) else value
        for field, value in structs.asdict(question).items()
    }


def _decide(target: Target, question_id: str, verb: str, *, confirm: bool, reason: str, **picked: int | None) -> None:
    client = AdminClient(target)
    question = checked(EveryQuestion(client).one(question_id))
    if not confirm:
        _say_in_full(question)
        typer.confirm(f"Are you sure you want to {verb} exactly this?", abort=True)
    # What was shown, and nothing that may have taken its place.
    more = {name: value for name, value in picked.items() if value}
    decided = client.ask(
        ListedQuestion, command=f"ask_{verb}", id=question.id, digest=question.digest, reason=reason, **more
    )
    if decided.state == QuestionState.PENDING:
        say(f"✅ Approved {shown(decided.id)}")
        note(f"It takes {counted(decided.approvals_left, 'more approval')}.")
        return
    say(f"✅ {shown(decided.state).capitalize()} {shown(decided.id)}")


def _say_in_full(question: ListedQuestion) -> None:
    expires = int(question.expires_at.timestamp()) if question.expires_at else 0
    say(lay_out(question.substance, limit=NO_LIMIT, expires_at=expires).text)
    say_fields(
        {
            "Question": question.id,
            "State": question.state,
            "Asker": f"{question.asker} ({question.asker_id})" if question.asker_id else question.asker,
            "Expires": question.expires_at if question.state == QuestionState.PENDING else None,
            "Approvals": f"{question.approvals - question.approvals_left} of {question.approvals}"
            if question.approvals > 1
            else "",
            "Number": "shown by the asker, for --number" if question.numbers else "",
            "Owners": ", ".join(question.owners),
            "Decided": _decider(question),
            "Choice": question.choice,
            "Reason": question.reason,
            "Used": question.used_at,
            "Digest": question.digest,
        }
    )


def _decider(question: ListedQuestion) -> str:
    if not question.decided_at:
        return ""
    by = question.decided_by_name or question.decided_by
    return " ".join(
        filter(
            None,
            [
                at(question.decided_at),
                f"by {by}" if by else "",
                f"({question.decided_via})" if question.decided_via else "",
            ],
        )
    )
