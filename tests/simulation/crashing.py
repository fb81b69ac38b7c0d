"""Stories that can be cut off before any of their effects, and what is left of them in the end."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from tests.simulation.small import SERVICE, declared, scenario

from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.app.rehearse.scenario import Candidate, Drift
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.learner import root_of
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.app.wiring.rehearse.striking import Side
from flyball.core.ids import ReleaseRoot
from flyball.core.ledger import Ledger
from flyball.core.service import Approval, Canary, Guardrail, Guardrails, Promote, Psi, Shadow, Step
from flyball.registry import chain

SEED = 23  # whose person looks soon
# a step that has nothing to say is over after some twenty requests: what is tried here are crashes, not statistics
HIGH = Guardrails(errors=Guardrail(ratio=2, ceiling=0.2), slow=Guardrail(ratio=3, ceiling=0.3))
QUICK = replace(
    SERVICE,
    rollout=replace(
        SERVICE.rollout,
        guardrails=HIGH,
        steps=(
            Step(shadow=Shadow(min_pairs=20)),
            Step(approval=Approval()),
            Step(canary=Canary(weight=0.5, min_requests=20, min_s=0)),
            Step(promote=Promote()),
        ),
    ),
    monitor=replace(SERVICE.monitor, window_rows=50, psi=Psi(consecutive=1), live_metric=None),
    retrain=replace(SERVICE.retrain, triggers=("drift",), min_new_rows=20),
)
TWO_ROLLOUTS = scenario(
    days=0.03,
    traffic_rps=0.7,
    candidates=(Candidate(at=60, error_ratio=0, slow_ratio=0), Candidate(at=2000, error_ratio=300)),
)
A_RETRAINING = scenario(
    days=0.08,
    traffic_rps=2.0,
    label_delay_s=60.0,
    candidates=(),
    drift=(Drift(at=0, feature="x", shift=4.0),),
)
STORIES = {"rollouts": TWO_ROLLOUTS, "retraining": A_RETRAINING}
# windows of so few rows see a drift where there is none: where that is not the story nobody trains for it
STILL = replace(QUICK, autonomy=replace(QUICK.autonomy, retrain="observe"))
CASTS = {name: Cast(declared(QUICK if told.drift else STILL), told) for name, told in STORIES.items()}


def memory(clock: SimulatedClock) -> Ledger:
    return MemoryLedger(sealer=chain, clock=clock)


def ended(story: str | Cast, make: Callable[[SimulatedClock], Ledger], crash_at: tuple[int, Side] | None) -> Rehearsal:
    """Each pane leaves a checkpoint, so that whoever comes after a crash goes on from one."""
    cast = CASTS[story] if isinstance(story, str) else story
    rehearsal = Rehearsal(cast, SEED, make_ledger=make, crash_at=crash_at, checkpoint_panes=1)
    run = rehearsal.run()
    assert run.violations == (), crash_at
    return rehearsal


def ending(rehearsal: Rehearsal) -> dict[str, Any]:
    """All that is left in the end, whenever it happened."""
    names = {root_of("small", name): name for name in ("first", "candidate 0", "candidate 1")}
    state, ordered = rehearsal.state, rehearsal.world.gateway.ordered

    def called(root: str | None) -> str | None:
        return None if root is None else names.get(ReleaseRoot(root), "retrained")

    assert ordered is not None
    return {
        "champion": called(state.champion),
        "previous": called(state.previous),
        "withdrawn": sorted(str(called(root)) for root in state.withdrawn),
        "waiting": state.waiting,
        "releases": len(state.releases),
        "open": (state.rollout, state.ticket, state.incident),
        "serves": (called(ordered.champion), called(ordered.previous), ordered.candidate, ordered.weight),
    }
