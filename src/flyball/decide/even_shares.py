"""With more than half of the units the arms can hardly be told apart. When in doubt: even shares.

At 95 % of the units an error of the candidate says little of whose fault it is (`stats.change_point`), and much of
whether something has changed (`stats.rate_rise`). So a rate of the candidate's that has risen is a reason to take its
weight down to a half, no more: nobody is blamed, and the comparison that follows is quick. If the release is bad it
goes back within tens of its errors. If it was a common cause, or chance, the weight comes back: as soon as the rate is
no longer several times what it was, or the champion's is as high.

A rollout is lowered LOWERINGS times. After that it goes on with even shares, and its step is left from there.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from flyball.core.record import Record
from flyball.core.routing import WHOLE, Routing, StepCounts
from flyball.core.service import Step
from flyball.stats.rate_rise import FACTOR, RISEN
from flyball.stats.sequential import accept_bound

HALF = WHOLE // 2
LOWERINGS = 4  # each has half of the evidence left that the one before had


class Shares(Record):
    """Another weight for the running step."""

    weight: int  # of 10,000
    why: str


def other_shares(step: Step, routing: Routing, counts: StepCounts, weights: Sequence[int]) -> Shares | None:
    """What the candidate's weight should be from here on; None: as it is.

    Args: step: as declared. routing, counts: of the running step. weights: of the rollout's routings, oldest first.
    """
    full = _full(step)
    if full is None or routing.guardrails is None:
        return None
    if routing.weight > HALF:
        risen = list(_risen(counts))
        return Shares(weight=HALF, why=f"{'; '.join(risen)}: even shares show whose it is") if risen else None
    if lowerings(weights) >= LOWERINGS or list(_unsettled(routing, counts)):
        return None
    return Shares(weight=full, why="what had risen is what it was, or the champion's as well")


def in_doubt(step: Step, routing: Routing, counts: StepCounts) -> tuple[str, ...]:
    """What has to be seen before such a step may be left; empty: nothing is in doubt."""
    if _full(step) is None:
        return ()
    return tuple(_risen(counts) if routing.weight > HALF else _unsettled(routing, counts))


def lowerings(weights: Sequence[int]) -> int:
    """How often the weight was taken down to a half.

    >>> lowerings([0, 1000, 9500, 5000, 9500, 5000])
    2
    """
    return sum(after == HALF < before for before, after in pairwise(weights))


def _full(step: Step) -> int | None:
    """The declared weight of a step with more than half; None: it is no such step."""
    weight = round(step.live.weight * WHOLE) if step.live is not None else 0
    return weight if weight > HALF else None


def _risen(counts: StepCounts) -> Iterator[str]:
    risen = counts.own_rates.risen
    for name, log in (("errors", risen.errors), ("slow answers", risen.slow)):
        if log >= RISEN:
            yield f"the candidate's {name} have risen (log-likelihood ratio {log:.1f} for {FACTOR:g} times as many)"


def _unsettled(routing: Routing, counts: StepCounts) -> Iterator[str]:
    """Guardrails whose rate may still be up, and the champion's not."""
    rails, rates, whole = routing.guardrails, counts.own_rates.still, counts.rollout_candidate
    assert rails is not None, "a candidate has guardrails"
    bound, tests = accept_bound(rails.beta), counts.step_tests
    for name, ever, still, log_e in (
        ("errors", whole.errors, rates.errors, tests.errors),
        ("slow answers", whole.slow, rates.slow, tests.slow),
    ):
        if ever and still > bound and log_e > bound:
            yield f"whose the {name} are: {still:.2f} for a rate that is still up, {log_e:.2f} for a worse arm"
