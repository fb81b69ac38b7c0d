"""Control charts of the answers, read off the counts of a window."""

import numpy as np

from flyball.core.release import Baseline, Reference
from flyball.core.service import Detector
from flyball.core.watching import PaneGroup
from flyball.monitor.charts import Chart, after, opened, points, signals
from flyball.monitor.windows import Span

SHARES = np.full(10, 0.1)
BASELINE = Baseline(
    rows=5000,
    features={},
    prediction={
        "prediction": Reference(kind="category", values=("no", "yes"), counts=(4000, 1000, 0, 0)),
        "score": Reference(kind="numeric", edges=tuple(np.arange(1, 10) / 10), counts=(500,) * 10 + (0,)),
    },
)
DECLARED = Detector(arl_windows=200)
SPAN = Span(release="r", index=0, first_row=0, last_row=999, start=0.0, end=1.0)


def window(rng: np.random.Generator, *, yes: float = 0.2, tilt: float = 0.0, away: float = 0.0) -> PaneGroup:
    z = np.linspace(-1, 1, 10)
    shares = SHARES * (1 + tilt * z + away * (np.abs(z) - np.abs(z).mean()))
    answers = rng.multinomial(1000, [1 - yes, yes])
    prediction = {"prediction": (*answers.tolist(), 0, 0), "score": (*rng.multinomial(1000, shares).tolist(), 0)}
    return PaneGroup(arm="champion", release="r", prediction=prediction)


def first_alarm(name: str, most: int = 40, **change: float) -> int | None:
    rng, charts = np.random.default_rng(95), opened(BASELINE)
    for at in range(1, most + 1):
        charts = after(charts, window(rng, **change), DECLARED)
        if charts[name].alarm:
            return at
    return None


def test_answers_have_a_chart_of_the_score_of_the_confidence_and_of_each_class() -> None:
    assert list(opened(BASELINE)) == ["ratio of no", "ratio of yes", "mean score", "mean confidence"]


def test_a_slightly_higher_ratio_of_a_class_is_seen_within_some_windows() -> None:
    """From 20 % to 23.5 %: less than three standard errors of a window of 1,000."""
    found = first_alarm("ratio of yes", yes=0.235)
    assert found is not None
    assert found <= 10


def test_scores_that_rise_and_scores_that_go_to_both_ends_are_told_apart() -> None:
    assert first_alarm("mean score", tilt=0.15) is not None
    assert first_alarm("mean confidence", away=0.3) is not None
    assert first_alarm("mean score", most=10, away=0.3) is None


def test_without_a_change_the_charts_keep_their_run_length() -> None:
    alarms = windows = 0
    for seed in range(15):
        rng, charts = np.random.default_rng((96, seed)), opened(BASELINE)
        for _ in range(100):
            charts = after(charts, window(rng), DECLARED)
            alarms += sum(chart.alarm for chart in charts.values())
            windows += 1
    assert alarms <= windows / 200 + 3 * (windows / 200) ** 0.5


def test_an_alarm_is_a_warning_of_one_window_and_the_sums_start_anew() -> None:
    rng = np.random.default_rng(97)
    charts: dict[str, Chart] = after(opened(BASELINE), window(rng, yes=0.5), DECLARED)
    told = {signal.feature: signal for signal in signals(charts, DECLARED, SPAN)}
    assert (told["ratio of yes"].signal, told["ratio of yes"].level) == ("shift", "warn")
    assert points(charts, DECLARED)["ratio of yes"].alarm
    charts = after(charts, window(rng), DECLARED)
    assert charts["ratio of yes"].cusum.up < 1


def test_windows_without_answers_and_classes_that_never_came_change_nothing() -> None:
    charts = opened(BASELINE)
    assert after(charts, PaneGroup(arm="champion", release="r"), DECLARED) == charts
    silent = Baseline(rows=5, features={}, prediction={"prediction": Reference(kind="category", values=("a", "b"),
                      counts=(5, 0, 0, 0))})  # fmt: skip
    assert opened(silent) == {}
