"""How a candidate moves: start a step, wait, judge, ask, promote. Pure."""

from msgspec.structs import replace

from flyball.control.decision import Decision, Situation, elapsed_s, order
from flyball.control.policing import RULED, barred, goes_alone
from flyball.control.rollout.approving import four_eyes, request
from flyball.control.rollout.opening import plan_opening
from flyball.control.rollout.rolling_back import way_back
from flyball.control.rollout.sharing import plan_shares
from flyball.control.rollout.steps import effective_steps, routing_of
from flyball.control.spending import frozen_by_budget
from flyball.control.state.rollout_state import RolloutState, StepState
from flyball.core import events as e
from flyball.core.ids import ReleaseRoot, RolloutId, ServiceName, short
from flyball.core.routing import Verdict
from flyball.core.service import Step
from flyball.decide.evidence import valid


def plan_rollout(situation: Situation) -> Decision | None:
    """The next move of the running rollout, or the opening of one; None where there is nothing to move."""
    state = situation.state
    if state.rollout is None:
        return plan_opening(situation)
    if state.rollout.drill:
        waiting = (f"the gateway to take it back, or the end of drill {state.rollout.drill}",)
        why = f"drill {state.rollout.drill} tries a candidate of its own"
        return Decision(action="rollout", what="wait", why=why, waiting_for=waiting)
    step = state.rollout.step
    if state.rollout.policy != state.policy and (step is None or step.kind != "promote"):
        why = "the policy changed: a rollout runs under one policy"
        return _close(situation, state.rollout, why, again=True)
    if (why := four_eyes(situation, state.rollout)) and (step is None or step.kind != "promote"):
        return _close(situation, state.rollout, why, again=True)
    if state.rollout.paused is not None:
        return _lowered(situation, state.rollout) or _paused(state.rollout.paused)
    if step is None:
        return _start(situation, state.rollout, 0, "the rollout is open")
    if not step.applied:
        return _unconfirmed(situation, state.rollout, step) or Decision(
            action="rollout",
            what="wait",
            why=f"step {step.index} is ordered",
            waiting_for=("the gateway to confirm the routing",),
        )
    return _move(situation, state.rollout)


def _lowered(situation: Situation, rollout: RolloutState) -> Decision | None:
    """Less weight on a suspicion, also while a person holds the rollout."""
    if rollout.step is None or not rollout.step.applied:
        return None
    return plan_shares(situation, rollout, effective_steps(situation.service)[rollout.step.index])


def _paused(paused: e.RolloutPaused) -> Decision:
    """Nothing moves but the way back and less weight, which were asked before this."""
    why = f"paused by {paused.by}" + (f": {paused.why}" if paused.why else "")
    waiting = (f"flyball rollout resume {paused.service}",)
    return Decision(action="rollout", what="wait", why=why, waiting_for=waiting)


def _unconfirmed(situation: Situation, rollout: RolloutState, running: StepState) -> Decision | None:
    """A gateway that does not bring the order into force, for as long as the step may take, ends the step."""
    step = effective_steps(situation.service)[running.index]
    if elapsed_s(running.started_at, situation.now) < step.ends_s:
        return None
    reason = f"the gateway has not confirmed the step within {step.ends_s:g} s"
    verdict = Verdict(kind="INCONCLUSIVE", reason=reason, cause="timeout", waiting_for=("the gateway",))
    return _timeout(situation, rollout, step, verdict)


def _start(situation: Situation, rollout: RolloutState, index: int, why: str) -> Decision:
    state, service = situation.state, situation.service
    step = effective_steps(service)[index]
    bar = None
    if step.kind in RULED:
        bar = frozen_by_budget(situation) or barred(situation, RULED[step.kind], rollout.release)
    if bar is not None:
        return bar
    routing = routing_of(step, index, rollout, state, service)
    started = e.StepStarted(
        service=ServiceName(state.service),
        rollout=RolloutId(rollout.rollout),
        step=index,
        kind=step.kind,
        key=order(routing).key,
        routing=routing,
        why=why,
    )
    facts: tuple[e.AnyFact, ...] = (started,)
    if step.kind == "approval":
        facts = (started, *request(situation, rollout, step, index))
    return Decision(
        action="rollout",
        what=f"start step {index} ({step.kind})",
        why=why,
        facts=facts,
        commands=(order(routing),),
    )


def _move(situation: Situation, rollout: RolloutState) -> Decision | None:
    """The running step is in force: what does its evidence say?"""
    running = rollout.step
    assert running is not None
    steps = effective_steps(situation.service)
    step = steps[running.index]
    if step.kind == "promote":
        return _promoted(situation, rollout)
    if step.kind == "approval":
        return _approval(situation, rollout, step)
    verdict = situation.outlook.verdict
    skipped = next((skip for skip in rollout.skipped if skip.step == running.index), None)
    if skipped is not None and (verdict is None or verdict.kind != "INVALID"):
        verdict = _in_spite_of(skipped, verdict)
    if verdict is None:
        return Decision(
            action="rollout",
            what="wait",
            why=f"step {running.index} ({running.kind}) runs",
            waiting_for=("an answer from the gateway",),
        )
    if verdict.kind == "PROMOTE" or (skipped is not None and verdict.kind != "INVALID"):
        judged = _judged(situation, rollout, verdict)
        following = _start(situation, rollout, running.index + 1, verdict.reason)
        if not following.facts:
            return following
        return Decision(
            action="rollout",
            what=following.what,
            why=verdict.reason,
            facts=(judged, *following.facts),
            commands=following.commands,
        )
    if skipped is None and (shares := plan_shares(situation, rollout, step)) is not None:
        return shares
    if verdict.cause == "timeout" or _overdue(situation, step, running.started_at, verdict):
        return _timeout(situation, rollout, step, verdict)
    return Decision(action="rollout", what=verdict.kind.lower(), why=verdict.reason, waiting_for=verdict.waiting_for)


def _in_spite_of(skipped: e.StepSkipped, verdict: Verdict | None) -> Verdict:
    """What stands on record of a step that a person ended: as far as it had come, and by whom."""
    stood = verdict or Verdict(kind="HOLD", reason="the gateway had not answered")
    if stood.kind == "PROMOTE":
        return stood
    said = f"{skipped.by} ended the step" + (f" ({skipped.why})" if skipped.why else "")
    return replace(stood, kind="INCONCLUSIVE", reason=f"{said}: {stood.reason}")


def _judged(situation: Situation, rollout: RolloutState, verdict: Verdict) -> e.StepJudged:
    assert rollout.step is not None
    return e.StepJudged(
        service=ServiceName(situation.state.service),
        rollout=RolloutId(rollout.rollout),
        step=rollout.step.index,
        verdict=verdict,
        counts=situation.observed.counts if situation.observed else None,
    )


def _overdue(situation: Situation, step: Step, started_at: str, verdict: Verdict) -> bool:
    """Evidence that cannot be believed may recover, until the step's time is over."""
    return verdict.kind in ("INCONCLUSIVE", "INVALID") and elapsed_s(started_at, situation.now) >= step.ends_s


def _timeout(situation: Situation, rollout: RolloutState, step: Step, verdict: Verdict) -> Decision:
    """The declared answer to too little evidence; a hold goes on collecting, so late evidence still counts."""
    declared = step.shadow or step.live
    assert declared is not None
    if declared.on_timeout == "abort":
        return _close(situation, rollout, verdict.reason, judged=verdict)
    return Decision(
        action="rollout",
        what=declared.on_timeout,
        why=verdict.reason,
        waiting_for=verdict.waiting_for or ("more evidence, or a person",),
    )


def _approval(situation: Situation, rollout: RolloutState, step: Step) -> Decision:
    assert rollout.step is not None
    assert step.approval is not None
    asked = rollout.asked
    if asked is None:
        facts = request(situation, rollout, step, rollout.step.index)
        return Decision(action="rollout", what="ask", why="an approval is needed", facts=facts)
    if asked.alone and goes_alone(situation, rollout.release) is None:
        facts = request(situation, rollout, step, rollout.step.index)
        why = "the rule by which nobody was asked holds no longer"
        return Decision(action="rollout", what="ask", why=why, facts=facts)
    if rollout.approved is not None and valid(rollout.approved, asked):
        alone = f" ALONE: {asked.alone}" if asked.alone else ""
        return _start(situation, rollout, rollout.step.index + 1, f"approved by {rollout.approved.by}{alone}")
    if elapsed_s(asked.expires_at, situation.now) > 0:
        if step.approval.on_timeout == "abort":
            return _close(situation, rollout, "nobody approved in time")
        facts = request(situation, rollout, step, rollout.step.index)
        return Decision(action="rollout", what="ask anew", why="nobody approved in time", facts=facts)
    said = [given.by for given in rollout.approvals]
    so_far = f" ({len(said)} of {asked.quorum} so far: {', '.join(said)})" if said else ""
    who = "a person" if asked.quorum == 1 else f"{asked.quorum} people"
    rules = "; ".join(map(str, asked.report.get("policy", ())))
    return Decision(
        action="rollout",
        what="wait",
        why=f"release {short(rollout.release)} asks for approval" + (f": {rules}" if rules else ""),
        waiting_for=(f"approval by {who} with role {asked.role}{so_far}: flyball approve {situation.state.service}",),
    )


def _promoted(situation: Situation, rollout: RolloutState) -> Decision:
    """The gateway has confirmed the new champion: say so, and close."""
    state = situation.state
    approved = rollout.approved
    appointed = e.ChampionAppointed(
        service=ServiceName(state.service),
        release=ReleaseRoot(rollout.release),
        previous=ReleaseRoot(state.champion) if state.champion else None,
        rollout=RolloutId(rollout.rollout),
        by=approved.by if approved else "policy",
        alone=rollout.asked.alone if rollout.asked else "",
    )
    ended = ", ".join(f"{skip.step} by {skip.by}" for skip in rollout.skipped)
    why = f"every step advanced, or was ended: {ended}" if ended else "every step advanced"
    closed = e.RolloutClosed(
        service=ServiceName(state.service), rollout=RolloutId(rollout.rollout), outcome="promoted", reason=why
    )
    return Decision(action="rollout", what="promoted", why=why, facts=(appointed, closed))


def _close(
    situation: Situation,
    rollout: RolloutState,
    reason: str,
    *,
    judged: Verdict | None = None,
    again: bool = False,
) -> Decision:
    """End a rollout without promotion: all traffic back to the champion."""
    routing, back = way_back(situation.state, reason)
    closed = e.RolloutClosed(
        service=ServiceName(situation.state.service),
        rollout=RolloutId(rollout.rollout),
        outcome="expired",
        reason=reason,
        again=again,
    )
    facts: tuple[e.AnyFact, ...] = (back, closed)
    if judged is not None:
        facts = (_judged(situation, rollout, judged), *facts)
    return Decision(action="rollout", what="expired", why=reason, facts=facts, commands=(order(routing),))
