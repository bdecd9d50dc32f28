"""Cold starts in the emulator: what is unpacked once is there for all, and a broken archive is still one."""

import hashlib
import runpy
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from doorcode_sandbox.emulator_starts import start_faster, unpacking_once


def archive(path: Path, **files: str) -> Path:
    """Write an archive in which each file lies in the folder ``python``."""
    with zipfile.ZipFile(path, "w") as made:
        for name, content in files.items():
            made.writestr(f"python/{name}.py", content)
    return path


def unpacked(folder: Path, path: Path, target: str) -> Path:
    """Unpack an archive as the emulator does, into a new folder."""
    made = folder / target
    made.mkdir()
    with unpacking_once(folder / "unpacked").ZipFile(str(path)) as opened:
        assert opened.namelist() == ["python"]
        opened.extractall(str(made))
    return made


def test_one_content_is_unpacked_once(tmp_path: Path) -> None:
    """Whoever has it finds all of it; another content is another one; who is done with it takes nothing from the others."""
    first = archive(tmp_path / "1.zip", a="A = 1", b="B = 1")
    one, two = unpacked(tmp_path, first, "one"), unpacked(tmp_path, archive(tmp_path / "2.zip", a="A = 2"), "two")
    three = unpacked(tmp_path, Path(first).rename(tmp_path / "same.zip"), "three")
    assert (one / "python/a.py").read_text() == (three / "python/a.py").read_text() == "A = 1"
    assert (two / "python/a.py").read_text() == "A = 2"
    assert (one / "python").resolve() == (three / "python").resolve() != (two / "python").resolve()
    assert len(list((tmp_path / "unpacked").iterdir())) == 2
    (one / "python").unlink()
    assert (three / "python/b.py").exists()


def test_two_at_once(tmp_path: Path) -> None:
    """Whoever comes second in the same moment takes what the first has unpacked."""
    path = archive(tmp_path / "1.zip", a="A = 1")
    opened = unpacking_once(tmp_path / "unpacked").ZipFile(str(path))
    key = hashlib.sha256(path.read_bytes()).hexdigest()
    real = zipfile.ZipFile.extractall

    def meanwhile(*_: object) -> None:
        real(opened, tmp_path / "unpacked" / key, opened.infolist())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "extractall", meanwhile)
        opened.extractall(str(tmp_path))
    assert (tmp_path / "python/a.py").read_text() == "A = 1"


def test_what_is_no_archive_is_told(tmp_path: Path) -> None:
    """As the library tells it, and nothing is left of it."""
    (tmp_path / "broken.zip").write_text("no archive")
    with pytest.raises(zipfile.BadZipFile):
        unpacking_once(tmp_path / "unpacked").ZipFile(str(tmp_path / "broken.zip"))
    assert not (tmp_path / "unpacked").exists()


def test_a_worker_imports_what_its_function_asks_for(tmp_path: Path) -> None:
    """The count of calls in each other, which costs an import of botocore, is left out of the script; the rest stands."""
    counting = "def _ms_install_invoke_depth():\n    import botocore\n"
    runtime = SimpleNamespace(
        INVOKE_DEPTH_BOOTSTRAP=counting,
        _PYTHON_WORKER_SCRIPT=f"{counting}done = []\n_ms_install_invoke_depth()\ndone.append(1)\n",
        zipfile=zipfile,
    )
    start_faster(runtime, tmp_path)
    assert "botocore" not in runtime._PYTHON_WORKER_SCRIPT
    (tmp_path / "worker.py").write_text(runtime._PYTHON_WORKER_SCRIPT)
    assert runpy.run_path(str(tmp_path / "worker.py"))["done"] == [1]
    assert runtime.zipfile.BadZipFile is zipfile.BadZipFile
