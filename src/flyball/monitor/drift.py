"""Has the input or the answer of a release moved away from its baseline? PSI, with limits, streaks and hysteresis.

The drift part of `flyball.stats` is exported from here as well. The effect is PSI with 0.5 added to each bin. A signal
needs an effect above its limit *and* a p-value below 0.01, so a small window or a feature with a hundred categories
does not alarm by chance. A streak at `act` that has fired goes on while PSI stays above `warn`: the trigger does not
flicker on a value that hovers around one limit.
"""

from collections.abc import Mapping

from flyball.core.record import Record
from flyball.core.release import Baseline, Reference
from flyball.core.service import Psi
from flyball.core.watching import PaneGroup, Signal
from flyball.monitor.windows import Span
from flyball.stats.compare import Measure, Reading, compare
from flyball.stats.divergences import (
    chi_square,
    hellinger,
    jensen_shannon,
    jensen_shannon_distance,
    kl,
    l_infinity,
    psi,
    total_variation,
)

__all__ = [
    "Measure",
    "Reading",
    "Streak",
    "chi_square",
    "compare",
    "hellinger",
    "jensen_shannon",
    "jensen_shannon_distance",
    "kl",
    "l_infinity",
    "measures",
    "moved",
    "psi",
    "signals",
    "total_variation",
]

SMOOTHING = 0.5
ALPHA = 0.01  # of one comparison; the limit on the effect does the rest


class Streak(Record):
    """How long a measure has been beyond its limits, in windows."""

    warn: int = 0
    act: int = 0


def measures(group: PaneGroup, baseline: Baseline, limits: Psi) -> tuple[dict[str, Measure], dict[str, Measure]]:
    """One comparison a feature, and one for each of prediction and score."""
    features = {name: _measure(baseline.features[name], found, limits) for name, found in group.features.items()}
    answers = {name: _measure(baseline.prediction[name], found, limits) for name, found in group.prediction.items()}
    return features, answers


def signals(
    found: Mapping[str, Measure], limits: Psi, streaks: Mapping[str, Streak], span: Span
) -> tuple[tuple[Signal, ...], dict[str, Streak]]:
    """The signals of this window, and the streaks that the next one continues."""
    raised: list[Signal] = []
    kept: dict[str, Streak] = {}
    for name, measure in found.items():
        before = streaks.get(name, Streak())
        beyond = measure.value if measure.value is not None and measure.verdict is Reading.DRIFT else 0.0
        fired = before.act >= limits.consecutive
        act = before.act + 1 if beyond > limits.act or (fired and beyond > limits.warn) else 0
        warn = before.warn + 1 if beyond > limits.warn else 0
        if not warn:
            continue
        kept[name] = Streak(warn=warn, act=act)
        raised.append(
            Signal(
                signal="psi",
                level="act" if act else "warn",
                value=beyond,
                limit=limits.act if act else limits.warn,
                release=span.release,
                window=span.index,
                first_row=span.first_row,
                last_row=span.last_row,
                feature=name,
                consecutive=act or warn,
                detail=measure.reason,
            )
        )
    return tuple(raised), kept


def _measure(reference: Reference, found: tuple[int, ...], limits: Psi) -> Measure:
    return compare(reference.counts, found, limit=limits.warn, alpha=ALPHA)


def moved(earlier: PaneGroup, later: PaneGroup) -> dict[str, float]:
    """PSI of each feature between two windows of one release."""
    return {
        name: psi(counts, later.features[name], smoothing=SMOOTHING)
        for name, counts in earlier.features.items()
        if name in later.features and min(sum(counts), sum(later.features[name])) > 0
    }
