"""Rows that a bad release answered before the policy acted.

A champion is bad from the first row on whose labels the record shows it worse than it promised, surely and by more than
the recorded `max_loss`, until labels show the opposite or another release serves. The measure is the record's, so all
policies are compared by one. Counted are its rows until the policy asks for its replacement: what the replacement would
have done nobody knows. A candidate is bad where the record took it back.
"""

from collections.abc import Sequence

from flyball.app.backtest.course import Course
from flyball.core.record import Record
from flyball.core.service import LiveMetric
from flyball.core.watching import WindowReport
from flyball.monitor import risk
from flyball.stats.metrics import METRICS


class BadSpan(Record):
    """Rows of one champion that labels show to be bad."""

    release: str
    first_row: int
    last_row: int


def bad_spans(reports: Sequence[WindowReport], declared: LiveMetric | None) -> tuple[BadSpan, ...] | None:
    """Of the recorded windows, in order. None: nobody measured a loss, so nobody knows."""
    measured = [report for report in reports if report.loss is not None and report.metric_rows is not None]
    if declared is None or not measured:
        return None
    ends = {report.release: report.last_row for report in reports}
    found: list[BadSpan] = []
    release, since = "", None
    for report in measured:
        if since is not None and report.release != release:
            found.append(BadSpan(release=release, first_row=since, last_row=ends[release]))
            since = None
        release, rows = report.release, report.metric_rows
        assert rows is not None
        if _is_bad(report, declared):
            since = rows[0] if since is None else since
        elif since is not None:
            found.append(BadSpan(release=release, first_row=since, last_row=max(since, rows[0] - 1)))
            since = None
    if since is not None:
        found.append(BadSpan(release=release, first_row=since, last_row=ends[release]))
    return tuple(found)


def bad_rows(spans: Sequence[BadSpan] | None, course: Course) -> int | None:
    """Rows in these spans before the policy's first order of a training in each."""
    if spans is None:
        return None
    orders = [ticket.ordered_row for ticket in course.tickets if ticket.ordered_row is not None]
    total = 0
    for span in spans:
        acted = min((row for row in orders if span.first_row <= row <= span.last_row), default=span.last_row)
        total += acted - span.first_row + 1
    return total


def _is_bad(report: WindowReport, declared: LiveMetric) -> bool:
    loss, metric = report.loss, report.metric
    if loss is None or metric is None:
        return False
    higher = METRICS[declared.name].better_by(0.0, 1.0) > 0
    promised = metric.value + (loss.value if higher else -loss.value)
    return loss.low > 0 and loss.value > risk.margin(declared.max_loss, promised)
