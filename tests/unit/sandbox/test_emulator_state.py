"""What the emulator keeps: code lies beside its states, once, and is there when they are read again."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from doorcode_sandbox.emulator_state import FOLDER, LARGE, keep_apart

CODE = b"\0code" * LARGE


class Persistence:
    """ministack's module that keeps states, as far as that matters here."""

    json: Any = json

    def __init__(self, folder: Path) -> None:
        self.STATE_DIR = str(folder)
        keep_apart(self)

    @staticmethod
    def _json_default(value: Any) -> Any:
        if isinstance(value, bytes):
            return {"__bytes__": base64.b64encode(value).decode()}
        raise TypeError(value)

    @staticmethod
    def _json_object_hook(value: Any) -> Any:
        return base64.b64decode(value["__bytes__"]) if "__bytes__" in value else value

    def save_all(self, services: dict[str, Any]) -> None:
        """Write each state into its file."""
        for name, state in services.items():
            with Path(self.STATE_DIR, f"{name}.json").open("w") as file:
                self.json.dump(state, file, default=self._json_default)

    def load(self, name: str) -> Any:
        """Read a state."""
        with Path(self.STATE_DIR, f"{name}.json").open() as file:
            return self.json.load(file, object_hook=self._json_object_hook)


@pytest.fixture
def persistence(tmp_path: Path) -> Persistence:
    """Give one that keeps things there."""
    return Persistence(tmp_path)


def contents(persistence: Persistence) -> int:
    """Return how many contents are kept."""
    return len(list(Path(persistence.STATE_DIR, FOLDER).glob("*")))


def test_what_is_kept_is_read_again(persistence: Persistence) -> None:
    """Large or small, in whatever state; the same content is kept once, and what was kept before as a file is not written."""
    state = {"layers": {"one": CODE, "two": CODE, "three": CODE + b"!"}, "small": b"small", "empty": {}}
    for _ in range(2):
        persistence.save_all({"lambda": state, "s3": {"object": CODE}})
        assert contents(persistence) == 2
    (kept,) = [path for path in Path(persistence.STATE_DIR, FOLDER).iterdir() if path.read_bytes() == CODE]
    written = kept.stat().st_mtime_ns
    persistence.save_all({"lambda": state})
    assert kept.stat().st_mtime_ns == written
    assert persistence.load("lambda") == state
    assert persistence.load("s3") == {"object": CODE}
    assert len(Path(persistence.STATE_DIR, "lambda.json").read_bytes()) < LARGE


def test_what_nobody_needs_is_not_kept(persistence: Persistence) -> None:
    """Content that no state names any more is gone with the next save, and there may be none at all."""
    persistence.save_all({"lambda": {"a": CODE, "b": CODE + b"!"}})
    persistence.save_all({"lambda": {"a": CODE}})
    assert (contents(persistence), persistence.load("lambda")) == (1, {"a": CODE})
    persistence.save_all({"lambda": {}})
    assert contents(persistence) == 0


def test_what_another_version_kept_is_read(persistence: Persistence) -> None:
    """A state with the code in it, as ministack writes it by itself."""
    inside = {"layers": {"__bytes__": base64.b64encode(CODE).decode()}}
    Path(persistence.STATE_DIR, "lambda.json").write_text(json.dumps(inside))
    assert persistence.load("lambda") == {"layers": CODE}


def test_what_is_lost_is_an_error(persistence: Persistence) -> None:
    """A state whose content is gone cannot be read, which ministack tells; and what it cannot keep is refused as before."""
    persistence.save_all({"lambda": {"a": CODE}})
    for path in Path(persistence.STATE_DIR, FOLDER).iterdir():
        path.unlink()
    with pytest.raises(OSError, match="No such file"):
        persistence.load("lambda")
    with pytest.raises(TypeError):
        persistence.save_all({"lambda": {"a": object()}})
