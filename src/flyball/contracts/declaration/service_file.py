"""`service.yaml` as a record: structure first, then sense, and every fault of both at once."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from flyball.contracts.declaration import gate_sense, healing_sense, policy_sense, sense, serving_sense
from flyball.contracts.declaration.alerts_sense import of_alerts
from flyball.contracts.declaration.drills_sense import of_drills
from flyball.contracts.declaration.json_schema import resolved_schema
from flyball.contracts.declaration.metric_rails_sense import of_metric_rails
from flyball.contracts.declaration.objectives_sense import of_slo
from flyball.contracts.declaration.overlay import laid_over
from flyball.contracts.declaration.presets import spelled_out
from flyball.contracts.declaration.task_metrics import Finding
from flyball.contracts.durations import resolved
from flyball.contracts.schema_faults import faults
from flyball.contracts.yaml_text import Path, read, refusal
from flyball.core.cohorts import Cohorts
from flyball.core.declared.destination import Destination
from flyball.core.declared.drills import Schedule
from flyball.core.declared.incidents import PLACE, Incidents
from flyball.core.service import (
    Alerts,
    Autonomy,
    Experiment,
    Gate,
    Healing,
    Metadata,
    Monitor,
    Policy,
    Retrain,
    Rollout,
    Service,
    Serving,
    Slo,
)

Section = TypeVar("Section")


def parse(text: str, *, file: str = "service.yaml", over: Mapping[str, Any] | None = None) -> Service:
    """The declaration that a text makes, durations in seconds and every default written out.

    Args: over: a declaration of which the text says only what is otherwise, as `declaration` gives it.

    Raises: BadInput with all faults: YAML, unknown keys, types and bounds, then what makes no sense together.
    """
    document = read(text, file=file)
    if document.data is None or document.faults:
        raise refusal(file, document.faults or [document.fault((), "a mapping", "nothing")])
    data, unknown = spelled_out(resolved(document.data if over is None else laid_over(over, document.data)))
    structure = faults(document, data, resolved_schema())
    found = [fault for _, fault in structure]
    found += [document.fault(each.path, each.expected, each.name, "") for each in unknown]
    if isinstance(data, dict):
        blamed = [path for path, _ in structure]
        for path, expected, what, fix in _senseless(_healthy(data, blamed), data):
            # what depends on a value already blamed is no fault of its own
            if not any(other[: len(path)] == path for other in blamed):
                found.append(document.fault(path, expected, what, fix))
    if found:
        raise refusal(file, found)
    service: Service = msgspec.convert(data, Service)
    return service


def declaration(service: Service) -> dict[str, Any]:
    """The service as plain values, every default written out: what goes into digests and onto the ledger."""
    builtins: dict[str, Any] = msgspec.to_builtins(service)
    return builtins


def _healthy(data: dict[str, Any], blamed: list[Path]) -> dict[str, Any]:
    """A copy without the values already blamed, so that the rest can still be judged."""

    def copy(value: Any, path: Path) -> Any:
        match value:
            case dict():
                return {key: copy(item, (*path, key)) for key, item in value.items() if (*path, key) not in blamed}
            case list():
                return [copy(item, (*path, index)) for index, item in enumerate(value)]
            case _:
                return value

    healthy: dict[str, Any] = copy(data, ())
    return healthy


def _section(
    data: dict[str, Any], name: str, kind: type[Section], default: Callable[[], Section | None]
) -> Section | None:
    """One section as its record; None where it is too broken to be judged."""
    if name not in data:
        return default()
    try:
        return msgspec.convert(data[name], kind)
    except msgspec.ValidationError:
        return None  # not swallowed: the structure's faults of this section are already in the list


def _senseless(healthy: dict[str, Any], data: dict[str, Any]) -> list[Finding]:
    experiment = _section(healthy, "experiment", Experiment, _absent)
    metadata = _section(healthy, "metadata", Metadata, _absent)
    rollout = _section(healthy, "rollout", Rollout, Rollout)
    found: list[Finding] = []
    if experiment is not None:
        given = data.get("experiment")
        found += sense.of_experiment(experiment, given if isinstance(given, dict) else {})
        found += gate_sense.of_tests(experiment)
        gates = _section(healthy, "gates", tuple[Gate, ...], tuple)
        if gates is not None:
            found += gate_sense.of_gates(gates, experiment, rollout)
        serving = _section(healthy, "serving", Serving, Serving)
        if serving is not None:
            found += serving_sense.of_serving(serving, experiment)
            found += serving_sense.of_asking_once(serving, rollout, gates or ())
        routing = _section(healthy, "routing", Cohorts, Cohorts)
        if routing is not None:
            found += sense.of_routing(routing)
        monitor = _section(healthy, "monitor", Monitor, Monitor)
        if monitor is not None:
            found += sense.of_monitor(monitor, experiment)
        if rollout is not None:
            found += of_metric_rails(rollout, experiment, monitor, routing)
    if rollout is not None:
        found += sense.of_rollout(rollout, metadata)
    retrain = _section(healthy, "retrain", Retrain, Retrain)
    if retrain is not None:
        found += sense.of_retrain(retrain)
    healing = _section(healthy, "healing", Healing, Healing)
    if healing is not None:
        found += healing_sense.of_healing(healing)
    policy = _section(healthy, "policy", Policy, Policy)
    if policy is not None:
        found += policy_sense.of_policy(policy)
        named = _section(healthy, "gates", tuple[Gate, ...], tuple)
        if named is not None:
            found += policy_sense.of_names(policy, named)
        if rollout is not None:
            autonomy = _section(healthy, "autonomy", Autonomy, Autonomy)
            found += policy_sense.of_needed(policy, rollout, metadata, autonomy)
    slo = _section(healthy, "slo", Slo, _absent) if healthy.get("slo") is not None else None
    if slo is not None:
        monitor = _section(healthy, "monitor", Monitor, Monitor)
        found += of_slo(slo, monitor, timed=_timed(healthy))
    drills = _section(healthy, "drills", Schedule, dict)
    if drills is not None:
        found += of_drills(drills, _section(healthy, "serving", Serving, Serving))
    events = _section(healthy, "events", tuple[Destination, ...], tuple)
    if events is not None:
        found += sense.of_events(events)
    incidents = _section(healthy, "incidents", Incidents, Incidents)
    if incidents is not None and incidents.repairs is not None and PLACE not in incidents.repairs:
        expected = f"a path with {PLACE} in it, as repairs/{PLACE}.parquet"
        found.append((("incidents", "repairs"), expected, f"text {incidents.repairs!r}", ""))
    alerts = _section(healthy, "alerts", Alerts, _absent) if healthy.get("alerts") is not None else None
    if alerts is not None:
        found += of_alerts(alerts, events or ())
    found += sense.of_columns(healthy.get("data"))
    return found


def _timed(healthy: dict[str, Any]) -> bool:
    """Whether a row says when it is of."""
    data = healthy.get("data")
    return isinstance(data, dict) and data.get("timestamp") is not None


def _absent() -> None:
    """A section without a default: where it is missing nothing can be judged by it."""
