"""What changed in a column with parts: each part compared as a column is, and what only nested values promise.

A part is a property of an object, the item of an array, key or value of a map. Objects are closed as rows are, with
one exception: an object that declares no property may hold any, so nothing that is declared later is sure to fit.
"""

from math import inf

from flyball.contracts.diff.change import Change, plain, promise
from flyball.contracts.diff.columns import column_changes, is_required
from flyball.core.contract import Field


def field_changes(path: str, old: Field, new: Field) -> list[Change]:
    """All changes between two versions of a field, its parts included.

    >>> count = Field(name="count", kind="integer", minimum=0.0)
    >>> old = Field(name="line", kind="object", fields=(count, Field(name="note", kind="string")))
    >>> new = Field(name="line", kind="object", fields=(Field(name="count", kind="integer", minimum=1.0),))
    >>> [(change.path, change.what) for change in field_changes("t.line", old, new)]
    [('t.line.count.range', 'tightened'), ('t.line.note', 'removed')]
    """
    found = column_changes(path, old, new)
    if old.kind != new.kind:
        return found
    found += _counts(f"{path}.items", (old.min_items, old.max_items), (new.min_items, new.max_items))
    found += _counts(
        f"{path}.properties", (old.min_properties, old.max_properties), (new.min_properties, new.max_properties)
    )
    found += _flag(f"{path}.uniqueItems", old.unique_items, new.unique_items)
    found += _flag(f"{path}.normalized", old.normalized, new.normalized)
    found += _needs(path, old, new)
    if old.kind == "vector":
        reason = "vectors of the one kind are none of the other"
        was, now = ((side.dimensions, *(part.format for part in side.fields)) for side in (old, new))
        return found + plain(f"{path}.vector", was, now, "major", reason, backward=False, forward=False)
    return found + _parts(path, old, new)


def _parts(path: str, old: Field, new: Field) -> list[Change]:
    was, now = ({part.name: part for part in side.fields} for side in (old, new))
    if not was or not now:  # undeclared: anything may be in there
        return promise(
            f"{path}.parts",
            ", ".join(was) or None,
            ", ".join(now) or None,
            backward=not now,
            forward=not was,
            tighter="parts that might be anything have a promise now",
            looser="parts may be anything now",
        )
    found: list[Change] = []
    for name in dict.fromkeys((*was, *now)):
        where = path + name if name == "[]" else f"{path}.{name}"
        before, after = was.get(name), now.get(name)
        if before is not None and after is not None:
            found += field_changes(where, before, after)
        elif after is not None:
            found.append(_added(where, after))
        elif before is not None:
            found.append(_removed(where, before))
    return found


def _added(path: str, part: Field) -> Change:
    required = is_required(part)
    return Change(
        path=path,
        what="added",
        bump="major" if required else "minor",
        reason="old values have no such part" if required else "optional: old values are valid without it",
        old="nothing",
        new=part.kind + (", required" if required else ""),
        backward=not required,
        forward=True,
    )


def _removed(path: str, part: Field) -> Change:
    required = is_required(part)
    return Change(
        path=path,
        what="removed",
        bump="major",
        reason="who reads the part has lost it",
        old=part.kind + (", required" if required else ""),
        new="nothing",
        backward=True,
        forward=not required,
    )


def _counts(path: str, old: tuple[int | None, int | None], new: tuple[int | None, int | None]) -> list[Change]:
    (low_was, high_was), (low_now, high_now) = ((low or 0, inf if high is None else high) for low, high in (old, new))
    return promise(
        path,
        old,
        new,
        backward=low_now <= low_was and high_was <= high_now,
        forward=low_was <= low_now and high_now <= high_was,
        tighter="fewer counts are accepted",
        looser="more counts are accepted",
        neither="the accepted counts moved",
    )


def _flag(path: str, old: bool, new: bool) -> list[Change]:
    return promise(
        path, old, new, backward=old or not new, forward=new or not old, tighter="asked for now", looser="no more asked"
    )


def _needs(path: str, old: Field, new: Field) -> list[Change]:
    was, now = set(old.needs), set(new.needs)
    return promise(
        f"{path}.needs",
        old.needs or None,
        new.needs or None,
        backward=now <= was,
        forward=was <= now,
        tighter="more parts must have a value",
        looser="fewer parts must have a value",
        neither="other parts must have a value",
    )
