"""Model tests: slices, calibration, robustness, declared behaviour, golden rows, backtest."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.pipeline.suites.models import changed, honest, service, subject, table, trees

from flyball.core.contract import Column, DataContract
from flyball.core.model import Predictions, Scores
from flyball.core.service import Gate
from flyball.pipeline import gates
from flyball.pipeline.evaluate import Scored
from flyball.pipeline.suites.backtest import backtest
from flyball.pipeline.suites.calibration import calibration
from flyball.pipeline.suites.declared import golden, invariant, monotone
from flyball.pipeline.suites.plan import plan
from flyball.pipeline.suites.robustness import robustness
from flyball.pipeline.suites.slices import slices
from flyball.pipeline.suites.subject import Subject
from flyball.pipeline.suites.whole import model_suite

RNG = np.random.default_rng


def test_the_worst_slice_is_the_measure_and_small_groups_never_pass() -> None:
    bad_for_b = subject(
        lambda f: np.where(f["group"].to_numpy() == "b", 1 - honest(f), honest(f)), slices=["group"], min_support=200
    )
    found = slices(bad_for_b, ("group",), "accuracy", RNG(0))
    worst = found.metrics["slice.worst.accuracy"]
    assert worst.value < 0.4
    assert worst.confidence == pytest.approx(0.975)
    told = {test.name: test for test in found.tests}
    assert (told["slice group=b"].verdict, told["slice group=b"].hard) == ("FAIL", True)
    assert told["slice group=a"].verdict == "PASS"
    assert told["slices without support"].verdict == "INCONCLUSIVE"
    assert "group=c" in told["slices without support"].reason
    assert "worst slice" not in told  # a measure, which could not fail


def test_a_suite_gate_asks_that_every_slice_passes() -> None:
    """A small or an undecided slice stops nothing by itself, and is no pass."""
    found = slices(subject(honest, slices=["group"], min_support=200), ("group",), "accuracy", RNG(0))
    told = {test.name: (test.verdict, test.hard) for test in found.tests}
    assert told == {
        "slice group=a": ("PASS", True),
        "slice group=b": ("PASS", True),
        "slices without support": ("INCONCLUSIVE", True),
    }
    (gate,) = gates.judge((Gate(suite="model"),), gates.Evidence(metrics={}, tests=found.tests))
    assert (gate.passed, gate.verdict, gates.failed(found.tests)) == (False, "INCONCLUSIVE", ())


@pytest.mark.parametrize(
    ("declared", "beginning"),
    [
        ({"fairness": {"attributes": ["group"]}}, "fairness."),
        ({"slices": ["group"]}, "slice.worst."),
        ({"monotone": {"x": "increasing"}}, "monotone."),
        ({"invariant": ["z"]}, "invariant."),
        ({"golden": "golden.csv"}, "golden."),
    ],
)
def test_what_is_declared_runs_without_a_gate(declared: dict[str, Any], beginning: str) -> None:
    asked = plan(service(**declared))
    assert asked.wants(beginning)
    others = {"fairness.", "slice.worst.", "monotone.", "invariant.", "golden.", "robustness.", "backtest."}
    assert not any(asked.wants(other) for other in others - {beginning})
    one = subject(honest, **declared)
    streams = np.random.default_rng
    table = (pl.DataFrame({"x": [3.0]}), pl.Series([1])) if "golden" in declared else None
    found = model_suite(one, asked, None, table, streams=lambda _: streams(0))
    assert found.tests


def test_slices_that_are_all_too_small_are_missing_evidence() -> None:
    found = slices(subject(honest, slices=["group"], min_support=10_000), ("group",), "accuracy", RNG(0))
    assert found.tests[0].verdict == "FAIL"
    assert "missing evidence" in found.tests[0].reason
    assert "slice.worst.accuracy" in found.missing


def test_scores_that_are_too_sure_are_told() -> None:
    assert calibration(subject(honest).scored, (0, 1), RNG(0)).tests[0].verdict == "PASS"
    sure = subject(lambda frame: np.where(honest(frame) > 0.5, 0.99, 0.01))
    found = calibration(sure.scored, (0, 1), RNG(0))
    assert found.tests[0].verdict == "FAIL"
    assert found.metrics["calibration_slope"].high < 1


def test_a_model_that_breaks_on_a_hole_fails_and_one_that_copes_passes() -> None:
    def nan_at_holes(frame: pl.DataFrame) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-2 * frame["x"].cast(pl.Float64).to_numpy())))

    broken = robustness(subject(nan_at_holes), RNG(0))
    told = {test.name: test for test in broken.tests}
    assert (told["missing inputs"].verdict, told["missing inputs"].hard) == ("FAIL", True)
    copes = robustness(subject(honest), RNG(0))
    assert {test.verdict for test in copes.tests} == {"PASS"}
    assert copes.metrics["robustness.perturbed"].value < 0.02


def skewed(**column: object) -> Subject:
    """A model of the logarithm of `x`, which the contract and the training rows keep above 0.5."""
    base = table(4000)
    whole = base.with_columns(x=pl.col("x").exp() + 0.5)

    def score(frame: pl.DataFrame) -> np.ndarray:
        x = frame["x"].to_numpy()
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(1 / (1 + np.exp(-2 * np.log(x - 0.5))))

    one = subject(honest)
    held = whole[2000:]
    columns = (Column(name="x", kind="number", required=True, **column), Column(name="z", kind="number", required=True))  # type: ignore[arg-type]
    scores = score(held)
    return changed(
        one,
        contract=DataContract(id="c", version="1.0.0", table="t", columns=columns),
        train=whole[:2000],
        holdout=held,
        plain=("x", "z"),
        scored=Scored(truth=held["y"].to_numpy(), predictions=(scores >= 0.5).astype(int), scores=scores),
        predict=lambda frame: ((score(frame) >= 0.5).astype(int), score(frame)),
    )


@pytest.mark.parametrize("promise", [{}, {"minimum": 0.5}, {"exclusive_minimum": 0.5}])
def test_noise_makes_no_row_that_was_never_seen_or_that_the_contract_forbids(promise: dict[str, float]) -> None:
    one = skewed(**promise)
    sent: list[pl.DataFrame] = []

    def watched(frame: pl.DataFrame) -> tuple[Predictions, Scores]:
        sent.append(frame)
        return one.predict(frame)

    found = robustness(changed(one, predict=watched), RNG(0))
    told = {test.name: test for test in found.tests}
    assert told["perturbed inputs"].verdict == "PASS", told["perturbed inputs"].reason
    rows = np.sort(RNG(0).permutation(2000)[:2000])
    moved, before = sent[-1], one.holdout[rows.tolist()]
    assert moved["x"].min() >= one.train["x"].min()  # type: ignore[operator]
    assert (moved["x"] != before["x"]).mean() > 0.8
    assert (moved["z"] != before["z"]).mean() > 0.8


def test_a_test_that_has_nothing_to_try_says_so() -> None:
    told = {test.name: test for test in robustness(skewed(), RNG(0)).tests}
    assert (told["missing inputs"].verdict, told["missing inputs"].hard) == ("INCONCLUSIVE", False)
    assert "lets no input be missing" in told["missing inputs"].reason


def test_a_model_that_raises_on_a_hole_fails_with_its_words() -> None:
    def raises(frame: pl.DataFrame) -> np.ndarray:
        if frame["x"].null_count():
            raise ValueError("x is missing")
        return np.asarray(honest(frame))

    found = robustness(subject(raises), RNG(0)).tests[0]
    assert (found.verdict, "x is missing" in found.reason) == ("FAIL", True)


@pytest.mark.parametrize(("way", "verdict"), [("increasing", "PASS"), ("decreasing", "FAIL")])
def test_the_score_moves_as_declared(way: str, verdict: str) -> None:
    found = monotone(subject(honest, monotone={"x": way}), RNG(0))
    assert found.tests[0].verdict == verdict
    assert found.metrics["monotone.x"].value == (0.0 if verdict == "PASS" else 1.0)


def test_an_input_that_must_not_matter_does_not() -> None:
    biased = subject(
        lambda f: np.clip(honest(f) + 0.001 * (f["group"].to_numpy() == "a"), 0, 1), invariant=["group", "z"]
    )
    told = {test.name: test.verdict for test in invariant(biased, RNG(0)).tests}
    assert told == {"invariant group": "FAIL", "invariant z": "PASS"}


def test_golden_rows_keep_their_answers() -> None:
    one = subject(honest)
    rows = pl.DataFrame({"x": [3.0, -3.0, 3.0]})
    kept = golden(one.predict, "binary", rows, pl.Series([1, 0, 1]), file="golden.csv")
    lost = golden(one.predict, "binary", rows, pl.Series([1, 0, 0]), file="golden.csv")
    assert (kept.tests[0].verdict, lost.tests[0].verdict) == ("PASS", "FAIL")
    assert "row 2" in lost.tests[0].reason
    assert golden(one.predict, "binary", rows[:0], pl.Series([]), file="golden.csv").tests[0].verdict == "FAIL"


def test_a_backtest_shows_the_course_and_says_when_windows_are_too_short() -> None:
    one = table(3000)
    made, label = one.select("x", "z"), one["y"]
    found = backtest(trees(), "accuracy", made, label, (0, 1), 4, RNG(0))
    assert found.tests[0].verdict == "PASS"
    assert set(found.metrics) == {f"backtest.{kind}.accuracy" for kind in ("worst", "spread", "trend")}
    decaying = label.to_numpy().copy()
    decaying[1500:] = 1 - decaying[1500:]  # the rule turns round
    turned = backtest(trees(), "accuracy", made, pl.Series(decaying), (0, 1), 4, RNG(0))
    assert turned.metrics["backtest.worst.accuracy"].value < 0.5
    short = backtest(trees(), "accuracy", made[:100], label[:100], (0, 1), 5, RNG(0))
    assert (short.tests[0].verdict, "backtest.worst.accuracy" in short.missing) == ("INCONCLUSIVE", True)
