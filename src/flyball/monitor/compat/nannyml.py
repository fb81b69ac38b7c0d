"""NannyML's numbers: univariate distances of chunks, judged by mean plus and minus three standard deviations.

Jensen-Shannon with the base 2 on Doane's bins of the reference, Hellinger on the same, L-infinity and Jensen-Shannon
on categories, Wasserstein on values. The threshold comes from chunks of the reference against the whole reference, of
which each chunk is a part. Rules as of NannyML 0.10 to 0.13.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from flyball.monitor.compat.pair import Beside
from flyball.stats.two_sample import divergences
from flyball.stats.two_sample.compare import compare
from flyball.stats.two_sample.earth_mover import compare_wasserstein, wasserstein_distance
from flyball.stats.two_sample.measure import Measure

TOOL = "nannyml"
CHUNKS = 10
WIDTH = 3.0  # standard deviations
Counts = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
WHY = (
    "its threshold is the mean and three standard deviations of {chunks} chunks, scored against a reference that "
    "contains them: about 5 % false alarms a feature and chunk with ten chunks, not the 0.13 % that three sigma "
    "suggests; "
)
REST = {
    "jensen_shannon": "its distance (base 2, Doane's bins) keeps what sampling adds; ours takes it off",
    "hellinger": "its distance keeps what sampling adds; ours takes it off",
    "l_infinity": "the distance is the same; ours comes with its own law",
    "wasserstein": "its distance is in the unit of the column; ours in standard deviations of the reference",
}


def jensen_shannon(reference: npt.ArrayLike, current: npt.ArrayLike) -> Beside:
    """Its default for numbers: Jensen-Shannon distance, base 2."""
    return _binned(
        "jensen_shannon", lambda r, c: divergences.jensen_shannon_distance(r, c, base=2), reference, current
    )  # fmt: skip


def hellinger(reference: npt.ArrayLike, current: npt.ArrayLike) -> Beside:
    """Hellinger distance on the same bins."""
    return _binned("hellinger", divergences.hellinger, reference, current)


def l_infinity(reference: Sequence[str | None], current: Sequence[str | None]) -> Beside:
    """Largest change of a category's share."""
    return _of_categories("l_infinity", divergences.l_infinity, reference, current)


def jensen_shannon_of_categories(reference: Sequence[str | None], current: Sequence[str | None]) -> Beside:
    """Its default for categories: Jensen-Shannon distance, base 2."""
    return _of_categories(
        "jensen_shannon", lambda r, c: divergences.jensen_shannon_distance(r, c, base=2), reference, current
    )  # fmt: skip


def wasserstein(reference: npt.ArrayLike, current: npt.ArrayLike) -> Beside:
    """Wasserstein distance of the values, in the unit of the column."""
    r, c = _finite(reference), _finite(current)

    def distance(chunk: Values) -> float:
        return wasserstein_distance(r, chunk)

    return _judged("wasserstein", distance, r, c, compare_wasserstein(r, c))


def threshold(scores: Sequence[float] | Values, *, floor: float = 0.0) -> tuple[float, float]:
    """Mean minus and plus three standard deviations (population), the lower end not below `floor`.

    >>> [round(end, 4) for end in threshold([0.10, 0.12, 0.11, 0.13])]
    [0.0815, 0.1485]
    """
    known = np.asarray(scores, dtype=np.float64)
    middle, spread = float(known.mean()), float(known.std())
    return max(floor, middle - WIDTH * spread), middle + WIDTH * spread


def doane_bins(reference: npt.ArrayLike) -> Values:
    """Edges by Doane's rule on the reference."""
    return np.histogram_bin_edges(_finite(reference), bins="doane")


def counts_on(edges: Values, values: npt.ArrayLike) -> Counts:
    """Counts in those bins, and a last bin for what lies outside: values below the first edge count there too."""
    known = _finite(values)
    inside = np.histogram(known, edges)[0]
    return np.append(inside, known.size - int(inside.sum()))


def _binned(
    measure: str, distance: Callable[[Counts, Counts], float], reference: npt.ArrayLike, current: npt.ArrayLike
) -> Beside:
    r, c = _finite(reference), _finite(current)
    if not r.size or not c.size:
        return _nothing(measure)
    try:
        edges = doane_bins(r)
    except ValueError:  # floats have no such steps between the ends
        return _nothing(measure, "INVALID", "the reference cannot be cut by Doane's rule, where the tool fails as well")
    whole = counts_on(edges, r)
    found = compare(whole, counts_on(edges, c), measure=measure)
    return _judged(measure, lambda chunk: distance(whole, counts_on(edges, chunk)), r, c, found)


def _of_categories(
    measure: str,
    distance: Callable[[Counts, Counts], float],
    reference: Sequence[str | None],
    current: Sequence[str | None],
) -> Beside:
    r, c = ([str(value) for value in side if value is not None] for side in (reference, current))
    if not r or not c:
        return _nothing(measure)
    places = {value: at for at, value in enumerate(dict.fromkeys([*r, *c]))}
    codes = [np.array([places[value] for value in side]) for side in (r, c)]

    def counted(chunk: Counts) -> Counts:
        return np.bincount(chunk.astype(np.int64), minlength=len(places))

    found = compare(counted(codes[0]), counted(codes[1]), measure=measure)
    return _judged(measure, lambda chunk: distance(counted(codes[0]), counted(chunk)), codes[0], codes[1], found)


def _judged(
    measure: str, distance: Callable[..., float], reference: npt.NDArray[np.generic], current: object, found: Measure
) -> Beside:
    if not reference.size or not np.size(np.asarray(current)):
        return _nothing(measure)
    theirs = distance(current)
    chunks = min(CHUNKS, reference.size)
    low, high = threshold([distance(chunk) for chunk in np.array_split(reference, chunks)])
    return Beside(
        tool=TOOL,
        method=measure,
        theirs=theirs,
        limit=(low, high),
        drift=not low <= theirs <= high,
        is_p=False,
        measure=measure,
        ours=_as_distance(found),
        verdict=found.verdict.value,
        why=WHY.format(chunks=chunks) + REST[measure],
    )


def _as_distance(found: Measure) -> float | None:
    """Ours in their unit: of Jensen-Shannon the root, in base 2, where ours is a divergence in nats."""
    if found.value is None or found.measure != "jensen_shannon":
        return found.value
    return float(np.sqrt(found.value / np.log(2)))


def _nothing(
    measure: str,
    verdict: str = "INSUFFICIENT",
    why: str = "one side has no values; it drops such a chunk or fails, ours says so",
) -> Beside:
    return Beside(
        tool=TOOL,
        method=measure,
        theirs=None,
        limit=None,
        drift=None,
        is_p=False,
        measure=measure,
        ours=None,
        verdict=verdict,
        why=why,
    )


def _finite(values: npt.ArrayLike) -> Values:
    x = np.asarray(values, dtype=np.float64).ravel()
    return x[np.isfinite(x)]
