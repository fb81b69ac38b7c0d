"""The pure mathematics that several stages share. No clock, no disk, no dice: a generator is handed in where one is
needed. A folder for each question:

- `binning`: into which bins values go, those among them that the reference never had.
- `scoring`: what a metric is on a sample of rows, and how sure it is.
- `two_sample`: whether a window is drawn like its reference.
- `change`: when it began to be otherwise.
- `sequential_tests`, `confidence_sequences`: what may be asked after every value.
- `experiment`: two arms side by side, and what they take.
- `risk`: what answers cost, with labels and before them.
- `actions`: what another policy would have been worth.

Names load on first use: who only appends to the ledger needs Merkle trees, not half a second of scipy. `compare` is
imported from its own module, `flyball.stats.two_sample.compare`, whose name it shares.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flyball.stats.binning.bins import CategoryBins, NumericBins, fit_categories, fit_numeric
    from flyball.stats.confidence_sequences.sequences import bernoulli_upper
    from flyball.stats.merkle import Frontier
    from flyball.stats.scoring.intervals import Interval, interval, paired_difference, rows_needed, wilson
    from flyball.stats.scoring.metrics import METRICS, Metric, score
    from flyball.stats.sequential_tests.paired import PairedTest
    from flyball.stats.sequential_tests.sequential import ErrorEventTest, accept_bound, rollback_bound
    from flyball.stats.sequential_tests.sprt import BernoulliSprt, Finding
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
    "confidence_sequences.sequences": ("bernoulli_upper",),
    "sequential_tests.paired": ("PairedTest",),
    "sequential_tests.sequential": ("ErrorEventTest", "accept_bound", "rollback_bound"),
    "sequential_tests.sprt": ("BernoulliSprt", "Finding"),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
