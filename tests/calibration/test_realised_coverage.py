"""Intervals of realised figures, computed from counts alone, hold the truth as often as they say.

Truths are exact or from 400,000 rows. Tolerance: three binomial standard errors of 95 %, plus the points that are
stated with each figure: intervals of shares in small samples, of areas and of squares are asymptotic.
"""

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from flyball.core.release import Baseline, Reference
from flyball.core.service import Task
from flyball.monitor.realised.figures import figures
from flyball.monitor.realised.forms import Known, known
from flyball.monitor.realised.tally import Batch, Tally
from flyball.monitor.realised.views import View, view
from flyball.stats.scoring.score_counts import BINS, bins_of

CONFIDENCE = 0.95
ROWS = 300
POINTS = {  # by how much a figure may hold less often than 95 %
    "accuracy": 0.015,
    "balanced_accuracy": 0.015,
    "precision": 0.015,
    "recall": 0.02,
    "f1": 0.02,
    "specificity": 0.015,
    "roc_auc": 0.02,
    "pr_auc": 0.04,
    "log_loss": 0.02,
    "brier": 0.02,
    "calibration_error": 0.03,
    "mae": 0.02,
    "rmse": 0.04,
}


@cache
def of(task: Task) -> Known:
    values = Reference(kind="category", values=("0", "1"), counts=(1, 1, 0, 0))
    number = Reference(kind="numeric", edges=(-2.0, 2.0), counts=(1, 1, 1, 0))
    told = number if task == "regression" else values
    return known(Baseline(rows=1, features={}, prediction={"prediction": told}), task, valued=False)


def binary(rng: np.random.Generator, rows: int, positives: float, skill: float, bend: float) -> View:
    """Scores with a skill; a `bend` of 1 is calibrated."""
    odds = rng.normal(math.log(positives / (1 - positives)), skill, rows)
    chance = 1 / (1 + np.exp(-odds))
    truth = (rng.random(rows) < chance).astype(np.int64)
    score = 1 / (1 + np.exp(-odds * bend))
    answer = (score >= 0.4).astype(np.int64)
    p = np.clip(np.where(truth == 1, score, 1 - score), 1e-15, 1)
    loss, brier = -np.log(p), (1 - p) ** 2
    tally = Tally(form=of("binary").form)
    for start in range(0, rows, 4096):
        part = slice(start, start + 4096)
        tally.count(
            Batch(
                n=truth[part].size,
                known=np.ones(truth[part].size, dtype=bool),
                cell=(truth * 3 + answer)[part],
                score=(truth * BINS + bins_of(score))[None, part],
                said=score[None, part],
                terms={
                    "log_loss": loss[part],
                    "log_loss2": loss[part] ** 2,
                    "brier": brier[part],
                    "brier2": brier[part] ** 2,
                },
            )
        )
    return view([(1.0, tally)], of("binary").form)


def numbers(rng: np.random.Generator, rows: int) -> View:
    error = np.abs(rng.standard_t(8, rows))
    tally = Tally(form=of("regression").form)
    empty = np.full(rows, np.nan)
    terms: dict[str, Any] = {"absolute": error, "square": error**2, "fourth": error**4}
    tally.count(Batch(n=rows, known=np.ones(rows, dtype=bool), terms={**terms, "relative": empty, "relative2": empty}))
    return view([(1.0, tally)], of("regression").form)


def missed(runs: int, truth: dict[str, float], drawn: Any) -> dict[str, float]:
    """Metric -> share of runs whose interval does not hold the truth, among those that told one."""
    out: dict[str, list[bool]] = {}
    for _ in range(runs):
        for each in figures(drawn(), confidence=CONFIDENCE):
            if each.low is not None and each.high is not None:
                out.setdefault(each.metric, []).append(not each.low <= truth[each.metric] <= each.high)
    return {metric: float(np.mean(each)) for metric, each in out.items() if len(each) > runs / 2}


def judge(runs: int, found: dict[str, float]) -> None:
    noise = 3 * math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / runs)
    late = {metric: share for metric, share in found.items() if share > 1 - CONFIDENCE + POINTS[metric] + noise}
    assert not late, late


def judge_binary(runs: int, rows: int, positives: float, skill: float, bend: float) -> dict[str, float]:
    rng = np.random.default_rng([runs, rows, round(100 * positives), round(100 * bend)])
    whole = figures(binary(rng, 400_000, positives, skill, bend))
    truth = {each.metric: each.value for each in whole if each.value is not None}
    if bend == 1.0:
        truth["calibration_error"] = 0.0
    truth["false_positive_rate"] = 1 - truth["specificity"]
    found = missed(runs, truth, lambda: binary(rng, rows, positives, skill, bend))
    found.pop("false_positive_rate", None)
    judge(runs, found)
    return found


@pytest.mark.parametrize(("positives", "bend"), [(0.4, 1.0), (0.15, 0.5)])
def test_a_binary_figure_holds_as_often_as_it_says(positives: float, bend: float) -> None:
    found = judge_binary(200, ROWS, positives, 2.0, bend)
    assert len(found) == 11


def test_a_regression_figure_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    wide = np.abs(rng.standard_t(8, 1_000_000))
    truth = {"mae": float(wide.mean()), "rmse": math.sqrt(8 / 6)}
    found = missed(300, truth, lambda: numbers(rng, ROWS))
    assert found.keys() == truth.keys()
    judge(300, found)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [200, 1000, 5000])
@pytest.mark.parametrize(("positives", "bend"), [(0.5, 1.0), (0.3, 2.0), (0.1, 0.5), (0.1, 1.0)])
def test_binary_figures_over_many_windows(rows: int, positives: float, bend: float) -> None:
    assert judge_binary(4000, rows, positives, 2.0, bend)
