"""Cold starts of functions that cost ministack less: what they unpack and import is there already, or of no use here.

For each process of a function ministack unpacks all of the function's layers again, thousands of files, and imports botocore
to count how deep functions call each other. On Lambda a layer lies there unpacked, for nobody to change, and no function of ours
calls itself. This runs on ministack's interpreter, in its process: the standard library alone.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any


def unpacking_once(folder: Path) -> ModuleType:
    """Return what stands in ``zipfile``'s place: archives of the same content are unpacked once, below that folder.

    Whoever unpacks one gets links to what it has at its top.
    """

    class Archive(zipfile.ZipFile):
        """An archive on disk that is read, and known by its content."""

        def __init__(self, file: str) -> None:
            """Open it. Raises BadZipFile."""
            super().__init__(file)
            self._unpacked = folder / hashlib.sha256(Path(file).read_bytes()).hexdigest()

        def namelist(self) -> list[str]:
            """Return what unpacking makes: the names at the top."""
            return sorted({name.partition("/")[0] for name in super().namelist()})

        def extractall(self, path: str) -> None:  # type: ignore[override]  # nothing else is asked for
            """Unpack it into a folder that is there."""
            if not self._unpacked.exists():
                folder.mkdir(exist_ok=True)
                beside = tempfile.mkdtemp(dir=folder)
                super().extractall(beside, self.infolist())
                try:
                    Path(beside).rename(self._unpacked)
                except OSError:
                    # Another process of the same function was faster.
                    if not self._unpacked.exists():
                        raise
            for one in self._unpacked.iterdir():
                Path(path, one.name).symlink_to(one)

    instead = ModuleType(zipfile.__name__)
    vars(instead).update(vars(zipfile), ZipFile=Archive)
    return instead


def start_faster(runtime: Any, folder: Path) -> None:
    """Have ministack's module that runs functions start them so; what is unpacked lies below ``folder`` until it is deleted."""
    runtime.zipfile = unpacking_once(folder)
    script: str = runtime._PYTHON_WORKER_SCRIPT  # noqa: SLF001 (there is no other way to a faster one)
    runtime._PYTHON_WORKER_SCRIPT = script.replace(  # noqa: SLF001
        runtime.INVOKE_DEPTH_BOOTSTRAP, "def _ms_install_invoke_depth(): pass\n"
    )
