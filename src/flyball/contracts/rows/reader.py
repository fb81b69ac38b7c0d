"""Rows as a client sends them, read and checked in one go by a decoder that was compiled from the contract.

It knows one word, "accepted": a body that it reads is exactly one bare row that `rows.CompiledRows` accepts, or a list
of such rows, with the keys that the contract knows. About everything else it says nothing (None), and the slow way
decides: so verdicts, codes and words have one author. Kinds, what is required and the bounds of numbers are compiled
into the decoder; what it cannot say (patterns, allowed values, dates) is asked of the same closures that the slow way
asks.
"""

from collections.abc import Callable
from math import ceil, floor, inf
from sys import float_info
from typing import Annotated, Any, NotRequired, Required, TypedDict

import msgspec

from flyball.contracts.rows.scalars import scalar_test
from flyball.contracts.rows.values import LARGEST
from flyball.core.contract import Column, DataContract

Row = dict[str, Any]
Test = Callable[[Any], object]
_ENVELOPE = "rows"  # the key that makes of a body a list of rows
_KINDS: dict[str, Any] = {"boolean": bool, "string": str, "date": str, "timestamp": str}
_UNREAD = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)  # the last: a further key nests too deep


class BodyReader:
    """Reads bodies of one contract."""

    def __init__(self, row: Any, tests: tuple[tuple[str, Test], ...], further: tuple[str, ...]) -> None:
        """`row`: its type. `tests`: what it does not say, by column. `further`: keys of it that are no column's."""
        self._one = msgspec.json.Decoder(row)
        envelope = msgspec.defstruct("Envelope", [(_ENVELOPE, list[row])], forbid_unknown_fields=True)
        self._many = msgspec.json.Decoder(envelope)
        self._tests, self._further = tests, further

    def row(self, body: bytes) -> Row | None:
        """The one bare row that it is, accepted. None: the slow way decides."""
        try:
            row: Row = self._one.decode(body)
        except _UNREAD:
            return None
        return row if self._accepts(row) else None

    def rows(self, body: bytes) -> list[Row] | None:
        """The list of rows that it is, all accepted, or one bare row. None: the slow way decides."""
        try:
            rows: list[Row] = getattr(self._many.decode(body), _ENVELOPE)
        except _UNREAD:
            row = self.row(body)
            return None if row is None else [row]
        return rows if rows and all(map(self._accepts, rows)) else None

    def _accepts(self, row: Row) -> bool:
        for name, test in self._tests:
            if test(row.get(name)) is not None:
                return False
        for name in self._further:
            row.pop(name, None)
        return True


def body_reader(contract: DataContract, *, label: str | None = None) -> BodyReader | None:
    """A reader of bodies. None: not for this contract.

    Columns with parts need the slow way, and so do names outside of ASCII: msgspec 0.22 does not find such keys of a
    TypedDict, so that an optional value would silently count as missing.

    >>> amount = Column(name="amount", kind="number", required=True, minimum=0.0)
    >>> read = body_reader(DataContract(id="c", version="1", table="t", columns=(amount,)))
    >>> read.row(b'{"amount": 3, "more": [1]}'), read.row(b'{"amount": -3}'), read.row(b'{"rows": [{"amount": 3}]}')
    ({'amount': 3}, None, None)
    >>> read.rows(b'{"rows": [{"amount": 3}]}'), read.rows(b'{"rows": [{"amount": 3}, {"amount": -3}]}')
    ([{'amount': 3}], None)
    """
    columns = [column for column in contract.columns if column.name != label]
    if not columns or any(field.name != label for field in contract.beyond):
        return None
    if not all(column.name.isascii() for column in columns):
        return None
    fields: dict[str, Any] = {column.name: _field(column) for column in columns}
    further = () if _ENVELOPE in fields else (_ENVELOPE,)
    fields.setdefault(_ENVELOPE, NotRequired[None])  # a list of rows is no row
    tests = tuple((column.name, scalar_test(column)) for column in columns if not _compiled(column))
    return BodyReader(TypedDict("Row", fields), tests, further)  # type: ignore[operator]


def _field(column: Column) -> Any:
    needed = column.required or column.primary_key
    kind = _numbers(column) if column.kind in ("integer", "number") else _KINDS[column.kind]
    return Required[kind] if needed else NotRequired[kind | None]


def _compiled(column: Column) -> bool:
    """Whether the decoder says all that the contract says of this column."""
    if column.kind == "boolean":
        return column.enum is None
    if column.kind == "string":
        lengths = (column.min_length, column.max_length)
        return lengths == (None, None) and (column.enum, column.pattern, column.format) == (None, None, None)
    if column.kind in ("integer", "number"):
        return (column.enum, column.multiple_of, column.format) == (None, None, None)
    return False


def _numbers(column: Column) -> Any:
    """JSON tells integers from floats, and a unit's name depends on which was sent: both stay what they were."""
    low, above = _bound(column.minimum, -inf), _bound(column.exclusive_minimum, -inf)
    high, below = _bound(column.maximum, inf), _bound(column.exclusive_maximum, inf)
    least = max(-LARGEST, ceil(low) if low > -inf else -LARGEST, floor(above) + 1 if above > -inf else -LARGEST)
    most = min(LARGEST - 1, floor(high) if high < inf else LARGEST, ceil(below) - 1 if below < inf else LARGEST)
    whole: Any = Annotated[int, msgspec.Meta(ge=int(least), le=int(most))]
    if column.kind == "integer":
        return whole
    if (low, above, high, below) == (-inf, -inf, inf, inf):
        return whole | float
    # infinity is outside wherever a bound exists, on whichever side
    lower: dict[str, Any] = {"gt": above} if -inf < above >= low else {"ge": max(low, -float_info.max)}
    upper: dict[str, Any] = {"lt": below} if high >= below < inf else {"le": min(high, float_info.max)}
    return whole | Annotated[float, msgspec.Meta(**lower, **upper)]


def _bound(value: float | str | None, otherwise: float) -> float:
    return otherwise if value is None else float(value)
