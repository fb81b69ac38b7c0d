"""What every drafted file shares: how a value and a document are written down, and which kind a dtype is."""

from io import StringIO
from typing import Any

import polars as pl
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from flyball.core.contract import Kind

MOST_VALUES = 50  # of a category whose values are listed
LEAST_ROWS_A_VALUE = 20  # fewer rows a value: more values are to be expected


def kind_of(dtype: pl.DataType) -> Kind | None:
    """The contract's kind of a column; None where no contract of ours can hold it.

    >>> kind_of(pl.Int8()), kind_of(pl.Decimal(10, 2)), kind_of(pl.List(pl.Int8()))
    ('integer', 'number', None)
    """
    if isinstance(dtype, (pl.String, pl.Categorical, pl.Enum)):
        return "string"
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    if dtype == pl.Date:
        return "date"
    return "timestamp" if isinstance(dtype, pl.Datetime) else None


def plain_name(name: str) -> str:
    """A name, quoted where a reader of YAML 1.1 would take it for a truth value."""
    return Quoted(name) if name.lower() in ("y", "n", "yes", "no", "on", "off") else name


def enumeration(values: pl.Series) -> list[str] | None:
    """The values of a small category in order, each in quotes; None where more are to be expected."""
    distinct = values.drop_nulls().n_unique()
    if not 0 < distinct <= MOST_VALUES or values.len() < LEAST_ROWS_A_VALUE * distinct:
        return None
    known = sorted(Quoted(value) for value in values.cast(pl.String).drop_nulls().unique())
    return known if all(value.isprintable() for value in known) else None


def only(values: list[Any]) -> dict[str, Any]:
    """The form of an enumeration that every version of the standard from v3.1 on can read."""
    return {"metric": "invalidValues", "arguments": {"validValues": values}, "mustBe": 0}


def yaml_text(document: dict[str, Any]) -> str:
    """A document as YAML, keys in their order."""
    yaml = YAML(pure=True)
    yaml.default_flow_style = False
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    yaml.dump(document, out)
    return out.getvalue()
