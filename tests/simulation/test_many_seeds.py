"""A hundred worlds: a candidate that is as good and one that is far worse, and in each no promise is broken."""

from collections import Counter

from msgspec.structs import replace
from tests.simulation.crashing import STILL
from tests.simulation.small import declared, scenario

from flyball.app.rehearse.scenario import Candidate
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.core.service import Approval, Canary, Promote, Shadow, Step

STEPS = (
    Step(shadow=Shadow(min_pairs=10)),
    Step(approval=Approval()),
    Step(canary=Canary(weight=0.5, min_requests=10, min_s=0)),
    Step(promote=Promote()),
)
QUICK = replace(STILL, rollout=replace(STILL.rollout, steps=STEPS, waive={"canary-50%": "a short story"}))
TOLD = scenario(
    days=0.02,
    traffic_rps=0.3,
    candidates=(Candidate(at=30, error_ratio=0, slow_ratio=0), Candidate(at=700, error_ratio=500)),
)
SEEDS = 40


def test_forty_seeds_break_no_promise() -> None:
    cast, ends = Cast(declared(QUICK), TOLD), Counter[tuple[int, int]]()
    for seed in range(SEEDS):
        run = Rehearsal(cast, seed).run()
        assert run.violations == (), seed
        ends[run.promoted, run.rolled_back] += 1
    # a person may look too late for one of the two; what is not to happen is two promotions
    assert ends[1, 1] > SEEDS / 2
    assert all(promoted <= 1 for promoted, _ in ends)
