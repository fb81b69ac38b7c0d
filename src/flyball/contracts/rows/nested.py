"""Nested values of single rows: objects, arrays, maps and vectors as the dictionaries and lists that JSON carries.

A property that is null and one that is not there are the same thing, because in a table's struct they are. Lists of
nulls are lists: an item is missing only where the contract requires items. What is judged is the contract of
`promises`, rule by rule; `tables.nested` gives the same answer for a column.
"""

from collections.abc import Callable, Sequence
from math import isfinite, sqrt
from typing import Any

from flyball.contracts.rows.promises import NORM_TOLERANCE, SCALARS, Promise, Reason, within
from flyball.contracts.rows.scalars import scalar_test
from flyball.core.contract import Field

_Rank = int | None  # place in the order of promises, those that reject before all others; None: nothing is broken
_Judge = Callable[[Any], _Rank]


def compiled(field: Field, order: Sequence[Promise]) -> Callable[[Any], Promise | None]:
    """A column's test: the promise that a value breaks, or None.

    >>> from flyball.contracts.rows.promises import of_field
    >>> tags = Field(name="tags", kind="array", max_items=2, fields=(Field(name="[]", kind="string"),))
    >>> broken = compiled(tags, tuple(of_field(tags, "tags", "tags")))
    >>> broken(["a", 1]).rule, broken(["a", "b", "c"]).rule, broken(["a"])
    ('tags[].type', 'tags.items', None)
    """
    ranked = sorted(order, key=lambda promise: not promise.rejects)  # stable: otherwise in their own order
    ranks = {promise.rule: rank for rank, promise in enumerate(ranked)}
    judge = _judge(field, field.name, ranks)

    def test(value: Any) -> Promise | None:
        rank = judge(value)
        return None if rank is None else ranked[rank]

    return test


def _judge(field: Field, path: str, ranks: dict[str, int]) -> _Judge:
    def rank(reason: Reason) -> int:
        return ranks[f"{path}.{reason}"]

    if field.kind in SCALARS:
        return _scalar(field, rank)
    parts = {part.name: _judge(part, within(path, part), ranks) for part in field.fields}
    missing = rank("required") if field.required or field.primary_key else None
    mistyped, own = rank("type"), _own(field, rank)
    match field.kind:
        case "object":
            shape: type | tuple[type, ...] = dict
            inner = _of_object(parts)
        case "map":
            shape, inner = dict, _of_map(parts["key"], parts["value"])
        case _:
            shape, inner = (list, tuple), _of_items(parts["[]"]) if parts else _nothing

    def judge(value: Any) -> _Rank:
        if value is None:
            return missing
        if not isinstance(value, shape):
            return mistyped
        return least(own(value), inner(value))

    return judge


def least(one: _Rank, other: _Rank) -> _Rank:
    """The graver of two answers."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _scalar(field: Field, rank: Callable[[Reason], int]) -> _Judge:
    test = scalar_test(field)

    def judge(value: Any) -> _Rank:
        reason = test(value)
        return None if reason is None else rank(reason)

    return judge


def _nothing(_value: Any) -> _Rank:
    return None


def _of_object(parts: dict[str, _Judge]) -> _Judge:
    def judge(value: Any) -> _Rank:
        worst: _Rank = None
        for name, part in parts.items():
            worst = least(worst, part(value.get(name)))
        return worst

    return judge


def _of_map(key: _Judge, item: _Judge) -> _Judge:
    def judge(value: Any) -> _Rank:
        worst: _Rank = None
        for name, held in value.items():
            worst = least(worst, least(key(name), item(held)))
        return worst

    return judge


def _of_items(part: _Judge) -> _Judge:
    def judge(value: Any) -> _Rank:
        worst: _Rank = None
        for item in value:
            worst = least(worst, part(item))
        return worst

    return judge


def _own(field: Field, rank: Callable[[Reason], int]) -> _Judge:
    """What the value as a whole promises, in the order of `promises.reasons`."""
    tests: list[tuple[int, Callable[[Any], bool]]] = []  # true where broken
    if field.min_items is not None or field.max_items is not None:
        low, high = field.min_items or 0, field.max_items
        tests.append((rank("items"), lambda value: len(value) < low or (high is not None and len(value) > high)))
    if field.unique_items:
        tests.append((rank("unique_items"), lambda value: len({_key(item) for item in value}) < len(value)))
    if field.min_properties is not None or field.max_properties is not None or field.needs:
        tests.append((rank("properties"), lambda value: _lacks(field, value)))
    if field.dimensions is not None:
        dimensions = field.dimensions
        tests.append((rank("dimensions"), lambda value: len(value) != dimensions))
    if field.normalized:
        tests.append((rank("normalized"), lambda value: not is_unit(value)))
    tests.sort(key=lambda test: test[0])

    def judge(value: Any) -> _Rank:
        return next((at for at, broken in tests if broken(value)), None)

    return judge


def _lacks(field: Field, value: dict[str, Any]) -> bool:
    present = {name for name, item in value.items() if item is not None}
    low, high = field.min_properties or 0, field.max_properties
    return len(present) < low or (high is not None and len(present) > high) or not present.issuperset(field.needs)


def is_unit(value: Sequence[Any]) -> bool:
    """Whether the Euclidean length is 1; an item that is no finite number makes it none, its own promise says why.

    >>> is_unit([0.6, 0.8]), is_unit([1.0, 1.0]), is_unit([])
    (True, False, False)
    """
    if any(item.__class__ not in (int, float) or not isfinite(item) for item in value):
        return False
    try:
        return abs(sqrt(sum(float(item) ** 2 for item in value)) - 1) <= NORM_TOLERANCE
    except OverflowError:
        return False


def _key(value: Any) -> Any:
    """A form in which equal items are equal: a null property is no property, and every NaN is the same."""
    match value:
        case dict():
            return ("{}", frozenset((name, _key(item)) for name, item in value.items() if item is not None))
        case list() | tuple():
            return ("[]", tuple(_key(item) for item in value))
        case bool():
            return ("bool", value)
        case float() if value != value:
            return "NaN"
        case _:
            return value
