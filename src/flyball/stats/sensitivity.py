"""How much does a model care for each input? Its answers move when the values of the input change places among rows.

A feature that the answers do not rest on may drift as it likes: no loss follows from it. Shuffling keeps the feature's
own distribution and breaks its tie to the others, so an input whose twin is also there looks less needed than it is.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]


def permutation_sensitivity(
    answers: Callable[[pl.DataFrame], npt.ArrayLike],
    rows: pl.DataFrame,
    names: Sequence[str],
    *,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Share of each input in how far the answers move, 0..1; together 1, or all 0 where nothing moves them.

    Args:
        answers: rows to numbers, shape [n] or [n, k]; called once an input and once more.
        rows: some that the model has not learned from; a few hundred are enough.
        rng: of the shuffling.

    Source: Breiman 2001, Random forests, section 10, of the answers instead of the error.

    >>> rows = pl.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "noise": [3.0, 1.0, 2.0, 0.0]})
    >>> permutation_sensitivity(lambda table: table["a"], rows, ["a", "noise"], rng=np.random.default_rng(0))
    {'a': 1.0, 'noise': 0.0}
    """
    plain = np.asarray(answers(rows), dtype=np.float64)
    moved: dict[str, float] = {}
    for name in names:
        order = rng.permutation(rows.height)
        shuffled = rows.with_columns(rows[name].gather(order).alias(name))
        moved[name] = (
            float(np.mean(np.abs(np.asarray(answers(shuffled), dtype=np.float64) - plain))) if order.size else 0.0
        )
    total = sum(moved.values())
    return {name: value / total if total > 0 else 0.0 for name, value in moved.items()}
