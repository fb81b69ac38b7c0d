"""With more than half of the units the arms can hardly be told apart. When in doubt: even shares.

At 95 % of the units an error of the candidate says little of whose fault it is (`stats.change_point`), and much of
whether something has changed (`stats.rate_rise`). So a rate of the candidate's that has risen is a reason to take its
weight down to a half, no more: nobody is blamed, and the comparison that follows is quick. If the release is bad it
goes back within tens of its errors. If it was a common cause, or chance, the weight comes back: as soon as the rate is
no longer several times what it was, or the champion's is as high.

What is suspected by chance is bounded over a rollout of any length (`rate_rise.risen`). Rates that do jump, again and
again, are another matter: a rollout is lowered LOWERINGS times. The last time too the weight comes back, and from then
on it stays as declared: who asked for a holdback of 5 % does not get one of a half for the rest of the soak. The
comparison of the arms goes on, at that weight, and decides alone.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from flyball.core.record import Record
from flyball.core.routing import WHOLE, Routing, StepCounts
from flyball.core.service import Step
from flyball.stats.change.rate_rise import FACTOR, risen
from flyball.stats.sequential_tests.sequential import accept_bound

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
    lowered = lowerings(weights)
    if routing.weight > HALF:
        suspected = list(_risen(counts)) if lowered < LOWERINGS else []
        return Shares(weight=HALF, why=f"{'; '.join(suspected)}: even shares show whose it is") if suspected else None
    if list(_unsettled(routing, counts)):
        return None
    why = "what had risen is what it was, or the champion's as well"
    return Shares(weight=full, why=why if lowered < LOWERINGS else f"{why}; {spent(lowered)}")


def spent(lowered: int) -> str:
    """What to say of a rollout whose weight no suspicion lowers any more; empty: it is not so far.

    >>> spent(0)
    ''
    """
    if lowered < LOWERINGS:
        return ""
    return f"even shares {lowered} times in this rollout: no suspicion lowers its weight again, the comparison decides"


def in_doubt(step: Step, routing: Routing, counts: StepCounts, *, lowered: int = 0) -> tuple[str, ...]:
    """What has to be seen before such a step may be left; empty: nothing is in doubt.

    Args: lowered: how often the weight was (`lowerings`). Where a suspicion lowers it no more the comparison of this
        step, which began when the weight came back for good, has to say that the champion's rate is as high.
    """
    if _full(step) is None:
        return ()
    if routing.weight <= HALF:
        return tuple(_unsettled(routing, counts))
    rails = routing.guardrails
    assert rails is not None, "a candidate has guardrails"
    return tuple(_risen(counts, accept_bound(rails.beta) if lowered >= LOWERINGS else -math.inf))


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


def _risen(counts: StepCounts, alike: float = -math.inf) -> Iterator[str]:
    """Guardrails whose rate has risen; not where the test of this step is at `alike`: the champion's is as high."""
    rates, own, tests = counts.own_rates.risen, counts.rollout_candidate, counts.step_tests
    for name, log, events, log_e in (
        ("errors", rates.errors, own.errors, tests.errors),
        ("slow answers", rates.slow, own.slow, tests.slow),
    ):
        if log >= risen(events) and log_e > alike:
            yield (
                f"the candidate's {name} have risen (log-likelihood ratio {log:.1f} for {FACTOR:g} times as many, "
                f"suspected from {risen(events):.1f} on after {events} of its own)"
            )


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
