"""A number that only runs on with the rows: a counter, or a date as a number; every later row lies outside of it."""

import numpy as np
from numpy.typing import NDArray

LEAST_ROWS = 50
DISTINCT = 20  # values that a running number has at least; fewer may be a level that was raised now and then
NEARLY_ALL = 0.999  # share of steps that never go back


def runs_on(values: NDArray[np.float64]) -> bool:
    """Never back in nearly all steps, over many values; several rows may share one (a day).

    Args: values: (rows,), in the order of time.

    >>> runs_on(np.arange(100.0)), runs_on(np.arange(100.0) % 24), runs_on(np.repeat([1.0, 2.0], 50))
    (True, False, False)
    """
    if len(values) < LEAST_ROWS or np.isnan(values).any() or np.unique(values).size < DISTINCT:
        return False
    steps = np.sign(np.diff(values))
    return max(float((steps >= 0).mean()), float((steps <= 0).mean())) >= NEARLY_ALL
