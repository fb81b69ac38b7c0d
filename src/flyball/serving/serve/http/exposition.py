"""`/metrics` as Prometheus text, or as OpenMetrics with exemplars, made from the sums that the core keeps anyway.

An exemplar names one prediction of its bucket: the id leads to the prediction log, and from there to its training.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from flyball.core.access import RefusalKind
from flyball.core.budget_standing import BudgetsState
from flyball.core.routing import Observed
from flyball.core.seen_windows import SeenWindow
from flyball.serving.counting.counter_file import Slot
from flyball.serving.counting.report import Report
from flyball.serving.counting.tally import Tally
from flyball.serving.counting.totals import OPENMETRICS
from flyball.serving.serve.answering.served import Served
from flyball.serving.serve.http.health_metrics import health_metrics
from flyball.serving.serve.http.health_routes import Healths, unseen
from flyball.serving.serve.http.pressure import pressure
from flyball.serving.serve.http.promised import promised
from flyball.serving.serve.http.watched import watched

Filed = tuple[str, Observed, Sequence[Slot]]  # a service, how its step stands, the slots of its workers
EXEMPLAR_CHARACTERS = 128  # of names and values together: OpenMetrics allows no more


NOBODY: Mapping[RefusalKind, int] = {}
Windows = Callable[[str], SeenWindow | None]  # the newest window of a service; None: its monitor has closed none


Budgets = Callable[[str], BudgetsState | None]  # its error budgets; None: no controller has counted any


def _none(_: str) -> None:
    return None


def exposition(
    services: Iterable[Served],
    accept: str = "",
    windows: Windows = _none,
    healths: Healths = unseen,
    budgets: Budgets = _none,
    refused: Mapping[RefusalKind, int] = NOBODY,
) -> tuple[str, bytes]:
    """Content type and body, in the format that the header `Accept` asks for. `refused`: requests, by why."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Services(list(services), windows, healths, budgets))
    registry.register(_Refused(refused))
    encode, kind = choose_encoder(accept)
    return kind, encode(registry)


def report_of(services: Mapping[str, Served], refused: Mapping[RefusalKind, int] = NOBODY) -> Report:
    """What this process has to tell."""
    return Report(
        metrics=exposition(services.values(), OPENMETRICS, refused=refused)[1].decode(),
        statistics={name: served.statistics.releases for name, served in services.items()},
    )


def exposition_of(
    services: Iterable[Filed], windows: Windows = _none, healths: Healths = unseen, budgets: Budgets = _none
) -> str:
    """What counter files and newest windows of these services say, as OpenMetrics: a supervisor's own part."""
    registry = CollectorRegistry(auto_describe=False)
    found = list(services)
    registry.register(_Filed(found, windows, healths, budgets))
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text.decode()


class _Filed(Collector):
    def __init__(self, services: list[Filed], windows: Windows, healths: Healths, budgets: Budgets) -> None:
        self._services, self._seen = services, (windows, healths, budgets)

    def collect(self) -> Iterator[Metric]:
        yield from filed(self._services)
        yield from _seen([name for name, _, _ in self._services], *self._seen)


class _Refused(Collector):
    def __init__(self, counts: Mapping[RefusalKind, int]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        """Nothing where nobody was refused: a gateway without a guard refuses nobody."""
        if self._counts:
            family = CounterMetricFamily("flyball_refused_requests", "Requests refused for who asks", labels=["why"])
            for why, count in sorted(self._counts.items()):
                family.add_metric([why], count)
            yield family


class _Services(Collector):
    def __init__(self, services: list[Served], windows: Windows, healths: Healths, budgets: Budgets) -> None:
        self._services, self._seen = services, (windows, healths, budgets)

    def collect(self) -> Iterator[Metric]:
        yield from self._answers()
        yield from filed((one.name, one.core.observe(), [one.core.accounting.slot]) for one in self._services)
        yield from self._log()
        yield from self._labels()
        yield from pressure(self._services)
        yield from _seen([one.name for one in self._services], *self._seen)

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
            took.add_metric([served.name], buckets=_buckets(tally), sum_value=tally.seconds)
        yield from (rows, errors, slow, took)

    def _log(self) -> Iterator[Metric]:
        shadow = CounterMetricFamily("flyball_shadow_dropped", "Rows not shown to the shadow", labels=["service"])
        for served in self._services:
            shadow.add_metric([served.name], served.shadow.dropped)
        yield shadow

    def _labels(self) -> Iterator[Metric]:
        labels = CounterMetricFamily("flyball_labels", "Labels by what became of them", labels=["service", "what"])
        delay = HistogramMetricFamily("flyball_label_delay_seconds", "From a row to its label", labels=["service"])
        for served in self._services:
            tally = served.label_tally
            for what in ("accepted", "duplicate", "corrected", "unmatched", "late"):
                labels.add_metric([served.name, what], tally.counts[what])
            delay.add_metric([served.name], buckets=tally.cumulative(), sum_value=tally.seconds)
        yield from (labels, delay)


def _watched(names: Sequence[str], windows: Windows) -> Iterator[Metric]:
    """Nothing at all where no monitor has closed a window: families without a sample say nothing."""
    found = [(name, seen) for name in names if (seen := windows(name)) is not None]
    if found:
        yield from watched(found)


def _seen(names: Sequence[str], windows: Windows, healths: Healths, budgets: Budgets) -> Iterator[Metric]:
    """What controllers wrote down of these services."""
    yield from _watched(names, windows)
    yield from _healthy(names, healths)
    yield from _promised(names, budgets)


def _healthy(names: Sequence[str], healths: Healths) -> Iterator[Metric]:
    """Nothing at all where no controller has judged any."""
    found = [(name, seen) for name in names if (seen := healths(name)).report is not None or seen.unreadable]
    if found:
        yield from health_metrics(found)


def _promised(names: Sequence[str], budgets: Budgets) -> Iterator[Metric]:
    found = [state for name in names if (state := budgets(name)) is not None]
    if found:
        yield from promised(found)


def filed(services: Iterable[Filed]) -> Iterator[Metric]:
    """How the running step stands, and what became of records: as it is in the counter file."""
    weight = GaugeMetricFamily("flyball_candidate_weight", "Share of units, 0 to 1", labels=["service"])
    epoch = GaugeMetricFamily("flyball_routing_epoch", "Epoch of the routing in force", labels=["service"])
    pairs = GaugeMetricFamily("flyball_shadow_pairs", "Rows both arms answered in this step", labels=["service"])
    units = GaugeMetricFamily("flyball_step_units", "Distinct units of this step", labels=["service", "arm"])
    log_e = GaugeMetricFamily("flyball_rollout_log_e", "Log e-value against it", labels=["service", "guardrail"])
    arms = GaugeMetricFamily("flyball_arm_weight", "Share of units, 0 to 1", labels=["service", "arm"])
    against = GaugeMetricFamily("flyball_arm_log_e", "Log e-value against it", labels=["service", "arm", "guardrail"])
    records = CounterMetricFamily("flyball_log_records", "Records by what became of them", labels=["service", "what"])
    for name, seen, slots in services:
        for what in ("received", "written", "dropped"):
            records.add_metric([name, what], sum(slot.count(what) for slot in slots))
        if seen.routing is None or seen.counts is None:
            continue
        weight.add_metric([name], seen.routing.weight / 10_000)
        epoch.add_metric([name], seen.routing.epoch)
        pairs.add_metric([name], seen.counts.pairs)
        if not seen.routing.arms:
            units.add_metric([name, "champion"], seen.counts.champion.units)
            units.add_metric([name, "candidate"], seen.counts.candidate.units)
        for arm in seen.routing.arms:
            arms.add_metric([name, arm.name], arm.weight / 10_000)
        for each in seen.counts.arms:
            units.add_metric([name, each.name], each.step.units)
            if each.name != "champion":
                against.add_metric([name, each.name, "errors"], each.tests.errors)
                against.add_metric([name, each.name, "slow"], each.tests.slow)
        log_e.add_metric([name, "errors"], seen.counts.rollout_tests.errors)
        log_e.add_metric([name, "slow"], seen.counts.rollout_tests.slow)
    yield from (weight, epoch, pairs, units, log_e, arms, against, records)


def _buckets(tally: Tally) -> list[tuple[str, float] | tuple[str, float, Exemplar]]:
    """Counts at or below each bound, with the newest row of the bucket where there is one."""
    found: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
    for (bound, count), labels in zip(tally.cumulative(), tally.exemplars(), strict=True):
        if labels is None or sum(len(part) for pair in labels[0].items() for part in pair) > EXEMPLAR_CHARACTERS:
            found.append((bound, count))
        else:
            found.append((bound, count, Exemplar(*labels)))
    return found
