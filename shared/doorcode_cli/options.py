"""Options that several commands take, beside those that name the stack."""

from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ConfirmOption = Annotated[bool, typer.Option("--confirm", help="Do not ask.")]
