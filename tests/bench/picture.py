"""docs/images/performance.svg: cold start and CPU time per message, ours and the peers', readable in light and dark."""

from __future__ import annotations

from html import escape
from statistics import median

from tests.bench import starts, warm
from tests.bench.stand import Way
from tests.infra.template import ROOT

FILE = ROOT / "docs/images/performance.svg"
SHOWN = {
    "empty handler": "empty handler",
    "telegram: admitted message": "Doorcode, Telegram",
    "slack: admitted message": "Doorcode, Slack",
    "discord: admitted message": "Doorcode, Discord",
    "whatsapp: admitted message": "Doorcode, WhatsApp",
    "boto3, one GetItem": "boto3 alone",
    "Slack Bolt": "Slack Bolt",
    "python-telegram-bot, one loop": "python-telegram-bot",
    "python-telegram-bot, asyncio.run": "the same, asyncio.run",
}
LABEL, BAR, ROW, PANEL = 180, 190, 26, 480
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600 } .note { font-size: 11px; fill: #59636e }
.peer { fill: #afb8c1 } .ours { fill: #1a7f64 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .note { fill: #9198a1 } .peer { fill: #59636e } .ours { fill: #3fb993 }
}
""".strip()


def draw(cold: starts.Found, hot: warm.Found, note: str) -> str:
    """Return the picture as SVG; ``note`` stands below it."""
    left = {name: median(cold[Way.TLS, name].wall) * 1000 for name in SHOWN}
    right = {name: median(hot[Way.TLS, name].cpu) * 1000 for name in SHOWN}
    height = 62 + ROW * len(SHOWN) + 30
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * PANEL} {height}" role="img" aria-labelledby="t">',
            '<title id="t">Cold start, and CPU time per admitted message: Doorcode beside its peers</title>',
            f"<style>{STYLE}</style>",
            *_panel(0, "Cold start to the first answer, ms", left, max(left.values()), 0),
            # One peer takes twenty times as long as all others: its bar is cut.
            *_panel(PANEL, "CPU time per warm message, ms", right, sorted(right.values())[-2], 2),
            f'<text class="note" x="10" y="{height - 12}">{escape(note)}</text>',
            "</svg>\n",
        )
    )


def _panel(x: int, title: str, values: dict[str, float], most: float, digits: int) -> list[str]:
    lines = [f'<text class="title" x="{x + 10}" y="26">{escape(title)}</text>']
    for number, (name, value) in enumerate(values.items()):
        y = 46 + ROW * number
        width = max(BAR * min(value / most, 1.08), 1)
        kind = "ours" if "admitted" in name else "peer"
        shown = f"{value:.{digits}f}" + (", cut" if value > most * 1.08 else "")
        lines += [
            f'<text x="{x + LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(SHOWN[name])}</text>',
            f'<rect class="{kind}" x="{x + LABEL}" y="{y}" width="{width:.1f}" height="18" rx="2"/>',
            f'<text x="{x + LABEL + width + 6:.1f}" y="{y + 13}">{shown}</text>',
        ]
    return lines
