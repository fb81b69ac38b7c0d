"""How right the champion is, from the newest windows: what it loses against its holdout, and where that goes."""

from collections.abc import Sequence
from itertools import islice

from flyball.core.service import Monitor
from flyball.core.watching import WindowReport
from flyball.decide.health import Loss, Trend, Unlabelled, base_of


def loss_of(reports: Sequence[WindowReport], unlabelled: Unlabelled | None, monitor: Monitor) -> Loss | None:
    """Of the newest labels; estimated where there are none, or none come any more."""
    rules, declared = monitor.health, monitor.live_metric
    with_labels = (report for report in reversed(reports) if report.loss is not None)
    newest = list(islice(with_labels, rules.quality_windows))
    told = newest[0] if newest else None
    missed = unlabelled is not None and unlabelled.missed(rules)
    risk = next((report.risk for report in reversed(reports) if report.risk is not None), None)
    if risk is not None and risk.above is not None and (told is None or missed):
        base = risk.baseline.value if risk.baseline is not None and risk.loss != "error" else None
        return Loss(metric=f"the {risk.loss} of a row", estimate=risk.above, base=base, estimated=True)
    if declared is None or told is None or told.loss is None:
        return None
    before = tuple(report.loss for report in newest[1:] if report.loss is not None)
    base = base_of(declared.name, told.metric, told.loss)
    return Loss(metric=declared.name, estimate=told.loss, base=base, before=before)


def trend_of(reports: Sequence[WindowReport], monitor: Monitor) -> Trend | None:
    """Of the newest window that says one."""
    declared = monitor.live_metric
    told = next((report.concept for report in reversed(reports) if report.concept is not None), None)
    if told is None or declared is None:
        return None
    newest = next((report for report in reversed(reports) if report.loss is not None), None)
    base = base_of(declared.name, newest.metric, newest.loss) if newest is not None else None
    return Trend(told=told, base=base)
