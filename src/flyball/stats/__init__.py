"""The pure mathematics that several stages share: bins, divergences, metrics, intervals, sequences, sequential tests,
Merkle trees. No clock, no disk, no dice: a generator is handed in where one is needed."""

from flyball.stats.bins import CategoryBins, NumericBins, fit_categories, fit_numeric
from flyball.stats.compare import Measure, Reading, compare
from flyball.stats.divergences import psi
from flyball.stats.intervals import Interval, interval, paired_difference, rows_needed, wilson
from flyball.stats.merkle import Frontier
from flyball.stats.metrics import METRICS, Metric, score
from flyball.stats.sequences import bernoulli_upper
from flyball.stats.sequential import BernoulliSprt, ErrorEventTest, Finding, PairedTest, accept_bound, rollback_bound

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
    "compare",
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
