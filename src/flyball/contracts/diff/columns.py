"""What changed in the promises of one column, each compared by itself.

Every comparison says whether the old set of allowed values lies in the new one (`backward`) and the reverse
(`forward`). Where that cannot be told, as of two regular expressions, both are no: what is allowed is never guessed.
"""

from math import ceil, floor, inf
from typing import Any

from flyball.contracts.diff.change import Change, plain, promise
from flyball.contracts.rows.values import bound, is_multiple, range_of
from flyball.core.contract import Field

LOW, HIGH = 1, -1  # sides of a range, as the direction in which it is tighter
STEP_SLACK = 1e-12  # relative; 0.3 is three steps of 0.1


def column_changes(path: str, old: Field, new: Field) -> list[Change]:
    """All changes between two versions of a column.

    >>> from flyball.core.contract import Column
    >>> old = Column(name="a", kind="integer", minimum=0.0)
    >>> for change in column_changes("t.a", old, Column(name="a", kind="number", minimum=1.0)):
    ...     print(change.path, change.what, change.bump)
    t.a.type loosened minor
    t.a.range tightened major
    """
    found = _required(path, old, new) + _kind(path, old, new) + _unique(path, old, new) + _personal(path, old, new)
    if old.kind == new.kind or {old.kind, new.kind} == {"integer", "number"}:
        found += _enum(path, old, new) + _range(path, old, new) + _step(path, old, new)
        found += _length(path, old, new) + _pattern(path, old, new)
    return found


def is_required(column: Field) -> bool:
    """A part of a key is never missing."""
    return column.required or column.primary_key


def _required(path: str, old: Field, new: Field) -> list[Change]:
    was, now = is_required(old), is_required(new)
    return promise(
        f"{path}.required",
        was,
        now,
        backward=was or not now,
        forward=now or not was,
        tighter="rows without a value are no longer accepted",
        looser="rows without a value are accepted now",
    )


def _kind(path: str, old: Field, new: Field) -> list[Change]:
    same = old.kind == new.kind
    return promise(
        f"{path}.type",
        old.kind,
        new.kind,
        backward=same or (old.kind, new.kind) == ("integer", "number"),
        forward=same or (new.kind, old.kind) == ("integer", "number"),
        tighter="values of the old type are no longer all accepted",
        looser="every value of the old type is one of the new",
        neither="values of the one type are not accepted as the other",
    )


def _unique(path: str, old: Field, new: Field) -> list[Change]:
    return promise(
        f"{path}.unique",
        old.unique,
        new.unique,
        backward=old.unique or not new.unique,
        forward=new.unique or not old.unique,
        tighter="a repeated value is no longer accepted",
        looser="a value may repeat now",
    )


def _personal(path: str, old: Field, new: Field) -> list[Change]:
    reason = "its values are hashed before they are written" if new.personal else "its values are written as they are"
    where = f"{path}.classification"
    if old.personal != new.personal:
        return plain(where, old.classification, new.classification, "major", f"{reason}, so what readers see changes")
    return plain(where, old.classification, new.classification, "patch", "treated as before")


def _enum(path: str, old: Field, new: Field) -> list[Change]:
    was, now = _allowed(old), _allowed(new)
    return promise(
        f"{path}.enum",
        old.enum,
        new.enum,
        backward=now is None or (was is not None and was <= now),
        forward=was is None or (now is not None and now <= was),
        tighter="fewer values are allowed",
        looser="more values are allowed",
        neither="some values are no longer allowed, others are now",
    )


def _allowed(column: Field) -> frozenset[Any] | None:
    if column.enum is None:
        return frozenset((True, False)) if column.kind == "boolean" else None
    return frozenset(bound(column.kind, value) for value in column.enum)


def _range(path: str, old: Field, new: Field) -> list[Change]:
    return promise(
        f"{path}.range",
        range_of(old) or None,
        range_of(new) or None,
        backward=_reaches(new, old, LOW) and _reaches(new, old, HIGH),
        forward=_reaches(old, new, LOW) and _reaches(old, new, HIGH),
        tighter="values at the edge are no longer accepted",
        looser="values beyond the old edge are accepted now",
        neither="the range moved: values at one edge are no longer accepted",
    )


def _reaches(wide: Field, narrow: Field, side: int) -> bool:
    """Whether the range of the one reaches at least as far on this side as that of the other."""
    outer, inner = _end(wide, side), _end(narrow, side)
    if outer is None or inner is None:
        return outer is None
    return bool(outer <= inner if side == LOW else outer >= inner)


def _end(column: Field, side: int) -> tuple[Any, int] | None:
    """The tighter of the closed and the open bound, as (place, 0) or (place, side) where the place itself is outside.

    Of whole numbers it is the outermost that is allowed, so that `above 0` and `at least 1` are the same.
    """
    closed, opened = (
        (column.minimum, column.exclusive_minimum) if side == LOW else (column.maximum, column.exclusive_maximum)
    )
    ends: list[tuple[Any, int]] = []
    for limit, step in ((closed, 0), (opened, side)):
        value = None if limit is None else bound(column.kind, limit)
        if value is None:
            continue
        if column.kind == "integer":
            whole = ceil(value) if side == LOW else floor(value)
            value, step = (whole + step if whole == value else whole), 0
        ends.append((value, step))
    return (max(ends) if side == LOW else min(ends)) if ends else None


def _step(path: str, old: Field, new: Field) -> list[Change]:
    return promise(
        f"{path}.multipleOf",
        old.multiple_of,
        new.multiple_of,
        backward=_is_coarser(old.multiple_of, new.multiple_of),
        forward=_is_coarser(new.multiple_of, old.multiple_of),
        tighter="values between the new steps are no longer accepted",
        looser="values between the old steps are accepted now",
        neither="the steps do not meet",
    )


def _is_coarser(coarse: float | None, fine: float | None) -> bool:
    """Whether every multiple of the one is a multiple of the other."""
    if fine is None or coarse == fine:
        return True
    if coarse is None or not is_multiple(coarse, fine):
        return False
    steps = coarse / fine
    return steps >= 1 and abs(steps - round(steps)) <= STEP_SLACK * steps


def _length(path: str, old: Field, new: Field) -> list[Change]:
    low_was, low_now = old.min_length or 0, new.min_length or 0
    high_was, high_now = (inf if column.max_length is None else column.max_length for column in (old, new))
    return promise(
        f"{path}.length",
        (low_was, None if high_was == inf else high_was),
        (low_now, None if high_now == inf else high_now),
        backward=low_now <= low_was and high_was <= high_now,
        forward=low_was <= low_now and high_now <= high_was,
        tighter="shorter or longer texts are no longer accepted",
        looser="shorter or longer texts are accepted now",
        neither="the allowed length moved",
    )


def _pattern(path: str, old: Field, new: Field) -> list[Change]:
    return promise(
        f"{path}.pattern",
        old.pattern,
        new.pattern,
        backward=new.pattern is None or old.pattern == new.pattern,
        forward=old.pattern is None or old.pattern == new.pattern,
        tighter="texts that do not match are no longer accepted",
        looser="texts are no longer matched with a pattern",
        neither="what two patterns let through cannot be compared",
    )
