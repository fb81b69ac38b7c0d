"""What was tried against an incident: remedies begun for it, or for its cause in its span where they name no other one.

In the same time remedies run against other causes, and end that were begun against an earlier incident; the links of
the fallback chain are exercised. None of that was tried against this one.
"""

from collections.abc import Iterable

from flyball.core import events as e
from flyball.core.ledger import Entry


def tried(opened: e.IncidentOpened, entries: Iterable[Entry], *, began: str, end: str | None) -> tuple[int, ...]:
    """The `seq` of the facts of its remedies, in order. Args: entries: of its service, in order. began: RFC 3339, UTC.
    end: when it was closed; None: it is open."""
    cause, remedies, found = opened.cause or opened.kind, set[str](), list[int]()
    for one in entries:
        match one.fact:
            case e.RemedyBegun(remedy=name, incident=incident) if incident:
                if incident == opened.incident:
                    remedies.add(name)
            case e.RemedyBegun(remedy=name, cause=against, drill=drill):
                if drill and drill != opened.drill:
                    continue  # a drill had made the cause by then, and this incident is not its own
                if against == cause and began <= one.at and (end is None or one.at <= end):
                    remedies.add(name)
            case _:
                pass
        if isinstance(one.fact, e.RemedyBegun | e.RemedyVerified | e.RemedyEnded) and one.fact.remedy in remedies:
            found.append(one.seq)
    return tuple(found)
