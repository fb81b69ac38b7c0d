"""The regimes beside the governed one: what they know, when they train, who answers which row."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from sklearn.dummy import DummyRegressor

from flyball.app.replay.peers import answers, course, scheduled, window
from flyball.core.model import Input, Model, Packaged


def always(value: float) -> Model:
    """A model that says one number."""
    facts = Packaged(
        service="s",
        task="regression",
        threshold=0.5,
        label="y",
        classes=(),
        inputs=(Input(name="x", kind="number"),),
        plain=("x",),
        module="model.py",
        code="sha256:0",
    )
    estimator = DummyRegressor(strategy="constant", constant=value).fit([[0.0]], [value])
    return Model(facts=facts, estimator=estimator, make_features=None)


def table(rows: int) -> pl.DataFrame:
    return pl.DataFrame({"x": [float(i) for i in range(rows)], "y": [0.0] * rows})


@given(st.integers(10, 5000), st.integers(1, 9), st.integers(0, 20), st.lists(st.integers(0, 900)))
def test_a_schedule_trains_as_often_as_the_governor_and_evenly(
    live: int, before: int, trainings: int, lags: list[int]
) -> None:
    plan = course(before + live, before, trainings, lags)
    assert len(plan.at) == trainings
    assert all(before <= row <= before + live for row in plan.at)
    gaps = [b - a for a, b in zip((before, *plan.at), (*plan.at, before + live), strict=True)]
    assert max(gaps) - min(gaps) <= 2
    assert plan.lag in (lags or [0])


@given(st.integers(0, 200), st.integers(0, 50), st.integers(1, 80))
def test_nobody_learns_from_a_label_that_has_not_arrived(row: int, delay: int, rows: int) -> None:
    learned = window(table(200), row, label_delay_rows=delay, window_rows=rows)["x"].to_list()
    assert len(learned) <= rows
    assert all(known < row - delay for known in learned)
    assert learned == sorted(learned)


@given(st.lists(st.integers(3, 30), unique=True, max_size=4).map(sorted), st.integers(0, 40))
def test_each_row_is_answered_by_the_newest_model_in_service(at: list[int], lag: int) -> None:
    fits = [(row, always(float(row))) for row in at]
    track = scheduled(table(30), always(0.0), fits, 3, lag=lag)
    expected = [float(max((fit for fit in at if fit + lag <= row), default=0)) for row in range(3, 30)]
    assert track.predictions == expected
    assert len(track.scores) == len(track.predictions)


def test_a_schedule_without_trainings_is_the_frozen_model() -> None:
    stream = table(20)
    assert scheduled(stream, always(4.0), [], 5, lag=3) == answers(always(4.0), stream[5:])
