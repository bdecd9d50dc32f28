"""The page's files, and nothing else of the file system."""

import base64
import gzip
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorcode.web import page
from doorcode.web.page import FOLDER, files
from tests.web.gateway import request_event
from tests.web.harness import WebHarness


@pytest.fixture
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a page of our own in the place of the real one."""
    for name, text in {
        "index.html": "<!doctype html>", "app.js": "1", "app.css": "a{}", "icon.svg": "<svg/>", "notes.md": "no",
        ".hidden.js": "1", "app.py": "1",
    }.items():  # fmt: skip
        (tmp_path / name).write_text(text)
    (tmp_path / "folder.js").mkdir()
    monkeypatch.setattr(page, "FOLDER", tmp_path)
    page.files.cache_clear()


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Read the folder anew, before and after."""
    page.files.cache_clear()
    page.content_security_policy.cache_clear()
    yield
    page.files.cache_clear()
    page.content_security_policy.cache_clear()


@pytest.mark.usefixtures("_files")
@pytest.mark.parametrize(
    ("path", "kind", "text"),
    [
        ("/owner", "text/html; charset=utf-8", "<!doctype html>"),
        ("/owner/index.html", "text/html; charset=utf-8", "<!doctype html>"),
        ("/owner/app.js", "text/javascript; charset=utf-8", "1"),
        ("/owner/app.css", "text/css; charset=utf-8", "a{}"),
        ("/owner/icon.svg", "image/svg+xml", "<svg/>"),
    ],
)
def test_the_page_is_served_to_anybody(web: WebHarness, path: str, kind: str, text: str) -> None:
    """It holds no data: no sign-in is needed, and nothing is looked up."""
    with web.clients["dynamodb"].counting() as calls:
        reply = web.stranger().get(path)
    assert (reply.status, reply.text, reply.headers["content-type"]) == (200, text, kind)
    assert calls == []


@pytest.mark.usefixtures("_files")
@pytest.mark.parametrize("name", ["notes.md", ".hidden.js", "app.py", "folder.js", "nothing.js", "INDEX.HTML", "con"])
def test_what_is_not_on_the_list_is_not_there(web: WebHarness, name: str) -> None:
    """The list is made from the folder, by kind of file."""
    assert web.stranger().get(f"/owner/{name}").refusal == (404, "unknown_route")


@pytest.mark.parametrize(
    "path",
    [
        "../page.py",
        "..",
        ".",
        "../../errors.py",
        "..\\page.py",
        "%2e%2e%2fpage.py",
        "/etc/passwd",
        "index.html/",
        "a\x00b",
    ],
)
def test_no_path_leads_out_of_the_list(web: WebHarness, path: str) -> None:
    """Whatever a path says, it is compared with names, and never reaches the file system."""
    event = request_event("GET", "/")
    event["rawPath"] = f"/owner/{path}"
    assert web.send(event).refusal == (404, "unknown_route")


def test_a_file_that_is_known_is_not_sent_again(web: WebHarness) -> None:
    """304 for the tag that was given, in every form that RFC 9110 has; anything else is sent whole."""
    first = web.stranger().get("/owner")
    tag = first.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = web.stranger().get("/owner", **{"if-none-match": known})
        assert (again.status, again.text) == (304, "")
        assert again.headers["etag"] == tag
        assert "content-type" not in again.headers
        assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    for unknown in ("", '"other"', tag.strip('"'), tag[:-2] + '"', f"{tag}x"):
        assert web.stranger().get("/owner", **{"if-none-match": unknown}).status == 200


def test_a_browser_is_sent_the_compressed_form(web: WebHarness) -> None:
    """It is the same, and fits into what a new connection brings at once, ten segments; others get the plain form."""
    plain = web.stranger().get("/owner")
    event = request_event("GET", "/owner", {"accept-encoding": "gzip, deflate, br, zstd"})
    response = web.handler(event, None)
    assert response["headers"]["Content-Encoding"] == "gzip"
    assert response["isBase64Encoded"]
    sent = base64.b64decode(response["body"])
    assert gzip.decompress(sent).decode() == plain.text
    assert len(sent) < 10 * 1460 < len(plain.text)
    # Another form of the same has a tag that compares weakly.
    assert response["headers"]["ETag"] == f"W/{plain.headers['etag']}"
    for other in ("identity", "", "br", "gzip;q=0", "xgzip"):
        reply = web.stranger().get("/owner", **{"accept-encoding": other})
        assert (reply.text, reply.headers["vary"]) == (plain.text, "Accept-Encoding")
        assert "content-encoding" not in reply.headers


@pytest.mark.usefixtures("_files")
def test_another_version_has_another_tag(web: WebHarness) -> None:
    """A deployment is seen at once."""
    before = web.stranger().get("/owner").headers["etag"]
    (page.FOLDER / "index.html").write_text("<!doctype html><p>")
    page.files.cache_clear()
    assert web.stranger().get("/owner").headers["etag"] != before


def test_every_file_of_the_real_page_is_served(web: WebHarness) -> None:
    """What lies in the folder can be asked for."""
    assert "index.html" in files()
    lying = {path.name for path in FOLDER.iterdir() if path.suffix != ".pyc" and path.is_file()}
    assert lying | {"owner.js"} == set(files())
    assert {web.stranger().get(f"/owner/{name}").status for name in files()} == {200}


def test_the_styles_stand_in_the_page_and_no_others_are_let_in(web: WebHarness) -> None:
    """The page is drawn with its first bytes; its policy knows these very styles by their hash."""
    reply = web.stranger().get("/owner")
    [style] = re.findall(r"<style>(.+?)</style>", reply.text, re.DOTALL)
    assert 'rel="stylesheet"' not in reply.text
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = dict(one.split(" ", 1) for one in reply.headers["content-security-policy"].split("; ") if " " in one)
    assert policy["style-src"] == f"'sha256-{digest}'"
