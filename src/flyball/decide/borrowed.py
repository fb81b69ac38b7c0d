"""A verdict for traffic that somebody else moves, from nothing but counts: whoever asks brings all of them, each time.

Theory of operation. An epoch is a stretch in which the candidate's weight did not change. Of each arm it brings sums.
Given the margins of its table, the candidate's share of the error events is hypergeometric if the arms fail alike; the
log of the likelihood ratio is the evidence of the epoch (`increment_of_counts`, as for whole panes), and the evidence
of epochs adds, because their units are different ones. Neighbouring epochs of one declared weight are one step.

What survives which peeking. Over epochs that ended when a clock said so, the product is a martingale: looked at after
each of them, however many there are, it sends a good candidate back with a chance of at most alpha (Ville). The sums of
an epoch that still grows contain each other, and their ratio is no martingale. Looked at after each of some hundred
polls it stayed within its alpha in every setting that was simulated (`tests/calibration/test_borrowed.py`), and that is
all that is known of it. Who wants the promise ends an epoch with each poll, and leaves its weight as it was.
"""

from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from flyball.core.declared.guardrails import Guardrails
from flyball.core.declared.kinds import Count
from flyball.core.errors import BadInput, Fault
from flyball.core.ids import ReleaseRoot, ServiceName
from flyball.core.record import Record
from flyball.core.routing import WHOLE, ArmCounts, Routing, StepCounts, TestSums, Verdict
from flyball.core.service import Canary, Step
from flyball.decide.rollout import RATIO_LOG_E, advance, judge
from flyball.stats.sequential_tests.sequential import increment_of_counts

MOST_EPOCHS = 1_000
MOST_EVENTS = 1_000_000  # error or slow events in one question: each costs a place in an array
WHERE = "epochs"

Events = Annotated[int, Meta(ge=0, le=MOST_EVENTS)]
Exposures = Annotated[int, Meta(ge=0, le=10**12)]


class ArmSums(Record, forbid_unknown_fields=True):
    """One arm in one epoch."""

    requests: Exposures
    errors: Events  # error events: once a unit, where units are counted
    slow: Events | None = None  # slow answers, counted likewise; null: nobody counted them
    units: Exposures | None = (
        None  # users or sessions first seen, where they stick to an arm; null: each request is one
    )

    @property
    def exposures(self) -> int:
        return self.requests if self.units is None else self.units


class EpochSums(Record, forbid_unknown_fields=True):
    """A stretch of constant weight."""

    candidate: ArmSums
    champion: ArmSums
    weight: Annotated[float, Meta(ge=0.0001, le=1)] | None = None  # promised share of the candidate, to 0.01 %


class Question(Record, forbid_unknown_fields=True):
    """Everything that was counted since the candidate's first request."""

    epochs: Annotated[tuple[EpochSums, ...], Meta(min_length=1, max_length=MOST_EPOCHS)]  # oldest first
    guardrails: Guardrails = Guardrails()
    min_requests: Count = 300  # of the candidate's own in the last step, before it may go further


def verdict_on(asked: Question) -> Verdict:
    """The verdict that a rollout of ours with these counts would get. Stateless: asked twice it answers the same.

    Raises: BadInput: counts that cannot be, all of them at once.

    >>> arms = {"candidate": ArmSums(requests=500, errors=0), "champion": ArmSums(requests=4500, errors=3)}
    >>> verdict_on(Question(epochs=(EpochSums(**arms, weight=0.1),))).kind
    'PROMOTE'
    >>> arms = {"candidate": ArmSums(requests=100, errors=9), "champion": ArmSums(requests=900, errors=3)}
    >>> verdict_on(Question(epochs=(EpochSums(**arms),))).kind
    'ROLL_BACK'
    """
    if faults := tuple(_faults(asked)):
        raise BadInput("these counts cannot be", faults)
    *earlier, last = _steps(asked.epochs)
    uncounted = frozenset({"slow"} if asked.epochs[0].candidate.slow is None else ())
    counts = replace(
        _counts(last, asked.guardrails),
        rollout_tests=_tests(asked.epochs, asked.guardrails),
        rollout_candidate=_sum([each.candidate for each in asked.epochs]),
    )
    mismatch = sum(_mismatch(step, asked.guardrails) for step in earlier)
    canary = Step(canary=Canary(weight=last[0].weight or 1.0, min_requests=asked.min_requests, min_s=0.0))
    found = advance(
        canary,
        _routing(last, asked.guardrails),
        counts,
        elapsed_s=0.0,
        ratio_log_e_before=mismatch,
        uncounted=uncounted,
    )
    return replace(found, numbers={name: n for name, n in found.numbers.items() if not ("slow" in name and uncounted)})


def _steps(epochs: tuple[EpochSums, ...]) -> list[list[EpochSums]]:
    """Neighbours of one declared weight belong together; an epoch without one stands alone."""
    steps: list[list[EpochSums]] = []
    for epoch in epochs:
        if steps and epoch.weight is not None and steps[-1][0].weight == epoch.weight:
            steps[-1].append(epoch)
        else:
            steps.append([epoch])
    return steps


def _counts(step: list[EpochSums], rails: Guardrails) -> StepCounts:
    return StepCounts(
        service=ServiceName(""),
        epoch=0,
        rollout=None,
        step=None,
        candidate=_sum([each.candidate for each in step]),
        champion=_sum([each.champion for each in step]),
        step_tests=_tests(step, rails),
    )


def _tests(epochs: tuple[EpochSums, ...] | list[EpochSums], rails: Guardrails) -> TestSums:
    found = TestSums()
    for each in epochs:
        one, other = each.candidate, each.champion
        n = (one.exposures, other.exposures)
        errors = increment_of_counts(one.errors, other.errors, *n, rails.errors.ratio)
        slow = increment_of_counts(one.slow or 0, other.slow or 0, *n, rails.slow.ratio)
        found = found.plus(TestSums(errors=errors, slow=slow))
    return found


def _sum(arms: list[ArmSums]) -> ArmCounts:
    total = ArmCounts()
    for arm in arms:
        found = ArmCounts(requests=arm.requests, units=arm.exposures, errors=arm.errors, slow=arm.slow or 0)
        total = total.plus(found)
    return total


def _routing(step: list[EpochSums], rails: Guardrails) -> Routing:
    """Without a promised weight there is nothing that the shares could be compared with."""
    return Routing(
        service=ServiceName(""),
        epoch=0,
        champion=ReleaseRoot("champion"),
        candidate=ReleaseRoot("candidate"),
        weight=round((step[0].weight or 0.0) * WHOLE),
        guardrails=rails,
    )


def _mismatch(step: list[EpochSums], rails: Guardrails) -> float:
    """Evidence of a step that is over that the arms did not get their shares, nats."""
    alone = replace(_counts(step, rails), step_tests=TestSums())
    return judge(_routing(step, rails), alone).numbers.get(RATIO_LOG_E, 0.0)


def _faults(asked: Question) -> list[Fault]:
    found: list[Fault] = []
    counted = asked.epochs[0].candidate.slow is not None
    for place, epoch in enumerate(asked.epochs):
        for name in ("candidate", "champion"):
            arm: ArmSums = getattr(epoch, name)
            at = f"epochs[{place}].{name}"
            for what, n in (("errors", arm.errors), ("slow", arm.slow or 0)):
                if n > arm.exposures:
                    kind = "requests" if arm.units is None else "units"
                    found.append(_fault(f"{at}.{what}", f"at most the {arm.exposures} {kind}", str(n)))
            if arm.units is not None and arm.units > arm.requests:
                found.append(_fault(f"{at}.units", f"at most the {arm.requests} requests", str(arm.units)))
            if (arm.slow is not None) is not counted:
                found.append(_fault(f"{at}.slow", "slow answers of every arm in every epoch, or of none", "some"))
    if asked.guardrails.metrics:
        names = ", ".join(metric.name for metric in asked.guardrails.metrics)
        found.append(_fault("guardrails.metrics", "none: they need rows with labels, and counts have none", names))
    events = sum(arm.errors + (arm.slow or 0) for each in asked.epochs for arm in (each.candidate, each.champion))
    if events > MOST_EVENTS:
        found.append(_fault("epochs", f"at most {MOST_EVENTS} error and slow events", str(events)))
    return found


def _fault(path: str, expected: str, found: str) -> Fault:
    return Fault(where=WHERE, path=path, expected=expected, found=found)
