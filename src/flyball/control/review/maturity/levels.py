"""Four levels of how a service is run: manual, instrumented, automated, governed; each by what was shown.

A level is reached when everything that it and those below it need has passed. What is missing is named with what it
costs to get and what it gains. The needs are items of the production checklist: there is one truth about each.
"""

from collections.abc import Mapping
from typing import Literal

from flyball.control.review.readiness.item import Item, State
from flyball.core.record import Record

LevelName = Literal["manual", "instrumented", "automated", "governed"]
LEVELS: tuple[LevelName, ...] = ("manual", "instrumented", "automated", "governed")


class Need(Record):
    """One thing that a level needs."""

    level: LevelName
    name: str  # the item of the checklist
    state: State
    why: str  # what was found
    cost: str  # of getting it, in words
    gain: str
    evidence: tuple[int, ...] = ()
    age_s: float | None = None


class Level(Record):
    number: int  # 0 to 3
    name: LevelName
    next: LevelName | None  # None: there is none above
    missing: tuple[Need, ...]  # of the next one
    needs: tuple[Need, ...]  # of all levels


_KEY, _RUN = "one key of service.yaml", "one command"
# item -> (level, what it costs, what it gains)
_NEEDS: Mapping[str, tuple[LevelName, str, str]] = {
    "it has an owner, and people who may act": ("instrumented", _KEY, "somebody answers, and nobody else can act"),
    "the champion is signed and verifies": ("instrumented", _RUN, "what serves is what was judged"),
    "gates have a floor": ("instrumented", _KEY, "nothing worse than the floor is ever rolled out"),
    "a controller keeps the service": ("instrumented", "a process that runs", "drift and loss are seen"),
    "it is probed": ("instrumented", _KEY, "that it answers is known where no client asks"),
    "its health is known": ("instrumented", "traffic", "one word says how it is, and why"),
    "how right it is is watched": ("instrumented", _KEY, "a loss is seen in windows instead of complaints"),
    "labels arrive": ("instrumented", "a feed of labels", "the truth about answers, late but sure"),
    "the rollout is scripted": ("automated", _KEY, "few clients meet a bad release"),
    "a shadow has passed": ("automated", "one rollout", "a release is compared before anybody gets its answers"),
    "a retraining went through with no hand": ("automated", _KEY, "a model that ages is replaced while you sleep"),
    "there is a release to go back to": ("automated", "one rollout", "a way back in one write"),
    "the way back was taken": ("automated", _RUN, "the way back is known to work"),
    "costs are bounded": ("automated", _KEY, "the loop cannot spend without end"),
    "somebody is on call": ("automated", _KEY, "what no machine can do reaches a person"),
    "alerts are tested": ("automated", _RUN, "a page arrives when it has to"),
    "the data contract has service levels": ("governed", "lines of contract.yaml", "late data are somebody's breach"),
    "what is kept, and for how long, is decided": ("governed", _KEY, "what is not needed cannot be lost or leaked"),
    "runbooks are out and fresh": ("governed", "an hour for each", "whoever is woken knows what to do"),
    "drills are scheduled, and none is overdue": ("governed", _KEY, "what was shown once is shown again"),
    "it was laid aside lately": ("governed", _RUN, "a lost disk takes days and not everything"),
    "a restore from backup was drilled": ("governed", _RUN, "RPO and RTO are figures instead of hopes"),
    "digests are written": ("governed", _KEY, "what was decided is read by people, and late is told"),
}


def level_of(items: Mapping[str, Item]) -> Level:
    """Args: items: of the checklist, by name."""
    chain = [item for name, item in items.items() if name.startswith("the fallback chain was tried")]
    needs = [_need(name, items[name], *told) for name, told in _NEEDS.items()]
    gain = "clients get an answer while the model does not answer"
    needs += [_need(item.name, item, "automated", "traffic", gain) for item in chain]
    reached = 0
    for number, name in enumerate(LEVELS[1:], 1):
        if any(need.state != "PASS" for need in needs if need.level == name):
            break
        reached = number
    following = LEVELS[reached + 1] if reached + 1 < len(LEVELS) else None
    missing = tuple(need for need in needs if need.level == following and need.state != "PASS")
    return Level(number=reached, name=LEVELS[reached], next=following, missing=missing, needs=tuple(needs))


def _need(name: str, item: Item, level: LevelName, cost: str, gain: str) -> Need:
    return Need(
        level=level,
        name=name,
        state=item.state,
        why=item.why,
        cost=f"{cost}: {item.todo}" if item.todo else cost,
        gain=gain,
        evidence=item.evidence,
        age_s=item.age_s,
    )
