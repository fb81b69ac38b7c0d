"""The running step in the light of what the gateway has counted, and of what the monitor has seen."""

from flyball.control.decision import Learning, Outlook, elapsed_s
from flyball.control.failure import Failure
from flyball.control.rollout.drilled import steps_of
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.health import Health
from flyball.core.metric_evidence import MetricEvidence
from flyball.core.record import Record
from flyball.core.routing import Observed, PairEvidence
from flyball.core.service import Service
from flyball.decide.even_shares import lowerings
from flyball.decide.rollout import RATIO_LOG_E, advance


class Seen(Record):
    """What the sensor has to say at this moment."""

    learning: Learning = Learning()
    watched: tuple[e.AnyFact, ...] = ()
    changed: tuple[e.AnyFact, ...] = ()  # of the service's health
    labels: PairEvidence | None = None
    metrics: tuple[MetricEvidence, ...] = ()  # of the running rollout's two arms
    health: Health = Health()  # with its figures as of now
    failure: Failure | None = None  # the sensor raised: of all else here nothing is known


def of_step(state: ServiceState, service: Service, observed: Observed | None, seen: Seen, now: str) -> Outlook:
    """What the evidence of the running step says; nothing where none runs, or nothing is counted."""
    rollout, labels = state.rollout, seen.labels
    if rollout is None or rollout.step is None or observed is None or observed.counts is None:
        return Outlook()
    steps = steps_of(rollout, service)
    if rollout.step.index >= len(steps):  # the declaration has fewer steps now: nothing can be judged by it
        return Outlook(labels=labels)
    gates = state.releases[rollout.release].gates if not rollout.drill else ()
    verdict = advance(
        steps[rollout.step.index],
        rollout.step.routing,
        observed.counts,
        elapsed_s=elapsed_s(rollout.step.started_at, now),
        labels=labels,
        metrics=seen.metrics,
        labels_decide=any(gate.passed and gate.verdict == "INCONCLUSIVE" for gate in gates),
        ratio_log_e_before=sum(passed.numbers.get(RATIO_LOG_E, 0.0) for _, passed in rollout.verdicts),
        lowered=lowerings([weight for _, weight in rollout.weights]),
    )
    return Outlook(verdict=verdict, labels=labels)
