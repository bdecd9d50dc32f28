"""Noticing which sources have changed."""

import os
from pathlib import Path

import pytest

from doorcode_cli.checkout import Checkout
from doorcode_sandbox.watch import Watch


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a checkout with some sources."""
    for name in ("functions/telegram/app.py", "shared/doorcode/errors.py", "shared/doorcode_cli/app.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("one")
    return tmp_path


@pytest.fixture
def watch(root: Path) -> Watch:
    """Give somebody who watches what is deployed."""
    return Watch(Checkout(root), ("functions/**/*", "shared/doorcode/**/*"))


def test_what_has_changed_is_told_once(root: Path, watch: Watch) -> None:
    """New, different and gone; and then nothing more."""
    assert watch.changed() == ()
    (root / "functions/telegram/app.py").write_text("two")
    (root / "functions/telegram/other.py").write_text("new")
    (root / "shared/doorcode/errors.py").unlink()
    assert watch.changed() == (
        "functions/telegram/app.py", "functions/telegram/other.py", "shared/doorcode/errors.py",
    )  # fmt: skip
    assert watch.changed() == ()
    assert watch.names() == ("functions/telegram/app.py", "functions/telegram/other.py")


def test_only_content_counts(root: Path, watch: Watch) -> None:
    """A file that was only touched, bytecode, an editor's own files, and other packages are nothing."""
    os.utime(root / "functions/telegram/app.py", (1, 1))
    (root / "functions/telegram/__pycache__").mkdir()
    (root / "functions/telegram/__pycache__/app.cpython-311.pyc").touch()
    (root / "functions/telegram/.app.py.swp").touch()
    (root / "shared/doorcode_cli/app.py").write_text("two")
    assert watch.changed() == ()


def test_a_file_that_goes_while_it_is_read(root: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Editors replace files: for a moment there is none, which is no error."""

    def gone(path: Path) -> bytes:
        raise FileNotFoundError(path)

    (root / "functions/telegram/app.py").write_text("two, longer")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", gone)
        assert watch.changed() == ("functions/telegram/app.py",)
    assert watch.changed() == ("functions/telegram/app.py",)
