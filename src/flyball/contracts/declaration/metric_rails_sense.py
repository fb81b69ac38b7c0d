"""Metric guardrails that make no sense: a metric that the task has not, a value without bounds, a margin of nothing."""

import math
from collections.abc import Iterator

from flyball.contracts.declaration.task_metrics import Finding
from flyball.contracts.yaml_text import Path
from flyball.core.cohorts import Cohorts
from flyball.core.declared.guardrails import ArmMetric, MetricGuardrail
from flyball.core.margin import margin
from flyball.core.service import Experiment, Monitor, Rollout, Task

TASKS: dict[ArmMetric, tuple[Task, ...]] = {
    "accuracy": ("binary", "multiclass"),
    "conversion": ("binary",),
    "value": ("binary", "multiclass", "regression"),
    "mae": ("regression",),
}
AT: Path = ("rollout", "guardrails", "metrics")


def of_metric_rails(
    rollout: Rollout, experiment: Experiment, monitor: Monitor | None, routing: Cohorts | None
) -> Iterator[Finding]:
    """Yields (path, expected, found, fix)."""
    rails = rollout.guardrails.metrics
    for index, rail in enumerate(rails):
        at: Path = (*AT, index)
        if any(other.name == rail.name for other in rails[:index]):
            yield (*at, "name"), "each metric once", f"{rail.name} again", ""
        if experiment.task not in TASKS[rail.name]:
            known = ", ".join(name for name, tasks in TASKS.items() if experiment.task in tasks)
            yield (*at, "name"), f"a mean over rows of {experiment.task}: {known}", rail.name, ""
            continue
        if rail.name == "value" and monitor is not None and monitor.value is None:
            yield (*at, "name"), "monitor.value, which says what an answer is worth", "none", "declare it"
        yield from _range(at, rail, needed=_needs_range(rail, experiment, monitor))
        yield from _share_of_nothing(at, rail, monitor)
        yield from _margin(at, rail)
    if rails and routing is not None and any(rule.arm != "split" for rule in routing.rules):
        fix = "metrics compare units that chance assigned; remove the rules, or compare by an A/B test"
        yield AT, "no routing rule that places rows by itself", "some", fix


def _needs_range(rail: MetricGuardrail, experiment: Experiment, monitor: Monitor | None) -> bool:
    """Whether nothing else bounds the value of a row."""
    worth = monitor.value if monitor is not None else None
    of_a_column = worth is not None and worth.column is not None
    return rail.name == "mae" or (rail.name == "value" and (of_a_column or experiment.task == "regression"))


def _range(at: Path, rail: MetricGuardrail, *, needed: bool) -> Iterator[Finding]:
    if rail.range is None:
        if needed:
            fix = "the least and the largest value of a row that counts; what lies outside counts as the nearer end"
            yield (*at, "range"), "a range, such as [0, 500]", "none", fix
        return
    low, high = rail.range
    if rail.name in ("accuracy", "conversion"):
        yield (*at, "range"), "no range: a share lies between 0 and 1", f"{low:g} to {high:g}", "remove it"
    elif not (math.isfinite(low) and math.isfinite(high) and low < high):
        yield (*at, "range"), "two finite numbers, the smaller one first", f"{low:g} to {high:g}", ""


def _share_of_nothing(at: Path, rail: MetricGuardrail, monitor: Monitor | None) -> Iterator[Finding]:
    """A mean of values below 0 may be next to 0, and a share of it nothing."""
    worth = monitor.value if monitor is not None else None
    low = rail.range[0] if rail.range is not None else worth.weights[0] if rail.name == "value" and worth else 0.0
    if low < 0 and isinstance(rail.tolerated, str):
        expected = "a loss in the metric's own unit, because its values go below 0"
        yield (*at, "max_loss"), expected, rail.tolerated, "a mean may be next to 0 then, and a share of it nothing"


def _margin(at: Path, rail: MetricGuardrail) -> Iterator[Finding]:
    written = rail.tolerated
    most = 1.0 if isinstance(written, str) or rail.name in ("accuracy", "conversion") else math.inf
    size = margin(written, 1.0)
    if not 0 < size < most:
        words = "above 0" if math.isinf(most) else "above 0 and below 100%" if isinstance(written, str) else "in (0, 1)"
        yield (*at, "max_loss"), f"a loss {words}", str(written), ""
