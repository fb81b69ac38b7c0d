"""The alert budget: pages that each person on call got in any seven days, against what the service allows."""

from collections.abc import Iterable
from datetime import timedelta

from flyball.control.review.past import Past, Told
from flyball.core.clock import moment
from flyball.core.record import Record

WEEK = timedelta(days=7)
NOBODY = "nobody by name"


class Paged(Record):
    """The pages of one person on call."""

    person: str
    pages: int  # in the span
    most: int  # in any seven days of it
    limit: int  # review.pages_per_week
    causes: dict[str, int]  # fingerprint -> pages
    evidence: tuple[int, ...]

    @property
    def over(self) -> bool:
        return self.most > self.limit


def paging(past: Past, limit: int) -> tuple[Paged, ...]:
    """Most pages first. A page to several people is one for each of them; tickets wake nobody."""
    of: dict[str, list[Told]] = {}
    for told in past.told:
        if told.urgency == "page":
            for person in told.people or (NOBODY,):
                of.setdefault(person, []).append(told)
    found = [_paged(person, pages, limit) for person, pages in of.items()]
    return tuple(sorted(found, key=lambda each: (-each.most, -each.pages, each.person)))


def _paged(person: str, pages: list[Told], limit: int) -> Paged:
    causes: dict[str, int] = {}
    for each in pages:
        causes[each.cause] = causes.get(each.cause, 0) + 1
    return Paged(
        person=person,
        pages=len(pages),
        most=most_in_a_week(each.at for each in pages),
        limit=limit,
        causes=causes,
        evidence=tuple(each.seq for each in pages),
    )


def most_in_a_week(times: Iterable[str]) -> int:
    """The most moments (RFC 3339) that lie within seven days of one another.

    >>> most_in_a_week(["2026-11-01T00:00:00Z", "2026-11-07T00:00:00Z", "2026-11-08T00:00:00Z"])
    2
    """
    moments = sorted(moment(each) for each in times)
    first, most = 0, 0
    for last, at in enumerate(moments):
        while at - moments[first] >= WEEK:
            first += 1
        most = max(most, last - first + 1)
    return most
