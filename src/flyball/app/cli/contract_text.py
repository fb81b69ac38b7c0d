"""How a comparison of two contracts looks on a terminal."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from flyball.contracts.diff.change import Change
from flyball.contracts.diff.compatibility import SAYS
from flyball.contracts.diff.edition import Edition


def compared(old: Edition, new: Edition, changes: Sequence[Change], document: dict[str, Any]) -> Group:
    """The changes as a table, the breaking ones first; then mode and version in a sentence each."""
    parts: list[Any] = []
    if changes:
        table = Table("class", Column("where", overflow="fold", min_width=24), "before", "after", "why")
        for change in sorted(changes, key=lambda change: not change.breaking):
            word = "breaking" if change.breaking else "non-breaking"
            table.add_row(word, Text(change.path), Text(change.old), Text(change.new), Text(change.reason))
        parts.append(table)
    else:
        parts.append(Text("nothing changed"))
    versions = document["versions"]
    parts.append(Text(f"version {old.version} -> {new.version}: {_version(versions, document['bump'])}"))
    parts.append(Text(_mode(document)))
    return Group(*parts)


def _version(versions: dict[str, Any], bump: str) -> str:
    if versions["finding"] is not None:
        return f"{versions['finding']}; proposed: {versions['proposed'] or 'none'}"
    return f"says enough, a {bump} change asks for {versions['proposed']}" if bump != "none" else "says enough"


def _mode(document: dict[str, Any]) -> str:
    if document["compatible"]:
        return f"{document['mode']}: kept"
    lines = [f"{document['mode']}: BROKEN"]
    for direction, words in SAYS.items():
        places = [f"{b['path']} (against {b['against']})" for b in document["breaks"] if b["direction"] == direction]
        if places:
            lines.append(f"  {words}: {', '.join(places)}")
    return "\n".join(lines)
