"""One fact further: how each of them changes where a service stands. Pure."""

from collections.abc import Collection

from msgspec.structs import replace

from flyball.control.state import alert_state, healing_state, health_state, incident_state, routine_state
from flyball.control.state.ab_state import folded
from flyball.control.state.exception_state import folded as excepted
from flyball.control.state.given_up_order import GivenUp, is_of
from flyball.control.state.recent_state import remembered
from flyball.control.state.rollout_state import advanced
from flyball.control.state.service_state import ServiceState, signal_key
from flyball.control.state.ticket_state import Asked, TicketState, asked_anew, trigger_of
from flyball.control.state.turn import cares
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.ledger import Entry
from flyball.core.policy import declaration_digest
from flyball.core.watching import APART
from flyball.decide.accepted import Accepted
from flyball.decide.ladder import Standing

LIVES = 8  # of a gateway that are remembered


def fold(state: ServiceState, entry: Entry) -> ServiceState:
    """One fact further. A fact of another service changes nothing."""
    if entry.subject != state.service or entry.seq <= state.version:
        return state
    fact, at = entry.fact, entry.at
    return replace(
        _apply(state, fact, at),
        version=entry.seq,
        turn=state.turn if cares(fact, state.incident) else state.turn + entry.seq - state.version,
        recent=remembered(state.recent, fact, at, state.rollout),
        health=health_state.folded(state.health, fact, at),
        incidents=incident_state.folded(state.incidents, fact, at, drill=state.healing.drill, champion=state.champion),
        alerts=alert_state.folded(state.alerts, fact, at),
        healing=healing_state.folded(state.healing, fact, at, quality=state.incident),
        routine=routine_state.folded(state.routine, fact, at),
    )


def _apply(state: ServiceState, fact: e.AnyFact, at: str) -> ServiceState:
    match fact:
        case e.ServiceDeclared():
            changed = fact.policy != state.policy
            ticket = asked_anew(state.ticket, None) if changed else state.ticket
            declared, waived = declaration_digest(fact.declaration), {} if changed else state.waived
            return replace(state, policy=fact.policy, declared=declared, ticket=ticket, waived=waived)
        case e.StepWaived():
            waived = state.waived | {fact.step: fact} if fact.policy == state.policy else state.waived
            return replace(state, waived=waived, decisions=_without(state, "rollout"))
        case e.RemedyReviewed():
            harmed = fact.verdict == "harmful" and fact.remedy == "retrain"
            ticket = asked_anew(state.ticket, fact.rung) if harmed else state.ticket
            ladders = state.ladders | {fact.remedy: Standing(steps=fact.steps, good=fact.good)}
            return replace(state, ladders=ladders, ticket=ticket)
        case e.ReleaseRegistered() | e.GatesJudged() | e.ChampionAppointed() | e.TrainingFailed():
            return _release(state, fact, at)
        case e.AbStarted() | e.AbWeighed() | e.AbStopOrdered() | e.AbArmStopped() | e.AbClosed():
            return _ab(state, fact, at)
        case e.ExceptionRequested() | e.ExceptionConfirmed() | e.ExceptionEnded():
            return _exception(state, fact)
        case e.TicketOpened() | e.TicketApproved() | e.RetrainOrdered() | e.TicketClosed() | e.TriggerReceived():
            return _ticket(state, fact, at)
        case e.TrainingStarted():
            return replace(state, spent=replace(state.spent, trainings=state.spent.trainings + 1))
        case e.RunFinished(cost=cost) if cost is not None:
            spent = state.spent.since(at)
            return replace(state, spent=replace(spent, costs=(*spent.costs, (at, cost))))
        case e.SignalRaised():
            key = signal_key(fact.signal.signal, fact.signal.feature)
            return replace(state, signals=state.signals | {key: fact})
        case e.SignalCleared():
            gone = signal_key(fact.signal, fact.feature)
            return replace(state, signals={key: value for key, value in state.signals.items() if key != gone})
        case e.IncidentOpened(kind="data_quality"):
            return replace(state, incident=fact)
        case e.IncidentClosed():
            return _incident_over(state, fact, at)
        case e.BackfillDone(rows=rows, backfill=backfill) if rows and backfill not in state.backfills:
            return replace(state, backfills=(*state.backfills, backfill))
        case e.RollbackOrdered():
            return replace(state, rollback_ordered=fact)
        case e.Frozen():
            return replace(state, frozen=fact)
        case e.Thawed():
            return replace(state, frozen=None, decisions=_without(state, "freeze"))
        case e.ProcessStarted():
            return _started(state, fact)
        case e.CommandGivenUp(kind="route"):
            current = is_of(fact, state.service, state.epoch)
            return replace(state, given_up=GivenUp(fact=fact, at=at), repeated=None) if current else state
        case e.CommandGivenUp(ticket=name, error=error) if state.ticket is not None and name == state.ticket.ticket:
            return replace(state, ticket=replace(state.ticket, failed=error))
        case e.RemedyBegun() | e.RemedyVerified() | e.RemedyEnded():
            return replace(state, decisions=_without(_told_anew(state), "healing"))
        case e.HealthChanged():
            return _told_anew(state)
        case e.DecisionTaken(action="declaration", waiting_for=()):  # taken up
            return replace(state, decisions=_without(state, "declaration"))
        case e.DecisionTaken():
            told = state.decided_at | {fact.action: at}
            return replace(state, decisions=state.decisions | {fact.action: fact}, decided_at=told)
        case _:
            return _rollout(state, fact, at)


def _incident_over(state: ServiceState, fact: e.IncidentClosed, at: str) -> ServiceState:
    if state.incident is None or state.incident.incident != fact.incident:
        return state
    if fact.how == "new_normal":
        return replace(state, incident=None, normal_since_row=fact.row)
    if fact.how == "recovered":  # the reference holds: what comes again is news
        return replace(state, incident=None)
    return replace(state, incident=None, accepted=Accepted(row=state.incident.row, at=moment(at).timestamp()))


def _without(state: ServiceState, action: str) -> dict[str, e.DecisionTaken]:
    """A wait that is over is no longer told."""
    return {name: decision for name, decision in state.decisions.items() if name != action}


def _started(state: ServiceState, fact: e.ProcessStarted) -> ServiceState:
    match fact.process:
        case "gateway" if fact.life:
            return replace(state, gateways=(*state.gateways, fact.life)[-LIVES:])
        case "controller":  # it has read the declaration as it is now
            return replace(state, decisions=_without(state, "declaration"))
        case _:
            return state


def _told_anew(state: ServiceState) -> ServiceState:
    """Why nothing is done about a cause is told again when the causes are others."""
    return replace(state, decisions=_without(state, "remedy"))


def _release(
    state: ServiceState,
    fact: e.ReleaseRegistered | e.GatesJudged | e.ChampionAppointed | e.TrainingFailed,
    at: str,
) -> ServiceState:
    match fact:
        case e.ReleaseRegistered(release=release, ticket=ticket, by=by):
            state = replace(state, releases=state.releases | {release.root: release})
            if state.ticket and ticket == state.ticket.ticket:
                ordered = state.ticket.ordered
                by = by or (ordered.by if ordered is not None and ordered.proof != "policy" else "")
                state = replace(state, ticket=replace(state.ticket, release=release.root))
            return replace(state, proposed=state.proposed | {release.root: by}) if by else state
        case e.GatesJudged():
            return _judged(state, fact)
        case e.TrainingFailed(ticket=ticket, error=error) if state.ticket and ticket == state.ticket.ticket:
            return replace(state, ticket=replace(state.ticket, failed=error))
        case e.ChampionAppointed(release=root, previous=previous, rollout=rollout):
            # without a rollout the one before serves again: what it took the place of was taken back
            gone = {str(previous)} if rollout is None and previous is not None else set()
            return replace(
                state,
                withdrawn=(state.withdrawn | gone) - {root},
                champion=root,
                # who came back is not backed up by the one it was brought back from
                previous=None if root == state.previous else previous,
                appointed_at=at,
                waiting=tuple(waiting for waiting in state.waiting if waiting != root),
                rollback_ordered=None,
                signals={key: known for key, known in state.signals.items() if known.signal.signal in APART},
            )
        case _:
            return state


def _judged(state: ServiceState, fact: e.GatesJudged) -> ServiceState:
    """The newest judgement counts, until the release has been offered to traffic."""
    root = fact.release
    if root in (state.champion, *state.withdrawn) or (state.rollout is not None and state.rollout.release == root):
        return state
    known = state.releases.get(root)
    if known is not None and fact.results:
        judged = replace(known, gates=fact.results, tests=fact.tests or known.tests, passed=fact.passed)
        state = replace(state, releases=state.releases | {root: judged})
    if not fact.passed:
        return replace(state, waiting=_less(state, {root}))
    return state if root in state.waiting else replace(state, waiting=(*state.waiting, root))


def _rollout(state: ServiceState, fact: e.AnyFact, at: str) -> ServiceState:
    """A routing concerns whatever is under way; the rest the rollout alone, which takes a waiting release up and leaves
    it withdrawn, or waiting again, or as champion. A fact of neither changes nothing."""
    if isinstance(fact, e.RoutingApplied):
        state = replace(state, applied=max(state.applied, fact.epoch), given_up=None, repeated=None)
    if isinstance(fact, e.RoutingRepeated):
        state = replace(state, repeated=fact.key, given_up=None)
    if isinstance(fact, e.RoutingOrdered | e.StepStarted):
        state = replace(
            state, epoch=max(state.epoch, fact.routing.epoch), routing=fact.routing, given_up=None, repeated=None
        )
    rollout = advanced(state.rollout, fact, at)
    match fact:
        case e.RolloutOpened(release=root):
            state = replace(state, waiting=tuple(waiting for waiting in state.waiting if waiting != root))
        case e.ReleaseWanted(release=root) if root != state.champion:
            waiting = (*(known for known in state.waiting if known != root), root)  # the newest goes first
            state = replace(state, waiting=waiting, withdrawn=state.withdrawn - {root})
        case e.RolloutClosed() if state.rollout is not None and state.rollout.drill:
            state = replace(state, rollback_ordered=None, decisions=_without(state, "rollout"))
        case e.RolloutClosed(again=True) if state.rollout is not None:
            waiting, told = (*state.waiting, state.rollout.release), _without(state, "rollout")
            state = replace(state, waiting=waiting, rollback_ordered=None, decisions=told, rested_at=at)
        case e.RolloutClosed(outcome=outcome) if state.rollout is not None:
            gone = state.withdrawn if outcome == "promoted" else state.withdrawn | {state.rollout.release}
            told = _without(state, "rollout")
            state = replace(state, withdrawn=gone, rollback_ordered=None, decisions=told, rested_at=at)
        case _:
            pass
    exceptions = excepted(state.exceptions, fact)
    return replace(state, rollout=rollout, ab=folded(state.ab, fact, at), exceptions=exceptions)


def _exception(
    state: ServiceState, fact: e.ExceptionRequested | e.ExceptionConfirmed | e.ExceptionEnded
) -> ServiceState:
    """A release whose failed gates all stand aside waits for its rollout, and no longer than they do."""
    state = replace(state, exceptions=excepted(state.exceptions, fact), decisions=_without(state, "exception"))
    release, waiting = state.releases.get(fact.release), _less(state, {fact.release})
    if release is None or release.passed:
        return state
    busy = fact.release == state.champion or (state.rollout is not None and state.rollout.release == fact.release)
    if busy or fact.release in state.withdrawn or not state.exceptions.lets_on(release, state.policy):
        return replace(state, waiting=waiting)
    return replace(state, waiting=(*waiting, fact.release))


def _ab(state: ServiceState, fact: e.AnyFact, at: str) -> ServiceState:
    """What is compared waits for no rollout. A release that was worse as an arm is withdrawn; an arm of the champion's
    own release says nothing about it. At the end a person's winner waits, newest of all; where nobody has decided
    anything, those wait again that waited before."""
    test = state.ab
    match fact:
        case e.AbStarted(arms=arms):
            waited = frozenset(state.waiting)
            started = folded(state.ab, fact, at)
            assert started is not None
            waiting = _less(state, {arm.release for arm in arms})
            return replace(state, waiting=waiting, ab=replace(started, waited=waited))
        case e.AbArmStopped(release=root) if root != state.champion:
            state = replace(state, withdrawn=state.withdrawn | {root}, waiting=_less(state, {root}))
        case e.AbClosed(outcome=outcome) if test is not None:
            undecided = [arm.release for arm in test.arms if outcome != "stopped" and arm.release in test.waited]
            winner = test.stop.winner if test.stop is not None and outcome == "stopped" else None
            chosen = [arm.release for arm in test.arms if arm.name == winner]
            able = [root for root in (*undecided, *chosen) if root not in state.withdrawn and root != state.champion]
            state = replace(state, waiting=(*_less(state, set(able)), *able))
        case _:
            pass
    return replace(state, ab=folded(state.ab, fact, at))


def _less(state: ServiceState, gone: Collection[str]) -> tuple[str, ...]:
    return tuple(root for root in state.waiting if root not in gone)


def _ticket(
    state: ServiceState,
    fact: e.TicketOpened | e.TicketApproved | e.RetrainOrdered | e.TicketClosed | e.TriggerReceived,
    at: str,
) -> ServiceState:
    """A training answers every message that came before it was ordered; a ticket that is turned down, those of its
    trigger."""
    match fact:
        case e.TriggerReceived():
            trigger = trigger_of(fact.source)
            before = state.asked[trigger].messages if trigger in state.asked else 0
            return replace(state, asked=state.asked | {trigger: Asked(received=fact, at=at, messages=before + 1)})
        case e.TicketOpened():
            ticket = TicketState(ticket=fact.ticket, reason=fact.reason, opened_at=at, row=fact.row, opened=fact)
            spent = state.spent.since(at)
            if fact.rung in ("suggest", "approval"):
                spent = replace(spent, questions=(*spent.questions, at))
            return replace(state, ticket=ticket, ticketed_at=at, spent=spent)
        case e.TicketApproved() if state.ticket and fact.ticket == state.ticket.ticket:
            return replace(state, ticket=replace(state.ticket, approved=fact))
        case e.RetrainOrdered() if state.ticket and fact.ticket == state.ticket.ticket:
            ticket, spent = replace(state.ticket, ordered=fact), state.spent.since(at)
            if fact.proof == "policy":
                spent = replace(spent, orders=(*spent.orders, at))
            return replace(state, ticket=ticket, retrained_at=at, retrained_row=ticket.row, spent=spent, asked={})
        case e.TicketClosed(outcome=outcome):
            without = 0 if outcome == "promoted" else state.without_gain + (outcome == "no_gain")
            reason = state.ticket.reason if state.ticket is not None and outcome == "dismissed" else ""
            asked = {trigger: asked for trigger, asked in state.asked.items() if trigger != reason}
            trained = state.ticket is not None and state.ticket.ordered is not None
            rested = at if trained else state.rested_at
            return replace(state, ticket=None, without_gain=without, asked=asked, rested_at=rested)
        case _:
            return state
