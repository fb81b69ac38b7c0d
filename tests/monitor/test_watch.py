"""The watcher: anti-windup, crash-only state, live metric, risk, arms, pairs, and what it holds."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace
from tests.monitor.streams import contract, log, segment, service

from flyball.core.ports import Segment
from flyball.core.release import Baseline, Estimate
from flyball.core.watching import WindowReport
from flyball.monitor import risk
from flyball.monitor.watch import Promise, Watcher
from flyball.pipeline.baseline import reference

ROWS = 100
HELD_OUT = Estimate(value=0.9, low=0.88, high=0.92, n=1000)


@cache
def promise(_: str = "r1") -> Promise:
    sample = world(np.random.default_rng(1), 5000)
    answers = {"prediction": reference(sample["prediction"].cast(pl.String)), "score": reference(sample["score"])}
    features = {name: reference(sample[name]) for name in ("a", "at")}
    return Promise(baseline=Baseline(rows=5000, features=features, prediction=answers), metrics={"accuracy": HELD_OUT})


def world(rng: np.random.Generator, rows: int, *, right: float = 0.9, shift: float = 0.0) -> pl.DataFrame:
    """A number, a time, an answer and its label; the answer is right in `right` of the rows."""
    label = rng.integers(0, 2, rows)
    hit = rng.random(rows) < right
    prediction = np.where(hit, label, 1 - label)
    return pl.DataFrame(
        {
            "a": rng.normal(shift, 1, rows),
            "at": pl.Series(np.arange(rows)).cast(pl.Datetime("us")),
            "prediction": prediction,
            "score": np.clip(prediction * 0.8 + rng.random(rows) * 0.2, 0, 1),
            "label": label,
        }
    )


def panes(
    tables: Sequence[pl.DataFrame], *, release: str = "r1", first: int = 0, arm: str = "champion"
) -> list[Segment]:
    """One sealed pane a table, its labels with it."""
    found = []
    for at, table in enumerate(tables):
        index, row = first + at, (first + at) * ROWS
        ids = pl.Series("id", [f"p{row + k}" for k in range(table.height)], dtype=pl.String)
        rows = log(ids, release=release, arm=arm).with_columns(
            table["prediction"], table["score"], table["a"].alias("x.a"), table["at"].alias("x.at")
        )
        labels = pl.DataFrame({"id": ids, "label": table["label"], "at": rows["at"]})
        found.append(segment(index, rows, labels, first_row=row))
    return found


def watcher() -> Watcher:
    declared = service("binary", "accuracy", label="label")
    return Watcher(declared, contract(world(np.random.default_rng(0), 1), ["a", "at", "label"]), promise)


def fed(watcher: Watcher, segments: Sequence[Segment], champion: str = "r1") -> list[WindowReport]:
    return [report for one in segments for report in watcher.feed(one, champion=champion)]


def made(rng: np.random.Generator, count: int, *, right: float = 0.9, shift: float = 0.0) -> list[pl.DataFrame]:
    return [world(rng, ROWS, right=right, shift=shift) for _ in range(count)]


def test_ten_panes_make_a_window_with_a_metric_and_no_signal() -> None:
    (report,) = fed(watcher(), panes(made(np.random.default_rng(2), 10)))
    assert (report.index, report.first_row, report.last_row, report.rows) == (0, 0, 999, 1000)
    assert report.signals == ()
    assert report.metric is not None
    assert abs(report.metric.value - 0.9) < 0.03
    assert set(report.psi) == {"a"}  # a time moves by nature and is not watched
    assert report.latency_p50_ms == pytest.approx(1.0, rel=0.1)


def test_rejected_rows_of_which_nothing_is_kept_are_no_repeated_rows() -> None:
    seen = watcher()
    fed(seen, panes(made(np.random.default_rng(2), 30)))
    bad = panes(made(np.random.default_rng(3), 10), first=30)
    for one in bad:
        refused = pl.Series(np.arange(ROWS) % 2 == 0)
        frame = one.predictions.with_columns(
            outcome=pl.when(refused).then(pl.lit("rejected")).otherwise("outcome"),
            **{name: pl.when(~refused).then(name) for name in ("x.a", "x.at", "prediction", "score")},
        )
        for report in seen.feed(replace(one, predictions=frame), champion="r1"):
            assert [finding.kind for finding in report.quality] == ["violations"]


def test_a_hashed_column_is_not_compared_with_the_raw_values_of_its_baseline() -> None:
    hashed = contract(world(np.random.default_rng(0), 1), ["a", "at", "label"])
    columns = tuple(replace(c, classification="pii") if c.name == "a" else c for c in hashed.columns)
    seen = Watcher(service("binary", "accuracy", label="label"), replace(hashed, columns=columns), promise)
    written = []
    for one in panes(made(np.random.default_rng(2), 10)):
        rows = one.predictions.with_columns(("h:" + pl.col("x.a").cast(pl.String)).alias("x.a"))
        written.append(segment(one.pane.index, rows, one.labels, first_row=one.pane.first_row))
    (report,) = fed(seen, written)
    assert report.psi == {}
    assert report.signals == ()


def test_a_loss_is_a_risk_and_a_smaller_one_a_suspicion() -> None:
    for right, level in ((0.75, "act"), (0.862, "warn")):
        (report,) = fed(watcher(), panes(made(np.random.default_rng(4), 10, right=right)))
        assert [(signal.signal, signal.level) for signal in report.signals] == [("risk", level)]


def test_streaks_of_drift_are_counted_and_end() -> None:
    rng = np.random.default_rng(4)
    reports = fed(watcher(), panes([*made(rng, 30, shift=1.5), *made(rng, 10)]))
    streaks = [[s.consecutive for s in report.signals if s.signal == "psi" and s.level == "act"] for report in reports]
    assert streaks == [[1], [2], [3], []]


def test_a_promotion_forgets_everything_older() -> None:
    rng = np.random.default_rng(5)
    seen = watcher()
    assert fed(seen, panes(made(rng, 9, right=0.5, shift=3.0))) == []  # one pane short of a window
    (report,) = fed(seen, panes(made(rng, 10), release="r2", first=9), champion="r2")
    assert (report.index, report.first_row, report.release) == (0, 900, "r2")
    assert report.signals == ()
    assert report.metric_rows == (900, 1899)


def test_late_labels_of_the_former_champion_are_not_the_new_ones() -> None:
    rng = np.random.default_rng(6)
    seen = watcher()
    old = panes(made(rng, 10, right=0.1))
    fed(seen, [segment(one.pane.index, one.predictions, first_row=one.pane.first_row) for one in old])
    new = panes(made(rng, 10), release="r2", first=10)
    late = [
        segment(one.pane.index, one.predictions, pl.concat([one.labels, before.labels]), first_row=one.pane.first_row)
        for one, before in zip(new, old, strict=True)
    ]
    (report,) = fed(seen, late, champion="r2")
    assert report.metric is not None
    assert report.metric.n == 1000
    assert report.metric.value > 0.85


def test_feeding_everything_again_gives_the_same_reports() -> None:
    segments = panes(made(np.random.default_rng(7), 40, right=0.8))
    assert fed(watcher(), segments) == fed(watcher(), segments)


def test_a_window_without_labels_has_no_metric_rather_than_a_bad_one() -> None:
    bare = [
        segment(s.pane.index, s.predictions, first_row=s.pane.first_row)
        for s in panes(made(np.random.default_rng(8), 10))
    ]
    (report,) = fed(watcher(), bare)
    assert report.metric is None
    assert report.loss is None


def test_the_candidates_errors_are_told_apart() -> None:
    rng = np.random.default_rng(9)
    mixed = []
    for one in panes(made(rng, 10)):
        theirs = np.arange(ROWS) % 4 == 0
        rows = one.predictions.with_columns(
            pl.Series("arm", np.where(theirs, "candidate", "champion")),
            pl.Series("release", np.where(theirs, "r2", "r1")),
            pl.Series("error", theirs & (np.arange(ROWS) % 8 == 0)),
        )
        mixed.append(segment(one.pane.index, rows, one.labels, first_row=one.pane.first_row))
    (report,) = fed(watcher(), mixed)
    assert report.error_rate["champion"] == 0.0
    assert report.error_rate["candidate"] == pytest.approx(13 / 25)
    assert report.rows == 1000


def test_errors_and_latency_beyond_the_objectives_are_signals() -> None:
    slow = []
    for one in panes(made(np.random.default_rng(10), 10)):
        late = np.arange(ROWS) % 20 == 0
        rows = one.predictions.with_columns(
            pl.Series("latency_ms", np.where(late, 500.0, 1.0)), pl.Series("error", np.arange(ROWS) % 50 == 0)
        )
        slow.append(segment(one.pane.index, rows, one.labels, first_row=one.pane.first_row))
    (report,) = fed(watcher(), slow)
    assert {(s.signal, s.level) for s in report.signals} == {("error", "act"), ("latency", "act")}


def test_shadow_pairs_are_judged_when_their_label_comes() -> None:
    seen = watcher()
    (one,) = panes(made(np.random.default_rng(11), 1, right=0.5))
    right = one.labels["label"]
    shadows = one.predictions.select("id", "at", "error").with_columns(
        pl.lit("r2").alias("release"), right.alias("prediction")
    )
    seen.feed(segment(0, one.predictions, first_row=0, shadows=shadows), champion="r1")
    assert seen.pairs("r2") is None
    seen.feed(segment(1, pl.DataFrame(), one.labels, first_row=100), champion="r1")
    found = seen.pairs("r2")
    assert found is not None
    wrong = int((one.predictions["prediction"] != right).sum())
    assert (found.pairs, found.candidate_only, found.champion_only) == (ROWS, wrong, 0)


def test_what_was_captured_can_be_learned_from() -> None:
    seen = watcher()
    fed(seen, panes(made(np.random.default_rng(12), 10)))
    captured = seen.captured(250, since_row=900)
    assert captured is not None
    assert captured.height == 100
    assert {"a", "at", "label", "flyball.row", "flyball.at"} <= set(captured.columns)
    assert seen.matured_rows(500) == 500


def test_a_margin_is_in_the_metrics_unit_or_a_share_of_the_promise() -> None:
    assert risk.margin(0.02, 0.8) == 0.02
    assert risk.margin("5%", 0.8) == pytest.approx(0.04)


def test_for_an_error_metric_lower_is_better() -> None:
    promised, now = (Estimate(value=v, low=v - 1, high=v + 1, n=100) for v in (100.0, 80.0))
    assert risk.loss("mae", promised, now).value == -20.0
    assert risk.loss("mae", now, promised).low > 0
