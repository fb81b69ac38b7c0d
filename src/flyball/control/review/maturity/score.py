"""The ML Test Score and the level of a service, each point with the fact that shows it.

Source: Breck, Cai, Nielsen, Salib, Sculley, "The ML Test Score: A Rubric for ML Production Readiness and Technical Debt
Reduction", IEEE Big Data 2017: 28 tests in four sections of seven; half a point by hand, one by machine; the score is
the smallest of the four sums, since a strong section does not make up for a weak one.
"""

from collections.abc import Iterable, Sequence

from flyball.control.review.maturity.levels import Level, level_of
from flyball.control.review.maturity.of_data import of_data
from flyball.control.review.maturity.of_infrastructure import of_infrastructure
from flyball.control.review.maturity.of_model import of_model
from flyball.control.review.maturity.of_monitoring import of_monitoring
from flyball.control.review.maturity.rubric import numbered
from flyball.control.review.maturity.tested import Grounds, Section, Tested
from flyball.control.review.readiness.checklist import asked_of, checklist
from flyball.control.review.readiness.item import Asked, Looked
from flyball.control.review.reading import past_of
from flyball.control.review.seen import Shown
from flyball.core import events as e
from flyball.core.ledger import Entry
from flyball.core.record import Record
from flyball.core.release import TestResult
from flyball.core.service import Service

SECTIONS: tuple[Section, ...] = ("data", "model", "infrastructure", "monitoring")
_MEANING = (  # up to these points, in our words
    (0.0, "an experiment, not a system in production"),
    (1.0, "something is tested; expect gaps that matter"),
    (2.0, "a first pass at running it; more is worth doing"),
    (3.0, "reasonably tested; parts can still be automated"),
    (5.0, "strongly tested and watched"),
    (7.0, "exceptional"),
)


class Maturity(Record):
    service: str
    at: str  # RFC 3339, UTC
    score: float  # the smallest sum of a section, 0 to 7
    meaning: str
    sections: dict[str, float]
    tests: tuple[Tested, ...]
    level: Level


def maturity(service: Service, entries: Iterable[Entry], looked: Looked, now: str) -> Maturity:
    """Args: as `readiness.ready`, which says what is looked at."""
    facts = tuple(entries)
    asked = asked_of(service, facts, looked, now)
    items = {item.name: item for item in checklist(asked)}
    results, judged = _judged(asked)
    grounds = Grounds(
        asked=asked, items=items, past=past_of(facts, service.metadata.name), results=results, judged=judged
    )
    made = (of_data(grounds), of_model(grounds), of_infrastructure(grounds), of_monitoring(grounds))
    tests = tuple(test for section, part in zip(SECTIONS, made, strict=True) for test in numbered(section, part))
    sums: dict[str, float] = {
        name: sum((test.points for test in tests if test.section == name), 0.0) for name in SECTIONS
    }
    score = min(sums.values())
    return Maturity(
        service=service.metadata.name,
        at=now,
        score=score,
        meaning=next(words for most, words in _MEANING if score <= most),
        sections=sums,
        tests=tests,
        level=level_of(items),
    )


def _judged(asked: Asked) -> tuple[Sequence[TestResult], Shown | None]:
    """Tests of the champion: of its newest judgement, or of its registration."""
    champion = asked.state.champion
    again = asked.seen.newest(e.GatesJudged, lambda fact: fact.release == champion and bool(fact.tests))
    if again is not None:
        return again[0].tests, again[1]
    made = asked.seen.newest(e.ReleaseRegistered, lambda fact: fact.release.root == champion)
    return (made[0].release.tests, made[1]) if made is not None else ((), None)
