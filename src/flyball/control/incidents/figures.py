"""Mean time to detect and to recover, and how many incidents, from the facts of a period."""

from collections.abc import Iterable, Sequence
from statistics import fmean

from flyball.core import events as e
from flyball.core.ledger import Entry
from flyball.core.record import Record


class IncidentFigures(Record):
    """None: nothing was measured, which is no 0."""

    opened: int
    closed: int
    mttd_s: float | None  # mean of what was measured from beginning to opening
    detected: int  # incidents that this mean is of
    mttr_s: float | None  # mean of what was measured from opening to recovery
    recovered: int  # incidents that this mean is of


def incident_figures(entries: Iterable[Entry], *, drills: bool = False) -> IncidentFigures:
    """Of one service's entries. An incident counts where it was opened; its times, where it was closed. `drills`: of
    drills alone, else of all others."""
    kinds: dict[str, bool] = {}  # by id, whether it is counted
    opened, closed = 0, dict[str, e.IncidentClosed]()
    for entry in entries:
        match entry.fact:
            case e.IncidentOpened(incident=name, kind=kind, drill=drill):
                kinds[name] = (kind == "drill" or bool(drill)) == drills
                opened += kinds[name]
            case e.IncidentClosed(incident=name) if kinds.get(name, False):
                closed[name] = entry.fact
            case _:
                pass
    detected = [fact.detected_s for fact in closed.values() if fact.detected_s is not None]
    recovered = [fact.recovered_s for fact in closed.values() if fact.recovered_s is not None]
    return IncidentFigures(
        opened=opened,
        closed=len(closed),
        mttd_s=mean_s(detected),
        detected=len(detected),
        mttr_s=mean_s(recovered),
        recovered=len(recovered),
    )


def mean_s(figures: Sequence[float]) -> float | None:
    """
    >>> mean_s([]), mean_s([10.0, 20.0])
    (None, 15.0)
    """
    return fmean(figures) if figures else None
