"""Where setting up gets secrets from: from a file or the environment, else from whoever is asked. None is ever shown.

Each is tried on its platform before it is put where it belongs, so that what is there is right, and is not asked for again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from doorcode_cli.exit_codes import CommandError, Exit
from doorcode_cli.output import say
from doorcode_cli.parameter_store import ParameterStore
from doorcode_cli.platform_api import PlatformError, Trouble
from doorcode_cli.secret_forms import Form, doubt, problem, values_of
from doorcode_cli.setting_up.questions import Questions

MAX_INPUT = 1 << 16
# Tells whose a secret is, having asked. Raises CommandError.
Trial = Callable[[str], str]


def variable(form: Form) -> str:
    """Return the environment variable that gives a secret."""
    return "DOORCODE_" + form.name.upper().replace("/", "_").replace("-", "_")


def given_secrets(
    forms: Iterable[Form], file: Path | None, environment: Mapping[str, str]
) -> dict[str, str]:  # fmt: skip
    """Return the secrets that a file (``-``: standard input) or the environment gives, by name; the file's come first.

    Raises CommandError; no message repeats what stands there.
    """
    known = {form.name: form for form in forms}
    found = {name: environment[variable(form)] for name, form in known.items() if environment.get(variable(form))}
    return found | (_in_file(file, known) if file else {})


def _in_file(file: Path, known: Collection[str]) -> dict[str, str]:
    try:
        if str(file) == "-":
            raw = sys.stdin.buffer.read(MAX_INPUT)
        else:
            with file.open("rb") as source:
                raw = source.read(MAX_INPUT)
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise CommandError(f"--secrets cannot be read: {error.strerror}.", Exit.USAGE) from None
    except UnicodeDecodeError:
        raise CommandError("--secrets is no text.", Exit.USAGE) from None
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or name.strip() not in known:
            raise CommandError(
                f"--secrets, line {number}: has to be NAME=VALUE, where NAME is one of {', '.join(known)}.", Exit.USAGE
            )
        found[name.strip()] = value.strip()
    return found


class SecretDesk:
    """Takes secrets in. Without a ``parameter_store`` they are ``held`` until there is one."""

    def __init__(
        self, questions: Questions, given: Mapping[str, str], parameter_store: ParameterStore | None = None
    ) -> None:
        """Ask with those questions what is not given."""
        self.questions = questions
        self.held: dict[str, str] = {}
        self._given = dict(given)
        self._parameter_store = parameter_store

    def has(self, form: Form) -> bool:
        """Tell whether it is there already."""
        return bool(self._kept(form))

    def is_given(self, form: Form) -> bool:
        """Tell whether a file or the environment gives it."""
        return form.name in self._given

    def obtain(self, form: Form, trial: Trial | None = None, *, optional: bool = False, ask: bool = True) -> bool:
        """Have a secret where it belongs; tell whether it was changed.

        What is there stays, unless another one is given, or with ``ask`` typed where none is there. ``trial`` tries it first.
        """
        value = self.look_at(form, trial, optional=optional, ask=ask and not self.has(form))
        if not value or value == self._kept(form):
            return False
        if self._parameter_store:
            self._parameter_store.write(form.name, value)
        else:
            self.held[form.name] = value
        return True

    def look_at(self, form: Form, trial: Trial | None = None, *, optional: bool = False, ask: bool = True) -> str:
        """Return a secret that is given or typed, without putting it anywhere; empty where there is none."""
        name = form.name
        if name in self._given:
            value = "\n".join(values_of(form, self._given[name]))
            self._judge(form, value, trial)
            return value
        if not ask:
            return ""
        if not self.questions.at_terminal:
            if not optional:
                self.questions.missing.append(
                    f"the environment variable {variable(form)} or a line {name}=… of --secrets"
                )
            return ""
        return self.questions.secret(name, lambda value: self._judge(form, value, trial), optional=optional)

    def _kept(self, form: Form) -> str:
        if form.name in self.held or not self._parameter_store:
            return self.held.get(form.name, "")
        kept = self._parameter_store.read([form.name]).get(form.name)
        return kept.value.strip() if kept else ""

    def _judge(self, form: Form, value: str, trial: Trial | None) -> None:
        if wrong := problem(form, value):
            raise CommandError(wrong)
        if doubted := doubt(form, value):
            say(f"   ⚠️  {doubted}")
        if trial:
            try:
                say(f"   ✅ {form.name} is that of {trial(value)}")
            except PlatformError as error:
                if error.trouble is not Trouble.BAD_TOKEN:
                    raise
                where = f" Take it {form.found}." if form.found else ""
                raise CommandError(f"{form.name} is not accepted: revoked, or not copied as a whole.{where}") from None
