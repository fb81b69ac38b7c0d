"""Every difference between two versions of a contract, classed: does it break somebody, and may the data be mixed?

Rows are closed: a row of a version has that version's columns and no other. Without this nothing could ever be added,
for an old row might have carried anything under the new name (decision 0014). Breaking is what makes somebody who
kept or used the old version fail or misread: a column less, a promise more, another meaning. Data compatibility is
narrower: a removed column breaks its readers, but its old rows are still valid.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flyball.contracts.diff.change import Change, plain, promise
from flyball.contracts.diff.columns import is_required
from flyball.contracts.diff.edition import Edition
from flyball.contracts.diff.executed import executed_changes, executed_levels, names_of
from flyball.contracts.diff.nested import field_changes
from flyball.contracts.diff.promises import level_changes, quality_changes, rule_changes
from flyball.core.contract import DataContract, Field

PARTS = ("items", "properties", "map")
MEANING = ("semanticType", "transformLogic", "relationships")
OPTIONS = ("timezone", "defaultTimezone", "format")
PHYSICAL = ("physicalName", "physicalType", "partitioned", "partitionKeyPosition")
UNITS = frozenset({"unit", "units", "currency", "scale", "timezone", "role", "label", "encoding"})  # custom properties
COMPARED = frozenset({"name", "logicalType", "logicalTypeOptions", "required", "unique", "primaryKey", "enum"})
COMPARED |= {"primaryKeyPosition", "classification", "quality", "customProperties", *MEANING, *PARTS, *PHYSICAL}
_TABLE = frozenset({"name", "physicalName", "properties", "quality", "relationships", "logicalType"})
_FILE = frozenset({"schema", "slaProperties", "version", "id", "servers"})


def changes(old: Edition, new: Edition) -> tuple[Change, ...]:
    """All changes, table by table in the order of the files, what concerns the file as a whole first."""
    found = plain("id", old.id, new.id, "major", "it names another contract")
    found += plain("servers", old.data.get("servers"), new.data.get("servers"), *_moved(old, new))
    judged = frozenset(level.name for edition in (old, new) for table in edition.tables for level in table.levels)
    found += level_changes(old.data.get("slaProperties"), new.data.get("slaProperties"), without=judged)
    found += executed_levels(old.tables, new.tables)
    found += _words("", old.data, new.data, _FILE)
    for name, before, after in _pairs(old, new):
        if before is None or after is None:
            table = (before or after).table if (before or after) else name  # type: ignore[union-attr]
            found.append(_whole_table(table, added=before is None))
        else:
            found += _table_changes(before, after, _raw_table(old, before.table), _raw_table(new, after.table))
    return tuple(found)


def _moved(old: Edition, new: Edition) -> tuple[Any, str]:
    before, after = old.data.get("servers") or [], new.data.get("servers") or []
    if all(server in after for server in before):
        return "minor", "the data can be had at one more place"
    return "major", "the data are no longer where they were"


def _pairs(old: Edition, new: Edition) -> list[tuple[str, DataContract | None, DataContract | None]]:
    """Tables of the same name; a single table of each file is the same one, however it is called."""
    if len(old.tables) == len(new.tables) == 1:
        return [(new.tables[0].table, old.tables[0], new.tables[0])]
    was, now = ({table.table: table for table in edition.tables} for edition in (old, new))
    return [(name, was.get(name), now.get(name)) for name in dict.fromkeys((*was, *now))]


def _whole_table(name: str, *, added: bool) -> Change:
    return Change(
        path=name,
        what="added" if added else "removed",
        bump="minor" if added else "major",
        reason="a table more" if added else "who reads the table has lost it",
        old="nothing" if added else "a table",
        new="a table" if added else "nothing",
        backward=added,
        forward=not added,
    )


def _table_changes(
    old: DataContract, new: DataContract, raw_old: Mapping[str, Any], raw_new: Mapping[str, Any]
) -> list[Change]:
    name = new.table
    found = plain(f"{name}.name", old.table, new.table, "major", "who asks for the table by its name misses it")
    found += plain(
        f"{name}.physicalName", raw_old.get("physicalName"), raw_new.get("physicalName"), "major", "stored elsewhere"
    )
    found += _key(name, old, new)
    was, now = _properties(raw_old), _properties(raw_new)
    typed_was, typed_now = ({column.name: column for column in table.promised} for table in (old, new))
    executed = names_of(old) | names_of(new)
    for column in dict.fromkeys((*was, *now)):
        path = f"{name}.{column}"
        before, after = was.get(column), now.get(column)
        if before is None and after is not None:
            found.append(_added(path, after, typed_now.get(column)))
        elif after is None and before is not None:
            found.append(_removed(path, before, typed_was.get(column)))
        elif before is not None and after is not None:
            found += _column(path, typed_was.get(column), typed_now.get(column), before, after, executed)
    found += rule_changes(name, old.rules, new.rules)
    found += executed_changes(name, old, new)
    found += quality_changes(name, raw_old.get("quality"), raw_new.get("quality"), without=executed)
    return found + _words(name, raw_old, raw_new, _TABLE)


def _key(name: str, old: DataContract, new: DataContract) -> list[Change]:
    was, now = (tuple(column.name for column in table.promised if column.primary_key) for table in (old, new))
    reason = (
        "what identifies a row is another" if was and now else "rows are identified" if now else "rows lost their key"
    )
    backward = not now or (bool(was) and set(was) <= set(now))
    forward = not was or (bool(now) and set(now) <= set(was))
    if set(was) == set(now):
        return []
    return plain(f"{name}.primaryKey", was or None, now or None, "major", reason, backward=backward, forward=forward)


def _added(path: str, raw: Mapping[str, Any], column: Field | None) -> Change:
    required = raw.get("required") is True if column is None else is_required(column)
    return Change(
        path=path,
        what="added",
        bump="major" if required else "minor",
        reason="old rows have no such value" if required else "optional: old rows are valid without it",
        old="nothing",
        new=_kind(raw) + (", required" if required else ""),
        backward=not required,
        forward=True,
    )


def _removed(path: str, raw: Mapping[str, Any], column: Field | None) -> Change:
    required = raw.get("required") is True if column is None else is_required(column)
    return Change(
        path=path,
        what="removed",
        bump="major",
        reason="who reads the column has lost it",
        old=_kind(raw) + (", required" if required else ""),
        new="nothing",
        backward=True,
        forward=not required,
    )


def _column(
    path: str,
    old: Field | None,
    new: Field | None,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    executed: frozenset[str],
) -> list[Change]:
    found = _unread(path, before, after) if old is None or new is None else field_changes(path, old, new)
    return found + _meaning(path, before, after, column=str(after.get("name")), executed=executed)


def _meaning(
    path: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    column: str | None = None,
    executed: frozenset[str] = frozenset(),
) -> list[Change]:
    """What no value is judged by, of a column and of the parts that both versions have."""
    found: list[Change] = []
    for key in MEANING:
        reason = "the values mean something else"
        found += plain(f"{path}.{key}", before.get(key), after.get(key), "major", reason, backward=False, forward=False)
    for key in OPTIONS:
        was, now = (_mapping(raw.get("logicalTypeOptions")).get(key) for raw in (before, after))
        found += plain(
            f"{path}.{key}", was, now, "major", "the values are read differently", backward=False, forward=False
        )
    for key in PHYSICAL:
        found += plain(f"{path}.{key}", before.get(key), after.get(key), "major", "stored otherwise")
    found += _custom(path, before.get("customProperties"), after.get("customProperties"))
    found += quality_changes(path, before.get("quality"), after.get("quality"), column=column, without=executed)
    found += _words(path, before, after, COMPARED)
    was, now = _raw_parts(before), _raw_parts(after)
    for name in (name for name in was if name in now):
        found += _meaning(path + name, was[name], now[name])
    return found


def _unread(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """A column of a type that nobody executes, before or after: any other promise of it cannot be compared."""
    was, now = ({key: raw.get(key) for key in COMPARED - {"quality", "customProperties"}} for raw in (before, after))
    if was == now:
        return []
    return promise(
        f"{path}.type",
        _kind(before),
        _kind(after),
        backward=False,
        forward=False,
        tighter="cannot be compared",
        looser="",
    )


def _custom(path: str, old: Any, new: Any) -> list[Change]:
    was, now = _named(old), _named(new)
    found: list[Change] = []
    for name in dict.fromkeys((*was, *now)):
        where = f"{path}.{name}"
        if name.lower() in UNITS:
            reason = "the same numbers mean something else"
            found += plain(where, was.get(name), now.get(name), "major", reason, backward=False, forward=False)
        else:
            found += plain(where, was.get(name), now.get(name), "patch", "a custom property, read by nobody here")
    return found


def _words(path: str, old: Mapping[str, Any], new: Mapping[str, Any], compared: frozenset[str]) -> list[Change]:
    found: list[Change] = []
    for key in dict.fromkeys((*old, *new)):
        if key not in compared:
            reason = "words and facts about it; no value is judged by them"
            found += plain(f"{path}.{key}".lstrip("."), old.get(key), new.get(key), "patch", reason)
    return found


def _raw_table(edition: Edition, name: str) -> Mapping[str, Any]:
    tables: Sequence[Any] = edition.data.get("schema") or []
    return next((table for table in tables if isinstance(table, dict) and table.get("name") == name), {})


def _properties(table: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    items = table.get("properties") or []
    return {str(item.get("name")): item for item in items if isinstance(item, dict)}


def _raw_parts(raw: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Parts of a nested column as they are written, by what is added to the path."""
    found = {f".{name}": item for name, item in _properties(raw).items()}
    entries = _mapping(raw.get("map"))
    found |= {f".{name}": _mapping(entries.get(name)) for name in ("key", "value") if name in entries}
    return found | ({"[]": _mapping(raw.get("items"))} if "items" in raw else {})


def _named(items: Any) -> dict[str, Any]:
    listed = items if isinstance(items, list) else []
    return {str(item.get("property")): item.get("value") for item in listed if isinstance(item, dict)}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _kind(raw: Mapping[str, Any]) -> str:
    return str(raw.get("logicalType"))
