"""The pure mathematics that several stages share: bins, divergences, metrics, intervals, sequences, sequential tests,
Merkle trees. No clock, no disk, no dice: a generator is handed in where one is needed.

Names load on first use: who only appends to the ledger needs Merkle trees, not half a second of scipy. `compare` is
imported from its own module, `flyball.stats.compare`, whose name it shares.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flyball.stats.bins import CategoryBins, NumericBins, fit_categories, fit_numeric
    from flyball.stats.compare import Measure, Reading
    from flyball.stats.divergences import psi
    from flyball.stats.intervals import Interval, interval, paired_difference, rows_needed, wilson
    from flyball.stats.merkle import Frontier
    from flyball.stats.metrics import METRICS, Metric, score
    from flyball.stats.paired import PairedTest
    from flyball.stats.sequences import bernoulli_upper
    from flyball.stats.sequential import ErrorEventTest, accept_bound, rollback_bound
    from flyball.stats.sprt import BernoulliSprt, Finding

__all__ = [
    "METRICS",
    "BernoulliSprt",
    "CategoryBins",
    "ErrorEventTest",
    "Finding",
    "Frontier",
    "Interval",
    "Measure",
    "Metric",
    "NumericBins",
    "PairedTest",
    "Reading",
    "accept_bound",
    "bernoulli_upper",
    "fit_categories",
    "fit_numeric",
    "interval",
    "paired_difference",
    "psi",
    "rollback_bound",
    "rows_needed",
    "score",
    "wilson",
]

_HOMES = {
    "bins": ("CategoryBins", "NumericBins", "fit_categories", "fit_numeric"),
    "compare": ("Measure", "Reading"),
    "divergences": ("psi",),
    "intervals": ("Interval", "interval", "paired_difference", "rows_needed", "wilson"),
    "merkle": ("Frontier",),
    "metrics": ("METRICS", "Metric", "score"),
    "sequences": ("bernoulli_upper",),
    "paired": ("PairedTest",),
    "sequential": ("ErrorEventTest", "accept_bound", "rollback_bound"),
    "sprt": ("BernoulliSprt", "Finding"),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
