"""What a tool would say of one column of two samples by its default choices, and what we say."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from flyball.monitor.compat import evidently, nannyml
from flyball.monitor.compat.pair import Beside

TOOLS = ("evidently", "nannyml")
SMALL = 1000  # rows of the reference up to which Evidently tests and beyond which it measures
FEW_VALUES = 5  # numbers with at most so many are categories to Evidently


def side_by_side(
    reference_samples: Sequence[object], current_samples: Sequence[object], *, like: str = "evidently"
) -> tuple[Beside, ...]:
    """Their default method for such a column first, then the others that they offer for it.

    Args: values of one column, shape [n] and [m]: numbers, or text; None and NaN are missing, as they treat it.
    Raises: ValueError: another tool than TOOLS.

    >>> rng = np.random.default_rng(0)
    >>> found = side_by_side(rng.normal(size=500).tolist(), rng.normal(size=500).tolist(), like="evidently")
    >>> [one.method for one in found]
    ['ks', 'jensenshannon', 'psi', 'wasserstein']
    """
    if like not in TOOLS:
        raise ValueError(f"like: expected one of {', '.join(TOOLS)}, found {like!r}")
    numbers = [_numbers(side) for side in (reference_samples, current_samples)]
    if numbers[0] is not None and numbers[1] is not None:
        r, c = numbers[0], numbers[1]
        if like == "nannyml":
            return (nannyml.jensen_shannon(r, c), nannyml.hellinger(r, c), nannyml.wasserstein(r, c))
        if np.unique(r[~np.isnan(r)]).size > FEW_VALUES:
            counts = evidently.histograms(r, c)
            distances = (evidently.jensenshannon(*counts), evidently.population_stability(*counts))
            tested, carried = evidently.kolmogorov(r, c), evidently.wasserstein(r, c)
            return (tested, *distances, carried) if r.size <= SMALL else (carried, *distances, tested)
    words = [_words(side) for side in (reference_samples, current_samples)]
    if like == "nannyml":
        return (nannyml.jensen_shannon_of_categories(*words), nannyml.l_infinity(*words))
    tables = [Counter(value for value in side if value is not None) for side in words]
    places = sorted({*tables[0], *tables[1]})
    sides = [[table[value] for value in places] for table in tables]
    found = (evidently.jensenshannon(*sides), evidently.population_stability(*sides))
    tested = evidently.chi_square(*sides)
    return (tested, *found) if len(words[0]) <= SMALL else (*found, tested)


def _numbers(values: Sequence[object]) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None":
    """The column as numbers; None where a value is text or anything else that is none."""
    if any(isinstance(value, (str, bytes)) for value in values):
        return None
    try:
        return np.asarray([np.nan if value is None else value for value in values], dtype=np.float64).ravel()
    except (TypeError, ValueError):
        return None  # not swallowed: such a column is read as categories


def _words(values: Sequence[object]) -> list[str | None]:
    return [None if value is None or value != value else str(value) for value in values]
