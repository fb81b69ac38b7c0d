"""One test of the ML Test Score: not shown, shown once by hand, or held by machine each time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from flyball.control.review.past import Past
from flyball.control.review.readiness.item import Asked, Item
from flyball.control.review.seen import Shown
from flyball.core import events as e
from flyball.core.record import Record
from flyball.core.release import TestResult

Section = Literal["data", "model", "infrastructure", "monitoring"]
Points = float  # 0, 0.5 by hand, 1 by machine


class Tested(Record):
    section: Section
    name: str
    points: Points
    why: str
    todo: str = ""  # what would give more
    evidence: tuple[int, ...] = ()  # sequence numbers on the ledger
    age_s: float | None = None  # of the newest of them; None: nothing shows it
    rubric: str = ""  # number and title in the paper: `Data 1: Feature expectations are captured in a schema`


@dataclass(frozen=True, kw_only=True)
class Grounds:
    """What the tests stand on: facts, the champion's own tests, the checklist and the past."""

    asked: Asked
    items: dict[str, Item]  # of the checklist, by name
    past: Past
    results: Sequence[TestResult]  # of the champion, as it was judged last
    judged: Shown | None  # when that was

    def passed(self, of: Callable[[TestResult], bool]) -> TestResult | None:
        """The first result of the champion that fits, and has passed; none where one of them failed."""
        found = [each for each in self.results if of(each)]
        failed = any(each.verdict == "FAIL" for each in found)
        return None if failed else next((each for each in found if each.verdict == "PASS"), None)

    def watched(self) -> Shown | None:
        """The newest judgement of the service's health: that a process started shows nothing of what it sees."""
        found = self.asked.seen.newest(e.HealthChanged, lambda fact: fact.health.state != "UNKNOWN")
        return None if found is None else found[1]


def given(section: Section, name: str, points: Points, why: str, todo: str, *shown: Shown | None) -> Tested:
    """With what shows it. What nothing shows is worth nothing, whatever is said."""
    seen = [each for each in shown if each is not None]
    worth: Points = points if seen else 0
    return Tested(
        section=section,
        name=name,
        points=worth,
        why=why if seen or not points else f"{why}, but no fact shows it",
        todo="" if worth == 1 else todo,
        evidence=tuple(each.seq for each in seen),
        age_s=min((each.age_s for each in seen), default=None),
    )


def by_result(
    grounds: Grounds, section: Section, name: str, todo: str, of: Callable[[TestResult], bool], *, most: Points = 1
) -> Tested:
    """A test of a suite that the pipeline makes of each release, by what it said of the champion."""
    found = grounds.passed(of)
    if found is not None:
        return given(section, name, most, f"{found.name}: {found.reason}", todo, grounds.judged)
    worst = next((each for each in grounds.results if of(each)), None)
    why = (
        f"{worst.name} is {worst.verdict}: {worst.reason}" if worst is not None else "no such test of the champion ran"
    )
    return given(section, name, 0, why, todo)


def by_item(grounds: Grounds, section: Section, name: str, item: str, *, most: Points = 1) -> Tested:
    """An item of the checklist: a look at the running system, or a fact."""
    found = grounds.items[item]
    if found.state != "PASS":
        return given(section, name, 0, found.why, found.todo)
    return Tested(
        section=section,
        name=name,
        points=most,
        why=found.why,
        todo="" if most == 1 else found.todo,
        evidence=found.evidence,
        age_s=found.age_s,
    )
