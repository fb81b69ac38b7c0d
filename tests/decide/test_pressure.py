"""How hard a measure presses: laws of the PID, and what of the windows counts."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.decide.windows import ROWS, SERVICE, report

from flyball.core.pressure import Pressure, PressureRule
from flyball.core.release import Estimate
from flyball.core.service import LiveMetric, Monitor
from flyball.core.watching import WindowReport
from flyball.decide.pressure import Error, pressure, pressures, told

RULE = PressureRule()
RULES = st.builds(
    PressureRule, kp=st.floats(0, 2), ki=st.floats(0.001, 1), kd=st.floats(0, 1), enter=st.just(1.0), exit=st.just(0.5)
)
SIZES = st.floats(-50, 50)


def of(errors: Sequence[float], rule: PressureRule = RULE, *, dt: float = 1.0) -> Pressure:
    return pressure("psi", [Error(error=error, setpoint=0.1, dt=dt) for error in errors], rule)


@given(st.lists(SIZES, max_size=60), RULES)
def test_every_part_is_bounded_whatever_comes(errors: list[float], rule: PressureRule) -> None:
    found = of(errors, rule)
    assert 0 <= found.integral <= rule.enter
    assert -rule.kp <= found.proportional <= 2 * rule.kp
    assert abs(found.derivative) <= 3 * rule.kd
    assert found.value == pytest.approx(max(0.0, found.proportional + found.integral + found.derivative))


@given(st.lists(st.floats(-50, 0), max_size=200), RULES)
def test_at_or_below_the_set_point_nothing_ever_presses(errors: list[float], rule: PressureRule) -> None:
    assert not of(errors, replace(rule, kd=0.0)).high
    assert of([0.0] * 500, rule).value == 0.0


@given(st.floats(0.05, 50), RULES)
def test_whatever_lasts_beyond_the_set_point_presses_in_the_end(error: float, rule: PressureRule) -> None:
    windows = int(rule.enter / (rule.ki * min(error, 2.0))) + 2
    assert of([error] * windows, rule).high


def raised(steps: list[tuple[float, float]], at: int) -> tuple[list[float], list[float]]:
    """As the errors are, and one of them larger."""
    low = [error for error, _ in steps]
    return low, [error + (more if index == at % len(steps) else 0.0) for index, (error, more) in enumerate(steps)]


@given(st.lists(st.tuples(SIZES, st.floats(0, 5)), min_size=1, max_size=40), st.integers(0, 39))
@example([(0, 0), (0, 1), (1, 0), (2, 0), (2, 0), (0, 0)], 1)  # the larger one is full sooner, and stops growing sooner
def test_a_larger_error_presses_no_less_until_something_presses(steps: list[tuple[float, float]], at: int) -> None:
    low, high = raised(steps, at)
    if not any(of(high[:n]).high for n in range(len(high) + 1)):
        assert of(high).value >= of(low).value - 1e-9


@given(st.lists(st.tuples(SIZES, st.floats(0, 5)), min_size=1, max_size=40), RULES)
def test_a_larger_newest_error_never_ends_the_asking(steps: list[tuple[float, float]], rule: PressureRule) -> None:
    low, high = raised(steps, len(steps) - 1)
    assert of(high, rule).high or not of(low, rule).high


def test_the_default_gains_fire_at_act_in_the_third_window_and_at_twice_that_in_the_second() -> None:
    act = 0.25 / 0.10 - 1
    assert [of([act] * n).high for n in (1, 2, 3)] == [False, False, True]
    assert [of([2 * act] * n).high for n in (1, 2)] == [False, True]


def test_one_mad_window_moves_the_sum_by_two_set_points_at_most() -> None:
    assert of([-0.9] * 10 + [1000.0]) == replace(of([-0.9] * 10 + [2.0]), error=1000.0)
    assert not of([-0.9] * 10 + [1000.0, -0.9]).high


def test_after_a_long_error_it_lets_go_within_a_few_windows() -> None:
    long = [2.0] * 1000
    assert of(long).high
    falls = [of(long + [-0.9] * n).high for n in range(8)]
    assert falls.index(False) <= 3  # an integral without its bound would need 330


def test_it_presses_until_it_is_below_exit() -> None:
    risen = [1.5] * 3  # 1.12
    assert of([*risen, 0.0]).high  # 0.68: below enter, above exit
    assert not of([1.5, 1.5, 0.0]).high  # as much, and never reached enter
    assert not of([*risen, *[-0.5] * 4]).high


@given(st.lists(st.floats(-1, 2), max_size=30))
def test_the_time_of_the_integral_is_rows(errors: list[float]) -> None:
    halves = [error for error in errors for _ in range(2)]
    whole, half = of(errors, replace(RULE, kp=0.0)), of(halves, replace(RULE, kp=0.0), dt=0.5)
    assert half.integral == pytest.approx(whole.integral) or whole.high or half.high


def timed(*reports: WindowReport, from_s: float = 0.0) -> list[WindowReport]:
    """Windows of an hour, one after another."""
    return [replace(each, start=from_s + 3600.0 * n, end=from_s + 3600.0 * (n + 1)) for n, each in enumerate(reports)]


def test_windows_that_began_before_the_newest_deed_do_not_count_and_one_is_not_cut_in_two() -> None:
    seen = timed(*[report(n, psi={"a": 0.6}) for n in range(5)])
    assert [pressures(seen, SERVICE, since_s=since)[0].windows for since in (0, 3600, 3601, 7200, 99_999)] == [
        5,
        4,
        3,
        3,
        0,
    ]


def test_what_is_held_counts_nothing_and_says_why() -> None:
    psi, risk = pressures([report(0, psi={"a": 0.6})], SERVICE, held="a rollout is under way")
    assert (psi.value, psi.windows, psi.high, risk.windows) == (0.0, 0, False, 0)
    assert told(psi) == "pressure of psi: nothing counts, a rollout is under way"


def test_the_error_is_of_the_feature_that_is_furthest_beyond_what_it_is_allowed() -> None:
    seen = replace(
        report(0, psi={"a": 0.30, "b": 0.20, "c": 9.0}),
        usual={"a": 0.25},
        insufficient=("c",),
        prediction_psi={"score": 0.1},
    )
    (psi, _) = pressures([seen], SERVICE)
    assert (psi.feature, psi.setpoint) == ("b", 0.10)
    assert psi.error == pytest.approx(1.0)


def test_a_window_without_a_metric_says_nothing_about_the_loss() -> None:
    lost = report(0, loss=(0.10, 0.05))
    (_, one) = pressures([lost], SERVICE)
    (_, still) = pressures([lost, *[report(n) for n in range(1, 9)]], SERVICE)
    assert one == still
    assert one.error == pytest.approx(1.0)
    assert (one.setpoint, one.windows) == (0.05, 1)


@pytest.mark.parametrize(("name", "now", "allowed"), [("accuracy", 0.8, 0.045), ("log_loss", 1.0, 0.045)])
def test_an_allowed_loss_in_percent_is_of_what_was_promised(name: str, now: float, allowed: float) -> None:
    """Promised was 0.9, whichever direction is better."""
    service = replace(SERVICE, monitor=Monitor(live_metric=LiveMetric(name=name, max_loss="5%")))
    seen = replace(
        report(0, loss=(0.1, 0.0)),
        metric=Estimate(value=now, low=0, high=1, n=ROWS),
        loss=Estimate(value=0.1, low=0.0, high=1, n=ROWS),
    )
    (_, risk) = pressures([seen], service)
    assert risk.setpoint == pytest.approx(allowed)
    assert risk.error == pytest.approx(0.1 / 0.045 - 1)


def test_only_what_may_ask_presses() -> None:
    quiet = replace(SERVICE, retrain=replace(SERVICE.retrain, triggers=("trend",)))
    assert pressures([report(0, psi={"a": 0.6})], quiet) == ()
    unwatched = replace(SERVICE, monitor=Monitor())
    assert [each.of for each in pressures([report(0)], unwatched)] == ["psi"]
