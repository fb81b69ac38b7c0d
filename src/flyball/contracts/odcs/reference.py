"""`relationships` of ODCS: foreign keys. Those that stay inside one table are executed, the others are listed."""

from collections.abc import Iterator, Sequence
from typing import Any

from flyball.contracts.odcs.findings import Finder
from flyball.contracts.schema_faults import found, nearest
from flyball.contracts.yaml_text import Path, show
from flyball.core.contract import Field, Reference


def references_of(
    schema: dict[str, Any], at: Path, table: str, columns: Sequence[Field], findings: Finder
) -> Iterator[Reference]:
    """The keys that can be judged from this table alone."""
    names = [column.name for column in columns]
    for place, item in enumerate(_items(schema.get("properties"))):
        here: Path = (*at, "properties", place, "relationships")
        for index, entry in enumerate(_items(item.get("relationships"))):
            own = f"{table}.{item.get('name')}"
            yield from _reference({**entry, "from": own}, (*here, index), table, names, findings)
    for index, entry in enumerate(_items(schema.get("relationships"))):
        yield from _reference(entry, (*at, "relationships", index), table, names, findings)


def _reference(
    item: dict[str, Any], at: Path, table: str, names: Sequence[str], findings: Finder
) -> Iterator[Reference]:
    sides = [_paths(item.get(side)) for side in ("from", "to")]
    if not all(sides) or len(sides[0]) != len(sides[1]):
        findings.fault(at, "from and to, as many columns on either side", found(item.get("to")))
        return
    for side, paths in zip(("from", "to"), sides, strict=True):
        owners = {path.rpartition(".")[0] for path in paths}
        if owners != {table}:
            findings.skip(at, f"relationship {side} {', '.join(paths)}, beyond the table {table}")
            return
    columns = [tuple(path.rpartition(".")[2] for path in paths) for paths in sides]
    unknown = [name for name in (*columns[0], *columns[1]) if name not in names]
    for name in unknown:
        findings.fault(at, f"a column of {show(at[:2])}", found(name), nearest(name, names))
    if not unknown:
        name = str(item.get("id") or f"{'.'.join(columns[0])}.reference")
        yield Reference(id=name, columns=columns[0], to=columns[1])


def _paths(said: Any) -> tuple[str, ...]:
    paths = said if isinstance(said, list) else [said]
    return tuple(path for path in paths if isinstance(path, str) and path)


def _items(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
