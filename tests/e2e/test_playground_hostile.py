"""What strangers may try against whoever looks at the playground, and what is not for everybody's eyes."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.tabs import Tab
from tests.e2e.playground_scene import IDS, Scene

HOSTILE = [
    "<img src=x onerror=globalThis.harmed=1>",
    "<script>globalThis.harmed=1</script>",
    "</article><h1>Approved</h1>",
    "<svg/onload=globalThis.harmed=1>",
    "javascript:globalThis.harmed=1",
    "{{harmed}} ${harmed}",
    '" onfocus="globalThis.harmed=1" autofocus x="',
]
TEXT = {"telegram": "text", "slack": "text", "discord": "content", "whatsapp": "text"}


def test_one_person_alone(scene: Scene, page: Page) -> None:
    """What one person alone sees is marked as that, and nobody else sees it."""
    for platform, (_, sam, kim) in IDS.items():
        group = scene.chat(f"g-{platform}")
        scene.message(group["id"], {TEXT[platform]: "Write to me in a direct message."}, only_for=sam)
        scene.change()
        page.get_by_role("tab", name=platform).click()
        pane = page.locator(f"#panel-{platform} .pane[data-side=stranger]")
        pane.get_by_label("Chat of the stranger").select_option(group["id"])
        expect(pane.locator(".alone")).to_contain_text("visible to you" if platform == "slack" else "Only you can see")
        pane.get_by_label("Stranger", exact=True).select_option(f"{platform} {kim}")
        pane.get_by_label("Chat of the stranger").select_option(group["id"])
        expect(pane.locator(".message")).to_have_count(0)


def test_hostile_texts(scene: Scene, window: Callable[..., Tab]) -> None:
    """Security 28: a stranger's name and text stay text on this page: no element, no handler, no script comes of them."""
    for platform in IDS:
        _say(scene, platform)
    for text in HOSTILE:
        turns = [{"role": "user", "text": text}, {"role": "assistant", "text": text}]
        scene.inside["conversations"].append({"conversation": text, "until": 1, "turns": turns})
        scene.inside["events"].append({"at": text, "detail-type": text, "detail": {"platform": text, "user_id": text}})
        scene.inside["log"].append({"at": text, "function": text, "level": text, "message": text, "reason": text})
        scene.deliveries.append(
            {"id": text, "platform": text, "path": text, "signature": {"kind": text, "fits": False}, "status": 401,
             "body": text, "answer": text, "headers": {text: text}, "log": [{"reason": text, "message": text}]}
        )  # fmt: skip
    page = window(scene.url).page
    for platform in IDS:
        page.get_by_role("tab", name=platform).click()
        said = page.locator(f"#panel-{platform} .pane[data-side=stranger] .message[data-from=person] .text")
        expect(said).to_have_count(len(HOSTILE))
        assert said.all_inner_texts() == HOSTILE
        _nothing_came_of_it(page)
    page.get_by_role("button", name="Behind the door").click()
    for part in ("Webhooks", "Table", "Agent", "Events", "Log"):
        page.get_by_role("tab", name=part).click()
        entries = page.locator("#door .door-panel:visible .entry")
        expect(entries).to_have_count(len(HOSTILE) * (len(IDS) if part == "Table" else 1))
        entries.locator("> summary").evaluate_all("(all) => all.forEach((one) => one.click())")
        _nothing_came_of_it(page)


def _say(scene: Scene, platform: str) -> None:
    """Have hostile people on a platform, who say what they are called."""
    chat = f"d-{IDS[platform][1]}"
    for number, text in enumerate(HOSTILE):
        sam = {"platform": platform, "id": f"{platform}{number}", "name": text, "username": text, "role": "stranger"}
        scene.people.append(sam)
        scene.chat(chat)["members"].append(sam["id"])
        scene.message(chat, {TEXT[platform]: text}, **{"from": sam["id"], "call": "", "delivery": text})
        scene.message(chat, {TEXT[platform]: text}, buttons=[[{"id": "0.0", "text": text, "style": text}]], call=text)
        scene.chat(chat)["notes"].append(
            {"to": IDS[platform][1], "text": text, "alert": True, "at": "2026-11-21T12:00:00Z"}
        )
        scene.inside["items"].append({"pk": f"{platform}#{sam['id']}", "sk": text, "state": text, "name": text})


def _nothing_came_of_it(page: Page) -> None:
    made = "article :is(h1, img, script, svg, a), #door :is(h1, img, script, svg, a), [onfocus], [onerror], [autofocus]"
    assert page.locator(made).count() == 0
    assert page.evaluate("globalThis.harmed") is None
