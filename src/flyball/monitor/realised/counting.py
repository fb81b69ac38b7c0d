"""How labels reach tallies: events pane by pane, and of each the rows of one code into the tally of that code."""

from collections.abc import Sequence

import numpy as np

from flyball.monitor.labels import Event
from flyball.monitor.realised.coding import Owner
from flyball.monitor.realised.forms import Known
from flyball.monitor.realised.tally import Batch, Ints, Tally


def by_pane(events: Sequence[Event]) -> list[Sequence[Event]]:
    """The events of each pane, in order."""
    if not events:
        return []
    held = [event[0] for event in events]
    if held.count(held[0]) == len(held):
        return [events]
    parts: dict[int, list[Event]] = {}
    for event in events:
        parts.setdefault(id(event[0]), []).append(event)
    return list(parts.values())


def put(tallies: dict[tuple[Owner, int], Tally], owner: Owner, codes: Ints, whole: Batch, of: Known, sign: int) -> None:
    """Count the rows of each code in the tally of that code."""
    first = int(codes[0])
    if (codes == first).all():
        if first >= 0:
            _tally(tallies, owner, first, of).count(whole, sign)
        return
    for code in np.unique(codes).tolist():
        if code >= 0:
            _tally(tallies, owner, code, of).count(whole.taken(np.flatnonzero(codes == code)), sign)


def _tally(tallies: dict[tuple[Owner, int], Tally], owner: Owner, code: int, of: Known) -> Tally:
    found = tallies.get((owner, code))
    if found is None:
        found = tallies[owner, code] = Tally(form=of.form)
    return found


def add_rows(rows: dict[tuple[Owner, int], int], owner: Owner, codes: Ints) -> None:
    """Rows of an owner in each group."""
    groups, counts = np.unique(codes[codes >= 0], return_counts=True)
    for code, count in zip(groups.tolist(), counts.tolist(), strict=True):
        rows[owner, code] = rows.get((owner, code), 0) + count
