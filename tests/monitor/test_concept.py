"""The trend of the gap between realised and estimated loss, as a window report tells it."""

import msgspec
import numpy as np
import pytest

from flyball.monitor.concept import MOST_WINDOWS, RunningConcept

DAY_S = 86_400.0


def fed(slope: float, windows: int) -> RunningConcept:
    noise, concept = np.random.default_rng(1), RunningConcept(rng=np.random.default_rng(2))
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
    concept = fed(0.0, MOST_WINDOWS + 20)
    told = concept.report()
    assert told is not None
    assert told.windows == MOST_WINDOWS
    assert concept.report() is None


def test_few_windows_are_insufficient() -> None:
    told = fed(0.1, 5).report()
    assert told is not None
    assert (told.verdict, told.slope) == ("INSUFFICIENT", None)


def test_what_is_reported_can_be_written() -> None:
    report = fed(0.004, 60).report()
    assert msgspec.json.decode(msgspec.json.encode(report), type=type(report)) == report
