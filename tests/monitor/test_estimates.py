"""Estimates before labels, and what the labels then say of them."""

from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest
from tests.monitor.streams import Stream

from flyball.core.codec import canonical
from flyball.core.release import Baseline, Estimate, LabelledReference, Reference
from flyball.core.watching import WindowReport
from flyball.monitor.estimates import estimate

HELD_OUT = Estimate(value=0.9, low=0.88, high=0.92, n=1000)
BINARY = Baseline(
    rows=1000,
    features={},
    prediction={"prediction": Reference(kind="category", values=("no", "yes"), counts=(500, 500, 0, 0))},
    labelled=LabelledReference(rows=1000, reason="scores kept"),
)


def test_car_loan_is_estimated_before_its_labels_and_the_assumption_holds(data_folder: Path) -> None:
    """Inputs moved, the concept did not: the estimate falls with the accuracy, and labels agree with it."""
    folder = data_folder / "nannyml_car_loan"
    reports = Stream(
        reference=pl.read_parquet(folder / "reference.parquet"),
        table=pl.read_parquet(folder / "monitoring.parquet")[23_000:29_000],
        features=("car_value",),
        label="repaid",
        prediction="y_pred",
        score="y_pred_proba",
        task="binary",
        metric="accuracy",
        classes=(0, 1),
    ).watched()
    said = [report.estimated for report in reports if report.estimated is not None]
    values = [one.value.value for one in said if one.value is not None]
    assert len(values) == len(reports) == 6
    assert min(values[:2]) > 0.93
    assert max(values[2:]) < 0.93
    assert {one.assumption for one in said[1:]} == {"met"}
    assert said[0].by == "cbpe"


def test_credit_card_breaks_the_assumption_once_labels_come(data_folder: Path) -> None:
    folder = data_folder / "nannyml_credit_card"
    classes = ("highstreet_card", "prepaid_card", "upmarket_card")
    reports = Stream(
        reference=pl.read_parquet(folder / "reference.parquet"),
        table=pl.read_parquet(folder / "monitoring.parquet")[28_000:34_000],
        features=("stated_income",),
        label="y_true",
        prediction="y_pred",
        scores=[f"y_pred_proba_{name}" for name in classes],
        task="multiclass",
        metric="accuracy",
        classes=classes,
        first_row=28_000,
    ).watched()
    states = [report.estimated.assumption for report in reports if report.estimated is not None]
    assert "broken" not in states[:2]
    assert states[-1] == "broken"
    newest = reports[-1].estimated
    assert newest is not None
    assert newest.check is not None
    assert newest.check.gap.low > 0  # realised worse than estimated
    assert newest.value is not None
    assert newest.value.value > 0.6 > newest.check.realised


@pytest.mark.parametrize(
    ("prediction", "score", "verdict", "told"),
    [
        (np.zeros(0), np.zeros(0), "INSUFFICIENT", "0 answers"),
        (np.ones(1), np.ones(1), "INSUFFICIENT", "1 answers"),
        (np.ones(100), None, "INSUFFICIENT", "no scores"),
        (np.ones(100), np.full(100, np.nan), "INVALID", "finite"),
        (np.ones(100), np.full(100, 1.5), "INVALID", "0..1"),
        (np.full(100, -1.0), np.full(100, 0.5), "INVALID", "class number"),
    ],
)
def test_bad_input_is_a_verdict_with_a_reason(
    prediction: np.ndarray, score: np.ndarray | None, verdict: str, told: str
) -> None:
    found = estimate("accuracy", prediction, score, BINARY, "binary", HELD_OUT)
    assert (found.verdict, found.value) == (verdict, None)
    assert told in found.reason


def test_a_metric_that_nobody_can_estimate_says_so() -> None:
    numbers = Baseline(rows=9, features={}, prediction={}, labelled=LabelledReference(rows=9, reason="too few rows"))
    found = estimate("mae", np.ones(100), None, numbers, "regression", HELD_OUT)
    assert (found.verdict, "too few rows" in found.reason) == ("INSUFFICIENT", True)


def test_a_release_without_a_promise_has_no_sampling_error() -> None:
    found = estimate("accuracy", np.ones(100), np.full(100, 0.9), BINARY, "binary", None)
    assert found.verdict == "INSUFFICIENT"


def test_baselines_and_reports_of_before_are_still_read() -> None:
    old = {"rows": 3, "features": {}, "prediction": {}}
    assert msgspec.convert(old, Baseline).labelled is None
    report = {"index": 0, "release": "r", "first_row": 0, "last_row": 9, "rows": 10}
    assert msgspec.convert(report, WindowReport).estimated is None
    assert msgspec.json.decode(canonical(BINARY), type=Baseline) == BINARY
