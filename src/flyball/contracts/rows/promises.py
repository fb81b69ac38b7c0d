"""What can be broken in one row, in order: the list that rows and tables share, so that both name the same rule.

A row breaks its contract for one reason: the first promise in this order that rejects it, or else the first that puts
it into quarantine. Parts of nested columns follow the column itself, as `order.lines[].qty`.
"""

from collections.abc import Iterator
from typing import Literal

from flyball.contracts.rows.values import EXPECTED, length_of, range_of
from flyball.core.contract import DataContract, Field
from flyball.core.record import Record

Reason = Literal[
    "required",
    "type",
    "enum",
    "range",
    "multiple_of",
    "length",
    "pattern",
    "format",
    "timezone",
    "items",
    "unique_items",
    "properties",
    "dimensions",
    "normalized",
]
REJECTS: frozenset[Reason] = frozenset({"required", "type"})
SCALARS = frozenset({"string", "integer", "number", "boolean", "date", "timestamp", "time"})
NORM_TOLERANCE = 1e-3  # of a normalised vector's length: half-precision embeddings are this exact


class Promise(Record):
    """One thing that every row keeps."""

    rule: str  # `amount.range`, `order.lines[].qty.type`
    column: str  # the column it belongs to
    reason: Reason
    field: Field

    @property
    def rejects(self) -> bool:
        return self.reason in REJECTS

    @property
    def expected(self) -> str:
        return expected(self.field, self.reason)


def promises(contract: DataContract, *, without: str | None = None) -> tuple[Promise, ...]:
    """Every promise of every column, in order; `without` is the column that clients do not send.

    >>> from flyball.core.contract import Column
    >>> amount = Column(name="amount", kind="number", required=True, minimum=0)
    >>> [p.rule for p in promises(DataContract(id="c", version="1", table="t", columns=(amount,)))]
    ['amount.required', 'amount.type', 'amount.range']
    """
    fields = (field for field in contract.promised if field.name != without)
    return tuple(promise for field in fields for promise in of_field(field, field.name, field.name))


def of_field(field: Field, path: str, column: str) -> Iterator[Promise]:
    """The promises of a field and of everything in it."""
    for reason in reasons(field):
        yield Promise(rule=f"{path}.{reason}", column=column, reason=reason, field=field)
    for part in field.fields:
        yield from of_field(part, within(path, part), column)


def within(path: str, part: Field) -> str:
    """Where a part of a nested value stands.

    >>> within("order.lines", Field(name="[]", kind="object")), within("order", Field(name="id", kind="string"))
    ('order.lines[]', 'order.id')
    """
    return f"{path}{part.name}" if part.name == "[]" else f"{path}.{part.name}"


def reasons(field: Field) -> Iterator[Reason]:
    """Why a value of this field may be refused, in order."""
    if field.required or field.primary_key:
        yield "required"
    yield "type"
    if field.enum is not None:
        yield "enum"
    if range_of(field):
        yield "range"
    if field.multiple_of is not None:
        yield "multiple_of"
    if field.min_length is not None or field.max_length is not None:
        yield "length"
    if field.pattern is not None:
        yield "pattern"
    if field.format is not None and field.kind in ("string", "integer", "number"):
        yield "format"
    if field.timezone is not None:
        yield "timezone"
    if field.min_items is not None or field.max_items is not None:
        yield "items"
    if field.unique_items:
        yield "unique_items"
    if field.min_properties is not None or field.max_properties is not None or field.needs:
        yield "properties"
    if field.dimensions is not None:
        yield "dimensions"
    if field.normalized:
        yield "normalized"


def expected(field: Field, reason: Reason) -> str:
    """What a promise asks for, in words."""
    match reason:
        case "required":
            return "a value"
        case "type":
            form = (
                f" in the form {field.format}" if field.format and field.kind in ("date", "timestamp", "time") else ""
            )
            return EXPECTED[field.kind].split(" such as")[0] + form if form else EXPECTED[field.kind]
        case "enum":
            values = field.enum or ()
            return f"one of {', '.join(map(str, values[:20]))}{', ...' if len(values) > 20 else ''}"
        case "range":
            return range_of(field)
        case "multiple_of":
            return f"a multiple of {field.multiple_of:g}"
        case "length":
            return length_of(field)
        case "pattern":
            return f"text that matches {field.pattern}"
        case "format":
            return f"a value of the format {field.format}"
        case "timezone":
            return "a text with an offset from UTC" if field.timezone else "a text without an offset from UTC"
        case "items":
            return _counts(field.min_items, field.max_items, "items")
        case "unique_items":
            return "each item once"
        case "properties":
            count = _counts(field.min_properties, field.max_properties, "properties")
            return " and ".join(text for text in (count, *(f"a value for {name}" for name in field.needs)) if text)
        case "dimensions":
            return f"{field.dimensions} numbers"
        case "normalized":
            return "a vector of length 1"


def _counts(low: int | None, high: int | None, what: str) -> str:
    words = " and ".join(f"{word} {n}" for word, n in (("at least", low), ("at most", high)) if n is not None)
    return f"{words} {what}" if words else ""
