"""``doorcode texts``: the owner's own words, checked before anybody hears them."""

import json
import re
from pathlib import Path
from typing import Any

from doorcode.pairing.texts import ENGLISH
from doorcode.pairing.wording import SHIPPED, shipped
from doorcode_cli.own_texts import placeholders, problem
from tests.unit.cli.setup_fixtures import Harness

ROOT = Path(__file__).parents[3]


def kept(harness: Harness) -> Any:
    """Return what stands in the parameter."""
    return json.loads(harness.value("texts"))


def test_what_ships_is_whole() -> None:
    """Every language has every text, each with its placeholders and no others, and each fits every platform."""
    for language in ("en", *SHIPPED):
        texts = shipped(language)
        assert texts.keys() == ENGLISH.keys(), language
        for key, text in texts.items():
            assert problem(key, text) == "", language
            assert sorted(set(re.findall(r"\{(\w+)\}", text))) == sorted(placeholders(key)), key
            if language != "en":
                assert text != ENGLISH[key], language


def test_whatever_is_said_is_a_text() -> None:
    """Each key that the code says is one of the catalogue, and each of the catalogue is said."""
    paths = [path for path in (ROOT / "shared/doorcode").rglob("*.py") if "languages" not in path.parts]
    # What stands in the catalogue itself is not said by that.
    sources = [re.sub(r'\n        "[a-z_]+": [A-Z_]+,', "", path.read_text()) for path in paths]
    said = {key for source in sources for key in re.findall(r"""["']([a-z_]+)["']""", source)}
    assert set(ENGLISH) - said == set()
    spoken = {key for source in sources for key in re.findall(r"""\bsay(?:_to\([^)]*\))?\(\s*["'](\w+)["']""", source)}
    assert spoken - set(ENGLISH) == set()


def test_set_list_and_reset(harness: Harness) -> None:
    """For everybody and for one language; listed beside what ships; back to what ships."""
    assert harness.run("texts", "set", "request_sent", "Ann was asked.").out == "✅ Set request_sent for everybody\n"
    assert harness.run("texts", "set", "request_sent", "Perguntei.", "-l", "pt_BR").code == 0
    assert kept(harness) == {"request_sent": {"*": "Ann was asked.", "pt-br": "Perguntei."}}
    listed = harness.run("texts", "list").out
    assert (
        "request_sent\n   set *     Ann was asked.\n   set pt-br Perguntei.\n   ships en  Your request has been sent"
        in listed
    )
    assert "code  {code} {platform}\n" in listed
    [one] = harness.run("texts", "list", "request_sent", "--json").json
    assert (one["set"], one["placeholders"], one["problems"]) == (kept(harness)["request_sent"], [], [])
    assert one["ships"] == {language: shipped(language)["request_sent"] for language in ("en", *SHIPPED)}
    assert len(harness.run("texts", "list", "--json").json) == len(ENGLISH)
    assert harness.run("texts", "reset", "request_sent", "--language", "pt-BR").code == 0
    assert kept(harness) == {"request_sent": {"*": "Ann was asked."}}
    ended = harness.run("texts", "reset", "request_sent", "--language", "de")
    assert (ended.code, ended.err) == (1, "request_sent is not set in de.\n")
    assert harness.run("texts", "reset", "--all", "--confirm", "--json").json == {"reset": True}
    assert kept(harness) == {}


def test_from_a_file_and_from_standard_input(harness: Harness, tmp_path: Path) -> None:
    """Without the line's end; braces that are no placeholder's stay."""
    file = tmp_path / "text"
    file.write_text("Two\nlines\n")
    assert harness.run("texts", "set", "declined", "--file", str(file)).code == 0
    assert harness.run("texts", "set", "private", "-", stdin=b"Nein.\r\n").code == 0
    assert kept(harness) == {"declined": {"*": "Two\nlines"}, "private": {"*": "Nein."}}
    assert harness.run("texts", "set", "private").code == 2
    assert harness.run("texts", "set", "private", "--file", str(tmp_path / "none")).code == 1


def test_what_cannot_be_said(harness: Harness) -> None:
    """It is refused with what is wrong, and nothing is written."""
    for asked, said in (
        (("requestsent", "x"), "There is no text 'requestsent'. Did you mean request_sent?"),
        (("zzz", "x"), "There is no text 'zzz'. See them all with: doorcode texts list"),
        (("approved", "Hi {name}"), "{name} is no placeholder of approved, which has none."),
        (("code", "Your code: {kode}"), "{kode} is no placeholder of code, which has {code}, {platform}."),
        (("code", "Ask Ann."), "code needs {code}: without it nobody is told what it stands for."),
        (("approved", " "), "The text is empty. To have approved as it ships: doorcode texts reset approved"),
        (("approved", "a\u202eb"), "The text of approved holds what cannot be seen."),
        (("approved", "x" * 2001), "The text of approved has up to 2,001 characters, and Discord takes 2,000."),
        (("only_the_owner", "x" * 201), "The text of only_the_owner has up to 201 characters, and Telegram takes 200."),
        (
            ("approved", "Hi", "-l", "Deutsch!"),
            "'Deutsch!' is no language: use a tag such as de or pt-BR, or * for all.",
        ),
    ):
        ended = harness.run("texts", "set", *asked)
        assert (ended.code, said in ended.err) == (1, True), ended.err
        assert not harness.has("texts"), asked


def test_too_much_together(harness: Harness) -> None:
    """A parameter takes 4,096 bytes; what was set stays."""
    for key in ("approved", "declined"):
        harness.run("texts", "set", key, "x" * 1900)
    ended = harness.run("texts", "set", "private", "x" * 900)
    assert (ended.code, "a parameter takes 4,096" in ended.err) == (1, True)
    assert set(kept(harness)) == {"approved", "declined"}


def test_what_was_set_by_other_means(harness: Harness) -> None:
    """Broken, it is said and can be begun anew; what is wrong with one text is listed with it."""
    harness.put("texts", "{")
    ended = harness.run("texts", "list")
    assert (ended.code, "is of no known form" in ended.err) == (1, True)
    harness.put("texts", json.dumps({"code": {"*": "Ask Ann."}, "other": {"de": "x"}, "private": {"Deutsch!": "x"}}))
    ended = harness.run("texts", "list")
    assert ended.code == 0
    for why in ("code needs {code}", "There is no text 'other'", "'Deutsch!' is no language"):
        assert why in ended.err
    assert harness.run("texts", "reset", "other").code == 0
    assert "other" not in kept(harness)
