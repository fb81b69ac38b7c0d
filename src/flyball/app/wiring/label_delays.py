"""How long labels take, from the prediction log: from a row's arrival (it is in its id) to its first label."""

from collections.abc import Callable

import polars as pl

from flyball.adapters.prediction_log.query import tables
from flyball.app.home import Home
from flyball.app.label_delays import LabelDelays


def label_delays(home: Home, service: str) -> LabelDelays | None:
    """Of all that the log holds; None: it holds no label. Raises: Unavailable: the label book cannot be read."""
    if not home.telemetry(service).is_dir():
        return None
    delays = first_labels(tables(home.telemetry(service), ("labels",))["labels"])["delay"]
    if delays.is_empty():
        return None
    return LabelDelays(labelled=len(delays), **{f"{name}_s": value or 0.0 for name, value in quantiles(delays).items()})


def first_labels(
    labels: pl.LazyFrame, keep: Callable[[pl.Expr], pl.Expr] = lambda arrived: arrived.is_not_null()
) -> pl.DataFrame:
    """A line a labelled prediction: `lines` (of its labels) and `delay` (of the first, seconds, at least 0).

    Args: labels: `id` and `at`, in the order in which they came. keep: of rows that arrived when?
    """
    named = pl.col("id").str.split(".").list.last().str.head(12).str.to_integer(base=16, strict=False) / 1000.0
    return (
        labels.group_by("id", maintain_order=True)
        .agg(at=pl.col("at").first(), lines=pl.len())
        .with_columns(arrived=named)
        .filter(keep(pl.col("arrived")))
        .select("lines", delay=(pl.col("at") - pl.col("arrived")).clip(0.0))
        .collect()
    )


def quantiles(delays: pl.Series) -> dict[str, float | None]:
    """The median, and what nine of ten and 99 of 100 lie at or below; None: there are none.

    >>> quantiles(pl.Series([3.0, 1.0, 2.0]))
    {'p50': 2.0, 'p90': 3.0, 'p99': 3.0}
    """
    return {name: delays.quantile(share, "nearest") for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))}
