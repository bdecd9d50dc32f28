"""The files of the playground's page: what is shared, and from each platform's folder what draws that platform."""

from __future__ import annotations

from pathlib import Path

from doorcode.pairing.contact import Platform
from doorcode_sandbox import platforms

SHARED = Path(__file__).with_name("page")
FOLDERS = Path(platforms.__file__).parent
# Every platform's own script and style, by what the shared ones find them under.
REGISTRIES = {
    "platforms.js": "".join(
        [
            *(f'import * as {platform} from "./{platform}.js";\n' for platform in Platform),
            f"\nexport const PLATFORMS = {{ {', '.join(Platform)} }};\n",
        ]
    ),
    "platforms.css": "".join(f'@import url("{platform}.css");\n' for platform in Platform),
}


def page_file(name: str) -> bytes:
    """Return a file by its name in the page's address, such as ``main.js``. Raises FileNotFoundError."""
    if name in REGISTRIES:
        return REGISTRIES[name].encode()
    stem, _, kind = name.rpartition(".")
    path = FOLDERS / stem / f"page.{kind}" if stem in set(Platform) else SHARED / name
    return path.read_bytes()
