"""A platform of the sandbox is one folder and one row; that no shared module names one, ``test_platforms_are_rooms`` shows."""

import re
from pathlib import Path

import pytest

from doorcode.pairing.contact import Platform
from doorcode_sandbox import platforms
from doorcode_sandbox.platforms.chats import Side
from doorcode_sandbox.platforms.registry import OWNERS, PLATFORMS
from doorcode_sandbox.platforms.server import StandIn
from doorcode_sandbox.playground.page_files import SHARED, page_file

FOLDERS = Path(platforms.__file__).parent
NAME = re.compile("|".join(Platform), re.IGNORECASE)


def test_the_page_s_shared_files_name_no_platform() -> None:
    """Neither a script nor a style nor the document speaks of one, not even in a comment."""
    files = [path for path in SHARED.iterdir() if path.suffix in {".js", ".css", ".html"}]
    assert len(files) > 20
    assert {path.name: NAME.findall(path.read_text()) for path in files if NAME.search(path.read_text())} == {}


@pytest.mark.parametrize("platform", list(Platform))
def test_what_draws_a_platform_comes_from_its_folder(platform: Platform) -> None:
    """The page finds each platform's script under its name and listed with the others, and its style among theirs."""
    script, style = ((FOLDERS / platform / f"page.{kind}").read_bytes() for kind in ("js", "css"))
    assert page_file(f"{platform}.js") == script
    assert f'import * as {platform} from "./{platform}.js";' in page_file("platforms.js").decode().splitlines()
    assert style in page_file("platforms.css")


@pytest.mark.parametrize("platform", list(Platform))
def test_a_folder_keeps_to_itself(platform: Platform) -> None:
    """No platform's folder speaks of another platform."""
    others = [other for other in Platform if other is not platform]
    for path in (path for path in (FOLDERS / platform).rglob("*") if path.suffix in {".py", ".js", ".css"}):
        text = path.read_text().lower()
        assert [other for other in others if other in text] == [], path


def test_each_platform_has_its_row() -> None:
    """The registry's rows are the platforms, in their order, and each holds what is in that platform's folder."""
    assert list(PLATFORMS) == list(OWNERS) == list(Platform)
    folders = {path.name for path in FOLDERS.iterdir() if (path / "__init__.py").exists()}
    assert folders == set(Platform)
    for platform, parts in PLATFORMS.items():
        assert parts.stand_in.NAME == parts.side.platform == platform
        assert issubclass(parts.stand_in, StandIn)
        assert issubclass(parts.side, Side)
        assert {parts.stand_in.__module__, parts.side.__module__} == {
            f"doorcode_sandbox.platforms.{platform}.stand_in",
            f"doorcode_sandbox.platforms.{platform}.chats",
        }
        assert not set(parts.side.owners) & set(parts.side.strangers)
