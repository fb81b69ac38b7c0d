"""What is asked for before live traffic, of whom, and how often in a day: the approval of a rollout. Pure."""

from datetime import timedelta

from flyball.control.decision import Decision, Situation
from flyball.control.policing import asked_of, facts_of, goes_alone
from flyball.control.rollout.steps import effective_steps
from flyball.control.state.recent_state import DAY_S, within
from flyball.control.state.rollout_state import RolloutState
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.ids import Digest, ReleaseRoot, RolloutId, ServiceName, short
from flyball.core.routing import PairEvidence
from flyball.core.service import Step
from flyball.decide.evidence import bundle


def request(situation: Situation, rollout: RolloutState, step: Step, index: int) -> tuple[e.AnyFact, ...]:
    """What is asked for: model, evidence as it stands now, policy. Later evidence can only stop the rollout.

    Where a rule says that nobody is needed, the policy's own word stands beside it.
    """
    assert step.approval is not None
    state = situation.state
    counts = situation.observed.counts if situation.observed else None
    report, evidence = bundle(
        state.releases[rollout.release],
        dict(rollout.verdicts),
        counts,
        labels=_in_words(situation.outlook.labels),
        exceptions=[state.exceptions.told(name) for name in rollout.exceptions],
    )
    needs, rule = asked_of(situation, rollout.release, step.approval), goes_alone(situation, rollout.release)
    if rule is not None:
        told = facts_of(situation, rollout.release)
        report |= {"policy": [rule], "told": {name: told[name] for name in told if name not in ("metrics", "gates")}}
    elif needs.why:
        report |= {"policy": list(needs.why)}
    asked = e.ApprovalRequested(
        service=ServiceName(state.service),
        rollout=RolloutId(rollout.rollout),
        step=index,
        model=ReleaseRoot(rollout.release),
        evidence=evidence,
        policy=Digest(state.policy),
        role=step.approval.role,
        expires_at=timestamp(moment(situation.now) + timedelta(seconds=step.approval.timeout_s)),
        report=report,
        quorum=needs.quorum,
        alone=rule or "",
    )
    return (asked,) if rule is None else (asked, _own(asked, rule))


def four_eyes(situation: Situation, rollout: RolloutState) -> str:
    """Why an approval that was given is not enough any more: people were declared since, and only the trainer approved.
    Empty: it is enough, or nobody has approved."""
    people, trainer = situation.service.metadata.people, situation.state.proposed.get(rollout.release)
    given = [one for one in rollout.approvals if one.proof != "simulated" and not one.alone]
    if rollout.approved is None or rollout.asked is None or trainer is None or len(given) < len(rollout.approvals):
        return ""
    others = sorted(name for name, roles in people.items() if rollout.asked.role in roles and name != trainer)
    if not given or not others or any(one.by != trainer for one in given):
        return ""
    return f"{trainer} had the release trained and approved it alone, and {', '.join(others)} may approve it now"


def _own(asked: e.ApprovalRequested, rule: str) -> e.ApprovalGiven:
    """The policy's own word: bound as a person's, and void by the same changes."""
    return e.ApprovalGiven(
        service=asked.service,
        rollout=asked.rollout,
        model=asked.model,
        evidence=asked.evidence,
        policy=asked.policy,
        by="policy",
        proof="policy",
        why=rule,
    )


def _in_words(labels: PairEvidence | None) -> str:
    if labels is None:
        return "no shadow pair has a label yet"
    return (
        f"of {labels.pairs} labelled pairs the candidate alone was right in {labels.candidate_only}, "
        f"the champion alone in {labels.champion_only}"
    )


def too_many_asked(situation: Situation, root: str) -> Decision | None:
    """The wait of a release whose rollout would ask people more often than the policy lets a day; None where it may.

    A person's word (`rollout retry`) is not bound by it, and neither is what asks nobody. A newer release overtakes.
    """
    most, state = situation.service.policy.approvals_per_day, situation.state
    asked = within(state.recent.asked, situation.now, DAY_S)
    if most is None or len(asked) < most or root in state.recent.wanted:
        return None
    if all(step.kind != "approval" for step in effective_steps(situation.service)) or goes_alone(situation, root):
        return None
    free = f", free again {moment(asked[-most]) + timedelta(days=1):%Y-%m-%d %H:%M} UTC" if most else ""
    wait = f"the attention of people: {len(asked)} of {most} approvals asked in 24 hours{free}"
    word = f"; today all the same: flyball rollout retry {state.service}"
    return Decision(
        action="rollout",
        what="wait",
        why=f"release {short(root)} would ask for an approval",
        waiting_for=(wait + word,),
    )
