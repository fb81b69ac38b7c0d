"""Which release is tried next, and whether anything is in its way. Pure."""

from flyball.control.decision import Decision, Situation
from flyball.control.policing import barred
from flyball.control.rollout.approving import too_many_asked
from flyball.control.rollout.powering import too_weak
from flyball.control.spending import frozen_by_budget
from flyball.core import events as e
from flyball.core.codec import digest
from flyball.core.ids import Digest, ReleaseRoot, RolloutId, ServiceName, short
from flyball.decide.exceptions import covering


def plan_opening(situation: Situation) -> Decision | None:
    """The opening of a rollout; None where nothing waits that may be tried."""
    state = situation.state
    candidates = [root for root in state.waiting if root not in state.withdrawn and _able(situation, root)]
    if not candidates or state.champion is None:
        return None
    if state.ab is not None:
        test = state.ab.started.test
        return Decision(
            action="rollout",
            what="wait",
            why=f"A/B test {test} runs: one comparison at a time",
            waiting_for=(f"the end of A/B test {test}: flyball ab stop {state.service}",),
        )
    root = candidates[-1]  # the newest: an older one that still waits has been overtaken
    bar = frozen_by_budget(situation) or barred(situation, "rollout", root) or too_many_asked(situation, root)
    if bar is not None:
        return bar
    weak = too_weak(situation.outlook.power, state.service, root)
    if weak is not None:
        return weak
    name = RolloutId("ro-" + short(digest("flyball/rollout/v1", [state.service, root, state.turn])))
    release = state.releases[root]
    opened = e.RolloutOpened(
        service=ServiceName(state.service),
        rollout=name,
        release=ReleaseRoot(root),
        champion=ReleaseRoot(state.champion),
        policy=Digest(state.policy),
        salt=name,
        reason=release.reason,
        exceptions=_exceptions(situation, root),
        power=situation.outlook.power,
    )
    names = ", ".join(opened.exceptions)
    passed = f"goes ahead BY EXCEPTION ({names})" if names else "passed its gates"
    return Decision(
        action="rollout",
        what=f"open {name}",
        why=f"release {short(root)} {passed} and {short(state.champion)} serves",
        facts=(opened,),
    )


def _able(situation: Situation, root: str) -> bool:
    state = situation.state
    return state.exceptions.lets_on(state.releases[root], state.policy, situation.now)


def _exceptions(situation: Situation, root: str) -> tuple[str, ...]:
    """What a release goes ahead by that did not pass."""
    state = situation.state
    release, standing = state.releases[root], state.exceptions.standing.values()
    return () if release.passed else covering(release, standing, policy=state.policy, now=situation.now) or ()
