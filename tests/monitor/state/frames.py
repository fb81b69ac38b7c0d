"""Baselines and rows that tests of states share."""

import numpy as np
import polars as pl

from flyball.core.release import Baseline, Reference
from flyball.monitor.state.frame import Frame, frame
from flyball.stats.binning.bins import fit_numeric
from flyball.stats.binning.fine_bins import fit_fine


def baseline(seed: int = 1) -> Baseline:
    """Two numbers, a text, a class with a score."""
    rng = np.random.default_rng(seed)
    return Baseline(
        rows=2000,
        features={
            "amount": _numeric(rng.lognormal(0, 1, 2000)),
            "age": _numeric(rng.integers(18, 90, 2000).astype(np.float64)),
            "country": Reference(kind="category", values=("de", "fr"), counts=(1000, 900, 80, 20)),
        },
        prediction={
            "prediction": Reference(kind="category", values=("0", "1"), counts=(900, 1100, 0, 0)),
            "score": _numeric(rng.random(2000)),
        },
    )


def a_frame(seed: int = 1) -> Frame:
    return frame(baseline(seed))


def rows(n: int, seed: int) -> pl.DataFrame:
    """Rows of the prediction log."""
    rng = np.random.default_rng(seed)
    amount = rng.lognormal(0.3, 1, n)
    amount[rng.random(n) < 0.05] = np.nan
    amount[rng.random(n) < 0.01] = np.inf
    return pl.DataFrame(
        {
            "outcome": rng.choice(
                ["answered", "fallback", "rejected", "quarantined", "shed"], n, p=[0.9, 0.05, 0.02, 0.02, 0.01]
            ),
            "x.amount": amount,
            "x.age": rng.integers(10, 95, n),
            "x.country": rng.choice(["de", "fr", "it"], n),
            "prediction": rng.choice([0, 1], n),
            "score": rng.random(n),
            "excluded": rng.random(n) < 0.01,
        }
    )


def _numeric(values: np.ndarray) -> Reference:
    edges = fit_numeric(values).edges
    fine = fit_fine(values, edges)
    return Reference(
        kind="numeric",
        edges=edges,
        counts=tuple(fit_numeric(values).count(values).tolist()),
        fine=fine.edges,
        fine_counts=tuple(fine.count(values).tolist()),
    )
