"""`/metrics` in the Prometheus text format, made from the sums that the core keeps anyway."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from flyball.serving.serve.served import Served


def exposition(services: Iterable[Served]) -> tuple[str, bytes]:
    """Content type and body."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Services(list(services)))
    return CONTENT_TYPE_PLAIN_0_0_4, generate_latest(registry)


class _Services(Collector):
    def __init__(self, services: list[Served]) -> None:
        self._services = services

    def collect(self) -> Iterator[Metric]:
        yield from self._answers()
        yield from self._rollout()
        yield from self._log()

    def _answers(self) -> Iterator[Metric]:
        rows = CounterMetricFamily("flyball_rows", "Rows received", labels=["service", "arm", "outcome"])
        errors = CounterMetricFamily("flyball_error_events", "Rows without an own answer", labels=["service", "arm"])
        slow = CounterMetricFamily("flyball_slow_events", "Rows slower than the objective", labels=["service", "arm"])
        took = HistogramMetricFamily("flyball_latency_seconds", "Stay of a row in the gateway", labels=["service"])
        for served in self._services:
            tally = served.tally
            for (arm, outcome), count in sorted(tally.outcomes.items()):
                rows.add_metric([served.name, arm, outcome], count)
            for family, counts in ((errors, tally.errors), (slow, tally.slow)):
                for arm, count in sorted(counts.items()):
                    family.add_metric([served.name, arm], count)
            took.add_metric([served.name], buckets=tally.cumulative(), sum_value=tally.seconds)
        yield from (rows, errors, slow, took)

    def _rollout(self) -> Iterator[Metric]:
        weight = GaugeMetricFamily("flyball_candidate_weight", "Share of units, 0 to 1", labels=["service"])
        epoch = GaugeMetricFamily("flyball_routing_epoch", "Epoch of the routing in force", labels=["service"])
        pairs = GaugeMetricFamily("flyball_shadow_pairs", "Rows both arms answered in this step", labels=["service"])
        log_e = GaugeMetricFamily("flyball_rollout_log_e", "Log e-value against it", labels=["service", "guardrail"])
        for served in self._services:
            seen = served.core.observe()
            if seen.routing is None or seen.counts is None:
                continue
            weight.add_metric([served.name], seen.routing.weight / 10_000)
            epoch.add_metric([served.name], seen.routing.epoch)
            pairs.add_metric([served.name], seen.counts.pairs)
            log_e.add_metric([served.name, "errors"], seen.counts.rollout_tests.errors)
            log_e.add_metric([served.name, "slow"], seen.counts.rollout_tests.slow)
        yield from (weight, epoch, pairs, log_e)

    def _log(self) -> Iterator[Metric]:
        records = CounterMetricFamily(
            "flyball_log_records", "Records by what became of them", labels=["service", "what"]
        )
        shadow = CounterMetricFamily("flyball_shadow_dropped", "Rows not shown to the shadow", labels=["service"])
        for served in self._services:
            slot = served.core.accounting.slot
            for what in ("received", "written", "dropped"):
                records.add_metric([served.name, what], slot.count(what))
            shadow.add_metric([served.name], served.shadow.dropped)
        yield from (records, shadow)
