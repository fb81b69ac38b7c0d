"""Guesses for every row by models that were fitted without its unit: what a row has done is in no guess about it.

A model that has seen a row knows its noise. In a doubly robust estimate that noise would be taken off as if it had been
foreseen, and the estimate would lean to what was logged with an interval that is too narrow.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Guess = Callable[[Rows], tuple[npt.ArrayLike, npt.ArrayLike]]  # rows -> (after the logged action, after the target's)


def cross_fitted(
    fit: Callable[[Rows], Guess],
    unit: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    folds: int = 5,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Guesses for all rows by models fitted without their units: (after the logged action, after the target's).

    Two columns, shape [n] each, in the unit of what `fit` guesses.

    Args:
        fit: given the rows to learn from, returns what guesses for others.
        unit: what a row belongs to, shape [n]; rows of one unit are in one fold.
        rng: deals the units into folds.
        folds: parts, each guessed for by a model of the others, count; never more than units.

    Raises: ValueError: fewer than two units or folds.
    Source: Chernozhukov et al. 2018, definition 3.2 (DML2).

    >>> reward = np.array([0.0, 0.0, 1.0, 1.0])
    >>> def fit(rows):
    ...     return lambda other: (np.full(other.size, reward[rows].mean()),) * 2
    >>> logged, target = cross_fitted(fit, ["a", "a", "b", "b"], rng=np.random.default_rng(0), folds=2)
    >>> logged.tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    names, codes = np.unique(np.asarray(unit), return_inverse=True)
    parts = min(folds, names.size)
    if parts < 2:
        raise ValueError(f"expected at least two units and two folds, found {names.size} and {folds}")
    fold = (rng.permutation(names.size) % parts)[codes.ravel()]
    logged, target = np.empty(fold.size), np.empty(fold.size)
    for part in range(parts):
        held = np.flatnonzero(fold == part)
        guess = fit(np.flatnonzero(fold != part))
        logged[held], target[held] = guess(held)
    return logged, target
