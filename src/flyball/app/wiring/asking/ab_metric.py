"""The metric of an A/B test, from the prediction log: sums over the units of each arm.

A row belongs to the arm that it was assigned to, whoever answered it in the end, and counts with the answer that the
client got: what is compared is what the arms did to people, fallbacks included. The last label of a row counts. Rows
that nobody answered, because they failed or were turned away, have no value; how many an arm has is told beside it.
"""

from collections.abc import Callable, Collection

import polars as pl

from flyball.adapters.prediction_log.query import tables
from flyball.app.home import Home
from flyball.core.facts.ab import AbMetric
from flyball.decide.ab_report import UnitSums


def sums(
    home: Home,
    service: str,
    metric: AbMetric,
    *,
    epochs: Collection[int],
    since: float,
    advance: Callable[[int], None] = lambda _: None,
) -> dict[str, UnitSums]:
    """Of each arm with rows. `epochs`: of routings with the same weights. `since`: seconds since the epoch."""
    found = tables(home.telemetry(service), ("predictions", "labels"), since=since, advance=advance)
    labels = found["labels"].group_by("id", maintain_order=True).agg(label=pl.col("label").last())
    seen = found["predictions"].filter(
        pl.col("epoch").is_in(list(epochs)), ~pl.col("excluded"), pl.col("arm").is_not_null()
    )
    answered = seen.group_by("arm").agg(seen=pl.len(), unanswered=pl.col("prediction").is_null().sum())
    rows = (
        seen.filter(pl.col("prediction").is_not_null())
        .join(labels, on="id")
        .with_columns(value=_value(metric))
        .filter(pl.col("value").is_finite())
    )
    units = rows.group_by("arm", "unit").agg(n=pl.len().cast(pl.Float64), s=pl.col("value").sum())
    s, n = pl.col("s"), pl.col("n")
    arms = units.group_by("arm").agg(
        units=pl.len(),
        rows=n.sum(),
        value=s.sum(),
        squares=(s * s).sum(),
        products=(s * n).sum(),
        row_squares=(n * n).sum(),
    )
    both = answered.join(arms, on="arm", how="left").with_columns(pl.col("rows").cast(pl.Int64)).fill_null(0)
    return {row.pop("arm"): UnitSums(**row) for row in both.collect(engine="streaming").iter_rows(named=True)}


def _value(metric: AbMetric) -> pl.Expr:
    """Of one row. A label that is no number makes no value for the two that need one."""
    label, prediction = pl.col("label"), pl.col("prediction")
    match metric:
        case "accuracy":
            return (label.cast(pl.String) == prediction.cast(pl.String)).cast(pl.Float64)
        case "mae":
            return (label.cast(pl.Float64, strict=False) - prediction.cast(pl.Float64, strict=False)).abs()
        case "label":
            return label.cast(pl.Float64, strict=False)
