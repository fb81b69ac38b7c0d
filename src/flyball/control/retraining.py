"""How a retraining comes about: signal, diagnosis, ticket, order, training, and what became of it. Pure.

Retraining is the slow actuator: one at a time, never while a rollout runs or a quality incident is open, with a
cool-down, with enough new labels, and only as far as the declared autonomy goes.
"""

from typing import Literal

from flyball.control.asking import what_asks
from flyball.control.decision import Decision, Learning, Situation
from flyball.control.healing.as_remedy import as_remedy
from flyball.control.healing.causes import upstream_fault
from flyball.control.policing import training_barred, training_rung
from flyball.control.state.service_state import ServiceState, TicketState
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.codec import digest
from flyball.core.ids import ServiceName, short
from flyball.core.ledger import Command
from flyball.core.release import refusals
from flyball.core.service import Remedy
from flyball.decide.admission import over_budget, too_many_questions
from flyball.decide.triggers import unproven


def plan_retraining(situation: Situation) -> Decision | None:
    """The next move of the open ticket, or the opening of one."""
    ticket = situation.state.ticket
    if ticket is None:
        return _open(situation)
    if ticket.ordered is None:
        return _order(situation, ticket)
    return _outcome(situation.state, ticket)


def _open(situation: Situation) -> Decision | None:
    """A trigger that stands becomes a ticket, unless something forbids it."""
    learning, state = what_asks(situation), situation.state
    if learning.fired is None or learning.diagnosis is None:
        if learning.why:
            return Decision(action="retrain", what="none", why=learning.why, waiting_for=learning.waiting_for)
        return None
    if obstacles := _obstacles(situation, learning):
        return Decision(action="retrain", what="not now", why=learning.why, waiting_for=obstacles)
    name = "ti-" + short(digest("flyball/ticket/v1", [state.service, state.turn, learning.row]))
    service = ServiceName(state.service)
    opened = e.TicketOpened(
        service=service,
        ticket=name,
        kind="retrain",
        reason=learning.fired,
        diagnosis=learning.diagnosis,
        evidence=learning.evidence,
        row=learning.row,
        why=learning.why,
        pressures=learning.pressures,
        rung=training_rung(situation, learning.fired),
        asked_by=_asked_by(state, learning),
    )
    made = e.DiagnosisMade(service=service, diagnosis=learning.diagnosis, ticket=name)
    remedy = as_remedy(situation, learning.fired, name)
    return Decision(action="retrain", what=f"open {name}", why=learning.why, facts=(made, opened, *remedy))


def _obstacles(situation: Situation, learning: Learning) -> tuple[str, ...]:
    """What forbids even a ticket at this moment: what the triggers wait for, and what else is going on."""
    state, service = situation.state, situation.service
    found = [*learning.waiting_for, *over_budget(service.retrain.budget, state.spent, moment(situation.now))]
    trigger = learning.fired or ""
    stands = training_rung(situation, trigger)
    if stands in ("suggest", "approval"):
        found += too_many_questions(service.retrain.budget, state.spent, moment(situation.now))
    if stands == "observe":
        found.append("a policy that allows more than to observe (autonomy.retrain)")
    if state.incident is not None:
        found.append(f"the quality incident {state.incident.incident} to be closed")
    elif (fault := upstream_fault(state)) is not None:
        found.append(f"what the service is fed to be repaired: {fault}")
    if state.rollout is not None:
        found.append(f"the rollout {state.rollout.rollout} to end")
    if state.waiting:
        found.append("the release that waits for its rollout")
    found += _drill(state)
    return (*found, *training_barred(situation, trigger))


def _order(situation: Situation, ticket: TicketState) -> Decision:
    """An open ticket waits for labels, for an incident to end, and for whoever may order a training."""
    state, service, learning = situation.state, situation.service, situation.learning
    of_a_signal = ticket.reason in ("drift", "risk", "trend")
    if of_a_signal and learning.diagnosis is not None and learning.fired is None:
        return _closed(state, ticket, "dismissed", "the signals that opened it are gone")
    waiting = []
    if state.incident is not None:
        waiting.append(f"the quality incident {state.incident.incident} to be closed")
    elif (fault := upstream_fault(state)) is not None:
        waiting.append(f"what the service is fed to be repaired: {fault}")
    if state.rollout is not None:
        waiting.append(f"the rollout {state.rollout.rollout} to end")
    if learning.diagnosis is not None:
        waiting += unproven(ticket.reason, learning.diagnosis)
    if learning.new_rows < service.retrain.min_new_rows:
        waiting.append(f"labels: {learning.new_rows} of {service.retrain.min_new_rows} new rows have one")
    waiting += _drill(state)
    waiting += over_budget(service.retrain.budget, state.spent, moment(situation.now))
    waiting += training_barred(situation, ticket.reason)
    waiting += _whoever(training_rung(situation, ticket.reason), ticket)
    if waiting:
        return Decision(action="retrain", what="wait", why=ticket.opened.diagnosis.reason, waiting_for=tuple(waiting))
    return ordered(state, ticket, by="policy", proof="policy")


def _drill(state: ServiceState) -> tuple[str, ...]:
    """What a drill shows the monitor is no reason to learn, and nothing to learn from."""
    drill = state.healing.drill
    return (f"drill {drill.drill} ({drill.fault}) to end",) if drill is not None else ()


def _whoever(stands: Remedy, ticket: TicketState) -> tuple[str, ...]:
    """Whom the ladder asks. The rung of today counts, and so does the one at which the ticket was opened."""
    may_approve = stands in ("approval", "auto") and ticket.opened.rung == "approval"
    if (stands == "auto" and not may_approve) or (may_approve and ticket.approved is not None):
        return ()
    if may_approve:
        return (f"an approver to agree that it is trained: flyball approve {ticket.ticket}",)
    return (f"a person to start it: flyball approve {ticket.ticket}",)


def _asked_by(state: ServiceState, learning: Learning) -> str:
    """Whose message opened the ticket; empty: nobody's, or the loop's own."""
    asked = state.asked.get(learning.fired or "")
    return asked.received.by if asked is not None and asked.received.proof != "policy" else ""


def ordered(state: ServiceState, ticket: TicketState, *, by: str, proof: e.Proof) -> Decision:
    """The training itself: intent and command in one transaction."""
    key = f"train/{ticket.ticket}"
    fact = e.RetrainOrdered(
        service=ServiceName(state.service), ticket=ticket.ticket, key=key, by=by, proof=proof, reason=ticket.reason
    )
    command = Command(
        key=key, kind="train", subject=state.service, body={"ticket": ticket.ticket, "reason": ticket.reason}
    )
    return Decision(
        action="retrain",
        what=f"train for {ticket.ticket}",
        why=ticket.opened.diagnosis.reason,
        facts=(fact,),
        commands=(command,),
    )


def _outcome(state: ServiceState, ticket: TicketState) -> Decision:
    """The training was ordered: close the ticket once its fate is known."""
    if ticket.failed is not None:
        return _closed(state, ticket, "failed", ticket.failed)
    if ticket.release is None:
        return Decision(
            action="retrain", what="wait", why="a training is ordered", waiting_for=("the training to end",)
        )
    release = state.releases[ticket.release]
    if ticket.release == state.champion:
        return _closed(state, ticket, "promoted", "the new release serves")
    if not release.passed:
        failed = "; ".join(refusals(release.gates, release.tests))
        return _closed(state, ticket, "no_gain", f"the gates said no: {failed}")
    if ticket.release in state.withdrawn:
        why = "its rollout did not end in a promotion, now or when the same release was made before"
        return _closed(state, ticket, "no_gain", why)
    return Decision(action="retrain", what="wait", why="the new release rolls out", waiting_for=("its rollout",))


def _closed(
    state: ServiceState,
    ticket: TicketState,
    outcome: Literal["promoted", "no_gain", "failed", "dismissed"],
    reason: str,
) -> Decision:
    fact = e.TicketClosed(service=ServiceName(state.service), ticket=ticket.ticket, outcome=outcome, reason=reason)
    return Decision(action="retrain", what=f"close {ticket.ticket}: {outcome}", why=reason, facts=(fact,))
