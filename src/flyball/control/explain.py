"""Why something did or did not happen, told from the ledger alone."""

from collections.abc import Iterable

import msgspec

from flyball.control.narrate import sentence
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.errors import NotFound
from flyball.core.health import Health
from flyball.core.ledger import Entry
from flyball.core.record import Record


class Line(Record):
    seq: int
    at: str
    type: str
    text: str


class Explanation(Record):
    """The story of one subject: what stands now, what it waits for, and the facts that led there."""

    subject: str
    service: str
    standing: str  # where things stand, in one sentence
    because: tuple[str, ...]  # the reasons of the last decisions
    waiting_for: tuple[str, ...]
    events: tuple[Line, ...]
    health: Health = Health()  # of the service; as the ledger has it
    health_since: str = ""  # RFC 3339, UTC


def explain(subject: str, entries: Iterable[Entry], states: dict[str, ServiceState]) -> Explanation:
    """Subject: a service, or a rollout, release, ticket, incident, remedy, experiment, snapshot by its id or a prefix.

    Raises: NotFound: nothing on the ledger names the subject.
    """
    lines: list[Line] = []
    service = subject if subject in states else ""
    for entry in entries:
        if entry.subject == subject or _names(entry.fact, subject):
            lines.append(Line(seq=entry.seq, at=entry.at, type=entry.type, text=sentence(entry.fact)))
            service = entry.subject
    if not lines:
        raise NotFound(
            f"nothing on the ledger names {subject!r}", hint="`flyball ledger tail` shows the ids that exist"
        )
    state = states[service]
    last = [decision for decision in state.decisions.values() if subject == service or _concerns(decision, lines)]
    return Explanation(
        subject=subject,
        service=service,
        standing=standing(state),
        because=tuple(f"{decision.action}: {decision.why}" for decision in last),
        waiting_for=tuple(wait for decision in last for wait in decision.waiting_for),
        events=tuple(lines),
        health=state.health.health,
        health_since=state.health.since,
    )


def standing(state: ServiceState) -> str:
    """Where a service stands, in one sentence."""
    parts = [f"champion {state.champion.split(':')[-1][:12]}" if state.champion else "no champion yet"]
    if state.rollout is not None:
        step = f" at step {state.rollout.step.index} ({state.rollout.step.kind})" if state.rollout.step else ""
        parts.append(f"rollout {state.rollout.rollout} runs{step}")
    if state.ab is not None:
        on = ", ".join(arm.name for arm in state.ab.wanted if arm.buckets)
        parts.append(f"A/B test {state.ab.started.test} runs with {on or 'no arm left'}")
    if state.ticket is not None:
        parts.append(f"ticket {state.ticket.ticket} is open ({state.ticket.reason})")
    if state.incident is not None:
        parts.append(f"quality incident {state.incident.incident} is open")
    if state.health.since and state.health.health.state != "HEALTHY":
        parts.append(f"{state.health.health.state} since {state.health.since}")
    parts += [*_alone(state), *_excepted(state)]
    if state.health.spent:
        parts.append(f"the error budget of {', '.join(sorted(state.health.spent))} is SPENT")
    parts += _healing(state)
    if (drill := state.healing.drill) is not None:
        parts.append(f"DRILL {drill.drill} ({drill.fault}) {_phase(state, drill)} until {drill.until} at most")
    if state.frozen is not None:
        parts.append(f"frozen by {state.frozen.by}")
    return "; ".join(parts)


def _phase(state: ServiceState, drill: e.DrillBegun) -> str:
    made = state.healing.drilled.get(drill.drill)
    if made is None or not made.withdrawn_at:
        return "runs"
    return f"has made its fault until {made.withdrawn_at}, and watches the recovery"


def _healing(state: ServiceState) -> Iterable[str]:
    """Remedies that are under way, those taken away before their verdict, and reliefs that stand."""
    for one in state.healing.tried.values():
        begun = one.begun
        what = f"remedy {begun.remedy} ({begun.kind.replace('_', ' ')}) against {begun.cause}"
        if one.verified is None and one.ended:
            yield f"{what} was taken away; its verdict is due by {begun.verify_by}"
        elif one.verified is None:
            yield f"{what} is under way, to have helped by {begun.verify_by}"
        elif one.stands:
            yield f"{what} stands"


def _alone(state: ServiceState) -> Iterable[str]:
    """What goes, or went, live without a person."""
    rollout, rule = state.rollout, state.recent.alone.get(state.champion or "")
    if rollout is not None and rollout.asked is not None and rollout.asked.alone:
        yield f"NOBODY was asked about it, BY THE POLICY ALONE: {rollout.asked.alone}"
    if rule is not None:
        yield f"the champion was promoted BY THE POLICY ALONE: {rule}"


def _excepted(state: ServiceState) -> Iterable[str]:
    """What is in service although it failed, and what people let pass or are asked to."""
    serving = state.exceptions.tried.get(state.champion or "", ())
    if serving:
        yield f"the champion FAILED a gate and serves BY EXCEPTION {', '.join(serving)}"
    for name, one in state.exceptions.standing.items():
        asked = one.requested
        by = f"{asked.by} and {one.confirmed.by}" if one.confirmed is not None else f"{asked.by} alone, not in force"
        yield f"EXCEPTION {name} for gate {asked.gate} by {by} until {asked.expires_at}"


def _names(fact: e.AnyFact, subject: str) -> bool:
    """Does the fact name the subject? Digests may be given by 8 or more of their first hex digits."""
    for value in _strings(msgspec.to_builtins(fact)):
        if value == subject:
            return True
        if len(subject) >= 8 and value.rsplit(":", 1)[-1].startswith(subject.rsplit(":", 1)[-1]):
            return True
    return False


def _strings(value: object) -> Iterable[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from _strings(inner)
        case list() | tuple():
            for inner in value:
                yield from _strings(inner)


def _concerns(decision: e.DecisionTaken, lines: list[Line]) -> bool:
    """A rollout's reasons for a rollout's facts, a retraining's for a ticket's."""
    families = {
        "rollout": ("rollout", "step", "approval"),
        "exception": ("exception",),
        "ab": ("ab",),
        "healing": ("remedy",),
        "remedy": ("remedy", "incident"),
        "retrain": ("ticket", "retrain", "training", "diagnosis", "trigger", "remedy"),
    }
    wanted = families.get(decision.action, ())
    return any(line.type.split(".")[0] in wanted for line in lines)
