"""The trend of the gap between realised and estimated loss, as a window report tells it."""

import msgspec
import numpy as np
import pytest

from flyball.monitor.concept import MOST_FIGURES, RunningConcept

DAY_S = 86_400.0


def fed(slope: float, windows: int) -> RunningConcept:
    noise, concept = np.random.default_rng(1), RunningConcept(rng=np.random.default_rng(2), over_s=7 * DAY_S)
    for at in range(windows):
        concept.take(at * DAY_S, slope * at + float(noise.normal(0, 0.02)))
    return concept


@pytest.mark.parametrize(("slope", "verdict"), [(0.004, "DRIFT"), (0.0, "OK")])
def test_labels_that_agree_less_and_less_are_a_trend_and_steady_ones_are_none(slope: float, verdict: str) -> None:
    told = fed(slope, 60).report()
    assert told is not None
    assert told.verdict == verdict
    assert told.slope is not None
    assert told.slope.low < slope < told.slope.high
    assert (told.slope.low > 0) == (verdict == "DRIFT")


def test_a_trend_is_told_once_for_each_new_figure_and_remembers_the_newest_ones_only() -> None:
    concept = fed(0.0, MOST_FIGURES + 20)
    told = concept.report()
    assert told is not None
    assert told.windows == MOST_FIGURES
    assert concept.report() is None


def test_windows_that_come_fast_share_a_figure_so_that_figures_reach_over_days() -> None:
    concept = RunningConcept(rng=np.random.default_rng(2), over_s=7 * DAY_S)
    joined = 7 * DAY_S / MOST_FIGURES
    for window in range(1000):
        concept.take(window * joined / 10, float(window // 10))  # ten windows of equal value a figure
    told = concept.report()
    assert told is not None
    assert told.windows == MOST_FIGURES
    assert told.slope is not None
    assert told.slope.value == pytest.approx(DAY_S / joined)


def test_few_windows_are_insufficient() -> None:
    told = fed(0.1, 5).report()
    assert told is not None
    assert (told.verdict, told.slope) == ("INSUFFICIENT", None)


def test_what_is_reported_can_be_written() -> None:
    report = fed(0.004, 60).report()
    assert msgspec.json.decode(msgspec.json.encode(report), type=type(report)) == report
