"""How wrong predictions were, row by row of a table that holds them beside their labels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from flyball.app.drift.agreement import wrong
from flyball.app.drift.streams import Table
from flyball.core.errors import BadInput, Fault
from flyball.stats.scoring.intervals import wilson

NORMAL_95 = 1.96  # standard errors on either side of a mean
OF_NUMBERS, OF_CLASSES = "mean absolute error", "error rate"
CLASSES = 20  # different labels up to which a prediction is right or wrong, and not near or far


@dataclass(frozen=True, kw_only=True)
class Risk:
    """Which two columns say how wrong a prediction was."""

    label: str
    prediction: str


@dataclass(frozen=True, kw_only=True)
class Level:
    """A mean loss."""

    value: float  # in the unit of the course
    ci: tuple[float, float]  # 95 % interval
    rows: int  # with a label and a prediction


def losses(table: Table, path: Path, risk: Risk, *, labelled: bool = True) -> pl.DataFrame:
    """Labels and predictions, in the order of the rows.

    Args: labelled: whether a table without the column of labels is a fault; if not, all of its labels are missing.
    Raises: BadInput: no such column.
    """
    named = {"--label": risk.label, "--prediction": risk.prediction}
    if not labelled and risk.label not in table.schema:
        del named["--label"]
    faults = tuple(
        Fault(where=str(path), path=option, expected=f"one of {', '.join(table.schema)}", found=name)
        for option, name in named.items()
        if name not in table.schema
    )
    if faults:
        raise BadInput("The risk cannot be read.", faults)
    parts = list(table.batches(list(dict.fromkeys(named.values()))))
    whole = pl.concat(parts) if parts else pl.DataFrame({name: [] for name in named.values()})
    if "--label" not in named:
        whole = whole.with_columns(pl.lit(None).alias(risk.label))
    side = whole.select(pl.col(risk.label).alias("label"), pl.col(risk.prediction).alias("prediction"))
    return side.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


def unit_of(side: pl.DataFrame) -> str:
    """Many different labels that are numbers have a distance; others are met or missed."""
    numbers = all(
        side[name].cast(pl.Float64, strict=False).null_count() == side[name].null_count() for name in side.columns
    )
    return OF_NUMBERS if numbers and side["label"].n_unique() > CLASSES else OF_CLASSES


def loss_of(side: pl.DataFrame, unit: str) -> pl.Series:
    """Of each row; null where the label or the prediction is missing."""
    if unit == OF_CLASSES:
        return wrong(side["label"], side["prediction"]).cast(pl.Float64).alias("loss")
    numbers = (pl.col(name).cast(pl.Float64, strict=False) for name in ("label", "prediction"))
    return side.select((next(numbers) - next(numbers)).abs().alias("loss")).to_series()


def mean(losses: pl.Series) -> float | None:
    """None without a labelled row."""
    found = losses.drop_nans().mean()
    return float(found) if isinstance(found, int | float) else None


def level(losses: pl.Series, unit: str) -> Level | None:
    """The mean with an interval, Wilson's for a rate; None without a labelled row."""
    there = losses.drop_nulls().drop_nans().to_numpy()
    if not there.size:
        return None
    mean = float(there.mean())
    if unit == OF_CLASSES:
        return Level(value=mean, ci=wilson(float(there.sum()), float(there.size)), rows=int(there.size))
    known = there.size > 1 and np.isfinite(mean)
    half = NORMAL_95 * float(there.std(ddof=1)) / float(np.sqrt(there.size)) if known else float("inf")
    return Level(value=mean, ci=(mean - half, mean + half), rows=int(there.size))
