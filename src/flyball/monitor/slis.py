"""Which events of a pane were good, objective by objective: the service level indicators of a service's own telemetry.

All arms count, because a client does not know which one answered. Rows of testers and pinned versions, and probes, are
left out as everywhere. What a pane cannot say of an objective is not in the answer: no event is no good event.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from flyball.core.declared.objectives import Events, Objective
from flyball.core.prediction import NO_ANSWER
from flyball.core.watching import WindowReport
from flyball.monitor.panes import numbers

NOT_ACCEPTED = ("quarantined", "rejected")
_NEEDS = {"availability": ("outcome",), "inputs": ("outcome",), "latency": ("latency_ms",), "freshness": ("at",)}


def events_of(predictions: pl.DataFrame, objectives: Sequence[Objective], timestamp: str | None) -> dict[str, Events]:
    """Args: predictions: rows of one pane, columns of `PredictionRecord`. timestamp: column of the row's own time.

    >>> rows = pl.DataFrame({"outcome": ["answered", "failed", "rejected"], "latency_ms": [5.0, 900.0, 0.1]})
    >>> goals = [
    ...     Objective(name="up", sli="availability", target=0.9),
    ...     Objective(name="quick", sli="latency", target=0.9, limit_ms=100.0)]
    >>> [(name, each.good, each.total) for name, each in events_of(rows, goals, None).items()]
    [('up', 1.0, 2.0), ('quick', 2.0, 3.0)]
    """
    if not predictions.height:
        return {}
    if "excluded" in predictions.columns and predictions["excluded"].any():
        predictions = predictions.filter(~predictions["excluded"])
    if not predictions.height:
        return {}
    found: dict[str, Events] = {}
    there = set(predictions.columns)
    tally = dict(predictions["outcome"].value_counts().iter_rows()) if "outcome" in there else {}
    for each in objectives:
        if not there.issuperset(_NEEDS.get(each.sli, ())):
            continue
        match each.sli:
            case "availability":
                total = predictions.height - tally.get("rejected", 0)
                found[each.name] = _events(total, sum(tally.get(one, 0) for one in NO_ANSWER))
            case "inputs":
                total = predictions.height - tally.get("shed", 0)
                found[each.name] = _events(total, sum(tally.get(one, 0) for one in NOT_ACCEPTED))
            case "latency":
                late = int((predictions["latency_ms"] > each.limit_ms).sum())
                found[each.name] = _events(predictions.height, late)
            case "freshness":
                found[each.name] = _fresh(predictions, timestamp, each)
            case _:
                continue  # quality comes with windows, and nobody here can run a query
    return found


def _events(total: int, bad: int) -> Events:
    return Events(good=float(total - bad), total=float(total))


def _fresh(predictions: pl.DataFrame, timestamp: str | None, objective: Objective) -> Events:
    """Rows that say when they are of, and were not too old when they came."""
    column = f"x.{timestamp}"
    if timestamp is None or column not in predictions.columns or objective.max_age_s is None:
        return Events()
    age = predictions["at"].to_numpy() - numbers(predictions[column])
    known = ~np.isnan(age)
    return Events(good=float((age[known] <= objective.max_age_s).sum()), total=float(known.sum()))


def judged(report: WindowReport, most: float) -> Events:
    """Rows of which the live metric of a window tells, all good or all bad: worse than promised by more than `most`?

    Args: most: in the unit of the metric.
    """
    if report.metric is None or report.loss is None:
        return Events()
    rows = float(report.metric.n)
    return Events(good=rows if report.loss.value <= most else 0.0, total=rows)
