"""Evidently's numbers: its tests and distances by their published rules, with the right ones beside them.

Numeric columns are cut into 30 bins of equal width over both samples (few values: one bin a value), empty bins are
filled with 0.0001 without renormalising, and missing values are dropped before anything is counted. Rules as of
Evidently 0.4 to 0.7.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.monitor.compat.pair import Beside, beyond
from flyball.stats.two_sample.compare import compare
from flyball.stats.two_sample.divergences import chi_square as two_sample
from flyball.stats.two_sample.divergences import jensen_shannon_distance
from flyball.stats.two_sample.earth_mover import compare_wasserstein, wasserstein_distance

TOOL = "evidently"
LEVEL = 0.05  # its alpha
FAR = 0.1  # its limit on distances
FILL = 0.0001  # its share of an empty bin
BINS = 30
Counts = Sequence[int] | npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


def chi_square(reference: Counts, current: Counts) -> Beside:
    """Its default for a category with at most 1000 rows: one-sample, the reference taken for the truth.

    >>> found = chi_square([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8])
    >>> round(found.theirs, 5), round(found.ours, 5)
    (0.67309, 0.89853)
    """
    r, c = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    theirs = ours = None
    if r.sum() > 0 and c.sum() > 0:
        used = (r + c) > 0
        expected = r[used] * c.sum() / r.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            statistic = float(np.sum(np.where(expected > 0, (c[used] - expected) ** 2 / expected, np.inf)))
        df = int(used.sum()) - 1
        theirs = float(special.chdtrc(df, statistic)) if df else 1.0
        ours = two_sample(r, c).p
    return Beside(
        tool=TOOL,
        method="chisquare",
        theirs=theirs,
        limit=LEVEL,
        drift=beyond(theirs, LEVEL, is_p=True),
        is_p=True,
        measure="chi_square",
        ours=ours,
        verdict=compare(r, c, measure="chi_square").verdict.value,
        why="it takes the reference sample for the exact truth, so its p is too small: 22 % false alarms at 5 % for "
        "three categories, 49 % for ten, 74 % for twenty (n = m = 1000); ours counts both samples as samples",
    )


def jensenshannon(reference: Counts, current: Counts) -> Beside:
    """Jensen-Shannon distance with the natural logarithm, empty bins filled.

    >>> round(jensenshannon([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]).theirs, 7)
    0.0680482
    """
    p, q = _filled(reference), _filled(current)
    theirs = None if p is None or q is None else jensen_shannon_distance(p, q, base=float(np.e))
    found = compare(reference, current, measure="jensen_shannon")
    ours = None if found.value is None else float(np.sqrt(found.value / np.log(2)))
    return Beside(
        tool=TOOL,
        method="jensenshannon",
        theirs=theirs,
        limit=FAR,
        drift=beyond(theirs, FAR, is_p=False),
        is_p=False,
        measure="jensen_shannon",
        ours=ours,
        verdict=found.verdict.value,
        why="its distance uses the natural logarithm, so it ends at 0.8326; ours is given in base 2, which ends at 1 "
        "(1.2011 times as much), without what sampling adds",
    )


def population_stability(reference: Counts, current: Counts) -> Beside:
    """PSI with empty bins filled by 0.0001."""
    p, q = _filled(reference), _filled(current)
    theirs = None if p is None or q is None else float(np.sum((p - q) * np.log(p / q)))
    found = compare(reference, current)
    return Beside(
        tool=TOOL,
        method="psi",
        theirs=theirs,
        limit=FAR,
        drift=beyond(theirs, FAR, is_p=False),
        is_p=False,
        measure="psi",
        ours=found.value,
        verdict=found.verdict.value,
        why="it fills an empty bin with 0.0001, so one empty bin adds much, and keeps what sampling adds; "
        "ours adds 0.5 row to each bin of both sides and takes the sampling part off",
    )


def wasserstein(reference: npt.ArrayLike, current: npt.ArrayLike) -> Beside:
    """Its default for a number above 1000 rows: Wasserstein over the reference's standard deviation, at least 0.001."""
    r, c = _present(reference), _present(current)
    finite = r.size > 0 and c.size > 0 and bool(np.isfinite(r).all() and np.isfinite(c).all())
    theirs = wasserstein_distance(r, c) / max(float(np.std(r)), 0.001) if finite else None
    found = compare_wasserstein(r, c)
    return Beside(
        tool=TOOL,
        method="wasserstein",
        theirs=theirs,
        limit=FAR,
        drift=beyond(theirs, FAR, is_p=False),
        is_p=False,
        measure="wasserstein",
        ours=found.value,
        verdict=found.verdict.value,
        why="the distance is the same; it compares it with 0.1 whatever the rows, so small samples alarm by chance and "
        "nobody is told, and missing values are dropped unseen; ours takes the sampling part off and tests the limit",
    )


def kolmogorov(reference: npt.ArrayLike, current: npt.ArrayLike) -> Beside:
    """Its default for a number with at most 1000 rows: the p-value of KS against 0.05."""
    from scipy.stats import ks_2samp

    from flyball.stats.two_sample.kolmogorov import compare_ks

    r, c = _present(reference), _present(current)
    theirs = float(ks_2samp(r, c).pvalue) if r.size and c.size else None
    found = compare_ks(r, c)
    return Beside(
        tool=TOOL,
        method="ks",
        theirs=theirs,
        limit=LEVEL,
        drift=beyond(theirs, LEVEL, is_p=True),
        is_p=True,
        measure="ks",
        ours=found.p,
        verdict=found.verdict.value,
        why="the p-value is the same; it calls any difference drift that chance does not explain, however small, each "
        "column at 5 %; ours asks that the distance be surely above 0.10",
    )


def histograms(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Its counts of a number: 30 bins of equal width over both samples, missing and infinite values dropped.

    Where floats have no 30 steps between the ends, which it does not survive, one bin a value.
    """
    r, c = (side[np.isfinite(side)] / 2 for side in (_present(reference), _present(current)))  # halves: no overflow
    both = np.concatenate([r, c])
    edges = np.linspace(both.min(), both.max(), BINS + 1) if both.size else np.array([0.0, 1.0])
    if both.size and not np.all(np.diff(edges) > 0):
        edges = np.append(np.unique(both), np.inf)
    return np.histogram(r, edges)[0], np.histogram(c, edges)[0]


def zero_filled_psi(reference: Counts, current: Counts, fill: float) -> float:
    """PSI with empty bins replaced by a tiny count, as Frouros does it; a curiosity: one empty bin decides it."""
    r, c = (np.asarray(side, dtype=np.float64) for side in (reference, current))
    p, q = np.where(r == 0, fill, r / r.sum()), np.where(c == 0, fill, c / c.sum())
    return float(np.sum((q - p) * np.log(q / p)))


def _filled(counts: Counts) -> Values | None:
    x = np.asarray(counts, dtype=np.float64)
    if not x.sum() > 0:
        return None
    return np.where(x == 0, FILL, x / x.sum())


def _present(values: npt.ArrayLike) -> Values:
    x = np.asarray(values, dtype=np.float64).ravel()
    return x[~np.isnan(x)]
