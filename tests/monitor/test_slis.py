"""Which rows of a pane are good events: of all arms, testers apart, and nothing where nothing can be said."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.declared.objectives import Events, Objective
from flyball.core.release import Estimate
from flyball.core.watching import WindowReport
from flyball.monitor.slis import events_of, judged

GOALS = (
    Objective(name="up", sli="availability", target=0.99),
    Objective(name="quick", sli="latency", target=0.99, limit_ms=100.0),
    Objective(name="inputs", sli="inputs", target=0.9),
    Objective(name="fresh", sli="freshness", target=0.9, max_age_s=3600.0),
    Objective(name="right", sli="quality", target=0.9),
    Objective(name="theirs", sli="query", target=0.9, good="a", total="b"),
)
OUTCOMES = ("answered", "fallback", "quarantined", "rejected", "failed", "shed")
rows = st.lists(
    st.tuples(st.sampled_from(OUTCOMES), st.floats(0, 200), st.booleans(), st.sampled_from(["champion", "b", None])),
    max_size=40,
)


def frame(found: list[tuple[str, float, bool, str | None]]) -> pl.DataFrame:
    schema = {"outcome": pl.String, "latency_ms": pl.Float64, "excluded": pl.Boolean, "arm": pl.String}
    return pl.DataFrame(found, schema=schema, orient="row")


@given(rows)
def test_each_row_counts_once_by_what_its_client_got(found: list[tuple[str, float, bool, str | None]]) -> None:
    counted = events_of(frame(found), GOALS, None)
    mine = [(outcome, ms) for outcome, ms, excluded, _ in found if not excluded]
    if not mine:
        assert counted == {}
        return
    up, quick, inputs = (counted[name] for name in ("up", "quick", "inputs"))
    assert up.total == sum(outcome != "rejected" for outcome, _ in mine)
    assert up.bad == sum(outcome in ("failed", "shed") for outcome, _ in mine)
    assert (quick.total, quick.bad) == (len(mine), sum(ms > 100 for _, ms in mine))
    assert inputs.bad == sum(outcome in ("quarantined", "rejected") for outcome, _ in mine)
    assert not {"right", "theirs"} & counted.keys(), "neither is in a pane"


@given(rows, st.integers(0, 40))
def test_panes_of_two_workers_add_up_to_the_pane_of_one(
    found: list[tuple[str, float, bool, str | None]], cut: int
) -> None:
    whole = events_of(frame(found), GOALS, None)
    parts = [events_of(frame(part), GOALS, None) for part in (found[:cut], found[cut:])]
    for name in whole:
        assert whole[name] == sum((part.get(name, Events()) for part in parts), Events())


def test_a_row_is_fresh_by_its_own_time_and_one_without_says_nothing() -> None:
    came = datetime(2026, 11, 21, 10)
    times = [came, came - timedelta(minutes=59), came - timedelta(hours=2), None]
    predictions = pl.DataFrame(
        {"at": [came.timestamp()] * 4, "x.when": times, "outcome": ["answered"] * 4, "latency_ms": [1.0] * 4},
        schema_overrides={"x.when": pl.Datetime("us")},
    )
    offset = came.timestamp() - pl.Series([came]).dt.epoch("us")[0] / 1e6  # the machine's own time zone
    predictions = predictions.with_columns(pl.col("at") - offset)
    assert events_of(predictions, GOALS, "when")["fresh"] == Events(good=2.0, total=3.0)
    assert events_of(predictions, GOALS, "other")["fresh"] == Events()
    assert events_of(predictions, GOALS, None)["fresh"] == Events()


@pytest.mark.parametrize(("loss", "good"), [(0.04, 200.0), (0.05, 200.0), (0.06, 0.0), (-0.1, 200.0)])
def test_a_window_is_good_while_its_metric_lost_no_more_than_it_may(loss: float, good: float) -> None:
    estimate = Estimate(value=0.8, low=0.7, high=0.9, n=200)
    report = WindowReport(
        index=0, release="r", first_row=0, last_row=99, rows=100, metric=estimate,
        loss=Estimate(value=loss, low=loss - 0.01, high=loss + 0.01, n=200),
    )  # fmt: skip
    assert judged(report, 0.05) == Events(good=good, total=200.0)


def test_a_window_without_labels_is_no_good_window() -> None:
    assert judged(WindowReport(index=0, release="r", first_row=0, last_row=9, rows=10), 0.05) == Events()
