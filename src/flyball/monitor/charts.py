"""Control charts of the answers: mean prediction, mean confidence and the ratio of each class, window by window.

A CUSUM and an EWMA each, made for the same run length: one false alarm in `arl_windows` windows over all charts, which
is handed in as their half of what the service promises. Everything is read off the counts of a window on its baseline's
bins, so nothing further is stored: a number counts as the normal score of its bin, a confidence as the middle of its
bin. A chart starts itself (`stats.control_charts`): a window is compared with the baseline and all windows since, so a
small holdout is not taken for the truth. After an alarm its sums start from nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from flyball.core.release import Baseline, Reference
from flyball.core.service import Detector
from flyball.core.watching import ChartPoint, PaneGroup, Signal
from flyball.monitor.windows import Span
from flyball.stats.change.bets import normal_scores
from flyball.stats.change.control_charts import Cusum, Residual, cusum_limit, ewma_after, ewma_limit, ewma_width

Floats = npt.NDArray[np.float64]

MOST_CLASSES = 20  # that have a chart of their own, in the order of the baseline
LEAST_VARIANCE = 1e-9


@dataclass(frozen=True, kw_only=True, eq=False)
class Chart:
    """One mean that is followed."""

    series: str  # of the baseline: `prediction`, `score`, `top_score`
    weights: Floats  # what a row in each bin counts, shape [B]; NaN: it does not count
    rows: Residual
    cusum: Cusum = field(default_factory=Cusum)
    ewma: float = 0.0
    z: float = 0.0  # of the newest window
    alarm: bool = False  # in the newest window


def opened(baseline: Baseline) -> dict[str, Chart]:
    """The charts of a release, by name."""
    found: dict[str, Chart] = {}
    for series, reference in baseline.prediction.items():
        for name, weights in _followed(series, reference):
            rows, mean, square = _moments(np.asarray(reference.counts, dtype=np.float64), weights)
            variance = square - mean**2
            if rows >= 2 and variance > LEAST_VARIANCE:
                residual = Residual(rows=rows, mean=mean, variance=variance)
                found[name] = Chart(series=series, weights=weights, rows=residual)
    return found


def after(charts: Mapping[str, Chart], group: PaneGroup, declared: Detector) -> dict[str, Chart]:
    """The charts after one window; one without answers leaves them as they are."""
    h, width = limits(declared, len(charts))
    return {name: _after(chart, group.prediction.get(chart.series), h, width) for name, chart in charts.items()}


def limits(declared: Detector, charts: int) -> tuple[float, float]:
    """Limit of the CUSUM, and of the EWMA's value: a run length of 2 x charts x `arl_windows` each."""
    run_length = 2 * max(charts, 1) * declared.arl_windows
    return cusum_limit(run_length), ewma_limit(ewma_width(run_length))


def points(charts: Mapping[str, Chart], declared: Detector) -> dict[str, ChartPoint]:
    """What a report says of each chart."""
    h, limit = limits(declared, len(charts))
    return {
        name: ChartPoint(
            z=round(chart.z, 4),
            cusum_up=round(chart.cusum.up, 4),
            cusum_down=round(chart.cusum.down, 4),
            cusum_limit=round(h, 4),
            ewma=round(chart.ewma, 4),
            ewma_limit=round(limit, 4),
            alarm=chart.alarm,
        )
        for name, chart in charts.items()
    }


def signals(charts: Mapping[str, Chart], declared: Detector, span: Span) -> tuple[Signal, ...]:
    """One warning for each chart beyond a limit, in the window in which it happens."""
    h, _ = limits(declared, len(charts))
    return tuple(
        Signal(
            signal="shift",
            level="warn",
            value=round(max(chart.cusum.up, chart.cusum.down), 4),
            limit=round(h, 4),
            release=span.release,
            window=span.index,
            first_row=span.first_row,
            last_row=span.last_row,
            feature=name,
            detail=f"control chart, in standard errors of a window; EWMA {chart.ewma:.3g}",
        )
        for name, chart in charts.items()
        if chart.alarm
    )


def _after(chart: Chart, counts: tuple[int, ...] | None, h: float, limit: float) -> Chart:
    if counts is None or len(counts) != chart.weights.size:
        return chart
    rows, mean, _ = _moments(np.asarray(counts, dtype=np.float64), chart.weights)
    if not rows:
        return chart
    z, learned = chart.rows.compared(rows, mean)
    cusum, ewma = (Cusum(), 0.0) if chart.alarm else (chart.cusum, chart.ewma)
    cusum, ewma = cusum.after(z), ewma_after(ewma, z)
    alarm = cusum.beyond(h) or abs(ewma) > limit
    return Chart(
        series=chart.series, weights=chart.weights, rows=learned, cusum=cusum, ewma=ewma, z=z, alarm=bool(alarm)
    )


def _followed(series: str, reference: Reference) -> list[tuple[str, Floats]]:
    counts = np.asarray(reference.counts, dtype=np.float64)
    if reference.kind == "category":
        return [
            (f"ratio of {value}", np.where(np.arange(counts.size) == at, 1.0, 0.0))
            for at, value in enumerate(reference.values[:MOST_CLASSES])
        ]
    if counts.size < 3 or not counts[:-1].sum():
        return []
    scores = np.append(normal_scores((counts[:-1] + 0.5) / (counts[:-1] + 0.5).sum())[0], math.nan)
    if series == "prediction":
        return [("mean prediction", scores)]
    edges = np.clip([0.0, *reference.edges, 1.0], 0.0, 1.0)
    middle = (edges[:-1] + edges[1:]) / 2
    confidence = np.append(np.maximum(middle, 1 - middle) if series == "score" else middle, math.nan)
    mean = [("mean score", scores)] if series == "score" else []
    return [*mean, ("mean confidence", confidence)]


def _moments(counts: Floats, weights: Floats) -> tuple[float, float, float]:
    """Rows that count, mean and mean square of what they count."""
    kept = np.isfinite(weights)
    n = float(counts[kept].sum())
    if not n:
        return 0.0, 0.0, 0.0
    share = counts[kept] / n
    return n, float(share @ weights[kept]), float(share @ weights[kept] ** 2)
