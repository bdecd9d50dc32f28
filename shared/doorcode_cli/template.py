"""The settings that template.yaml passes on to the functions, read from its text: by their names there, as ``!Ref``."""

from __future__ import annotations

import re

from msgspec import Struct

PARAMETER = re.compile(r"^  ([A-Z][A-Za-z0-9]*):\n((?:    .*\n|\n)+)", re.MULTILINE)
DEFAULT = re.compile(r'(?:^    |[{,] ?)Default: (?:"([^"]*)"|([^,}\n]*))', re.MULTILINE)
PASSED_ON = re.compile(r"(?<![\w])([A-Z][A-Z0-9_]*): !Ref ([A-Z][A-Za-z0-9]*)(?=[,}\s])")


class TemplateSetting(Struct, frozen=True):
    """The parameter that a setting is set by, and its default."""

    parameter: str
    default: str


def settings(template: str) -> dict[str, TemplateSetting]:
    """Return every setting of the functions that is a parameter, by its name."""
    defaults = {}
    for name, lines in PARAMETER.findall(_section(template, "Parameters")):
        if found := DEFAULT.search(lines):
            defaults[name] = found[1] if found[1] is not None else found[2]
    return {
        name: TemplateSetting(parameter, defaults[parameter])
        for name, parameter in PASSED_ON.findall(_section(template, "Globals") + _section(template, "Resources"))
        if parameter in defaults
    }


def _section(template: str, name: str) -> str:
    return re.split(r"^(?=\S)", template.partition(f"\n{name}:\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def parameters(template: str) -> frozenset[str]:
    """Return the names of all parameters."""
    return frozenset(name for name, _ in PARAMETER.findall(_section(template, "Parameters")))
