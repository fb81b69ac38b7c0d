"""Bounds of a latency quantile from the histograms that panes hold: they add, and hold what a sample would tell."""

from functools import reduce

import numpy as np
import polars as pl
from tests.monitor.streams import log

from flyball.core.release import Baseline
from flyball.core.watching import PaneGroup
from flyball.decide import quantile_bounds, quantile_bounds_of_counts, quantile_log_e_of_counts
from flyball.monitor.panes import LATENCY_EDGES_MS, count, merge

NOTHING = Baseline(rows=0, features={}, prediction={})


def pane(latencies: list[float], arm: str) -> PaneGroup:
    rows = log(pl.Series("id", [f"p{at}" for at in range(len(latencies))])).with_columns(
        pl.Series("latency_ms", latencies), pl.lit("answered").alias("outcome"), pl.lit(1).alias("prediction")
    )
    return count(rows, NOTHING, arm=arm, release="r1")


def panes(latencies: list[float], arm: str = "champion") -> PaneGroup:
    return reduce(merge, [pane(latencies[at : at + 100], arm) for at in range(0, len(latencies), 100)])


def test_panes_bound_p99_as_their_answers_do_to_one_bin_of_ten_percent() -> None:
    latencies = np.random.default_rng(3).lognormal(3, 0.5, 3000).tolist()
    low, high = quantile_bounds_of_counts(panes(latencies).latency, LATENCY_EDGES_MS, 0.99, alpha=0.05)
    sure_low, sure_high = quantile_bounds(latencies, 0.99, alpha=0.05)
    assert sure_low / 1.1001 <= low < sure_low <= sure_high <= high <= sure_high * 1.1001


def test_panes_of_two_arms_tell_the_slower_one() -> None:
    rng = np.random.default_rng(4)
    champion = panes(rng.lognormal(3, 0.5, 3000).tolist()).latency
    candidate = panes((2 * rng.lognormal(3, 0.5, 3000)).tolist(), "candidate").latency
    blamed = quantile_log_e_of_counts(candidate, champion, LATENCY_EDGES_MS, 0.5, alternative="larger")
    cleared = quantile_log_e_of_counts(champion, candidate, LATENCY_EDGES_MS, 0.5, alternative="larger")
    assert blamed > 100
    assert cleared < 0
