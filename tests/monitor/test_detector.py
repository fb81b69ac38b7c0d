"""The e-detector of a service: a sequence for each feature and answer, alarms that stand, a promotion that forgets."""

import numpy as np

from flyball.core.release import Baseline, Reference
from flyball.core.service import Detector
from flyball.core.watching import PaneGroup
from flyball.monitor.detector import Shifts, observe, signals
from flyball.monitor.windows import Span


def numeric(rows_a_bin: int) -> Reference:
    return Reference(kind="numeric", edges=tuple(range(9)), counts=(rows_a_bin,) * 10 + (0,))


COUNTS = (400,) * 10 + (0,)
BASELINE = Baseline(
    rows=4000,
    features={"a": numeric(400), "b": numeric(400)},
    prediction={"prediction": Reference(kind="category", values=("0", "1"), counts=(3000, 1000, 0, 0))},
)
DECLARED = Detector()
STILL = (100,) * 10 + (0,)
MOVED = (40, 50, 60, 70, 80, 100, 110, 130, 160, 200, 0)
SPAN = Span(release="r", index=4, first_row=4000, last_row=4999, start=0.0, end=1.0)


def window(**features: tuple[int, ...]) -> PaneGroup:
    return PaneGroup(
        arm="champion",
        release="r",
        rows=1000,
        features={"a": STILL, "b": STILL} | features,
        prediction={"prediction": (750, 250, 0, 0)},
    )


def after(*groups: PaneGroup, declared: Detector = DECLARED) -> Shifts:
    shifts = Shifts()
    for group in groups:
        shifts = observe(shifts, group, BASELINE, declared)
    return shifts


def test_a_clear_shift_of_one_feature_alarms_at_once_and_names_it() -> None:
    shifts = after(window(), window(), window(a=MOVED))
    (signal,) = signals(shifts, DECLARED, SPAN)
    assert (signal.signal, signal.level, signal.feature) == ("shift", "act", "a")
    assert signal.limit == 3.0 < signal.value
    assert shifts.changed == ("a",)
    assert shifts.evidence()["a"] > 3 > 0 > shifts.evidence()["b"]


def test_windows_like_the_baseline_say_nothing() -> None:
    shifts = after(*[window()] * 30)
    assert signals(shifts, DECLARED, SPAN) == ()
    assert shifts.changed == ()


def test_a_change_within_the_tolerance_is_never_an_alarm() -> None:
    """A shift by 0.05 standard deviations, a PSI of 0.0025, in windows of a million rows."""
    slight = (*(int(100_000 * (1 + 0.05 * z)) for z in np.linspace(-1.5, 1.5, 10)), 0)
    large = Baseline(rows=4_000_000, features={"a": numeric(400_000)}, prediction={})
    group = PaneGroup(arm="champion", release="r", features={"a": slight})
    told, strict = Shifts(), Shifts()
    for _ in range(5):
        told = observe(told, group, large, DECLARED)
        strict = observe(strict, group, large, Detector(tolerance=0.0))
    assert signals(told, DECLARED, SPAN) == ()
    assert signals(strict, DECLARED, SPAN)


def test_an_alarm_stands_while_the_change_is_seen_and_ends_after_three_calm_windows() -> None:
    shifts = after(window(a=MOVED))
    for windows in (2, 3):
        shifts = observe(shifts, window(a=MOVED), BASELINE, DECLARED)
        assert [each.consecutive for each in signals(shifts, DECLARED, SPAN)] == [windows]
    for standing in (True, True, False):
        shifts = observe(shifts, window(), BASELINE, DECLARED)
        assert bool(signals(shifts, DECLARED, SPAN)) is standing


def test_the_windows_of_a_standing_alarm_are_not_taken_for_normal() -> None:
    shifts = after(window(a=MOVED), *[window(a=MOVED)] * 20)
    assert shifts.sequences["a"].state.known.sum() == sum(COUNTS) + sum(MOVED)


def test_a_bound_grows_with_the_number_of_sequences_so_the_service_keeps_one_promise() -> None:
    slight = (85, 88, 92, 97, 99, 101, 103, 108, 112, 115, 0)
    alone = Baseline(rows=40_000, features={"f0": numeric(4000)}, prediction={})
    crowd = Baseline(rows=40_000, features={f"f{at}": numeric(4000) for at in range(50)}, prediction={})
    still: tuple[int, ...] = STILL
    features = dict.fromkeys(crowd.features, still) | {"f0": slight}
    single = observe(Shifts(), PaneGroup(arm="champion", release="r", features={"f0": slight}), alone, DECLARED)
    many = observe(Shifts(), PaneGroup(arm="champion", release="r", features=features), crowd, DECLARED)
    now = single.sequences["f0"].now.log_sum
    assert now == many.sequences["f0"].now.log_sum
    declared = Detector(arl_windows=np.exp(now) / 7)
    single = observe(Shifts(), PaneGroup(arm="champion", release="r", features={"f0": slight}), alone, declared)
    many = observe(Shifts(), PaneGroup(arm="champion", release="r", features=features), crowd, declared)
    assert [signal.feature for signal in signals(single, declared, SPAN)] == ["f0"]
    assert signals(many, declared, SPAN) == ()


def test_counts_on_other_bins_and_empty_windows_are_left_out() -> None:
    shifts = after(window(a=(1, 2, 3), b=(0,) * 11))
    assert "a" not in shifts.sequences
    assert shifts.evidence()["b"] == 0.0


def test_the_same_history_gives_the_same_evidence() -> None:
    history = [window(), window(a=MOVED), window(b=MOVED), window()]
    assert after(*history).evidence() == after(*history).evidence()
