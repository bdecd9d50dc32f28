"""Which sources have changed: by their content, which is read again only where a file looks touched."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from doorcode_cli.checkout import Checkout


class Watch:
    """The files of a checkout that fit some patterns."""

    def __init__(self, checkout: Checkout, patterns: Sequence[str], others: Sequence[Path] = ()) -> None:
        """Take them as they are now, and ``others``, which stand elsewhere and go by their whole paths."""
        self._root = checkout.root
        self._patterns = patterns
        self._others = others
        self._looks: dict[Path, tuple[int, int]] = {}
        self._contents: dict[str, str] = {}
        self.changed()

    def names(self) -> tuple[str, ...]:
        """Return all of them, by their paths in the checkout."""
        return tuple(self._contents)

    def changed(self) -> tuple[str, ...]:
        """Return those that are new, gone, or different since this was last asked."""
        before, looks, self._contents = self._contents, {}, {}
        found = {path for pattern in self._patterns for path in self._root.glob(pattern)}
        for path in [*sorted(found), *self._others]:
            name = path.relative_to(self._root).as_posix() if path in found else str(path)
            if path.suffix == ".pyc" or path.name.startswith("."):
                continue
            try:
                state = path.stat()
                if not path.is_file():
                    continue
                looks[path] = (state.st_mtime_ns, state.st_size)
                known = name in before and self._looks.get(path) == looks[path]
                self._contents[name] = before[name] if known else hashlib.sha256(path.read_bytes()).hexdigest()
            except FileNotFoundError:
                # Editors replace files: the next look sees it.
                continue
        self._looks = looks
        names = {*before, *self._contents}
        return tuple(sorted(name for name in names if before.get(name) != self._contents.get(name)))
