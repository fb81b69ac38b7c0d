"""A whole contract proposed from a sample, for somebody to read, strike out and sign.

Unlike the contract that `init` drafts, which must not break by chance on the next day's rows, this one says all that
the sample shows: ranges, formats, lengths, keys, shares of missing values, how old the newest row may be. One law
holds for both: the sample keeps its own draft.
"""

from math import ceil, floor, isinf, log10
from typing import Any

import polars as pl

from flyball.contracts.draft.meaning import FORMATS, classified, format_of, names_a_key
from flyball.contracts.draft.text import enumeration, kind_of, only, plain_name, yaml_text
from flyball.contracts.rows.values import LARGEST, parse_date, parse_timestamp
from flyball.core.contract import PERSONAL, Kind
from flyball.core.record import Record

EXACT = 2**53  # whole numbers beyond it have no exact float, in which bounds are written
LENGTHS = (16, 64, 256, 1024, 4096, 65_536)  # proposed for free text: the next above the longest
LEAST_ROWS_FOR_KEY = 20
AGES_S = {"5 m": 300, "15 m": 900, "1 h": 3600, "6 h": 21_600, "1 d": 86_400, "2 d": 172_800, "7 d": 604_800}
OLDEST = "31 d"


class Proposal(Record):
    """A drafted contract, and what it guessed."""

    text: str
    columns: dict[str, str]  # name -> kind
    personal: dict[str, str]  # name -> classification
    left_out: tuple[str, ...]  # columns that no contract of ours can hold
    key: str | None
    freshness: str | None  # of the newest row, such as `1 d`


def propose(table: pl.DataFrame, *, name: str, label: str | None = None) -> Proposal:
    """A contract in ODCS v3.1 that this table keeps.

    Args:
        name: of contract and table.
        label: column to predict; it is marked as such, for nobody can see it in the data.

    >>> made = propose(pl.DataFrame({"amount": [1.0, 2.5], "email": ["a@b.org", "c@d.org"]}), name="t")
    >>> made.columns, made.personal
    ({'amount': 'number', 'email': 'string'}, {'email': 'pii'})
    """
    kinds = {column.name: kind for column in table.get_columns() if (kind := _kind(column)) is not None}
    key = next(
        (column for column in kinds if column != label and _is_key(table.get_column(column), kinds[column])), None
    )
    items = [_property(table.get_column(column), kind, key, label) for column, kind in kinds.items()]
    timestamp = next((column for column, kind in kinds.items() if kind == "timestamp"), None)
    age = _age(table.get_column(timestamp)) if timestamp is not None else None
    document: dict[str, Any] = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": plain_name(name),
        "version": "0.1.0",
        "status": "draft",
        "description": {
            "purpose": f"Drafted from a sample of {table.height} rows. Read each promise before you sign it."
        },
        "schema": [
            {
                "name": plain_name(name),
                "logicalType": "object",
                "properties": items,
                "quality": [{"id": "rows", "metric": "rowCount", "mustBeGreaterThan": 0}],
            }
        ],
    }
    if age is not None:
        value, unit = age.split()
        level = {"property": "latency", "value": int(value), "unit": unit, "element": f"{name}.{timestamp}"}
        document["slaProperties"] = [level]
    return Proposal(
        text=yaml_text(document),
        columns={column: str(kind) for column, kind in kinds.items()},
        personal={str(item["name"]): item["classification"] for item in items if "classification" in item},
        left_out=tuple(column for column in table.columns if column not in kinds),
        key=key,
        freshness=age,
    )


def _kind(values: pl.Series) -> Kind | None:
    """As the dtype says; text of dates throughout is dates; whole numbers beyond 64 bits no contract can hold."""
    kind = kind_of(values.dtype)
    if kind == "integer" and values.dtype in (pl.UInt64, pl.Int128, pl.UInt128) and values.len() > values.null_count():
        lowest, highest = int(values.min()), int(values.max())  # type: ignore[arg-type]
        return kind if lowest >= -LARGEST and highest < LARGEST else None
    if values.dtype == pl.String:
        texts = values.drop_nulls().unique()
        for form, parse in (("date", parse_date), ("timestamp", parse_timestamp)):
            if texts.len() and all(parse(text) is not None for text in texts):
                return form  # type: ignore[return-value]
    return kind


def _is_key(values: pl.Series, kind: Kind) -> bool:
    if kind not in ("string", "integer") or values.len() < LEAST_ROWS_FOR_KEY or not names_a_key(values.name):
        return False
    return values.null_count() == 0 and values.n_unique() == values.len()


def _property(values: pl.Series, kind: Kind, key: str | None, label: str | None) -> dict[str, Any]:
    sound = values.fill_nan(None) if values.dtype.is_float() else values
    form = format_of(sound.cast(pl.String)) if kind == "string" else None
    classification = None if values.name == label else classified(values.name, form)
    item: dict[str, Any] = {"name": plain_name(values.name), "logicalType": kind}
    if values.name == label:
        item |= {"description": "The label.", "customProperties": [{"property": "role", "value": "label"}]}
    if classification is not None:
        item["classification"] = classification
    if sound.null_count() == 0 and sound.len():
        item["required"] = True
    if values.name == key:
        item |= {"primaryKey": True, "primaryKeyPosition": 1, "unique": True}
    options: dict[str, Any] = {}
    quality: list[dict[str, Any]] = []
    personal = classification in PERSONAL
    if kind == "string":
        known = None if personal or values.name == key else enumeration(sound)
        if known is not None:
            quality.append(only(known))
        else:
            options |= _text(sound, form)
    elif kind in ("integer", "number") and not personal and values.name != key:
        options |= _range(sound, whole=kind == "integer")
    if sound.null_count() > 0:
        share = min(100, ceil(150 * sound.null_count() / sound.len()))  # half as many again
        gaps = {"name": f"{values.name} gaps", "metric": "nullValues", "unit": "percent", "mustBeLessOrEqualTo": share}
        quality.append(gaps | {"dimension": "completeness"})
    if options:
        item["logicalTypeOptions"] = options
    if quality:
        item["quality"] = quality
    return item


def _text(values: pl.Series, form: str | None) -> dict[str, Any]:
    longest = int(values.cast(pl.String).str.len_chars().max() or 0)  # type: ignore[arg-type]
    limit = next((length for length in LENGTHS if longest <= length), None)
    options: dict[str, Any] = {} if limit is None or values.null_count() == values.len() else {"maxLength": limit}
    return options if form is None else options | {"pattern": FORMATS[form]}


def _range(values: pl.Series, *, whole: bool) -> dict[str, Any]:
    """From 0 where nothing is below it, else from a round number below the smallest; and the same above."""
    present = values.drop_nulls()
    if present.is_empty():
        return {}
    low, high = float(present.min()), float(present.max())  # type: ignore[arg-type]
    if isinf(low) or isinf(high) or max(abs(low), abs(high)) > EXACT:
        return {}
    if not whole and low >= 0 and high <= 1:
        return {"minimum": 0, "maximum": 1}
    minimum = 0.0 if low >= 0 else -_beyond(-low)
    maximum = _beyond(high) if high > 0 else 0.0
    return {"minimum": _number(minimum), "maximum": _number(maximum)}


def _beyond(size: float) -> float:
    """The next number of two digits at or above."""
    step = 10.0 ** (floor(log10(size)) - 1) if size > 1e-300 else size
    made = ceil(size / step) * step
    return made if made >= size else size


def _number(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _age(values: pl.Series) -> str | None:
    """How old the newest row may be: the smallest usual span that no gap between two moments exceeds."""
    moments = values if values.dtype != pl.String else pl.Series([parse_timestamp(t) for t in values.drop_nulls()])
    apart = moments.drop_nulls().unique().sort().diff().drop_nulls()
    if apart.is_empty():
        return None
    longest = apart.max().total_seconds()  # type: ignore[union-attr]
    return next((name for name, seconds in AGES_S.items() if longest <= seconds), OLDEST)
