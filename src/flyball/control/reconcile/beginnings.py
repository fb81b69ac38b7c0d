"""When it began that a sign tells of: asked of the panes and windows that are held, once, as the sign comes.

A sign's `since` is when it was first told, later than the fault by as long as it took to be sure. Where nothing that
was seen says when it began (values that were measured just now, a loss that was estimated), it stays unknown. Panes say
it for the time that they are held: the longer of `failed_s` and `span_s`, not before the newest act of healing, and of
this champion alone.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import takewhile

from msgspec.structs import replace

from flyball.control.reconcile import tallies as counts
from flyball.control.reconcile.tallies import PaneTally
from flyball.core.clock import moment, timestamp
from flyball.core.service import HealthRules
from flyball.core.watching import WindowReport
from flyball.decide.health import SLOW, Counted, Reading, Readings, began_at


def with_beginnings(
    found: Readings,
    standing: Collection[str],
    panes: Sequence[PaneTally],
    reports: Sequence[WindowReport],
    rules: HealthRules,
    gone: Mapping[str, str],
) -> Readings:
    """The same, and of each reading that begins a sign when that began, where it is known.

    Args:
        standing: keys of the signs that stand.
        panes, reports: of the present champion, oldest first; no reports where labels say nothing.
        gone: since when signs of that key are gone, RFC 3339, UTC: what comes now began no earlier.
    """
    return replace(
        found,
        found=tuple(
            each
            if each.severity is None or each.began or each.key in standing
            else replace(each, began=_began(each, _after(panes, gone.get(each.key, "")), reports, rules))
            for each in found.found
        ),
    )


def _began(of: Reading, panes: Sequence[PaneTally], reports: Sequence[WindowReport], rules: HealthRules) -> str:
    match of.kind:
        case "errors":
            at = began_at([(pane.start, counts.errors([pane])) for pane in panes], rules.errors)
        case "availability":
            at = began_at([(pane.start, counts.unanswered([pane])) for pane in panes], rules.unanswered)
        case "fallback":
            at = began_at([(pane.start, counts.fallbacks([pane])) for pane in panes], rules.fallback)
        case "latency":
            at = began_at([(pane.start, _slower(pane, of.limit)) for pane in panes], SLOW)
        case "quality":
            at = _lost_since(reports, of.limit)
        case _:
            at = None
    return "" if at is None else timestamp(datetime.fromtimestamp(at, UTC))


def _after(panes: Sequence[PaneTally], gone: str) -> Sequence[PaneTally]:
    return [pane for pane in panes if pane.start >= moment(gone).timestamp()] if gone else panes


def _slower(pane: PaneTally, limit_ms: float) -> Counted:
    return counts.slower(pane.latency, limit_ms)


def _lost_since(reports: Sequence[WindowReport], limit: float) -> float | None:
    """When the first row came of the windows that lost more than that, one after the other up to the newest: the start
    of the window in which it came. None: no window that is held says so."""
    judged = [report for report in reports if report.loss is not None and report.metric_rows is not None]
    bad = list(takewhile(lambda report: report.loss is not None and report.loss.value > limit, reversed(judged)))
    if not bad or bad[-1].metric_rows is None:
        return None
    row = bad[-1].metric_rows[0]
    return next((each.start for each in reports if each.first_row <= row <= each.last_row and each.start), None)
