"""The page's small modules as one script, and its style sheets inside the page itself.

Every request is an invocation of the function, and those that come at once each start an environment of their own: a
browser that fetched twenty files would take twenty of the account's, which may be ten in all, away from the webhooks.
So the modules are put behind one another as they are, each in a scope of its own, in the order in which a browser
would run them. What they may use of the language for that is little, and anything else is an error here:
``import { a, b } from "./x.js"``, ``import * as x from "./x.js"``, and ``export`` before a declaration.

The styles stand in the page, so that it is drawn with its first bytes, however slow the network: what is fetched after
that may take as long as it takes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

ENTRY = "owner.js"
INDEX = "index.html"
STYLES = "<style></style>"
IMPORT = re.compile(
    r'^import (?:(?P<names>\{\s*\w+(?:,\s*\w+)*,?\s*\})|\* as (?P<all>\w+)) from "\./(?P<module>\w+)\.js";$',
    re.MULTILINE,
)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
LINKING = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


def assembled(folder: Path) -> dict[str, bytes]:
    """Return what the files below ``folder`` make up, by the name it is served under; empty where there are none.

    Raises ValueError for a module that cannot be put together with the others, and where the page has no place for its
    styles.
    """
    modules = {path.name: path.read_text(encoding="utf-8") for path in sorted((folder / "script").glob("*.js"))}
    made = {ENTRY: script(modules, ENTRY)} if modules else {}
    if style := styles(folder):
        index = (folder / INDEX).read_text(encoding="utf-8")
        if STYLES not in index:
            raise ValueError(f"{INDEX} has no {STYLES}")
        made[INDEX] = index.replace(STYLES, f"<style>{style}</style>")
    return {name: text.encode() for name, text in made.items()}


def styles(folder: Path) -> str:
    """Return the style sheets below ``folder`` as one, in the order of their names; empty where there are none."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((folder / "style").glob("*.css")))


def script(modules: Mapping[str, str], entry: str) -> str:
    """Return one module that does what ``entry`` does with all that it imports, by name."""
    placed: dict[str, str] = {}
    _place(modules, entry, placed, ())
    last = placed.pop(entry)
    return "\n".join([*placed.values(), last])


def _place(modules: Mapping[str, str], name: str, placed: dict[str, str], above: tuple[str, ...]) -> None:
    """Place a module behind all that it needs; its name is then a constant that holds what it exports."""
    if name in above:
        raise ValueError(f"{name} imports itself by way of {above[-1]}")
    if name in placed:
        return
    for needed in IMPORT.finditer(modules[name]):
        _place(modules, f"{needed['module']}.js", placed, (*above, name))
    exports = EXPORT.findall(modules[name])
    body = EXPORT.sub("", IMPORT.sub(_bound, modules[name]))
    if left := LINKING.search(body):
        raise ValueError(f"{name} has a line that cannot be put together with others: {left[0]}")
    placed[name] = (
        f"const {_holder(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exports)} }};\n}})();" if above else body
    )


def _bound(statement: re.Match[str]) -> str:
    return f"const {statement['names'] or statement['all']} = {_holder(statement['module'])};"


def _holder(module: str) -> str:
    return f"module_{module.removesuffix('.js')}"
