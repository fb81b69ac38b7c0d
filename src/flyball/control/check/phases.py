"""The phases of a rollout, as a table: what may follow what, by which fact. The page of states is drawn from it.

A rollout is in the phase of its newest step; a fact that no row of its phase names changes nothing. The check of plans
refuses one that would step off the table, and tests hold every folded history against it.
"""

from typing import Literal

from flyball.control.state.rollout_state import RolloutState
from flyball.core import events as e

Phase = Literal["none", "opened", "shadow", "approval", "canary", "pause", "soak", "promote"]
STEPS: tuple[Phase, ...] = ("shadow", "approval", "canary", "pause", "soak", "promote")

# (phase, type of the fact) -> the phases that may follow
TABLE: dict[tuple[Phase, str], tuple[Phase, ...]] = {
    ("none", "rollout.opened"): ("opened",),
    ("opened", "step.started"): STEPS,
    ("shadow", "step.started"): STEPS,
    ("approval", "step.started"): ("shadow", "canary", "pause", "soak", "promote"),  # a rollout has one approval
    ("canary", "step.started"): ("approval", "canary", "pause", "soak", "promote"),  # no shadow after live traffic
    ("pause", "step.started"): STEPS,
    ("soak", "step.started"): ("soak", "promote"),  # nothing is left to try; the same soak goes on with other shares
    **{(phase, "rollout.closed"): ("none",) for phase in ("opened", *STEPS)},
}


def phase_of(rollout: RolloutState | None) -> Phase:
    """Where a rollout stands.

    >>> phase_of(None)
    'none'
    """
    if rollout is None:
        return "none"
    if rollout.step is None:
        return "opened"
    for phase in STEPS:
        if phase == rollout.step.kind:
            return phase
    raise ValueError(f"a step of the unknown kind {rollout.step.kind!r}")


def allowed(before: Phase, fact: e.AnyFact, after: Phase) -> bool:
    """Whether a fact may lead from one phase to the other. Facts of no arrow leave the phase as it is."""
    kind = fact.__struct_config__.tag
    following = TABLE.get((before, str(kind)))
    return before == after if following is None else after in following


def drawing() -> str:
    """The table as a Mermaid state diagram."""
    arrows = [
        f"    {_name(before)} --> {_name(after)}: {kind}"
        for (before, kind), following in TABLE.items()
        for after in following
    ]
    return "\n".join(["stateDiagram-v2", *arrows])


def _name(phase: Phase) -> str:
    return "[*]" if phase == "none" else phase
