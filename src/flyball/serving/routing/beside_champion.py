"""One arm of an A/B test beside its champion, as if the two were a rollout: what is proved for two is asked k times.

Theory of operation. k arms share one error budget (Bonferroni): each is judged at alpha/k, so the chance that any of k
arms that are as good as the champion is ever stopped is at most alpha, whatever the arms have in common. k is the
number of arms that the test began with; one that has gone keeps its part. Two bad arms cannot hide behind one another:
each is compared with the champion and with nobody else. `max_errors` is not asked: it is a limit for a trial of hours,
and a good arm of a test of weeks passes any number of its own errors. Pure.
"""

from msgspec import UNSET
from msgspec.structs import replace

from flyball.core.routing import WHOLE, ArmEvidence, Routing, StepCounts

_NO_LIMIT = 1 << 53


def beside_champion(routing: Routing, counts: StepCounts, name: str) -> tuple[Routing, StepCounts]:
    """The two as a judge of rollouts reads them. Whether the split is as promised is asked of all arms together.

    Raises: KeyError: the test has no such arm, or nothing to go by.
    """
    arm = {each.name: each for each in routing.arms}[name]
    rails = routing.guardrails
    assert rails is not None, "whoever judges has been given the authority"
    known = {each.name: each for each in counts.arms}
    own, champion = known.get(name, ArmEvidence(name=name)), known.get("champion", ArmEvidence(name="champion"))
    two = replace(
        routing,
        arms_=UNSET,
        candidate=arm.release,
        weight=WHOLE,  # of their two shares no ratio can be read: the rest of the units is other arms'
        guardrails=replace(rails, alpha=rails.alpha / len(routing.arms), max_errors=_NO_LIMIT),
    )
    return two, replace(
        counts, arms_=UNSET, champion=champion.total, candidate=own.total, rollout_candidate=own.total,
        step_tests=own.tests, rollout_tests=own.tests,
    )  # fmt: skip
