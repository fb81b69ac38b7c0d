"""The decisions that somebody should take up front, and that a `service.yaml` leaves to the defaults.

A key that is written is a decision, also where it says what the default says: somebody has looked at it.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from flyball.contracts.yaml_text import read
from flyball.core.record import Record
from flyball.core.service import Service


class OpenDecision(Record):
    """Allowed, and left open."""

    name: str  # what is to be decided
    key: str  # what to write
    holds: str  # the default that holds now, in words


class _Decision(NamedTuple):
    name: str
    keys: tuple[str, ...]  # any of them, written, takes it
    holds: Callable[[Service], str]


def _steps(service: Service) -> str:
    return " > ".join(step.kind for step in service.rollout.steps)


def _chain(service: Service) -> str:
    links = [
        each if isinstance(each, str) else "rule" if each.rule else "constant" for each in service.serving.fallback
    ]
    return f"{', '.join(links) or 'nothing'} answers where the model does not"


_DECISIONS = (
    _Decision(
        "release unit",
        ("experiment.include", "experiment.module"),
        lambda service: f"{service.experiment.module}, every *.py beside it and the data contract go together",
    ),
    _Decision("unit of a rollout", ("data.key",), lambda _: "each request by itself: a client may meet both arms"),
    _Decision(
        "how long labels take",
        ("data.label_window_s",),
        lambda service: f"a label counts as matured after {service.data.label_window_s:g} s",
    ),
    _Decision("gates", ("gates",), lambda _: "none: whatever was trained is qualified"),
    _Decision(
        "retraining triggers",
        ("retrain.triggers", "retrain.schedule"),
        lambda service: f"{', '.join(service.retrain.triggers)}, and no schedule",
    ),
    _Decision(
        "how far a retraining goes alone",
        ("autonomy.retrain",),
        lambda service: f"{service.autonomy.retrain}: a person starts it",
    ),
    _Decision(
        "what the loop may spend",
        ("retrain.budget", "experiment.limits"),
        lambda service: f"no bound but a pause of {service.retrain.cooldown_s:g} s between two trainings",
    ),
    _Decision("promotion policy", ("rollout.steps", "rollout"), lambda service: f"steps {_steps(service)}"),
    _Decision("who approves a promotion", ("autonomy.promote",), lambda service: service.autonomy.promote),
    _Decision("serving mode: fallback", ("serving.fallback",), _chain),
    _Decision(
        "serving mode: deadline",
        ("serving.deadline_ms",),
        lambda service: f"{service.serving.deadline_ms:g} ms, after which the fallback chain is asked",
    ),
    _Decision(
        "serving objectives",
        ("serving.objectives",),
        lambda service: (
            f"availability {service.serving.objectives.availability:g}, "
            f"p99 {service.serving.objectives.latency_p99_ms:g} ms"
        ),
    ),
    _Decision(
        "owners, and who may roll back",
        ("metadata.people",),
        lambda service: f"{service.metadata.owner}; whoever reaches the home may approve and roll back",
    ),
    _Decision(
        "monitoring scope: quality",
        ("monitor.live_metric",),
        lambda _: "drift of inputs and answers only; a loss of quality raises nothing",
    ),
    _Decision("monitoring scope: slices", ("monitor.slices",), lambda _: "all rows together; no group by itself"),
    _Decision("who is told, and on call", ("alerts",), lambda _: "nobody is told of anything"),
    _Decision(
        "what a spent error budget stops",
        ("slo",),
        lambda _: "nothing: budgets are counted and shown",
    ),
    _Decision("what is drilled, how often", ("drills",), lambda _: "nothing but the fallback chain by itself"),
    _Decision("retention", ("serving.log.retention_s",), lambda _: "rows of clients are kept for ever"),
    _Decision("digests", ("review.digests",), lambda _: "none is written by itself"),
)


def open_decisions(text: str, service: Service) -> tuple[OpenDecision, ...]:
    """What the text of a sound `service.yaml` leaves open, in the order in which one would decide it.

    >>> from flyball.contracts.declaration.service_file import parse
    >>> text = "{apiVersion: flyball/v1, kind: Service, metadata: {name: f, owner: o}, data: {contract: c.yaml, " + \\
    ...        "source: t.csv, label: y}, experiment: {task: binary, metric: roc_auc}, gates: []}"
    >>> [each.key for each in open_decisions(text, parse(text))][:3]
    ['experiment.include', 'data.key', 'data.label_window_s']
    """
    written = read(text, file="service.yaml").data
    return tuple(
        OpenDecision(name=each.name, key=each.keys[0], holds=each.holds(service))
        for each in _DECISIONS
        if not any(_written(written, key.split(".")) for key in each.keys)
    )


def _written(value: Any, path: list[str]) -> bool:
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return True
