"""What becomes of exceptions: one that is over goes on record, and a rollout that stood on it goes back. Pure.

It is asked with the ways back, so that neither a freeze nor a pause keeps traffic on a release whose exception is over.
"""

from flyball.control.decision import Decision, Situation, order
from flyball.control.rollout.rolling_back import way_back
from flyball.control.state.rollout_state import RolloutState
from flyball.core import events as e
from flyball.core.ids import RolloutId, ServiceName
from flyball.decide.exceptions import GateException, ended


def plan_exceptions(situation: Situation) -> Decision | None:
    """End what is over; else say whose word is missing."""
    state, rollout = situation.state, situation.state.rollout
    over: list[e.ExceptionEnded] = []
    for one in state.exceptions.standing.values():
        asked = one.requested
        if _has_changed_hands(rollout, one):
            continue
        found = ended(
            one,
            release=state.releases.get(asked.release),
            policy=state.policy,
            now=situation.now,
            rollout=rollout.rollout if rollout is not None else None,
        )
        if found is not None:
            over.append(_ended(state.service, asked, *found))
    gone = _gone(situation, over)
    if gone or over:
        return _over(situation, over, gone)
    waiting = [one.requested for one in state.exceptions.standing.values() if one.confirmed is None]
    if not waiting:
        return None
    return Decision(
        action="exception",
        what="wait",
        why=f"{waiting[0].by} asks to let gate {waiting[0].gate} pass: {waiting[0].why}",
        waiting_for=tuple(
            f"a second person with role exception: flyball exception confirm {state.service} {asked.exception}"
            for asked in waiting
        ),
    )


def _has_changed_hands(rollout: RolloutState | None, one: GateException) -> bool:
    """The gateway has confirmed the new champion, ordered while the exception held; the ledger says so next."""
    step = rollout.step if rollout is not None and rollout.rollout == one.rollout else None
    return step is not None and step.kind == "promote" and step.applied


def _ended(service: str, asked: e.ExceptionRequested, how: str, why: str) -> e.ExceptionEnded:
    return e.ExceptionEnded(
        service=ServiceName(service),
        exception=asked.exception,
        release=asked.release,
        gate=asked.gate,
        how=how,  # type: ignore[arg-type]
        by="controller",
        proof="policy",
        why=why,
    )


def _gone(situation: Situation, over: list[e.ExceptionEnded]) -> tuple[str, ...]:
    """Exceptions that the rollout stands on and that hold no longer: over now, or taken back before."""
    state, rollout = situation.state, situation.state.rollout
    if rollout is None or (rollout.step is not None and rollout.step.kind == "promote" and rollout.step.applied):
        return ()
    ending = {fact.exception for fact in over}
    held = {name for name, one in state.exceptions.standing.items() if one.confirmed is not None} - ending
    if rollout.exceptions and not state.exceptions.lets_on(state.releases[rollout.release], state.policy):
        return rollout.exceptions  # something failed that none of them is for
    return tuple(name for name in rollout.exceptions if name not in held)


def _over(situation: Situation, over: list[e.ExceptionEnded], gone: tuple[str, ...]) -> Decision:
    rollout = situation.state.rollout
    why = "; ".join(f"exception {fact.exception} for gate {fact.gate}: {fact.how}, {fact.why}" for fact in over)
    if rollout is None or not gone:
        return Decision(action="exception", what="ended", why=why, facts=tuple(over))
    why = why or f"exception {', '.join(gone)} was taken back, or does not cover all that failed"
    routing, back = way_back(situation.state, why)
    closed = e.RolloutClosed(
        service=ServiceName(situation.state.service),
        rollout=RolloutId(rollout.rollout),
        outcome="expired",
        reason=why,
    )
    return Decision(
        action="exception",
        what=f"rollout {rollout.rollout} goes back",
        why=why,
        facts=(*over, back, closed),
        commands=(order(routing),),
    )
