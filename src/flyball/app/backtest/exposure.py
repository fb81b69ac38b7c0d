"""Rows that a bad release answered before the policy acted.

A champion is bad from the first row on whose labels the record shows it worse than it promised, surely and by more than
the recorded `max_loss`, until labels show the opposite or another release serves. The measure is the record's, so all
policies are compared by one. As long as a policy has the record's past all these rows are its own. Behind that its rows
count until the first training of its own ends, which takes as long as those of the record: at least so many, for what
came then nobody knows. A release that the policy would not have promoted answers none, and of who did nobody knows.

A candidate is bad where the record took it back, or where its release, once promoted, was bad from its first labels on.
It is counted until its weight was 0 or whole.
"""

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from flyball.app.backtest.course import Course, Divergence
from flyball.app.backtest.rollouts import RolloutAgain
from flyball.core.record import Record
from flyball.core.service import LiveMetric
from flyball.core.watching import WindowReport
from flyball.monitor import risk
from flyball.stats.scoring.metrics import METRICS


class BadSpan(Record):
    """Rows of one champion that labels show to be bad."""

    release: str
    first_row: int
    last_row: int
    from_start: bool = False  # since the first labels of the release: it was bad when it came


def bad_spans(reports: Sequence[WindowReport], declared: LiveMetric | None) -> tuple[BadSpan, ...] | None:
    """Of the recorded windows, in order. None: nobody measured a loss, so nobody knows."""
    measured = [report for report in reports if report.loss is not None and report.metric_rows is not None]
    if declared is None or not measured:
        return None
    ends = {report.release: report.last_row for report in reports}
    found: list[BadSpan] = []
    began: BadSpan | None = None
    release = ""
    for report in measured:
        if began is not None and report.release != release:
            found.append(began)
            began = None
        new, release, rows = report.release != release, report.release, report.metric_rows
        assert rows is not None
        if _is_bad(report, declared):
            if began is None:
                began = BadSpan(release=release, first_row=rows[0], last_row=ends[release], from_start=new)
        elif began is not None:
            found.append(replace(began, last_row=max(began.first_row, rows[0] - 1)))
            began = None
    return (*found, began) if began is not None else tuple(found)


def bad_rows(
    spans: Sequence[BadSpan] | None, course: Course, left: Divergence | None, *, never_served: Collection[str]
) -> tuple[int | None, bool]:
    """Rows in these spans that the policy's champion answered, and whether that is a bound. None: nobody knows.

    Args:
        left: where the policy left the record, be it by a training or by a rollout.
        never_served: releases that the policy took back before they were champion.
    """
    if spans is None:
        return None, False
    total, at_least = 0, left is not None  # what another champion did after the parting is on no record
    for span in spans:
        if left is None or left.row > span.last_row:
            total += span.last_row - span.first_row + 1
            continue
        if span.release not in never_served:
            total += min(_replaced(span, course), span.last_row) - span.first_row + 1
    return total, at_least


def _replaced(span: BadSpan, course: Course) -> int:
    """Row at which the first training of the policy's own that it asked for within the span ends."""
    own = [ticket for ticket in course.ordered if not ticket.as_recorded and ticket.ordered_row is not None]
    asked = [ticket for ticket in own if span.first_row <= (ticket.ordered_row or 0) <= span.last_row]
    return min((ticket.ended_row or span.last_row for ticket in asked), default=span.last_row)


def bad_requests(spans: Sequence[BadSpan] | None, rollouts: Sequence[RolloutAgain]) -> tuple[int | None, bool]:
    """That bad candidates answered, and whether that is a bound: at least so many. None: nobody knows of any."""
    came_bad = {span.release for span in spans or () if span.from_start}
    bad = [one for one in rollouts if one.recorded == "rolled_back" or one.release in came_bad]
    known = [one.requests for one in bad if one.requests is not None]
    if bad and not known:
        return None, False
    return sum(known), len(known) < len(bad) or any(one.at_least for one in bad)


def _is_bad(report: WindowReport, declared: LiveMetric) -> bool:
    loss, metric = report.loss, report.metric
    if loss is None or metric is None:
        return False
    higher = METRICS[declared.name].better_by(0.0, 1.0) > 0
    promised = metric.value + (loss.value if higher else -loss.value)
    return loss.low > 0 and loss.value > risk.margin(declared.max_loss, promised)
