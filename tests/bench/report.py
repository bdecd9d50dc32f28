"""The measurements as tables."""

from __future__ import annotations

from collections import Counter
from statistics import mean

from tests.bench import costs, curve, footprint, load, parts, starts, warm
from tests.bench.page import table
from tests.bench.spread import percentile, ratio, spread
from tests.bench.stand import Way
from tests.bench.subjects import Subject

COLD_BAR, WARM_BAR, MEMORY_BAR_MIB = 2.8, 2.6, 30.0
"""What Doorcode allows itself: the first two are multiples of the empty handler's."""

BESIDE = {
    "boto3, one GetItem": "telegram: admitted message",
    "Slack Bolt": "slack: admitted message",
    "python-telegram-bot, one loop": "telegram: admitted message",
    "python-telegram-bot, asyncio.run": "telegram: admitted message",
}
"""Each peer, and what of ours does its job, or for boto3 alone: more than it does."""


def cold_starts(subjects: list[Subject], found: starts.Found, left: dict[str, footprint.Footprint]) -> str:
    """Return the table of cold starts and whether our bar is met."""
    empty = subjects[0].name
    rows = []
    met: list[tuple[str, float]] = []
    for subject in subjects:
        name = subject.name
        times = ratio(found[Way.TLS, name].wall, found[Way.TLS, empty].wall)
        met += [(name, times.middle)] if subject.ours else []
        rows.append(
            [
                _named(subject),
                spread(found[Way.TLS, name].wall).shown(1000, 0),
                f"**{times.shown(1, 2)}**" if subject.ours else times.shown(1, 2),
                ratio(found[Way.TLS, name].cpu, found[Way.TLS, empty].cpu).shown(1, 2),
                spread(found[Way.PLAIN, name].wall).shown(1000, 0),
                ratio(found[Way.PLAIN, name].wall, found[Way.PLAIN, empty].wall).shown(1, 2),
                spread(found[Way.SOURCE, name].wall).shown(1000, 0),
                str(left[name].files),
            ]
        )
    heads = [
        "", "over TLS, ms", "times empty", "times empty, in CPU", "plain HTTP, ms", "times empty", "no bytecode, ms", "files",
    ]  # fmt: skip
    return "\n\n".join(
        (
            table(heads, rows),
            f"{len(found[Way.TLS, empty].wall)} rounds.",
            _beside({name: found[Way.TLS, name].wall for name in left}),
            _verdict(f"at most {COLD_BAR} times the empty handler, over TLS", met, COLD_BAR),
        )
    )


def warm_functions(subjects: list[Subject], found: warm.Found, left: dict[str, footprint.Footprint]) -> str:
    """Return the table of warm messages and whether our bars are met."""
    empty = subjects[0].name
    rows = []
    for subject in subjects:
        name = subject.name
        tls, plain = found[Way.TLS, name], found[Way.PLAIN, name]
        times = ratio(tls.cpu, found[Way.TLS, empty].cpu)
        rows.append(
            [
                _named(subject),
                spread(tls.cpu).shown(1000, 2),
                f"**{times.shown(1, 2)}**" if subject.ours else times.shown(1, 2),
                spread(plain.cpu).shown(1000, 2),
                ratio(plain.cpu, found[Way.PLAIN, empty].cpu).shown(1, 2),
                f"{percentile(tls.wall, 0.5) * 1000:.2f}, {percentile(tls.wall, 0.99) * 1000:.2f}",
                f"{tls.peak:.1f}",
                _calls(left[name].calls),
                _calls(left[name].start),
            ]
        )
    heads = [
        "", "CPU over TLS, ms", "times empty", "CPU, plain HTTP, ms", "times empty", "time p50, p99, ms", "peak memory, MiB",
        "calls per message", "calls once",
    ]  # fmt: skip
    admitted = [subject.name for subject in subjects if subject.ours and "admitted" in subject.name]
    ours = [subject.name for subject in subjects if subject.ours]
    ratios = [(name, ratio(found[Way.TLS, name].cpu, found[Way.TLS, empty].cpu).middle) for name in admitted]
    bare = [(name, ratio(found[Way.PLAIN, name].cpu, found[Way.PLAIN, empty].cpu).middle) for name in admitted]
    return "\n\n".join(
        (
            table(heads, rows),
            f"{len(found[Way.TLS, empty].cpu)} rounds of {warm.MESSAGES} messages each.",
            _beside({name: found[Way.TLS, name].cpu for name in left}),
            _verdict(
                f"an admitted message over TLS at most {WARM_BAR} times the empty handler's CPU time", ratios, WARM_BAR
            ),
            _verdict("the same over plain HTTP", bare, WARM_BAR),
            _verdict(
                f"at most {MEMORY_BAR_MIB:.0f} MiB",
                [(name, found[Way.TLS, name].peak) for name in ours],
                MEMORY_BAR_MIB,
            ),
        )
    )


def parts_of_a_message(found: parts.Found) -> str:
    """Return the table of what each part of a message takes: what the whole takes less without it."""
    empty, floor = list(found)[:2]
    whole, base = found[""], found[empty]

    def row(name: str, more: list[float], less: list[float]) -> list[str]:
        taken = [one - other for one, other in zip(more, less, strict=True)]
        return [name, spread(taken).shown(1000, 2), ratio(taken, base).shown(1, 2)]

    rows = [row(floor, found[floor], [0.0] * len(base))]
    rows += [row(name, whole, found[name]) for name in parts.PARTS]
    rows.append(row(f"**{parts.SUBJECT}, the whole**", whole, [0.0] * len(base)))
    return f"{table(['', 'CPU, ms', 'times empty'], rows)}\n\n{len(whole)} rounds of {warm.MESSAGES} messages each, over TLS."


def cost_curve(points: list[curve.Point]) -> str:
    """Return the table of what each job takes at each size."""
    rows = []
    for job in curve.JOBS:
        for pending in curve.PENDING:
            at = [point for point in points if (point.job, point.pending) == (job, pending)]
            units = sorted({used for point in at for used in point.units})
            rows.append(
                [
                    f"{job}, {pending} waiting",
                    "; ".join(f"{reads:g} and {writes:g}" for reads, writes in units),
                    *(spread(point.seconds).shown(1000, 1) for point in at),
                ]
            )
    sizes = sorted({point.contacts for point in points})
    heads = ["", "units read and written", *(f"{size:,} paired, ms" for size in sizes)]
    missing = [f"{size:,}" for size in curve.SIZES if size not in sizes]
    note = f"\n\nNot reached in the time allowed: {', '.join(missing)}." if missing else ""
    return table(heads, rows) + note


def sustained(runs: list[load.Load]) -> str:
    """Return the table of runs under load."""
    rows = [
        [
            run.name,
            f"{len(run.seconds):,} by {run.senders}",
            f"{len(run.seconds) / run.whole:,.0f}",
            str(run.errors),
            ", ".join(f"{percentile(run.seconds, share) * 1000:.1f}" for share in (0.5, 0.95, 0.99, 1)),
            f"{run.function * 1000:.2f}",
            f"{(mean(run.seconds) - run.function) * 1000:.2f}",
        ]
        for run in runs
    ]
    heads = [
        "", "messages, senders", "messages per second", "errors", "p50, p95, p99, longest, ms",
        "of the mean: the function's share, ms", "the rest, ms",
    ]  # fmt: skip
    return table(heads, rows)


def million(subjects: list[Subject], found: warm.Found, left: dict[str, footprint.Footprint]) -> str:
    """Return the table of what a million admitted messages cost."""
    rows = []
    doing = [subject for subject in subjects if subject.each.get("SendMessage")]
    for subject in doing:
        one = costs.cost(spread(found[Way.TLS, subject.name].cpu).middle, left[subject.name])
        parts = [f"{dollars:.2f}" for dollars in one.parts.values()]
        rows.append([_named(subject), str(one.billed_ms), *parts, f"**{one.total:.2f}**"])
    empty = costs.cost(0, left[doing[0].name])
    prices = [
        [what, f"{dollars:.3f}" if dollars > 0.01 else f"{dollars:.10f}"] for what, dollars in costs.PRICES.items()
    ]
    return "\n\n".join(
        (
            table(["", "billed, ms", *empty.parts, "total, $"], rows),
            f"List prices in us-east-1, US dollars, {costs.PRICES_AS_OF}:",
            table(["", "$"], prices),
        )
    )


def _beside(samples: dict[str, list[float]]) -> str:
    times = {peer: ratio(samples[peer], samples[ours]).shown(1, 1) for peer, ours in BESIDE.items()}
    return f"Times ours, over TLS: {'; '.join(f'{peer} {shown}' for peer, shown in times.items())}."


def _named(subject: Subject) -> str:
    return f"**Doorcode, {subject.name}**" if subject.ours else subject.name


def _calls(calls: dict[str, int]) -> str:
    return ", ".join(name if count == 1 else f"{count} {name}" for name, count in Counter(calls).items()) or "none"


def _verdict(bar: str, found: list[tuple[str, float]], limit: float) -> str:
    over = [f"{name} ({value:.2f})" for name, value in found if value > limit]
    worst = max(value for _, value in found)
    return f"Our own bar, {bar}: " + (f"missed by {', '.join(over)}." if over else f"kept, the most is {worst:.2f}.")
