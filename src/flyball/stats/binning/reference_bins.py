"""The bin of each value of a column, on the bins that a release's baseline fixed."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.release import Reference
from flyball.stats.binning.bins import MISSING, OTHER, NumericBins

Places = npt.NDArray[np.int64]


def bin_of(column: pl.Series, reference: Reference) -> Places:
    """The bin of each value, shape [n]; the last bin is missing.

    >>> bin_of(pl.Series([0.2, 7.0, None]), Reference(kind="numeric", edges=(0.5,), counts=(5, 5, 0))).tolist()
    [0, 1, 2]
    >>> bin_of(pl.Series(["a", "z"]), Reference(kind="category", values=("a", "b"), counts=(5, 5, 0, 0))).tolist()
    [0, 2]
    """
    if reference.kind == "numeric":
        if column.dtype.is_temporal():
            column = column.cast(pl.Datetime("us")).dt.epoch("us") / 1e6
        return NumericBins(edges=reference.edges).index(column.cast(pl.Float64, strict=False).to_numpy())
    places, size = spellings(reference.values), len(reference.values) + 2
    texts = column.cast(pl.String).to_list()
    return np.array([size - 1 if text is None else places.get(text, size - 2) for text in texts], dtype=np.int64)


@lru_cache(maxsize=1024)
def spellings(values: tuple[str, ...]) -> dict[str, int]:
    """Bin of each text under which a value may come: a label 1 may have travelled as `1.0`, True as `true`.

    >>> spellings(("0", "1"))["1.0"], spellings(("False", "True"))["true"]
    (1, 1)
    """
    found = {value: at for at, value in enumerate(values)}
    for at, value in enumerate(values):
        found.setdefault(value.lower() if value in ("True", "False") else value, at)
        found.setdefault(f"{value}.0" if value.lstrip("-").isdigit() else value, at)
    return found


def bin_names(reference: Reference) -> tuple[str, ...]:
    """What each bin holds, for people.

    >>> bin_names(Reference(kind="category", values=("a",), counts=(5, 0, 0)))
    ('a', '(other)', '(missing)')
    """
    if reference.kind == "numeric":
        return NumericBins(edges=reference.edges).labels()
    return (*reference.values, OTHER, MISSING)
