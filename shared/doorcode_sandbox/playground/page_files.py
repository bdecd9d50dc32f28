"""The files of the playground's page: what is shared, and from each platform's folder what draws that platform."""

from __future__ import annotations

from pathlib import Path

from doorcode.pairing.contact import Platform
from doorcode_sandbox import platforms

SHARED = Path(__file__).with_name("page")
FOLDERS = Path(platforms.__file__).parent
# What the shared scripts find the platforms' own ones under.
SCRIPTS = "".join(f'import * as {platform} from "./{platform}.js";\n' for platform in Platform)
SCRIPTS += f"\nexport const PLATFORMS = {{ {', '.join(Platform)} }};\n"


def page_file(name: str) -> bytes:
    """Return a file by its name in the page's address, such as ``main.js``. Raises FileNotFoundError."""
    if name == "platforms.js":
        return SCRIPTS.encode()
    if name == "platforms.css":
        return b"\n".join((FOLDERS / platform / "page.css").read_bytes() for platform in Platform)
    script = next((platform for platform in Platform if name == f"{platform}.js"), None)
    return (FOLDERS / script / "page.js" if script else SHARED / name).read_bytes()
