"""Delays and alarms are read out of window reports as a person would: what fires, about which feature, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flyball.app.monitor.selftested import OPERATIONAL, Planted, alarms, detectors, fires, found
from flyball.core.watching import Signal, SignalKind, WindowReport

ROWS = 100
ALL: tuple[SignalKind, ...] = ("psi", "risk", "quality", "error", "latency", "training", "capture")


def signal(kind: SignalKind = "psi", *, feature: str | None = "a", consecutive: int = 1, act: bool = True) -> Signal:
    return Signal(
        signal=kind,
        level="act" if act else "warn",
        value=1.0,
        limit=0.25,
        release="r",
        window=0,
        first_row=0,
        last_row=0,
        feature=feature,
        consecutive=consecutive,
    )


def windows(*signals: tuple[Signal, ...]) -> list[WindowReport]:
    return [
        WindowReport(index=n, release="r", first_row=n * ROWS, last_row=n * ROWS + ROWS - 1, rows=ROWS, signals=each)
        for n, each in enumerate(signals)
    ]


def judged(reports: list[WindowReport], since_row: int = 150) -> Planted:
    return found(reports, "a", "shift", change="c", since_row=since_row, window_rows=ROWS, consecutive=3)


@pytest.mark.parametrize("kind", ALL)
def test_what_is_no_matter_of_inputs_and_answers_never_counts(kind: SignalKind) -> None:
    assert fires(signal(kind, consecutive=3), 3) == (kind not in OPERATIONAL)
    assert not fires(signal(kind, consecutive=3, act=False), 3)


def test_psi_fires_with_its_streak_and_quality_at_once() -> None:
    assert [fires(signal(consecutive=n), 3) for n in (1, 2, 3, 4)] == [False, False, True, True]
    assert fires(signal("quality"), 3)


def test_the_delay_is_from_the_first_drifted_row_to_the_end_of_the_window_that_alarms() -> None:
    streak = [(signal(consecutive=n),) for n in (1, 2, 3)]
    one = judged(windows((), *streak))
    assert (one.delay_rows, one.delay_windows, one.warned_rows, one.by, one.already) == (250, 3, 50, "psi", False)
    early = judged(windows((), (signal("quality"),)))
    assert (early.delay_rows, early.delay_windows, early.by) == (50, 1, "quality")


def test_an_alarm_about_another_feature_finds_nothing_and_one_about_none_does() -> None:
    others = judged(windows((), (), (signal("quality", feature="b"),)))
    assert (others.delay_rows, others.warned_rows) == (None, None)
    assert judged(windows((), (), (signal("quality", feature=None),))).delay_rows == 150


def test_what_alarmed_before_is_not_counted_as_found() -> None:
    before = judged(windows((signal(consecutive=3),), (signal(consecutive=4),), ()))
    assert before.already
    ours, *_ = detectors([before], windows=10, alarmed=0, alarmed_by={}, window_rows=ROWS)
    assert (ours.median_delay_windows, ours.missed) == (None, None)


@given(st.lists(st.none() | st.integers(1, 9), max_size=8), st.integers(1, 50), st.data())
def test_every_detector_lies_between_the_one_that_always_and_the_one_that_never_fires(
    delays: list[int | None], count: int, data: st.DataObject
) -> None:
    alarmed = data.draw(st.integers(0, count))
    planted = [
        Planted(
            kind="shift",
            feature="a",
            change="c",
            delay_rows=None if delay is None else delay * ROWS,
            delay_windows=delay,
            warned_rows=None,
            by=None,
            delays={} if delay is None else {"psi": delay * ROWS},
        )
        for delay in delays
    ]
    both = {"psi": alarmed} if alarmed else {}
    ours, *kinds, always, never = detectors(planted, windows=count, alarmed=alarmed, alarmed_by=both, window_rows=ROWS)
    assert all(replace(kind, name="this service") == ours for kind in kinds)  # one kind is all that there is
    assert never.false_alarms <= ours.false_alarms <= always.false_alarms
    if ours.missed is not None and always.missed is not None and never.missed is not None:
        assert always.missed <= ours.missed <= never.missed
    if ours.median_delay_windows is not None and always.median_delay_windows is not None:
        assert ours.median_delay_windows >= always.median_delay_windows


def test_alarms_of_a_window_are_those_that_fire() -> None:
    (report,) = windows((signal(consecutive=1), signal("quality"), signal("risk"), signal(consecutive=3, feature="b")))
    assert [(each.signal, each.feature) for each in alarms(report, 3)] == [("quality", "a"), ("psi", "b")]
