"""A data contract in executable form: what `contracts` reads out of an ODCS file and every stage relies on."""

from collections.abc import Sequence
from typing import Any, Literal, Protocol

from flyball.core.record import Record
from flyball.core.service import Scalar

Kind = Literal["string", "integer", "number", "boolean", "date", "timestamp"]
Severity = Literal["error", "warning"]
PERSONAL = frozenset({"pii", "personal", "restricted", "confidential", "sensitive", "secret"})  # classifications


class Column(Record):
    """What one column promises. Bounds are inclusive unless named exclusive."""

    name: str
    kind: Kind
    required: bool = False
    unique: bool = False
    primary_key: bool = False
    enum: tuple[Scalar, ...] | None = None
    minimum: float | str | None = None  # text for dates and timestamps (ISO 8601)
    maximum: float | str | None = None
    exclusive_minimum: float | str | None = None
    exclusive_maximum: float | str | None = None
    multiple_of: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    classification: str | None = None  # one of PERSONAL: values are hashed before they are written

    @property
    def personal(self) -> bool:
        """Whether the values may not be written down as they are.

        >>> Column(name="card", kind="string", classification="PII").personal
        True
        """
        return (self.classification or "").lower() in PERSONAL


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


class DataContract(Record):
    id: str
    version: str
    table: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...] = ()


class Checked(Record):
    """The contract's word on one row that is not simply accepted."""

    verdict: Literal["quarantine", "reject"]
    column: str
    reason: str  # code such as `type`, `required`, `enum`, `range`, `pattern`
    message: str  # expected and found, for the client


class RowChecker(Protocol):
    """Port: the data contract compiled for rows on their way to a model."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the inputs a client sends, in the contract's order (the label is not among them)."""
        ...

    def check(self, rows: Sequence[dict[str, Any]]) -> list[Checked | None]:
        """One answer a row, in order; None means accepted."""
        ...
