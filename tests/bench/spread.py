"""Medians, quartiles, and ratios of samples that were taken in turn."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import quantiles

from msgspec import Struct


class Spread(Struct, frozen=True):
    """A median with its quartiles."""

    low: float
    middle: float
    high: float

    def shown(self, scale: float, digits: int) -> str:
        """Write it as ``12.3 (12.1 to 12.9)``, scaled."""
        low, middle, high = (f"{value * scale:,.{digits}f}" for value in (self.low, self.middle, self.high))
        return f"{middle} ({low} to {high})"


def spread(samples: Sequence[float]) -> Spread:
    """Return the quartiles of the samples."""
    return Spread(*quantiles(samples, n=4, method="inclusive"))


def ratio(samples: Sequence[float], base: Sequence[float]) -> Spread:
    """Return the quartiles of sample to base, round by round: what slows a round down slows both."""
    return spread([one / other for one, other in zip(samples, base, strict=True)])


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the sample that ``share`` of all samples do not exceed."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
