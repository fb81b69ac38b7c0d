"""How far a remedy may go alone: the declared rung, less what harmful outcomes took, or what reviews have earned."""

from typing import Literal

from msgspec.structs import replace

from flyball.core.record import Record
from flyball.core.service import Autonomy, Remedy

RUNGS: tuple[Remedy, ...] = ("observe", "suggest", "approval", "auto")
FIRST: Remedy = "suggest"  # where a ladder that has to be earned begins

Review = Literal["good", "harmful", "useless"]


class Standing(Record):
    """What people's reviews of a remedy have come to."""

    steps: int = 0  # rungs: earned above the first one, or (below 0) taken away
    good: int = 0  # reviews since the last step


class Step(Record):
    """What one more review does."""

    standing: Standing
    rung: Remedy  # where it stands then
    why: str


def rung(autonomy: Autonomy, standing: Standing) -> Remedy:
    """Where retraining stands. The declared rung is the ceiling, always.

    >>> rung(Autonomy(retrain="auto"), Standing()), rung(Autonomy(retrain="auto"), Standing(steps=-1))
    ('auto', 'approval')
    >>> earning = Autonomy(retrain="auto", earned=True)
    >>> rung(earning, Standing()), rung(earning, Standing(steps=2))
    ('suggest', 'auto')
    """
    ceiling = RUNGS.index(autonomy.retrain)
    begins = min(ceiling, RUNGS.index(FIRST)) if autonomy.earned else ceiling
    return RUNGS[max(0, min(ceiling, begins + standing.steps))]


def remedy_rung(autonomy: Autonomy, standing: Standing) -> Remedy:
    """Where another remedy stands against one kind of cause: a policy that names it lets it go alone, and reviews may
    take that away and give it back.

    >>> remedy_rung(Autonomy(), Standing()), remedy_rung(Autonomy(retrain="auto"), Standing(steps=-1))
    ('auto', 'approval')
    """
    return rung(alone(autonomy), standing)


def alone(autonomy: Autonomy) -> Autonomy:
    """The bounds of a remedy that a policy names: the highest rung, which has not to be earned."""
    return replace(autonomy, retrain="auto", earned=False)


def lower(one: Remedy, other: Remedy) -> Remedy:
    """The one that lets the loop do less.

    >>> lower("auto", "approval"), lower("suggest", "approval")
    ('approval', 'suggest')
    """
    return min(one, other, key=RUNGS.index)


def reviewed(autonomy: Autonomy, standing: Standing, review: Review) -> Step:
    """A harmful outcome takes a rung at once; `reviews` good ones earn one, or give it back; a useless one is silent.

    >>> reviewed(Autonomy(retrain="auto"), Standing(), "harmful").rung
    'approval'
    """
    before = rung(autonomy, standing)
    match review:
        case "harmful":
            lower = 0 if before == RUNGS[0] else 1
            now = Standing(steps=_kept(autonomy, standing) - lower)
            why = f"a harmful outcome: from {before} to {rung(autonomy, now)}" if lower else "it is at the lowest rung"
        case "good" if before == autonomy.retrain:
            now, why = standing, f"it stands at {before}, as declared"
        case "good" if standing.good + 1 >= autonomy.reviews:
            now = Standing(steps=_kept(autonomy, standing) + 1)
            why = f"{autonomy.reviews} good outcomes: from {before} to {rung(autonomy, now)}"
        case "good":
            now = Standing(steps=standing.steps, good=standing.good + 1)
            why = f"{now.good} of {autonomy.reviews} good outcomes for the rung above {before}"
        case _:
            now, why = standing, f"it stays at {before}"
    return Step(standing=now, rung=rung(autonomy, now), why=why)


def _kept(autonomy: Autonomy, standing: Standing) -> int:
    """Steps without those that the ceiling, or the floor, cut off: they would have to be taken again in vain."""
    begins = RUNGS.index(rung(autonomy, Standing()))
    return RUNGS.index(rung(autonomy, standing)) - begins
