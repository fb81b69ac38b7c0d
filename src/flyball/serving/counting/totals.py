"""The metrics of several workers as one text: what counts is added, what says how the gateway stands is taken once."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar, Sample

OPENMETRICS = "application/openmetrics-text"  # in which workers tell one another: the plain format has no exemplars

# the largest is told: what is the same in each worker, and what is true of the gateway as soon as it is of one
ONCE = frozenset({"flyball_candidate_weight", "flyball_routing_epoch", "flyball_circuit_open", "flyball_arm_weight"})
EMPTY = "# EOF\n"
IN_THE_FILE = frozenset({"flyball_log_records"})  # counted where it outlives the process that counted it


def added(texts: Sequence[str], owned: str = EMPTY) -> str:
    """One text of several, OpenMetrics all of them; of the exemplars of a sample the newest stays. `owned`: a text
    whose families take the place of theirs.

    >>> one = "# HELP a x\\n# TYPE a counter\\na_total{arm=\\"b\\"} 2.0\\n# EOF\\n"
    >>> added([one, one]).splitlines()[-2]
    'a_total{arm="b"} 4.0'
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Added(texts, owned))
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text.decode()


def lasting(text: str) -> str:
    """What remains true when the process that told it is no more: its counters and histograms, but not those that are
    in the counter file.

    >>> one = "# HELP a x\\n# TYPE a counter\\na_total 2.0\\n# HELP b x\\n# TYPE b gauge\\nb 1.0\\n# EOF\\n"
    >>> [line for line in lasting(one).splitlines() if not line.startswith("#")]
    ['a_total 2.0']
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Added([text], keep=lambda family: family.type != "gauge" and family.name not in IN_THE_FILE))
    kept: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return kept.decode()


def encoded(text: str, accept: str) -> tuple[str, bytes]:
    """Content type and body of an OpenMetrics text, in the format that the header `Accept` asks for.

    >>> one = "# HELP a x\\n# TYPE a counter\\na_total{arm=\\"b\\"} 2.0\\n# EOF\\n"
    >>> encoded(one, "")[1].decode().splitlines()[-1], encoded(one, OPENMETRICS)[1].decode().splitlines()[-1]
    ('a_total{arm="b"} 2.0', '# EOF')
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Added([text]))
    encode, kind = choose_encoder(accept)
    return kind, encode(registry)


class _Added(Collector):
    def __init__(
        self, texts: Sequence[str], owned: str = EMPTY, keep: Callable[[Metric], bool] = lambda _: True
    ) -> None:
        self._texts, self._owned, self._keep = texts, owned, keep

    def collect(self) -> Iterator[Metric]:
        own = list(text_string_to_metric_families(self._owned))  # type: ignore[no-untyped-call]
        yield from own
        names = {family.name for family in own}
        families: dict[str, Metric] = {}
        samples: dict[str, dict[tuple[str, tuple[tuple[str, str], ...]], Sample]] = {}
        for text in self._texts:
            for family in text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
                if family.name in names or not self._keep(family):
                    continue
                families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                mine = samples.setdefault(family.name, {})
                for sample in family.samples:
                    key = sample.name, tuple(sample.labels.items())
                    old = mine.get(key)
                    mine[key] = sample if old is None else _both(old, sample, once=family.name in ONCE)
        for name, metric in families.items():
            for sample in samples[name].values():
                metric.add_sample(sample.name, sample.labels, sample.value, exemplar=sample.exemplar)
            yield metric


def _both(one: Sample, other: Sample, *, once: bool) -> Sample:
    value = max(one.value, other.value) if once else one.value + other.value
    known: list[Exemplar] = [each.exemplar for each in (one, other) if each.exemplar is not None]
    newest = max(known, key=lambda exemplar: float(exemplar.timestamp or 0.0), default=None)
    return Sample(one.name, one.labels, value, exemplar=newest)
