"""What ministack keeps, without the code that the layers are made of in it: that is kept beside it, by its content.

ministack writes bytes into its JSON, of which every start reads and every end writes all, piece by piece in Python. Layers are
megabytes, and stay the same. This runs on ministack's interpreter, in its process: the standard library alone.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

CONTENT = "__content__"
FOLDER = "contents"
# What is smaller is sooner read where it is.
LARGE = 65_536


def keep_apart(persistence: Any) -> None:
    """Have ministack's module that keeps states keep what is large in files of their own, and write the rest in one go."""
    persistence.json = _written_at_once()
    persistence._json_default = _apart(persistence._json_default, persistence)  # noqa: SLF001 (there is no other way in)
    persistence._json_object_hook = _together(persistence._json_object_hook, persistence)  # noqa: SLF001
    persistence.save_all = _pruned(persistence.save_all, persistence)


def _written_at_once() -> ModuleType:
    """Return what stands in ``json``'s place: what ``dump`` writes, ``dumps`` makes in C."""
    instead = ModuleType(json.__name__)
    vars(instead).update(vars(json), dump=lambda value, file, **options: file.write(json.dumps(value, **options)))
    return instead


def _apart(default: Callable[[Any], Any], persistence: Any) -> Callable[[Any], Any]:
    def kept(value: Any) -> Any:
        if not isinstance(value, bytes | bytearray) or len(value) < LARGE:
            return default(value)
        name = hashlib.sha256(value).hexdigest()
        path = _folder(persistence) / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            beside = path.with_suffix(f".{os.getpid()}")
            beside.write_bytes(value)
            beside.replace(path)
        return {CONTENT: name}

    return kept


def _together(hook: Callable[[Any], Any], persistence: Any) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        return (_folder(persistence) / value[CONTENT]).read_bytes() if set(value) == {CONTENT} else hook(value)

    return read


def _pruned(save_all: Callable[[Any], None], persistence: Any) -> Callable[[Any], None]:
    def saved(services: Any) -> None:
        save_all(services)
        states = [path.read_text() for path in Path(persistence.STATE_DIR).glob("*.json")]
        for path in _folder(persistence).glob("*"):
            if not any(path.name in state for state in states):
                path.unlink()

    return saved


def _folder(persistence: Any) -> Path:
    return Path(persistence.STATE_DIR, FOLDER)
