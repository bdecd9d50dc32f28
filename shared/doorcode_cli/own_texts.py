"""The texts that the owner has set, as the operator reads and writes them, and what can be wrong with one."""

from __future__ import annotations

import json
import re
from difflib import get_close_matches

import msgspec

from doorcode.entrypoints.owner_texts import TEXTS
from doorcode.pairing.contact import Platform
from doorcode.pairing.texts import ENGLISH, filled
from doorcode.pairing.wording import EVERY_LANGUAGE, OwnTexts, language_tag
from doorcode.platforms import registry
from doorcode_cli.deployment import Deployment
from doorcode_cli.exit_codes import CommandError
from doorcode_cli.shown import shown

PLACEHOLDER = re.compile(r"\{([^{}\s]*)\}")
# What a text may do without: the command that it stands in is plain without it.
OPTIONAL = {("code", "platform")}
# As long as each may become.
LONGEST = {
    "code": "ABCD2345",
    "platform": max(Platform, key=len),
    "command": "/chat",
    "number": "300",
    "who": "x" * 220,
}
# Said in the answer to a button, which takes less.
ANSWERS = frozenset({"stale_button", "only_the_owner"})
# Of a standard parameter.
MOST_BYTES = 4096


def placeholders(key: str) -> list[str]:
    """Return what stands for something in a text, in its order."""
    return list(dict.fromkeys(PLACEHOLDER.findall(ENGLISH[key])))


def checked_key(key: str) -> str:
    """Return a key unchanged. Raises CommandError, with the one that was meant where that is plain."""
    if key in ENGLISH:
        return key
    meant = get_close_matches(key.lower().replace("-", "_"), ENGLISH, n=1)
    hint = f" Did you mean {meant[0]}?" if meant else ""
    raise CommandError(f"There is no text {shown(key, 40)!r}.{hint} See them all with: doorcode texts list")


def checked_language(language: str) -> str:
    """Return a language's tag, or ``*`` for all. Raises CommandError."""
    if language == EVERY_LANGUAGE:
        return language
    tag = language_tag(language)
    if not tag:
        raise CommandError(
            f"{shown(language, 40)!r} is no language: use a tag such as de or pt-BR, or {EVERY_LANGUAGE} for all."
        )
    return tag


def problem(key: str, text: str) -> str:
    """Say what is wrong with a text; empty if nothing is."""
    if not text.strip():
        return f"The text is empty. To have {key} as it ships: doorcode texts reset {key}"
    if not all(character.isprintable() or character == "\n" for character in text):
        return f"The text of {key} holds what cannot be seen."
    known, given = placeholders(key), PLACEHOLDER.findall(text)
    named = ", ".join(f"{{{name}}}" for name in known) or "none"
    for name in given:
        if name not in known:
            return f"{{{shown(name, 40)}}} is no placeholder of {key}, which has {named}."
    for name in known:
        if name not in given and (key, name) not in OPTIONAL:
            return f"{key} needs {{{name}}}: without it nobody is told what it stands for."
    length = len(filled(text, LONGEST))
    for platform in Platform:
        room = registry.inbound(platform)
        most = room.MAX_ANSWER if key in ANSWERS else room.MAX_TEXT
        if length > most:
            return f"The text of {key} has up to {length:,} characters, and {platform.brand} takes {most:,}."
    return ""


def read(value: str) -> dict[str, dict[str, str]]:
    """Read the parameter. Raises CommandError if it is of no known form."""
    try:
        return msgspec.json.decode(value or "{}", type=dict[str, dict[str, str]])
    except (ValueError, RecursionError):
        raise CommandError(
            f"The parameter {TEXTS} is of no known form, and people are told what ships. To begin anew: "
            "doorcode texts reset --all"
        ) from None


def problems(own: OwnTexts) -> list[tuple[str, str]]:
    """Return what is wrong with what is set, each with its key. It may have been set by other means."""
    found = []
    for key, texts in own.items():
        if key not in ENGLISH:
            found.append((key, f"There is no text {shown(key, 40)!r}."))
        for language, text in texts.items() if key in ENGLISH else ():
            tag = language == EVERY_LANGUAGE or language_tag(language) == language
            why = problem(key, text) if tag else f"{shown(language, 40)!r} is no language."
            found += [(key, why)] if why else []
    return found


class StoredTexts:
    """The parameter of one stack, read once and written as it was changed."""

    def __init__(self, deployment: Deployment) -> None:
        """Read it. Raises CommandError."""
        self._parameter_store = deployment.parameter_store
        kept = self._parameter_store.read([TEXTS]).get(TEXTS)
        self.value = kept.value.strip() if kept else ""
        self._version = kept.version if kept else 0

    def write(self, own: OwnTexts) -> None:
        """Write what is set now. Raises CommandError."""
        # On lines of their own: Parameter Store takes two braces in a row for the name of a parameter.
        value = json.dumps({key: texts for key, texts in own.items() if texts}, indent=0, ensure_ascii=False)
        size = len(value.encode())
        if size > MOST_BYTES:
            raise CommandError(
                f"Together the texts have {size:,} bytes, and a parameter takes {MOST_BYTES:,}: say it in fewer words, "
                "or reset others."
            )
        if value != self.value:
            self._parameter_store.write(TEXTS, value, kind="String", after=self._version)
