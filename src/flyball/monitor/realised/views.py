"""Tallies with weights: what figures are computed from, be the rows taken as they are or weighted by their delay."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flyball.monitor.realised.tally import SCORE_BITS, Form, Tally
from flyball.stats.exact_sum import number

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class View:
    """Counts as floats. With weights their total is still the number of rows."""

    form: Form
    labelled: int
    unusable: int
    dilution: float  # rows over the rows that they are worth, >= 1; 1: no weights
    cells: Floats  # shape [k+1, k+1]
    scores: Floats  # shape [ranked, 2, BINS]
    said: Floats  # summed scores, shape [ranked, BINS]
    sums: dict[str, float]
    terms: dict[str, float]  # rows behind each sum


def view(parts: Sequence[tuple[float, Tally]], form: Form) -> View:
    """One view of several tallies of one form. Args: parts: weight of a row, and the tally, in a fixed order."""
    weights = {weight for weight, _ in parts}
    if len(weights) <= 1:  # no weights: add the integers, so that the result is the same whatever the parts
        whole = Tally(form=form)
        for _, each in parts:
            whole = whole.plus(each)
        parts = [(1.0, whole)]
    rows = sum(tally.labelled for _, tally in parts)
    total = sum(weight * tally.labelled for weight, tally in parts)
    scale = rows / total if total > 0 else 1.0
    shares = [(weight * scale, tally) for weight, tally in parts]
    return View(
        form=form,
        labelled=rows,
        unusable=sum(tally.unusable for _, tally in parts),
        dilution=max(1.0, sum(w * w * tally.labelled for w, tally in shares) / rows) if rows else 1.0,
        cells=_sum([w * tally.cells for w, tally in shares]),
        scores=_sum([w * tally.scores for w, tally in shares]),
        said=_sum([w * np.ldexp(tally.said.sum(axis=1).astype(np.float64), -SCORE_BITS) for w, tally in shares]),
        sums={name: sum(w * number(tally.sums[name], bits) for w, tally in shares) for name, bits in form.sums},
        terms={name: sum(w * tally.terms[name] for w, tally in shares) for name, _ in form.sums},
    )


def _sum(arrays: Sequence[npt.NDArray[np.floating[Any]]]) -> Floats:
    return np.asarray(np.sum(arrays, axis=0), dtype=np.float64)
