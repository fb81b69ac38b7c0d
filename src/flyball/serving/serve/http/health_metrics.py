"""Health and probes of each service as metrics. Where no controller has written anything there is no sample."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from flyball.core.health import HealthState
from flyball.core.health_report import HealthSeen

CODES: dict[HealthState, int] = {"UNKNOWN": -1, "HEALTHY": 0, "DEGRADING": 1, "UNHEALTHY": 2, "FAILED": 3}


def health_metrics(found: Iterable[tuple[str, HealthSeen]]) -> Iterator[Metric]:
    """Gauges of these services."""
    state = GaugeMetricFamily(
        "flyball_health_state", "-1 unknown, 0 healthy, 1 degrading, 2 unhealthy, 3 failed", labels=["service"]
    )
    signs = GaugeMetricFamily(
        "flyball_health_signs", "Signs that it is not well", labels=["service", "kind", "severity"]
    )
    probes = GaugeMetricFamily(
        "flyball_probe_success", "Whether the newest probe was answered", labels=["service", "endpoint"]
    )
    took = GaugeMetricFamily("flyball_probe_seconds", "How long the newest probe took", labels=["service", "endpoint"])
    fails = GaugeMetricFamily(
        "flyball_planner_failed", "1 of each planner of the loop that raises", labels=["service", "planner"]
    )
    for name, seen in found:
        health = seen.standing
        state.add_metric([name], CODES[health.state])
        counts: dict[tuple[str, str], int] = {}
        for sign in health.signs:
            counts[sign.kind, sign.severity] = counts.get((sign.kind, sign.severity), 0) + 1
        for (kind, severity), count in sorted(counts.items()):
            signs.add_metric([name, kind, severity], count)
        newest = {probe.endpoint: probe for probe in (seen.report.around.probes if seen.report else ())}
        for endpoint, probe in sorted(newest.items()):
            probes.add_metric([name, endpoint], float(probe.ok))
            took.add_metric([name, endpoint], probe.latency_ms / 1000.0)
        for planner in seen.report.failing if seen.report else ():
            fails.add_metric([name, planner], 1.0)
    yield from (state, signs, probes, took, fails)
