"""The pure mathematics that several stages share, a folder for each question: how values are put into bins, how sure a
metric is, whether two samples are alike, what may be asked at any time, when a change began, what answers cost, what
two arms and what other actions are worth. No clock, no disk, no dice: a generator is handed in where one is needed.

Names load on first use: who only appends to the ledger needs Merkle trees, not half a second of scipy. `compare` is
imported from its own module, `flyball.stats.two_sample.compare`, whose name it shares.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flyball.stats.anytime.paired import PairedTest
    from flyball.stats.anytime.sequences import bernoulli_upper
    from flyball.stats.anytime.sequential import ErrorEventTest, accept_bound, rollback_bound
    from flyball.stats.anytime.sprt import BernoulliSprt, Finding
    from flyball.stats.binning.bins import CategoryBins, NumericBins, fit_categories, fit_numeric
    from flyball.stats.merkle import Frontier
    from flyball.stats.scoring.intervals import Interval, interval, paired_difference, rows_needed, wilson
    from flyball.stats.scoring.metrics import METRICS, Metric, score
    from flyball.stats.two_sample.compare import Measure, Reading
    from flyball.stats.two_sample.divergences import psi

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
    "binning.bins": ("CategoryBins", "NumericBins", "fit_categories", "fit_numeric"),
    "two_sample.compare": ("Measure", "Reading"),
    "two_sample.divergences": ("psi",),
    "scoring.intervals": ("Interval", "interval", "paired_difference", "rows_needed", "wilson"),
    "merkle": ("Frontier",),
    "scoring.metrics": ("METRICS", "Metric", "score"),
    "anytime.sequences": ("bernoulli_upper",),
    "anytime.paired": ("PairedTest",),
    "anytime.sequential": ("ErrorEventTest", "accept_bound", "rollback_bound"),
    "anytime.sprt": ("BernoulliSprt", "Finding"),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
