"""When a retraining is wanted, and what holds it back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.decide.windows import SERVICE, report

from flyball.core.estimating import ConceptTrend
from flyball.core.release import Estimate
from flyball.core.service import HealthRules, Retrain
from flyball.core.watching import QualityFinding, WindowReport
from flyball.decide.triggers import History, wish

BAD, FINE = (0.08, 0.05), (0.001, -0.02)


def drifting(first: int, windows: int, *, loss: tuple[float, float] | None = FINE) -> list[WindowReport]:
    return [report(first + k, psi={"a": 0.6}, streak=k + 1, loss=loss) for k in range(windows)]


def test_no_signal_no_wish() -> None:
    assert wish([report(0, loss=FINE)], SERVICE).fired is None


def test_drift_fires_after_three_windows_and_says_what_it_counts_before() -> None:
    early = wish(drifting(0, 2), SERVICE)
    assert early.fired is None
    assert "not yet" in early.why
    assert wish(drifting(0, 3), SERVICE).fired == "drift"


def test_drift_that_fired_stands_until_it_falls_below_warn() -> None:
    hovering = [*drifting(0, 3), report(3, psi={"a": 0.15}, streak=4, loss=FINE)]
    assert wish(hovering, SERVICE).fired == "drift"
    assert wish([*hovering, report(4, loss=FINE)], SERVICE).fired is None


def test_a_loss_beyond_the_limit_fires_at_once_and_outranks_drift() -> None:
    found = wish([*drifting(0, 2), report(2, psi={"a": 0.6}, streak=3, loss=BAD)], SERVICE)
    assert found.fired == "risk"
    assert found.evidence[0].signal == "risk"


def test_a_suspicious_loss_alone_does_not_fire() -> None:
    assert wish([report(0, loss=(0.03, 0.01))], SERVICE).fired is None


def test_a_risk_stands_over_windows_without_a_metric_and_ends_with_a_good_one() -> None:
    assert wish([report(0, loss=BAD), report(1)], SERVICE).fired == "risk"
    assert wish([report(0, loss=BAD), report(1), report(2, loss=FINE)], SERVICE).fired is None


def test_a_trigger_that_is_not_declared_does_not_fire() -> None:
    service = replace(SERVICE, retrain=Retrain(triggers=("drift",)))
    assert wish([report(0, loss=BAD)], service).fired is None


def test_the_cool_down_is_waited_for_and_so_is_the_label_delay() -> None:
    reports = [report(0, loss=BAD)]
    found = wish(reports, SERVICE, history=History(since_training_s=1000))
    assert found.waiting_for == ("the cool-down to end in 4000 s",)
    assert wish(reports, SERVICE, history=History(since_training_s=5000)).waiting_for == ()
    slow_labels = replace(SERVICE, data=replace(SERVICE.data, label_window_s=9000))
    assert wish(reports, slow_labels, history=History(since_training_s=5000)).waiting_for


def test_two_retrainings_without_gain_rest_the_trigger_until_a_new_signal() -> None:
    tired = History(since_training_s=9999, training_row=5000, without_gain=2)
    old = [report(index, loss=BAD) for index in range(10)]
    assert "a person, or a new signal" in wish(old, SERVICE, history=tired).waiting_for[0]
    again = [*old, report(10, loss=FINE), report(11, loss=BAD)]
    assert wish(again, SERVICE, history=tired).waiting_for == ()


def test_a_broken_supply_blocks_whatever_fired() -> None:
    broken = QualityFinding(kind="missing", feature="a", value=0.5, limit=0.1, detail="half of a is missing")
    found = wish([report(0, psi={"a": 0.6}, loss=BAD, quality=[broken])], SERVICE)
    assert found.fired == "risk"
    assert found.diagnosis.kind == "data_quality"
    assert found.waiting_for


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(-0.2, 0.2)), max_size=12))
def test_a_wish_always_says_why_and_asking_twice_gives_the_same(history: list[tuple[float, float]]) -> None:
    streak, reports = 0, []
    for index, (psi, loss) in enumerate(history):
        streak = streak + 1 if psi > 0.25 else 0
        reports.append(report(index, psi={"a": psi}, streak=max(streak, 1), loss=(loss, loss - 0.03)))
    found = wish(reports, SERVICE)
    assert found.why
    assert found.diagnosis.reason
    assert found == wish(reports, SERVICE)


def test_a_trend_of_the_concept_asks_where_it_is_declared_and_only_for_the_worse() -> None:
    worse = ConceptTrend(
        verdict="DRIFT", reason="0.01 a day", windows=30, slope=Estimate(value=0.01, low=0.005, high=0.015, n=30)
    )
    declared = replace(SERVICE, retrain=replace(SERVICE.retrain, triggers=("drift", "trend")))
    seen = [replace(report(0, loss=FINE), concept=worse), report(1)]  # the newest has no labels, and says nothing
    assert wish(seen, declared).fired == "trend"
    assert wish(seen, declared).why == "trend: 0.01 a day"
    assert wish(seen, SERVICE).fired == "trend", "by default too"
    silent = replace(SERVICE, retrain=replace(SERVICE.retrain, triggers=("drift", "risk")))
    assert wish(seen, silent).fired is None
    better = replace(worse, slope=Estimate(value=-0.01, low=-0.015, high=-0.005, n=30))
    unsure = replace(worse, verdict="OK")
    for told in (better, unsure):
        assert wish([replace(report(0, loss=FINE), concept=told)], declared).fired is None
    slow = replace(worse, slope=Estimate(value=0.007, low=0.005, high=0.009, n=30))  # 4.9 points in seven days
    assert wish([replace(report(0, loss=FINE), concept=slow)], declared).fired is None
    strict = replace(declared, monitor=replace(declared.monitor, health=HealthRules(trend_retrain=0.04)))
    assert wish([replace(report(0, loss=FINE), concept=slow)], strict).fired == "trend"
    soon = History(since_training_s=1000)
    assert wish(seen, declared, history=soon).waiting_for == ("the cool-down to end in 4000 s",)


@pytest.mark.parametrize(("points", "fired"), [(4.9, None), (5.1, "trend")])
def test_a_trend_asks_from_five_points_in_seven_days(points: float, fired: str | None) -> None:
    a_day = points / 100 / 7
    slope = Estimate(value=a_day, low=0.9 * a_day, high=1.1 * a_day, n=30)  # a warning, both of them
    told = ConceptTrend(verdict="DRIFT", reason="it falls", windows=30, slope=slope)
    assert wish([replace(report(0, loss=FINE), concept=told)], SERVICE).fired == fired


def test_how_many_fruitless_trainings_rest_the_triggers_is_declared() -> None:
    patient = replace(SERVICE, retrain=replace(SERVICE.retrain, rest_after=3))
    tired = History(since_training_s=9999, training_row=5000, without_gain=2)
    assert wish([report(0, loss=BAD)], patient, history=tired).waiting_for == ()
