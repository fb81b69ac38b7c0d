"""A data contract in executable form: what `contracts` reads out of an ODCS file and every stage relies on."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from flyball.core.record import Record
from flyball.core.service import Scalar

Kind = Literal["string", "integer", "number", "boolean", "date", "timestamp"]  # what a model's input can be
AnyKind = Literal[
    "string", "integer", "number", "boolean", "date", "timestamp", "time", "object", "array", "map", "vector"
]
Severity = Literal["error", "warning"]
PERSONAL = frozenset({"pii", "personal", "restricted", "confidential", "sensitive", "secret"})  # classifications


class Field(Record):
    """What one value promises: a column, or a part of a nested one. Bounds are inclusive unless named exclusive."""

    name: str  # of a part: the property, `[]` for items, `key` and `value` of a map
    kind: AnyKind
    required: bool = False
    unique: bool = False
    primary_key: bool = False
    primary_key_position: int | None = None  # from 1
    enum: tuple[Scalar, ...] | None = None
    minimum: float | str | None = None  # text for dates, timestamps and times (ISO 8601, or in `format`)
    maximum: float | str | None = None
    exclusive_minimum: float | str | None = None
    exclusive_maximum: float | str | None = None
    multiple_of: float | None = None
    min_length: int | None = None  # characters
    max_length: int | None = None
    pattern: str | None = None
    format: str | None = None  # `email`, `u8`, `f32`, `dd.MM.yyyy`: what it means depends on the kind
    timezone: bool | None = None  # True: a text must name its offset; False: it must not
    default_timezone: str | None = None  # IANA name: where a text without an offset was written
    min_items: int | None = None  # of an array, count
    max_items: int | None = None
    unique_items: bool = False
    min_properties: int | None = None  # of an object: how many of its properties have a value, count
    max_properties: int | None = None
    needs: tuple[str, ...] = ()  # of an object: properties that must have a value though the contract declares them not
    fields: tuple["Field", ...] = ()  # properties of an object; key and value of a map; the item of an array or vector
    dimensions: int | None = None  # of a vector, count
    normalized: bool = False  # the vector's Euclidean length is 1
    classification: str | None = None  # one of PERSONAL: values are hashed before they are written

    @property
    def personal(self) -> bool:
        """Whether the values may not be written down as they are.

        >>> Column(name="card", kind="string", classification="PII").personal
        True
        """
        return (self.classification or "").lower() in PERSONAL


class Column(Field):
    """A column that a model can take."""

    kind: Kind


class Rule(Record):
    """One ODCS library metric with its operator, over a column or the table."""

    id: str
    metric: Literal["nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount"]
    column: str | None
    operator: str  # `mustBeLessThan` ...
    bound: tuple[float, ...]  # one number, two for the between operators
    unit: Literal["rows", "percent"] = "rows"
    arguments: dict[str, Any] = {}
    severity: Severity = "error"


class Query(Record):
    """A rule of type sql: one value, compared."""

    id: str
    sql: str  # placeholders are filled in
    column: str | None
    operator: str
    bound: tuple[float, ...]
    severity: Severity = "error"


class Shares(Record):
    """A distribution written into the contract, bin by bin."""

    edges: tuple[float, ...] = ()  # interior edges of numeric bins, in the unit of the column
    values: tuple[str, ...] = ()  # of a category
    shares: tuple[float, ...] = ()  # one a bin: edges + 1, or values + 1 (the rest); then that of missing; sum 1
    rows: int | None = None  # how many rows they were counted on; None: they are exact


class Distribution(Record):
    """A custom clause of ours: the column is distributed as its baseline, within a tolerance."""

    id: str
    column: str
    metric: str  # `psi`, `ks` ...
    baseline: str | Shares  # a table's file beside the contract, or fixed shares
    tolerance: float  # effect, in the unit of the metric
    alpha: float = 0.01  # false-alarm rate of one check, in (0, 1)
    bins: int = 10  # for numbers, count
    min_rows: int = 50  # below that nothing is said, count
    severity: Severity = "error"


class Reference(Record):
    """A foreign key into the same table: each combination of values is found among those it refers to."""

    id: str
    columns: tuple[str, ...]
    to: tuple[str, ...]


class ServiceLevel(Record):
    """One entry of `slaProperties` that can be judged."""

    id: str  # `latency`, `latency of t.at`
    name: str  # canonical, `timeToDetect`
    limit: float  # seconds for durations, a share (0..1) for rates, rows/s for throughput, a timestamp for dates
    table: str | None = None
    column: str | None = None
    said: str = ""  # as written, `4 d`


class DataContract(Record):
    id: str
    version: str
    table: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()
    beyond: tuple[Field, ...] = ()  # columns that are checked but that no model can take: time, object, array ...
    queries: tuple[Query, ...] = ()
    distributions: tuple[Distribution, ...] = ()
    references: tuple[Reference, ...] = ()
    levels: tuple[ServiceLevel, ...] = ()

    @property
    def promised(self) -> tuple[Field, ...]:
        """Every column, those that no model can take last."""
        return (*self.columns, *self.beyond)


class Checked(Record):
    """The contract's word on one row that is not simply accepted."""

    verdict: Literal["quarantine", "reject"]
    column: str
    reason: str  # code such as `type`, `required`, `enum`, `range`, `pattern`
    message: str  # expected and found, for the client
    rule: str = ""  # which promise: `amount.range`, `order.lines[].qty.type`


class RowChecker(Protocol):
    """Port: the data contract compiled for rows on their way to a model."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the inputs a client sends, in the contract's order (the label is not among them)."""
        ...

    def check(self, rows: Sequence[dict[str, Any]]) -> list[Checked | None]:
        """One answer a row, in order; None means accepted."""
        ...
