"""The part of `/metrics` that tells how close a service is to turning rows away, and whom it has turned away."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from flyball.serving.serve.answering.served import Served


def pressure(services: Sequence[Served]) -> Iterator[Metric]:
    """Rows in flight and their limit (both of the champion), shed rows by class, retries, open circuits."""
    flying = GaugeMetricFamily("flyball_in_flight_rows", "Rows in flight at the champion", labels=["service"])
    limit = GaugeMetricFamily("flyball_limit_rows", "Rows that may be in flight there", labels=["service"])
    shed = CounterMetricFamily("flyball_shed_rows", "Rows turned away", labels=["service", "class"])
    caught = CounterMetricFamily("flyball_caught_rows", "Rows without room, answered all the same", labels=["service"])
    again = CounterMetricFamily("flyball_retried_rows", "Rows for a second release", labels=["service", "what"])
    filtered = CounterMetricFamily("flyball_filtered_rows", "Rows a filter fired on", labels=["service", "filter"])
    circuit = GaugeMetricFamily("flyball_circuit_open", "1: the release is not asked", labels=["service", "arm"])
    for served in services:
        routing = served.core.routing
        if routing is not None:
            of = served.overloads.limit(routing.champion)
            flying.add_metric([served.name], of.in_flight)
            limit.add_metric([served.name], of.rows)
        for rank, rows in served.overloads.shed.items():
            shed.add_metric([served.name, rank], rows)
        caught.add_metric([served.name], served.catching.answered)
        again.add_metric([served.name, "asked"], served.retries.spent)
        again.add_metric([served.name, "refused"], served.retries.refused)
        broken = served.arms.broken
        if routing is not None:
            named = {"champion": routing.champion, "candidate": routing.candidate, "previous": routing.previous}
            named |= {arm.name: arm.release for arm in routing.arms}
            for arm, root in named.items():
                if root is not None:
                    circuit.add_metric([served.name, arm], root in broken)
        if served.core.filters is not None:
            for one in served.core.service.serving.filters:
                filtered.add_metric([served.name, one.name], served.core.filters.fired[one.name])
    yield from (filtered, flying, limit, shed, caught, again, circuit)
