"""Error budgets as metrics: what a controller counted of each objective, also of those that no gateway can count.

They are as old as the newest pane that was counted, whose end is told beside them. An objective that nobody measured
has no sample of what is left: unknown is not 1.
"""

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from flyball.core.budget_standing import BudgetsState


def promised(states: Iterable[BudgetsState]) -> Iterator[Metric]:
    """Families of these services."""
    labels = ["service", "objective"]
    events = CounterMetricFamily("flyball_objective_events", "Events of an objective", labels=[*labels, "what"])
    left = GaugeMetricFamily("flyball_error_budget_left_ratio", "Of an error budget, below 0: overspent", labels=labels)
    ends = GaugeMetricFamily("flyball_error_budget_timestamp_seconds", "End of the newest pane", labels=["service"])
    for state in states:
        ends.add_metric([state.service], state.as_of)
        for each in state.budgets:
            name = each.objective.name
            if each.objective.sli == "query":
                continue
            events.add_metric([state.service, name, "good"], each.counted.good)
            events.add_metric([state.service, name, "total"], each.counted.total)
            if each.left is not None:
                left.add_metric([state.service, name], each.left)
    yield from (events, left, ends)
