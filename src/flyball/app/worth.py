"""What answers are worth by a table of the owner's: `monitor.value.source`, joined by a column of the row."""

import math

import polars as pl

from flyball.app.declared import Declared, read_table
from flyball.app.home import expand_data
from flyball.core.errors import BadInput, Fault


def worths(declared: Declared) -> dict[str, float] | None:
    """Worth by the text of the declared column; None: no table is declared.

    Raises: BadInput: the table cannot be read, lacks a column, has a value that is no number, or an id twice.
    """
    value = declared.service.monitor.value
    if value is None or value.source is None or value.on is None or value.column is None:
        return None
    path = expand_data(value.source)
    if not path.is_absolute() and not value.source.startswith("$"):
        path = declared.folder / path
    table = read_table(path, needed=(value.on, value.column))
    ids = table[value.on].cast(pl.String)
    numbers = table[value.column].cast(pl.Float64, strict=False)
    faults = []
    if ids.n_unique() < ids.len():
        twice = ids.filter(ids.is_duplicated())[0]
        faults.append(Fault(where=str(path), path=value.on, expected="each id once", found=f"{twice!r} twice or more"))
    bad = numbers.null_count() - table[value.column].null_count()
    if bad:
        faults.append(
            Fault(where=str(path), path=value.column, expected="numbers", found=f"{bad} values that are none")
        )
    if faults:
        raise BadInput("The table of what answers are worth is faulty.", tuple(faults))
    told = zip(ids.to_list(), numbers.to_list(), strict=True)
    return {each: worth for each, worth in told if each is not None and worth is not None and math.isfinite(worth)}
