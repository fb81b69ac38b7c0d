"""Random contracts as people write them, random rows for them, and how to ask a contract about a row."""

import json
from typing import Any

from hypothesis import strategies as st

from flyball.contracts.edition import Edition, read_edition
from flyball.contracts.rows import CompiledRows

NUMBERS = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 1e9])
TEXTS = st.sampled_from(["", "a", "ab", "abc", "b1", "2026-11-21"])
DAYS = st.sampled_from(["2026-01-01", "2026-06-30", "2026-11-21"])
MOMENTS = st.sampled_from(["2026-01-01T00:00:00", "2026-06-30T12:00:00Z", "2026-11-21T10:00:00+02:00"])
LIMITS = st.integers(-2, 3)
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    NUMBERS,
    st.integers(-3, 4),
    st.floats(-4, 4),
    st.sampled_from([float("inf"), float("-inf"), float("nan"), 2**63, 1e300]),
    TEXTS,
    DAYS,
    MOMENTS,
    st.booleans(),
)


def _options(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=strategies)


def _property(kind: str, options: st.SearchStrategy[dict[str, Any]], values: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"logicalType": st.just(kind), "logicalTypeOptions": options},
        optional={
            "required": st.booleans(),
            "enum": st.lists(values, min_size=1, max_size=3).map(lambda found: [{"value": one} for one in found]),
        },
    )


_NUMERIC = _options(
    minimum=LIMITS,
    maximum=LIMITS.map(lambda limit: limit + 5),
    exclusiveMinimum=LIMITS.map(lambda limit: limit / 2),
    exclusiveMaximum=LIMITS.map(lambda limit: limit + 5.5),
    multipleOf=st.sampled_from([0.1, 0.25, 0.5, 1, 2]),
)
_TEXT = _options(
    minLength=st.integers(0, 2), maxLength=st.integers(2, 4), pattern=st.sampled_from(["^a", r"^[a-z]*\d?\Z"])
)
_DAYS = _options(minimum=st.just("2026-01-01"), exclusiveMaximum=st.just("2026-11-21"), exclusiveMinimum=DAYS)
PROPERTIES = st.one_of(
    _property("number", _NUMERIC, NUMBERS),
    _property("integer", _NUMERIC, st.integers(-1, 3)),
    _property("string", _TEXT, TEXTS),
    _property("boolean", st.just({}), st.booleans()),
    _property("date", _DAYS.filter(lambda o: o.get("exclusiveMinimum") != "2026-11-21"), DAYS),
    _property("timestamp", st.just({}), MOMENTS),
)
TABLES = st.dictionaries(st.sampled_from(["a", "b", "c"]), PROPERTIES, min_size=1)


def edition(properties: dict[str, dict[str, Any]], version: str = "1.0.0", **more: Any) -> Edition:
    """A contract with one table of these columns."""
    columns = [{"name": name, **item} for name, item in properties.items()]
    document = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": "c",
        "version": version,
        "status": "active",
        "schema": [{"name": "t", "properties": columns, **more.pop("table", {})}],
        **more,
    }
    return read_edition(json.dumps(document), file=f"{version}.yaml")


EDITIONS = TABLES.map(edition)


@st.composite
def rows_of(draw: st.DrawFn, contract: Edition) -> dict[str, Any]:
    """A row with columns of this version only, some left out."""
    (table,) = contract.tables
    return {column.name: draw(VALUES) for column in table.columns if draw(st.integers(0, 5))}


def accepts(contract: Edition, row: dict[str, Any]) -> bool:
    return CompiledRows(contract.tables[0]).check([row]) == [None]
