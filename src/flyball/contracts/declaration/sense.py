"""What a well-formed declaration may still get wrong: values that make no sense together.

Each function judges one section and yields (path, expected, found, fix).
"""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from cronsim import CronSim, CronSimError

from flyball.contracts.declaration.task_metrics import Finding, metric_of_task
from flyball.contracts.schema_faults import nearest
from flyball.contracts.yaml_text import Path
from flyball.core.cohorts import Cohorts
from flyball.core.declared.destination import Destination
from flyball.core.service import (
    Experiment,
    HealthRules,
    Metadata,
    Monitor,
    Retrain,
    Rollout,
    Search,
    Service,
    Step,
)
from flyball.core.step_names import timed_names

CRON_FIELDS = 5


def of_experiment(experiment: Experiment, given: dict[str, Any]) -> Iterator[Finding]:
    """`given`: the section as written, because a default and the same value written down differ here."""
    at: Path = ("experiment",)
    yield from metric_of_task((*at, "metric"), experiment.metric, experiment)
    if experiment.task != "binary" and "threshold" in given:
        yield (*at, "threshold"), "no threshold", f"a threshold with task {experiment.task}", "remove it"
    if experiment.search is not None:
        yield from _search((*at, "search"), experiment.search)
    names = [(("module",), experiment.module), *((("include", i), name) for i, name in enumerate(experiment.include))]
    for key, name in names:
        if name.startswith("/") or ".." in name.split("/") or not name:
            yield (*at, *key), "a file in the folder of service.yaml", f"text {name!r}", ""
    if not experiment.module.endswith(".py"):
        yield (*at, "module"), "a Python file", f"text {experiment.module!r}", ""


def _search(at: Path, search: Search) -> Iterator[Finding]:
    """Every key has somewhere to look: a range with two ends in order, or choices."""
    if not search.space:
        yield (*at, "space"), "at least one key of config", "an empty mapping", "remove search to train without one"
    for key, space in search.space.items():
        here: Path = (*at, "space", key)
        ends = [name for name in ("low", "high") if getattr(space, name) is not None]
        if space.choices:
            if ends or space.log:
                yield here, "choices, or low and high", "both", "remove one of the two"
            if len(set(map(repr, space.choices))) < len(space.choices):
                yield (*here, "choices"), "each choice once", "one of them twice", ""
        elif len(ends) < 2:
            yield here, "low and high, or choices", ends[0] if ends else "none of them", ""
        elif space.low is not None and space.high is not None:
            yield from _range(here, space.low, space.high, log=space.log)


def _range(at: Path, low: float, high: float, *, log: bool) -> Iterator[Finding]:
    if not (math.isfinite(low) and math.isfinite(high)):
        yield at, "finite numbers", f"{low:g} to {high:g}", ""
    elif low >= high:
        yield at, "low below high", f"{low:g} to {high:g}", "a value that is fixed belongs into config"
    elif log and low <= 0:
        yield (*at, "low"), "more than 0 with log", f"{low:g}", ""


def of_routing(cohorts: Cohorts) -> Iterator[Finding]:
    """Each rule looks at one thing and can be reached."""
    everybody: int | None = None
    for index, rule in enumerate(cohorts.rules):
        at: Path = ("routing", "rules", index)
        if everybody is not None:
            found = f"rule {index} behind rule {everybody}"
            yield at, "no rule behind one that fits every row", found, "it is never asked"
        looks = [name for name in (rule.header, rule.column) if name is not None]
        if len(looks) > 1:
            yield (*at, "column"), "a header or a column", "both", "write two rules"
        if looks and not rule.in_:
            yield (*at, "in"), "the values that fit", "none", ""
        if not looks and rule.in_:
            yield (*at, "in"), "a header or a column to compare", "neither", ""
        if not looks:
            everybody = index


def of_monitor(monitor: Monitor, experiment: Experiment) -> Iterator[Finding]:
    psi = monitor.psi
    if psi.warn > psi.act:
        yield ("monitor", "psi", "warn"), f"at most act ({psi.act:g})", f"{psi.warn:g}", ""
    if monitor.live_metric is not None:
        yield from metric_of_task(("monitor", "live_metric", "name"), monitor.live_metric.name, experiment)
    yield from _of_health(monitor.health)


def _of_health(rules: HealthRules) -> Iterator[Finding]:
    """What is worse comes later: else a state could be reached by no input, or only past the one beyond it."""
    at: Path = ("monitor", "health")
    if rules.failed_errors < rules.errors:
        yield (*at, "failed_errors"), f"at least errors ({rules.errors:g})", f"{rules.failed_errors:g}", ""
    if rules.failed_s < rules.span_s:
        yield (*at, "failed_s"), f"at least span_s ({rules.span_s:g})", f"{rules.failed_s:g}", ""
    if rules.trend_retrain < rules.trend_warn:
        yield (*at, "trend_retrain"), f"at least trend_warn ({rules.trend_warn:g})", f"{rules.trend_retrain:g}", ""
    if rules.disk_full > rules.disk_free:
        yield (*at, "disk_full"), f"at most disk_free ({rules.disk_free:g})", f"{rules.disk_full:g}", ""


def of_rollout(rollout: Rollout, metadata: Metadata | None) -> Iterator[Finding]:
    at: Path = ("rollout", "steps")
    steps = rollout.steps
    if not steps:
        yield at, "at least the step promote", "an empty list", "leave the key out for the default steps"
        return
    if any(_forms(step) != 1 for step in steps):
        return  # which kinds there are is not yet clear; the structure's faults say so
    kinds = [step.kind for step in steps]
    for index, kind in enumerate(kinds[:-1]):
        if kind == "promote":
            yield (*at, index), "promote as the last step", f"steps[{index}] of {len(steps)}", "move it to the end"
    if "promote" not in kinds:
        yield at, "promote as the last step", kinds[-1], "add `- promote: {}`"
    for index, kind in enumerate(kinds):
        if kind == "approval" and "approval" in kinds[:index]:
            yield (*at, index), "one approval", "a second one", "remove it: a rollout has one approval"
        if kind == "soak" and kinds[index + 1 : index + 2] != ["promote"]:
            fix = "a soak is the last trial: its end makes the candidate champion"
            yield (*at, index), "soak directly before promote", f"steps[{index}] of {len(steps)}", fix
        if kind == "soak" and "canary" not in kinds[:index]:
            fix = "at nearly all traffic a bad release does its harm before anything is surely known"
            yield (*at, index), "a canary before a soak", "none", fix
        if kind == "shadow" and "canary" in kinds[:index]:
            yield (*at, index), "shadow before the first canary", "shadow after a canary", "move it up"
    yield from _rising(steps)
    yield from _waived(rollout)
    if metadata is not None and metadata.people:
        yield from _approver(steps, metadata)


def _forms(step: Step) -> int:
    return sum(
        form is not None for form in (step.shadow, step.approval, step.canary, step.pause, step.soak, step.promote)
    )


def _waived(rollout: Rollout) -> Iterator[Finding]:
    """Only what collects evidence can be too weak."""
    names = timed_names(rollout.steps)
    for name in rollout.waive:
        if name not in names:
            expected = f"a step that collects evidence: {', '.join(names) or 'none does'}"
            yield ("rollout", "waive", name), expected, name, nearest(name, names)


def _rising(steps: tuple[Step, ...]) -> Iterator[Finding]:
    highest = 0.0
    for index, step in enumerate(steps):
        if step.live is None:
            continue
        if step.live.weight <= highest:
            path: Path = ("rollout", "steps", index, *(("canary", "weight") if step.canary else ("soak", "holdback")))
            found = f"{step.live.weight:g}" if step.canary else f"{step.live.weight:g} beside it"
            yield path, f"more than the canary before ({highest:g})", found, "weights only rise"
        highest = max(highest, step.live.weight)


def _approver(steps: tuple[Step, ...], metadata: Metadata) -> Iterator[Finding]:
    for index, step in enumerate(steps):
        if step.approval is not None and not any(step.approval.role in roles for roles in metadata.people.values()):
            path: Path = ("rollout", "steps", index, "approval", "role")
            fix = "give somebody the role, or the rollout waits for ever"
            yield path, "a role that somebody in metadata.people holds", step.approval.role, fix
        holders = sum(step.approval.role in roles for roles in metadata.people.values()) if step.approval else 0
        if step.approval is not None and 0 < holders < step.approval.quorum:
            path = ("rollout", "steps", index, "approval", "quorum")
            fix = "give more people the role, or the rollout waits for ever"
            yield path, f"at most the {holders} who hold the role", str(step.approval.quorum), fix


def of_retrain(retrain: Retrain) -> Iterator[Finding]:
    if retrain.min_new_rows > retrain.window_rows:
        expected = f"at most window_rows ({retrain.window_rows})"
        yield ("retrain", "min_new_rows"), expected, str(retrain.min_new_rows), "a training could never begin"
    rows = retrain.new_data_rows
    if rows is not None and "new_data" not in retrain.triggers:
        yield ("retrain", "new_data_rows"), "with the trigger new_data", str(rows), "name it in retrain.triggers"
    if rows is not None and rows > retrain.window_rows:
        expected = f"at most window_rows ({retrain.window_rows})"
        yield ("retrain", "new_data_rows"), expected, str(rows), "older rows are forgotten, and it would never ask"
    if retrain.budget.epsilon_total is not None and retrain.budget.epsilon_per_run is None:
        at: Path = ("retrain", "budget", "epsilon_per_run")
        yield at, "what one training spends of epsilon_total", "nothing", "no training reports it by itself"
    rule = retrain.pressure
    if rule is not None and rule.exit > rule.enter:
        yield ("retrain", "pressure", "exit"), f"at most enter ({rule.enter:g})", f"{rule.exit:g}", ""
    if rule is not None and rule.ki == 0:
        yield ("retrain", "pressure", "ki"), "above 0", "0", "a lasting error would never be acted on"
    if rule is not None and not {"drift", "risk"} & set(retrain.triggers):
        expected = "the trigger drift or risk"
        yield ("retrain", "pressure"), expected, ", ".join(retrain.triggers) or "none", "nothing would press"
    if retrain.schedule is not None:
        expected, fix = "five fields of cron that ever come, UTC: 0 3 * * 0 is Sundays at three", ""
        try:
            next(CronSim(retrain.schedule, datetime(2026, 1, 1, tzinfo=UTC)))
        except (CronSimError, StopIteration) as error:
            fix = str(error) or "no day is such"
        if fix or len(retrain.schedule.split()) != CRON_FIELDS:  # a sixth would be seconds
            yield ("retrain", "schedule"), expected, f"text {retrain.schedule!r}", fix


def of_events(events: tuple[Destination, ...]) -> Iterator[Finding]:
    """Each destination can be told from the others, can be reached by its scheme, and holds no secret."""
    for index, each in enumerate(events):
        at: Path = ("events", index)
        if any(each.called == other.called for other in events[:index]):
            yield (*at, "name"), "a name of its own", f"a second {each.called!r}", "add `name:`"
        scheme, colon, rest = each.to.partition(":")
        schemes = ("http", "https", "sqlite") if each.format == "mlflow" else ("http", "https", "file")
        if not colon or scheme not in schemes or not rest.strip("/"):
            yield (*at, "to"), f"an address that begins with {', '.join(schemes)}", f"text {each.to!r}", ""
        if "@" in rest.removeprefix("//").split("/")[0] and scheme in ("http", "https"):
            yield (*at, "to"), "an address without a password", "user and password in it", "name a variable in `token`"
        for key in ("secret", "token"):
            if getattr(each, key) is not None and (scheme == "file" or each.format == "mlflow"):
                fix = "MLflow reads MLFLOW_TRACKING_TOKEN" if each.format == "mlflow" else "nothing would use it"
                yield (*at, key), f"no {key} with {each.format} to {scheme}:", key, fix


def of_columns(data: Any) -> Iterator[Finding]:
    """Label, timestamp and key are three different columns."""
    if not isinstance(data, dict):
        return
    taken: dict[str, str] = {}
    for key in ("label", "timestamp", "key"):
        name = data.get(key)
        if isinstance(name, str):
            if name in taken:
                yield ("data", key), f"another column than {taken[name]}", f"text {name!r}", ""
            taken.setdefault(name, key)
    yield from _pin(data.get("pin"))


def _pin(pin: Any) -> Iterator[Finding]:
    """The pattern of the structure lets a 31 February through."""
    day = pin.get("retention_until") if isinstance(pin, dict) else None
    if isinstance(day, str):
        try:
            date.fromisoformat(day)
        except ValueError:
            yield ("data", "pin", "retention_until"), "a day of the calendar, 2027-06-30", f"text {day!r}", ""


def notes(service: Service) -> tuple[str, ...]:
    """What is allowed but probably not meant, and what nothing reads so far."""
    found = []
    if not service.metadata.people and any(step.approval is not None for step in service.rollout.steps):
        found.append("metadata.people is empty: whoever reaches the home can approve a rollout")
    for index, rule in enumerate(service.policy.rules):
        if rule.effect == "alone":
            found.append(f"policy.rules[{index}]: releases are promoted WITHOUT A PERSON while {rule.when}")
    return (*found, *(f"{where}: declared, not used yet" for where in _unused(service)))


def _unused(service: Service) -> Iterator[str]:
    """Keys that are part of the format before anything acts on them."""
    goals = service.serving.objectives
    if goals.throughput_rps is not None:
        yield "serving.objectives.throughput_rps"
    if goals.latency_p50_ms is not None:
        yield "serving.objectives.latency_p50_ms"
