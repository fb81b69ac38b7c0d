"""Expected risk and its bounds, from the watcher's reports: known data sets, late and missing labels, old releases."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace
from tests.monitor.streams import Stream, contract, log, segment, service

from flyball.core.estimating import ExpectedRisk
from flyball.core.ports import Segment
from flyball.core.release import Baseline, Estimate
from flyball.core.watching import WindowReport
from flyball.monitor.watch import Promise, Watcher
from flyball.pipeline.baseline import reference
from flyball.pipeline.labelled import labelled

ROWS = 100
HELD_OUT = Estimate(value=0.8, low=0.78, high=0.82, n=2000)


def world(rng: np.random.Generator, rows: int, *, flipped: float = 0.0) -> pl.DataFrame:
    """Honest scores; a share of the labels may be turned round, which no estimate without labels sees."""
    score = rng.beta(0.8, 0.8, rows)
    label = (rng.random(rows) < score).astype(int)
    label = np.where(rng.random(rows) < flipped, 1 - label, label)
    return pl.DataFrame({"score": score, "prediction": (score >= 0.5).astype(int), "label": label})


def promise(*, kept: bool = True) -> Promise:
    held = world(np.random.default_rng(1), 4000)
    answers = {"prediction": reference(held["prediction"].cast(pl.String)), "score": reference(held["score"])}
    said = labelled(
        "binary",
        (0, 1),
        held["label"].to_numpy(),
        held["prediction"].to_numpy(),
        held["score"].to_numpy(),
        answers=answers,
        rng=np.random.default_rng(0),
    )
    baseline = Baseline(rows=4000, features={}, prediction=answers, labelled=said if kept else None)
    return Promise(baseline=baseline, metrics={"accuracy": HELD_OUT})


def watched(
    tables: Sequence[pl.DataFrame], *, arrives: float = 1.0, window_s: float = 0.0, promised: Promise | None = None
) -> list[WindowReport]:
    """A pane of 100 rows a table; a share of the labels comes with it, the rest never."""
    declared = service("binary", "accuracy", label="label")
    declared = replace(declared, data=replace(declared.data, label_window_s=window_s))
    said = promised or promise()
    watcher = Watcher(declared, contract(tables[0], ["label"]), lambda _: said)
    rng = np.random.default_rng(5)
    return [
        report for at, one in enumerate(tables) for report in watcher.feed(pane(at, one, arrives, rng), champion="r1")
    ]


def pane(at: int, table: pl.DataFrame, arrives: float, rng: np.random.Generator) -> Segment:
    ids = pl.Series("id", [f"p{at * ROWS + k}" for k in range(table.height)])
    rows = log(ids).with_columns(
        table["prediction"], table["score"], (pl.col("at") + at * ROWS).alias("at"), pl.lit(1.0).alias("x.a")
    )
    labels = pl.DataFrame({"id": ids, "label": table["label"], "at": rows["at"]})
    return segment(at, rows, labels.filter(pl.Series(rng.random(table.height) < arrives)), first_row=at * ROWS)


def panes(count: int, *, flipped: float = 0.0, seed: int = 2) -> list[pl.DataFrame]:
    rng = np.random.default_rng(seed)
    return [world(rng, ROWS, flipped=flipped) for _ in range(count)]


def risks(reports: Sequence[WindowReport]) -> list[ExpectedRisk]:
    return [report.risk for report in reports if report.risk is not None]


def test_the_expected_risk_is_near_the_true_one_with_and_without_labels() -> None:
    for arrives, matured in ((1.0, 1.0), (0.3, 0.3), (0.0, 0.0)):
        newest = risks(watched(panes(40), arrives=arrives))[-1]
        assert newest.verdict == "OK"
        assert newest.value is not None
        assert newest.baseline is not None
        assert newest.value.low < newest.baseline.value < newest.value.high
        assert abs(newest.matured - matured) < 0.1
        assert (newest.requests, newest.rows <= 2000) == (4000, True)


def test_turned_labels_raise_the_risk_as_soon_as_they_come_and_the_bound_follows() -> None:
    quiet, loud = (risks(watched(panes(40, flipped=flipped)))[-1] for flipped in (0.0, 0.3))
    assert quiet.above is not None
    assert quiet.above.low < 0 < quiet.above.high
    assert loud.above is not None
    assert loud.above.low > 0.05
    assert (quiet.verdict, loud.verdict) == ("OK", "DRIFT")
    assert loud.value is not None
    assert quiet.value is not None
    assert loud.value.value > quiet.value.value + 0.1


def test_without_labels_the_same_change_is_not_seen_and_the_report_says_how_much_is_estimate() -> None:
    blind = risks(watched(panes(20, flipped=0.3), arrives=0.0))[-1]
    assert round(blind.estimate_only, 9) == 1.0
    assert blind.above is None
    assert "0 losses" in blind.above_reason


def test_rows_whose_window_passed_without_a_label_count_by_their_estimate() -> None:
    newest = risks(watched(panes(60), arrives=0.5, window_s=500.0))[-1]
    assert newest.above is not None
    assert newest.above.n > 4000  # labelled and unlabelled rows alike
    assert newest.above.low < 0 < newest.above.high


def test_a_label_does_not_count_before_its_window_has_passed() -> None:
    newest = risks(watched(panes(30), window_s=1500.0))[-1]
    assert 0.35 < newest.matured < 0.65


def test_a_release_from_before_says_why_there_is_no_risk() -> None:
    old = risks(watched(panes(10), promised=promise(kept=False)))[-1]
    assert (old.verdict, old.value) == ("INSUFFICIENT", None)
    assert "made without" in old.reason


def test_no_answers_at_all_are_insufficient() -> None:
    rows = log(pl.Series("id", [f"p{k}" for k in range(1000)]), outcome="failed")
    rows = rows.with_columns(prediction=pl.lit(None, pl.Int64), score=pl.lit(None, pl.Float64))
    watcher = Watcher(
        service("binary", "accuracy", label="label"), contract(panes(1)[0], ["label"]), lambda _: promise()
    )
    (report,) = watcher.feed(segment(0, rows, first_row=0), champion="r1")
    assert report.risk is not None
    assert report.risk.verdict == "INSUFFICIENT"
    assert report.estimated is not None
    assert report.estimated.verdict == "INSUFFICIENT"


def test_scores_outside_0_1_are_invalid_not_an_exception() -> None:
    tables = [table.with_columns(pl.col("score") * 3) for table in panes(10)]
    (report,) = watched(tables)
    assert report.risk is not None
    assert report.risk.verdict == "INVALID"
    assert "0..1" in report.risk.reason
    assert "0..1" in report.risk.above_reason


def test_feeding_everything_again_gives_the_same_risks() -> None:
    assert risks(watched(panes(30), arrives=0.4)) == risks(watched(panes(30), arrives=0.4))


def test_a_report_with_a_risk_survives_the_ledger() -> None:
    report = watched(panes(20))[-1]
    assert msgspec.json.decode(msgspec.json.encode(report), type=WindowReport) == report


def test_credit_card_is_surely_worse_than_promised_and_car_price_is_not(data_folder: Path) -> None:
    folder = data_folder / "nannyml_credit_card"
    classes = ("highstreet_card", "prepaid_card", "upmarket_card")
    newest = risks(
        Stream(
            reference=pl.read_parquet(folder / "reference.parquet"),
            table=pl.read_parquet(folder / "monitoring.parquet")[28_000:34_000],
            features=("stated_income",),
            label="y_true",
            prediction="y_pred",
            scores=[f"y_pred_proba_{name}" for name in classes],
            task="multiclass",
            metric="accuracy",
            classes=classes,
        ).watched()
    )[-1]
    assert newest.above is not None
    assert newest.above.low > 0
    folder = data_folder / "nannyml_car_price"
    newest = risks(
        Stream(
            reference=pl.read_parquet(folder / "reference.parquet"),
            table=pl.read_parquet(folder / "monitoring.parquet")[28_000:34_000],
            features=("car_age",),
            label="y_true",
            prediction="y_pred",
            task="regression",
            metric="mae",
            max_loss="10%",
        ).watched()
    )[-1]
    assert newest.above is not None
    assert newest.above.high < 20
    assert newest.loss == "absolute"


def test_the_gap_of_each_window_goes_into_the_trend() -> None:
    told = [report.concept for report in watched(panes(50)) if report.concept is not None]
    assert [one.windows for one in told] == [1] * 5  # within minutes, so they share one figure
    assert {one.verdict for one in told} == {"INSUFFICIENT"}
