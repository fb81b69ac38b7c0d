"""What another tool would say of each column: its rule on a sample of both tables, with ours on the same rows.

Those tools hold whole tables in memory and ours does not, so both read the sample. Only columns that can be compared
are asked about: of a key or a time the other tool says "drift" as well, and it means as little.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from flyball.app.drift.columns import as_categories, as_numbers, read_as, spelled
from flyball.app.drift.comparable import Column
from flyball.app.drift.judged import Feature, Report
from flyball.app.drift.sampled import SAMPLE_ROWS, sampled
from flyball.app.drift.streams import Table, opened
from flyball.monitor.compat import Beside, side_by_side


def with_beside(report: Report, reference: Path, current: Path, *, like: str) -> Report:
    """The report with another tool's answers at each column that was compared.

    Args: like: one of `flyball.monitor.compat.TOOLS`.
    """
    asked = [each.column for each in report.features if _comparable(each)]
    tables = opened(reference), opened(current)
    samples = [sampled(table, [column.name for column in asked]) for table in tables] if asked else []
    with np.errstate(over="ignore", invalid="ignore"):  # at the ends of the floats the answer says so
        found: Mapping[str, tuple[Beside, ...]] = {
            column.name: side_by_side(*_values(column, samples, tables), like=like) for column in asked
        }
    return replace(report, features=tuple(replace(each, like=found.get(each.name, ())) for each in report.features))


def sentences(report: Report) -> tuple[str, ...]:
    """Why the numbers differ, each reason once, and what they were read on."""
    answers = [answer for each in report.features for answer in each.like[:1]]
    rows = [min(SAMPLE_ROWS, side) for side in report.rows]
    why = dict.fromkeys(f"{answer.tool} {answer.method}: {answer.why}." for answer in answers)
    return (*why, f"Both were read on {rows[0]:,} rows of the reference and {rows[1]:,} now.") if why else ()


def _comparable(feature: Feature) -> bool:
    column = feature.column
    return column.pair is not None and not column.unfit and column.kind != "time" and not feature.on_rows


def _values(column: Column, samples: list[pl.DataFrame], tables: tuple[Table, Table]) -> list[list[Any]]:
    """Both sides of a column, as the comparison reads them: what is no number is missing, flags and codes are text."""
    types = [table.schema[column.name] for table in tables]
    likes = types[0], read_as(types[0], types[1])
    sides = [sample[column.name] for sample in samples]
    if column.kind == "number":
        return [as_numbers(side, like)[0].tolist() for side, like in zip(sides, likes, strict=True)]
    values = column.pair.values if column.pair is not None else ()
    read = [spelled(as_categories(side, like)[0], values) for side, like in zip(sides, likes, strict=True)]
    return [side.cast(pl.String).to_list() for side in read]
