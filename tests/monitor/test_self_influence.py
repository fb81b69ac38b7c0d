"""What the model caused, what another arm shows, and how fast its answers move."""

import numpy as np
import polars as pl
import pytest
from tests.monitor.streams import contract, segment, service
from tests.monitor.test_expected_risk import ROWS, pane, promise, world

from flyball.core.influence import SelfInfluence
from flyball.core.ports import Segment
from flyball.monitor.watch import Watcher


def influences(segments: list[Segment]) -> list[SelfInfluence]:
    table = world(np.random.default_rng(0), 1)
    watcher = Watcher(service("binary", "accuracy", label="label"), contract(table, ["label"]), lambda _: promise())
    reports = [report for one in segments for report in watcher.feed(one, champion="r1")]
    return [report.influence for report in reports if report.influence is not None]


def panes(count: int, *, arm: str | None = None, fallback: bool = False) -> list[Segment]:
    """Every other row may be of another arm, whose answers are turned round, or of the fallback chain."""
    rng = np.random.default_rng(2)
    found = []
    for at in range(count):
        one = pane(at, world(rng, ROWS), 1.0, rng)
        theirs = pl.Series(np.arange(ROWS) % 2 == 1)
        rows = one.predictions
        if arm is not None:
            rows = rows.with_columns(
                arm=pl.Series("arm", np.where(theirs, arm, "champion")),
                release=pl.Series("release", np.where(theirs, "r2", "r1")),
                prediction=pl.Series("prediction", np.where(theirs, 1 - rows["prediction"], rows["prediction"])),
            )
        if fallback:
            rows = rows.with_columns(outcome=pl.Series("outcome", np.where(theirs, "fallback", "answered")))
        found.append(segment(at, rows, one.labels, first_row=at * ROWS))
    return found


def test_rows_that_a_release_answered_are_caused_and_rows_of_the_fallback_are_not() -> None:
    all_, half = influences(panes(20))[-1], influences(panes(20, fallback=True))[-1]
    assert (all_.captured, all_.caused) == (2000, 2000)
    assert (half.captured, half.caused) == (2000, 1000)
    assert all_.share is not None
    assert all_.share.value == pytest.approx(0.1)  # a retraining takes 20,000 rows: the rest is older source
    assert half.share is not None
    assert half.share.low < 0.05 < half.share.high


def test_a_holdback_stands_beside_the_champion_with_its_interval() -> None:
    (arm,) = influences(panes(20, arm="holdback"))[-1].arms
    assert (arm.arm, arm.rows, arm.champion_rows, arm.verdict) == ("holdback", 1000, 1000, "OK")
    assert arm.loss is not None
    assert arm.loss.high < -0.3  # the champion is right where the other arm is wrong
    assert arm.label is not None
    assert arm.label.low < 0 < arm.label.high  # labels do not depend on the answer here


def test_few_rows_of_an_arm_are_insufficient() -> None:
    rng = np.random.default_rng(2)
    segments = [pane(at, world(rng, ROWS), 1.0, rng) for at in range(10)]
    other = segments[0].predictions.with_columns(
        arm=pl.Series("arm", ["b"] * 20 + ["champion"] * 80), release=pl.Series("release", ["r2"] * 20 + ["r1"] * 80)
    )
    segments[0] = segment(0, other, segments[0].labels, first_row=0)
    (arm,) = influences(segments)[-1].arms
    assert (arm.verdict, arm.loss, "at least 30" in arm.reason) == ("INSUFFICIENT", None, True)


def test_answers_that_move_faster_than_the_limit_are_told_and_steady_ones_not() -> None:
    rng = np.random.default_rng(4)
    tables = [world(rng, ROWS) for _ in range(20)]
    fast = [*tables, *(table.filter(pl.col("score") > 0.4) for table in tables)]
    told = influences([pane(at, table, 1.0, rng) for at, table in enumerate(fast)])
    assert told[0].outputs is None
    changes = [one.outputs for one in told[1:] if one.outputs is not None]
    assert not changes[0].beyond
    assert any(change.beyond for change in changes[1:])
    worst = next(change for change in changes if change.beyond)
    assert worst.change is not None
    assert worst.change.low > worst.limit == 0.10


def test_nothing_captured_has_no_share() -> None:
    rng = np.random.default_rng(2)
    (none,) = influences([pane(at, world(rng, ROWS), 0.0, rng) for at in range(10)])
    assert (none.captured, none.share, none.arms) == (0, None, ())
