"""Quality incidents: when the supply breaks, and when it is whole again or the broken state has become the new normal.

Theory of operation. One pass over the reports of the present champion gives the whole answer; who has folded the
older ones goes on from there. A finding that nobody knows yet opens an incident. It closes by itself in two ways:

- *recovered*: for `settle_windows` windows in a row nothing is found. The reference still holds, so what breaks again
  is another incident, and only the rows from the break to the first of these windows are bad.
- *new normal*: for as many windows the contract holds and each feature that has a finding stays near where it went.
  Near means: a PSI against the window before below `warn`, or below a tenth of its distance from the baseline (a new
  signal has seasons of its own). Training rows start at the first steady window. From then on the findings of these
  features are known, until the feature jumps again. So it is also called where windows of a champion that came later
  find nothing: they are measured against its reference, and the old one was not kept again.

A finding that comes and goes is neither until one of them is so.

A slipped column mapping and another unit never become normal by lasting: they need a person or a repair.

What a person closes is known from their word on, whatever the windows before it had found: it opens another incident
when it was gone once, has jumped or is graver (`decide/accepted.py`), and so does another column that breaks beside it.
Of rows that break the contract each rule is asked by itself: what a person accepted of one hides no other.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from msgspec.structs import replace

from flyball.core.clock import timestamp
from flyball.core.events import IncidentClosed, IncidentOpened
from flyball.core.ids import ServiceName, short
from flyball.core.record import Record
from flyball.core.service import Monitor
from flyball.core.watching import QualityFinding, WindowReport
from flyball.decide.accepted import Accepted, is_accepted, said_before, standing

NEVER_NORMAL = ("columns_mixed", "far_outside", "type_changed", "unit_changed")
NEAR = 0.1  # of the distance from the baseline


class Supply(Record):
    """What the reports say about the supply of data."""

    broken: bool = False
    since_row: int = 0  # first row of the window in which it broke
    since: float = 0.0  # when that window began, seconds since the epoch; 0: it does not say
    features: tuple[str, ...] = ()
    reason: str = ""
    steady: int = 0  # windows in a row
    steady_row: int = 0  # where they began
    clean: int = 0  # windows in a row in which nothing was found
    clean_row: int = 0  # where they began
    clean_since: float = 0.0  # when the first of them began, seconds since the epoch; 0: it does not say
    ended: Literal["", "new_normal", "recovered"] = ""  # how the last break ended by itself
    settled: frozenset[str] = frozenset()  # features whose findings are the new normal
    newest: tuple[QualityFinding, ...] = ()  # of the last report
    accepted: tuple[QualityFinding, ...] = ()  # what a person closed, and every report since has found


def supply(
    reports: Sequence[WindowReport],
    monitor: Monitor,
    *,
    word: Accepted | None = None,
    after: Supply = Supply(),  # noqa: B008 - a frozen record
) -> Supply:
    """The state of the supply after the last report. A word that no report was over after is not in it.

    Args:
        reports: of the present champion, in order.
        word: of a person who closed an incident: what was broken then is known since.
        after: what the reports before these left.
    """
    state = after
    for report in reports:
        if word is not None and said_before(word, report):
            state = heard(state, word)
        state = replace(state, accepted=standing(state.accepted, report.quality))
        state = replace(_next(state, report, monitor), newest=report.quality)
    return state


def heard(state: Supply, word: Accepted | None) -> Supply:
    """As a person's word leaves it, if it is about what is broken here."""
    if word is None or not state.broken or state.since_row > word.row:
        return state
    return replace(_settle(state), accepted=state.newest)


def incident_fact(
    service: str,
    reports: Sequence[WindowReport],
    monitor: Monitor,
    *,
    running: IncidentOpened | None,
    moved: bool = False,
    word: Accepted | None = None,
    after: Supply = Supply(),  # noqa: B008 - a frozen record
) -> IncidentOpened | IncidentClosed | None:
    """The fact that the ledger lacks: an incident to open or to close, or None.

    Args:
        moved: the present champion, and its reference with it, came after the running incident was opened.
        word, after: as in `supply`.
    """
    if not reports:
        return None
    state, now = heard(supply(reports, monitor, word=word, after=after), word), reports[-1]
    if running is None:
        if not state.broken:
            return None
        return IncidentOpened(
            service=ServiceName(service),
            incident=f"in-{short(now.release)}-{state.since_row}",
            kind="data_quality",
            reason=state.reason,
            features=state.features,
            row=state.since_row,
            began=_moment(state.since),
        )
    if state.broken or state.steady < monitor.quality.settle_windows:
        return None
    return _closed(state, now, running, moved=moved)


def broken_now(incident: IncidentOpened | None, reports: Sequence[WindowReport]) -> str | None:
    """What is broken in the newest window while an incident is open, in words; where it says nothing, what was when it
    was opened. None: none is open."""
    if incident is None:
        return None
    found = reports[-1].quality if reports else ()
    return "; ".join(finding.detail for finding in found) if found else incident.reason


def _closed(state: Supply, now: WindowReport, running: IncidentOpened, *, moved: bool) -> IncidentClosed:
    how = state.ended or ("new_normal" if moved else "recovered")
    if how == "recovered":
        return IncidentClosed(
            service=running.service,
            incident=running.incident,
            how=how,
            reason=f"the data are as they were: nothing was found in {state.clean} windows since row {state.clean_row}",
            row=state.clean_row,
            over=_moment(state.clean_since),
        )
    against = "" if state.ended else f", measured against the reference of {short(now.release)}, which came later"
    since = f"{state.steady} windows since row {state.steady_row}{against}"
    return IncidentClosed(
        service=running.service,
        incident=running.incident,
        how=how,
        reason=f"the contract holds and the state has been steady for {since}",
        row=state.steady_row,
    )


def _moment(at: float) -> str:
    return timestamp(datetime.fromtimestamp(at, UTC)) if at else ""


def _next(state: Supply, report: WindowReport, monitor: Monitor) -> Supply:
    fresh = [finding for finding in report.quality if not _known(finding, state, report, monitor)]
    state = _counted(state, report, found=bool(fresh))
    if fresh and not state.broken:
        features = _features(fresh)
        return replace(
            state,
            broken=True,
            since_row=report.first_row,
            since=report.start,
            features=features,
            reason="; ".join(finding.detail for finding in fresh),
            steady=0,
            ended="",
            settled=state.settled - set(features),
        )
    if not all(_may_settle(finding, report, monitor) for finding in fresh):
        features = tuple(dict.fromkeys((*state.features, *_features(fresh))))
        return replace(state, features=features, steady=0)
    state = replace(state, steady=state.steady + 1, steady_row=state.steady_row if state.steady else report.first_row)
    enough = monitor.quality.settle_windows
    if state.broken and state.clean >= enough:
        return replace(state, broken=False, features=(), reason="", ended="recovered")
    if state.broken and fresh and state.steady >= enough:
        return replace(_settle(state), ended="new_normal")
    return state


def _counted(state: Supply, report: WindowReport, *, found: bool) -> Supply:
    if found:
        return replace(state, clean=0)
    if state.clean:
        return replace(state, clean=state.clean + 1)
    return replace(state, clean=1, clean_row=report.first_row, clean_since=report.start)


def _settle(state: Supply) -> Supply:
    return replace(state, broken=False, settled=state.settled | set(state.features), features=(), reason="")


def _known(finding: QualityFinding, state: Supply, report: WindowReport, monitor: Monitor) -> bool:
    if finding.feature in state.settled and _near(finding, report, monitor):
        return True
    comparable = finding.feature in report.versus_last
    return is_accepted(finding, state.accepted) and (not comparable or _near(finding, report, monitor))


def _may_settle(finding: QualityFinding, report: WindowReport, monitor: Monitor) -> bool:
    """A violated contract is never steady, and has no feature to be steady in."""
    return finding.kind not in NEVER_NORMAL and finding.feature is not None and _near(finding, report, monitor)


def _near(finding: QualityFinding, report: WindowReport, monitor: Monitor) -> bool:
    step = report.versus_last.get(finding.feature or "")
    return step is not None and step < max(monitor.psi.warn, NEAR * report.psi.get(finding.feature or "", 0.0))


def _features(found: Sequence[QualityFinding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.feature for finding in found if finding.feature is not None))
