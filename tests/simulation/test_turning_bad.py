"""A release turns bad in a soak, controller, gateway and ledger and all: its share becomes even, and then nothing."""

import msgspec
import pytest
from msgspec.structs import replace
from tests.simulation.small import SERVICE, declared, scenario

from flyball.app.rehearse.invariants import MOST_ERRORS
from flyball.app.rehearse.scenario import Candidate
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.core import events as e
from flyball.core.ids import ReleaseRoot
from flyball.core.routing import Routing, StepCounts, Verdict
from flyball.core.service import Approval, Canary, Promote, Rollout, Soak, Step
from flyball.decide.rollout import judge

STEPS = (
    Step(approval=Approval()),
    Step(canary=Canary(weight=0.4, min_requests=150, timeout_s=7200)),
    Step(soak=Soak(min_s=20_000)),
    Step(promote=Promote()),
)
HEALTHY = 6_000  # requests of the candidate in the soak before it turns


class Turning:
    """The judge, and the fate of the candidate: at some moment of its soak it errs ten times as often."""

    def __init__(self, cast: Cast) -> None:
        self._cast = cast
        self.turned: ReleaseRoot | None = None
        self.before = self.after = 0  # errors of the candidate's own when it turned, and when it was judged last

    def __call__(self, routing: Routing, counts: StepCounts) -> Verdict:
        root = routing.candidate
        if root is not None:
            self.after = counts.rollout_candidate.errors
            if self.turned is None and routing.weight == 9500 and counts.candidate.requests >= HEALTHY:
                self.turned, self.before = root, self.after
                msgspec.structs.force_setattr(self._cast.models.made[root], "error_ratio", 10.0)
        return judge(routing, counts)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3))])
def test_a_release_that_turns_bad_in_its_soak_is_halved_and_goes_back(seed: int) -> None:
    told = scenario(days=0.25, candidates=(Candidate(at=60, metric_change=0.02),))
    cast = Cast(declared(replace(SERVICE, rollout=Rollout(steps=STEPS))), told)
    fate = Turning(cast)
    rehearsal = Rehearsal(cast, seed, judge=fate)
    run = rehearsal.run()
    assert fate.turned is not None
    facts = [entry.fact for entry in rehearsal.world.ledger.read()]
    weights = [fact.routing.weight for fact in facts if isinstance(fact, e.StepStarted) and fact.kind == "soak"]
    assert weights[:2] == [9500, 5000]
    assert [fact.outcome for fact in facts if isinstance(fact, e.RolloutClosed)] == ["rolled_back"]
    assert fate.after - fate.before <= MOST_ERRORS
    assert not run.violations
