"""What one process of a gateway tells of itself, and what all of them tell together, those that are no more included.

Theory of operation. A process that ends takes its counters along, and a sum that falls looks to Prometheus like a
restart: it would count everything again. So the supervisor keeps, of each process that has ended, what it told last:
its last word where it could say one, else what it was last asked for, and nobody outside has ever seen more of it. What
outlives a process in the counter file is not kept so; the supervisor reads it there (`owned`), for all processes.
"""

from collections.abc import Sequence

from flyball.core.record import Record
from flyball.serving.counting.totals import EMPTY, added, lasting
from flyball.serving.released import Released, together


class Report(Record):
    """One process's, or the sum of several."""

    metrics: str = EMPTY  # OpenMetrics
    statistics: dict[str, dict[str, Released]] = {}  # service -> release -> sums


def summed(reports: Sequence[Report], owned: str = EMPTY) -> Report:
    """All of them as one; the families in `owned` are told as they stand there."""
    services = dict.fromkeys(name for report in reports for name in report.statistics)
    return Report(
        metrics=added([report.metrics for report in reports], owned),
        statistics={name: together([report.statistics.get(name, {}) for report in reports]) for name in services},
    )


class Past:
    """Processes that have ended."""

    def __init__(self) -> None:
        self.report = Report()

    def ended(self, last: Report) -> None:
        """One more, with what it told last; how it stood is of no interest any more."""
        kept = Report(metrics=lasting(last.metrics), statistics=last.statistics)
        self.report = summed([self.report, kept])
