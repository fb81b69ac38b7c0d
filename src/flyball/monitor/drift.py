"""Has the input or the answer of a release moved away from its baseline? PSI, with limits, streaks and hysteresis.

The drift part of `flyball.stats` is exported from here as well. The effect is PSI with 0.5 added to each bin. A signal
needs an effect above its limit *and* a p-value below 0.01, so a small window or a feature with a hundred categories
does not alarm by chance. A streak at `act` that has fired goes on while PSI stays above `warn`: the trigger does not
flicker on a value that hovers around one limit.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from flyball.core.record import Record
from flyball.core.release import Baseline, Reference
from flyball.core.service import Psi
from flyball.core.watching import PaneGroup, Signal
from flyball.monitor.windows import Span
from flyball.stats.two_sample.compare import LIMITS, MEASURES, Measure, Reading, compare
from flyball.stats.two_sample.divergences import (
    chi_square,
    cramers_v,
    hellinger,
    jensen_shannon,
    jensen_shannon_distance,
    kl,
    l_infinity,
    psi,
    total_variation,
)
from flyball.stats.two_sample.domain_classifier import compare_domains
from flyball.stats.two_sample.earth_mover import compare_wasserstein, wasserstein_distance
from flyball.stats.two_sample.kolmogorov import compare_ks, ks_distance
from flyball.stats.two_sample.mmd import compare_mmd, compare_rows, fit_features, mmd
from flyball.stats.two_sample.ordered import ks, wasserstein
from flyball.stats.two_sample.stretches import allowance

__all__ = [
    "LIMITS",
    "MEASURES",
    "Measure",
    "Reading",
    "Streak",
    "chi_square",
    "compare",
    "compare_domains",
    "compare_ks",
    "compare_mmd",
    "compare_rows",
    "compare_wasserstein",
    "cramers_v",
    "fit_features",
    "hellinger",
    "jensen_shannon",
    "jensen_shannon_distance",
    "kl",
    "ks",
    "ks_distance",
    "l_infinity",
    "measures",
    "mmd",
    "moved",
    "psi",
    "psi_of",
    "signals",
    "total_variation",
    "wasserstein",
    "wasserstein_distance",
]

SMOOTHING = 0.5
NOTHING: Mapping[str, float] = MappingProxyType({})
ALPHA = 0.01  # of one comparison; the limit on the effect does the rest


class Streak(Record):
    """How long a measure has been beyond its limits, in windows."""

    warn: int = 0
    act: int = 0


def measures(group: PaneGroup, baseline: Baseline, limits: Psi) -> tuple[dict[str, Measure], dict[str, Measure]]:
    """One comparison a feature, and one for each of prediction and score; see `usual` for what a feature is allowed."""
    features = {name: _measure(baseline.features[name], found, limits) for name, found in group.features.items()}
    answers = {name: _measure(baseline.prediction[name], found, limits) for name, found in group.prediction.items()}
    return features, answers


def usual(group: PaneGroup, baseline: Baseline, limits: Psi) -> dict[str, float]:
    """PSI that the reference itself reaches in stretches of a window's length, beyond the limit: season, trend.

    Answers follow the inputs: they may be as far away as the furthest input that is away as usual.
    """
    away = [
        name
        for name, counts in group.features.items()
        if min(sum(counts), sum(baseline.features[name].counts)) > 0
        and psi_of(baseline.features[name].counts, counts) > limits.warn
    ]  # the others need none
    found = {name: allowance(baseline.features[name], sum(group.features[name]), limits.warn) for name in away}
    found = {name: value for name, value in found.items() if value > 0}
    return found | dict.fromkeys(group.prediction, max(found.values())) if found else found


def signals(
    found: Mapping[str, Measure],
    limits: Psi,
    streaks: Mapping[str, Streak],
    span: Span,
    allowed: Mapping[str, float] = NOTHING,
) -> tuple[tuple[Signal, ...], dict[str, Streak]]:
    """The signals of this window, and the streaks that the next one continues.

    Args: allowed: what `usual` gives; both limits of a feature are raised by it.
    """
    raised: list[Signal] = []
    kept: dict[str, Streak] = {}
    for name, measure in found.items():
        before = streaks.get(name, Streak())
        beyond = measure.plain if measure.plain is not None and measure.verdict is Reading.DRIFT else 0.0
        fired = before.act >= limits.consecutive
        limit_warn, limit_act = (limit + allowed.get(name, 0.0) for limit in (limits.warn, limits.act))
        act = before.act + 1 if beyond > limit_act or (fired and beyond > limit_warn) else 0
        warn = before.warn + 1 if beyond > limit_warn else 0
        if not warn:
            continue
        kept[name] = Streak(warn=warn, act=act)
        raised.append(
            Signal(
                signal="psi",
                level="act" if act else "warn",
                value=beyond,
                limit=limit_act if act else limit_warn,
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
    return compare(reference.counts, found, limit=limits.warn, alpha=ALPHA, null="zero")


@lru_cache(maxsize=1024)
def psi_of(reference: tuple[int, ...], current: tuple[int, ...]) -> float:
    """Smoothed PSI over the bins that hold a row, as `compare` has it. Several parts of a report ask for the same.

    Raises: as `psi`.
    """
    used = [at for at, (before, now) in enumerate(zip(reference, current, strict=True)) if before or now]
    if not used:
        return psi(reference, current)  # says which side is empty
    return psi([reference[at] for at in used], [current[at] for at in used], smoothing=SMOOTHING)


def moved(earlier: PaneGroup, later: PaneGroup) -> dict[str, float]:
    """PSI of each feature between two windows of one release."""
    return {
        name: psi_of(counts, later.features[name])
        for name, counts in earlier.features.items()
        if name in later.features and min(sum(counts), sum(later.features[name])) > 0
    }
