"""The e-detector and the control charts of one service without a change: together one false alarm in `arl_windows`."""

import math

import numpy as np

from flyball.core.release import Baseline, Reference
from flyball.core.service import Detector, Monitor, Objectives
from flyball.core.watching import PaneGroup, WindowReport
from flyball.monitor import charts
from flyball.monitor.running import RunningWindow
from flyball.monitor.windows import Span

FEATURES, REFERENCE, WINDOW = 5, 2000, 200
DECILES = tuple(np.arange(1, 10) / 10)


def counts(values: np.ndarray, edges: tuple[float, ...]) -> tuple[int, ...]:
    return (*np.bincount(np.searchsorted(edges, values), minlength=10).tolist(), 0)


def service(rng: np.random.Generator, arl_windows: float, *, answers: bool = True) -> RunningWindow:
    """A release with a reference of its own: deciles of its sample, and the answers that it gave there."""
    features = {}
    for at in range(FEATURES):
        known = rng.random(REFERENCE)
        edges = tuple(np.quantile(known, DECILES).tolist())
        features[f"x{at}"] = Reference(kind="numeric", edges=edges, counts=counts(known, edges))
    score = rng.random(REFERENCE)
    yes = int((score > 0.5).sum())
    prediction = {
        "prediction": Reference(kind="category", values=("no", "yes"), counts=(REFERENCE - yes, yes, 0, 0)),
        "score": Reference(kind="numeric", edges=DECILES, counts=counts(score, DECILES)),
    }
    baseline = Baseline(rows=REFERENCE, features=features, prediction=prediction if answers else {})
    monitor = Monitor(detector=Detector(arl_windows=arl_windows, tolerance=0.0))
    return RunningWindow(release="r", baseline=baseline, monitor=monitor, unwatched=())


def window(rng: np.random.Generator, running: RunningWindow, *, shift: float = 0.0) -> WindowReport:
    """The report of one window more of the same law, its answers and all, or of one in which everything moved."""
    features = {
        name: counts(rng.random(WINDOW) ** (1 - shift), reference.edges)
        for name, reference in running.baseline.features.items()
    }
    score = rng.random(WINDOW) ** (1 - shift)
    yes = int((score > 0.5).sum())
    answers = {"prediction": (WINDOW - yes, yes, 0, 0), "score": counts(score, DECILES)}
    prediction = {name: answers[name] for name in running.baseline.prediction}
    running.group = PaneGroup(arm="champion", release="r", rows=WINDOW, features=features, prediction=prediction)
    span = Span(release="r", index=0, first_row=0, last_row=WINDOW - 1, start=0.0, end=1.0)
    return running.report(span, Objectives())


def alarms(report: WindowReport) -> int:
    """Those that began in this window, of whatever level."""
    return sum(signal.signal == "shift" and signal.consecutive == 1 for signal in report.signals)


def test_detector_and_charts_together_raise_no_more_false_alarms_than_the_service_promises() -> None:
    rng, runs, windows, arl_windows = np.random.default_rng(61), 20, 40, 20.0
    found = 0
    for _ in range(runs):
        running = service(rng, arl_windows)
        found += sum(alarms(window(rng, running)) for _ in range(windows))
    promised = runs * windows / arl_windows
    assert 0 < found <= promised + 3 * math.sqrt(promised)


def test_each_is_made_for_half_of_the_promise_and_the_detector_for_all_where_no_answer_has_a_chart() -> None:
    rng = np.random.default_rng(62)
    told = window(rng, service(rng, 1000.0), shift=0.6)
    limits = {signal.limit for signal in told.signals if signal.signal == "shift" and signal.level == "act"}
    assert limits == {round(math.log10(2000), 4)}
    alone = window(rng, service(rng, 1000.0, answers=False), shift=0.6)
    assert {signal.limit for signal in alone.signals if signal.signal == "shift"} == {3.0}


def test_a_chart_alarms_where_it_passes_the_limits_of_its_half_and_nowhere_before() -> None:
    rng = np.random.default_rng(63)
    limits = tuple(round(limit, 4) for limit in charts.limits(Detector(arl_windows=2000.0), 4))
    begun = 0
    for _ in range(20):
        running = service(rng, 1000.0)
        for _ in range(60):
            told = window(rng, running, shift=0.15)
            warned = [signal for signal in told.signals if signal.signal == "shift" and signal.level == "warn"]
            assert {signal.limit for signal in warned} <= {limits[0]}
            for point in told.charts.values():
                assert (point.cusum_limit, point.ewma_limit) == limits
                passed = max(point.cusum_up, point.cusum_down) > limits[0] or abs(point.ewma) > limits[1]
                assert point.alarm == passed
                begun += point.alarm
    assert begun > 10
