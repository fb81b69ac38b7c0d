"""The newest window of each service as metrics: what its monitor measured, with a bounded number of features.

They are as old as the window, whose end is told beside them. What was not measured has no sample: a dashboard shows a
gap, never a zero.
"""

from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from flyball.core.seen_windows import SeenWindow

MOST_FEATURES = 50  # of a service, those with the largest PSI; inputs and answers together

Watched = tuple[str, SeenWindow]


def watched(windows: Iterable[Watched]) -> Iterator[Metric]:
    """Gauges of these services."""
    found = list(windows)
    yield from _windows(found)
    yield from _features(found)
    yield from _labels(found)
    yield from _arms(found)


def _windows(found: list[Watched]) -> Iterator[Metric]:
    ends = _gauge("flyball_window_end_timestamp_seconds", "When the newest window of the monitor closed")
    rows = _gauge("flyball_window_rows", "Rows of the newest window")
    signals = _gauge("flyball_window_signals", "Signals of the newest window", "signal", "level")
    for name, seen in found:
        ends.add_metric([name], seen.end)
        rows.add_metric([name], seen.report.rows)
        counts: dict[tuple[str, str], int] = {}
        for each in seen.report.signals:
            counts[each.signal, each.level] = counts.get((each.signal, each.level), 0) + 1
        for (kind, level), count in sorted(counts.items()):
            signals.add_metric([name, kind, level], count)
    yield from (ends, rows, signals)


def _features(found: list[Watched]) -> Iterator[Metric]:
    psi = _gauge("flyball_feature_psi", "PSI against the baseline of the release, newest window", "feature")
    drifted = _gauge("flyball_features_drifted", "Features and answers whose PSI raised a signal")
    for name, seen in found:
        report = seen.report
        values = sorted(
            (report.psi | report.prediction_psi).items(), key=lambda item: (item[0] in report.insufficient, -item[1])
        )
        for feature, value in sorted(values[:MOST_FEATURES]):
            if feature not in report.insufficient:
                psi.add_metric([name, feature], value)
        drifted.add_metric([name], len({each.feature for each in report.signals if each.signal == "psi"}))
    yield from (psi, drifted)


def _labels(found: list[Watched]) -> Iterator[Metric]:
    metric = _gauge("flyball_live_metric", "Live metric of the labels that matured")
    loss = _gauge("flyball_live_metric_loss", "Worse than the release promised by, unit of the metric")
    low = _gauge("flyball_live_metric_loss_low", "Lower end of the interval of that loss")
    estimated = _gauge("flyball_estimated_metric", "Live metric as it is estimated without labels")
    for name, seen in found:
        report = seen.report
        if report.metric is not None:
            metric.add_metric([name], report.metric.value)
        if report.loss is not None:
            loss.add_metric([name], report.loss.value)
            low.add_metric([name], report.loss.low)
        if report.estimated is not None and report.estimated.value is not None:
            estimated.add_metric([name], report.estimated.value.value)
    yield from (metric, loss, low, estimated)


def _arms(found: list[Watched]) -> Iterator[Metric]:
    errors = _gauge("flyball_window_error_ratio", "Rows with an error event, 0 to 1, newest window", "arm")
    latency = _gauge("flyball_window_latency_seconds", "Stay in the gateway, newest window", "arm", "percentile")
    answered = _gauge("flyball_window_availability_ratio", "Rows whose client got an answer, 0 to 1", "arm")
    there = _gauge("flyball_window_features_available_ratio", "Feature values that were there, 0 to 1", "arm")
    for name, seen in found:
        for arm, share in sorted(seen.report.error_rate.items()):
            errors.add_metric([name, arm], share)
        for each in seen.report.serving:
            for percentile, ms in (  # a gauge may not say `quantile`
                ("50", each.latency_p50_ms),
                ("90", each.latency_p90_ms),
                ("99", each.latency_p99_ms),
            ):
                if ms is not None:
                    latency.add_metric([name, each.arm, percentile], ms / 1000.0)
            if each.availability is not None:
                answered.add_metric([name, each.arm], each.availability.value)
            if each.features_available is not None:
                there.add_metric([name, each.arm], each.features_available)
    yield from (errors, latency, answered, there)


def _gauge(name: str, told: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, told, labels=["service", *labels])
