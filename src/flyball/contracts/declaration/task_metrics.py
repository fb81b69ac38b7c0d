"""Whether a metric exists for the task of a service."""

from collections.abc import Iterator

from flyball.contracts.schema_faults import nearest
from flyball.contracts.yaml_text import Path
from flyball.core.service import Experiment
from flyball.stats.scoring.metrics import METRICS

Finding = tuple[Path, str, str, str]  # path, expected, found, fix


def metric_of_task(path: Path, name: str, experiment: Experiment) -> Iterator[Finding]:
    """Nothing where the metric fits, or is none of the task's metrics at all (the structure tells that)."""
    metric = METRICS.get(name)
    if metric is not None and experiment.task not in metric.tasks:
        known = [other.name for other in METRICS.values() if experiment.task in other.tasks]
        yield path, f"a metric for {experiment.task}: {', '.join(known)}", name, nearest(name, known)
