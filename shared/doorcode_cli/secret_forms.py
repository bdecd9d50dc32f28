"""What is known of a secret, and what a value of it has to look like. No message ever repeats a value."""

from __future__ import annotations

import re

from msgspec import Struct

from doorcode.pairing.agents import API_KEY, ASKS_TOKEN, INSTRUCTIONS, SIGNING_PREFIX, WEBHOOK_SECRET
from doorcode.pairing.ports import CALLBACK_SECRET, GATEWAY_SECRET

# What Parameter Store's standard tier takes.
LONGEST_VALUE = 4096
SHORTEST_OWN = 16

# What stands in documentation and templates where a value belongs. Each alone, or as a beginning with more behind it.
PLACEHOLDER = re.compile(
    r"(?i)[<{\[(].*|.*[>}\])]|secret|token|password|none|null|undefined|\.+|(.)\1{7,}|"
    r"(change[-_ ]?me|place[-_ ]?holder|to[-_ ]?do|your|my|insert|replace|example|dummy|sample|xxx)([-_ .:].*|x*)"
)


class Form(Struct, frozen=True):
    """What is known of a secret. ``must`` and ``looks`` are what every value is like and what they are usually like."""

    name: str
    # Where to find it, for whoever has to set it; empty for what is made here.
    found: str
    must: str
    must_text: str
    looks: str = ""
    looks_text: str = ""
    # Several at a time, one on each line, the newest first.
    ring: bool = False
    # One text of several lines.
    prose: bool = False
    # What stands before what is secret in it, and what the platform's documents show: patterns, by which placeholders are known.
    prefix: str = ""
    sample: str = ""
    # What the wrong value probably is: a pattern and a sentence.
    mistaken: tuple[tuple[str, str], ...] = ()
    # What has to be run once it is set.
    next: str = ""
    # The command that sets it, where that is not ``doorcode secrets set``.
    set_by: str = ""

    @property
    def sets(self) -> str:
        """The command that sets it."""
        return self.set_by or f"doorcode secrets set {self.name}"


_OWN = rf"\S{{{SHORTEST_OWN},}}"
_OWN_TEXT = f"at least {SHORTEST_OWN} characters without spaces"

# What is made here and stays here.
OWN = (
    Form(GATEWAY_SECRET, "", _OWN, _OWN_TEXT, ring=True),
    Form(CALLBACK_SECRET, "", _OWN, _OWN_TEXT, ring=True),
)

# What an agent is given that is elsewhere, or a model. Standard Webhooks has keys of 24 to 64 bytes.
AGENT = (
    Form(INSTRUCTIONS, "", r"(?s).+", "some text", prose=True),
    Form(API_KEY, "from whoever runs the model or agent", r"[!-~]{4,}", "characters without spaces"),
    Form(
        ASKS_TOKEN,
        "from: doorcode token create --scope asks --name my-agent",
        r"dc_[0-9a-f]{16}\.[A-Za-z0-9_-]{43}",
        "the form dc_….…",
    ),
    Form(
        WEBHOOK_SECRET,
        "",
        rf"{SIGNING_PREFIX}(?=.{{32,88}}$)([A-Za-z0-9+/]{{4}})*([A-Za-z0-9+/]{{2}}==|[A-Za-z0-9+/]{{3}}=)?",
        f"{SIGNING_PREFIX} and 24 to 64 random bytes in base64",
        ring=True,
        prefix=SIGNING_PREFIX,
    ),
)


def is_placeholder(form: Form, value: str) -> bool:
    """Tell whether a value is only what a documentation or template has in its place."""
    rest = re.fullmatch(f"{form.prefix}(.+)", value)
    return bool(form.sample and re.fullmatch(form.sample, value)) or any(
        PLACEHOLDER.fullmatch(text) for text in (value, *(rest.groups() if rest else ()))
    )


def problem(form: Form, value: str) -> str:
    """Say why one value cannot be that secret, or nothing."""
    if not value:
        return f"The value for {form.name} is empty."
    for pattern, sentence in form.mistaken:
        if re.fullmatch(pattern, value):
            return f"This is not {form.name}: {sentence[0].lower()}{sentence[1:]}"
    if not form.prose and is_placeholder(form, value):
        return f"This is only a placeholder for {form.name}.{_where(form)}"
    if not re.fullmatch(form.must, value):
        return f"This is not {form.name}: it has {form.must_text}.{_where(form)}"
    return ""


def doubt(form: Form, value: str) -> str:
    """Say why one value may not be that secret, although it can be, or nothing."""
    if form.looks and not re.fullmatch(form.looks, value):
        return f"{form.name} usually has {form.looks_text}. Look once more whether it was copied as a whole."
    return ""


def _where(form: Form) -> str:
    return f" Take it {form.found}." if form.found else ""


def values_of(form: Form, text: str) -> list[str]:
    """Return the values in a text: its lines, save where it is prose."""
    return [text.strip()] if form.prose and text.strip() else lines(text)


def lines(value: str) -> list[str]:
    """Return the secrets of a ring, newest first."""
    return [line.strip() for line in value.splitlines() if line.strip()]
