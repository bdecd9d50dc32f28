"""The page's modules are served as one script."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from doorcode.web.assembly import assembled, script
from doorcode.web.page import FOLDER

MODULES = {
    "owner.js": 'import { add } from "./sums.js";\nimport * as words from "./words.js";\n\nsay(add(words.LIMIT, 1));\n',
    "sums.js": 'import { LIMIT } from "./words.js";\n\nconst SECRET = 1;\n\nexport function add(one, other) {\n  return Math.min(LIMIT, one + other);\n}\n',
    "words.js": "const SECRET = 2;\nexport const LIMIT = 7;\nexport async function wait() {}\nexport class Word {}\n",
    "unused.js": "say('never');\n",
}


def test_in_the_order_of_a_browser() -> None:
    """What is needed stands before what needs it, once; what nobody needs is left out; only exports leave a module."""
    made = script(MODULES, "owner.js")
    assert made.index("const module_words = ") < made.index("const module_sums = ") < made.index("say(add(")
    assert made.count("const LIMIT = 7") == 1
    assert "never" not in made
    assert "return { LIMIT, wait, Word };" in made
    assert "const { add } = module_sums;\nconst words = module_words;" in made
    assert "import" not in made
    assert "export" not in made


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here to run it")
def test_it_runs() -> None:
    """Names of one module are not those of another, and the whole does what the modules do."""
    made = f"const said = []; const say = (word) => said.push(word);\n{script(MODULES, 'owner.js')}\nconsole.log(JSON.stringify(said));"
    ran = subprocess.run(["node", "--input-type=module"], input=made, capture_output=True, text=True, check=True)  # noqa: S607
    assert json.loads(ran.stdout) == [7]


@pytest.mark.parametrize(
    "line",
    [
        'import { add as plus } from "./sums.js";',
        'import sums from "./sums.js";',
        'import "./sums.js";',
        'import { add } from "https://elsewhere.example/sums.js";',
        "export default function add() {}",
        "export { add };",
        'export * from "./sums.js";',
    ],
)
def test_what_cannot_be_put_together(line: str) -> None:
    """Other ways to import and export are refused, before anybody is served a broken page."""
    with pytest.raises(ValueError, match=r"owner\.js has a line"):
        script(MODULES | {"owner.js": f"{line}\n"}, "owner.js")


def test_a_circle() -> None:
    """Modules that need each other have no order."""
    with pytest.raises(ValueError, match=r"words\.js imports itself by way of sums\.js"):
        script(MODULES | {"words.js": 'import { add } from "./sums.js";\n'}, "words.js")


def test_the_whole_page_is_in(tmp_path: Path) -> None:
    """Every module and every sheet of the page is served; a folder without any makes nothing."""
    made = assembled(FOLDER)
    for path in (FOLDER / "script").iterdir():
        assert path.stem == "owner" or f"const module_{path.stem} = " in made["owner.js"].decode()
    for path in (FOLDER / "style").iterdir():
        assert path.read_bytes() in made["index.html"]
    assert assembled(tmp_path) == {}
