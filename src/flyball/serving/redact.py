"""What of a row is written down: the contract's columns, personal ones only as keyed hashes.

A hash under the home's secret still joins and counts (equal values stay equal), and cannot be reversed by whoever has
the log but not the key. It is no feature: a personal column other than the key is refused with the declaration
(`contracts.fit`). Nothing that the contract does not name is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from flyball.core.contract import Column


def personal(columns: Sequence[Column]) -> frozenset[str]:
    """Names of the columns whose values are hashed.

    >>> sorted(personal([Column(name="card", kind="string", classification="PII"), Column(name="x", kind="number")]))
    ['card']
    """
    return frozenset(column.name for column in columns if column.personal)


def hashed(value: Any, secret: bytes) -> str | None:
    """A value as its keyed hash; a missing one stays missing. Equal values of one JSON type have equal hashes.

    >>> hashed("4929", b"k") == hashed("4929", b"k"), hashed("4929", b"k") == hashed("4929", b"other")
    (True, False)
    """
    if value is None:
        return None
    return "h:" + blake2b(msgspec.json.encode(value), digest_size=12, key=secret, person=b"pii").hexdigest()


def redactor(
    columns: Sequence[str], hidden: frozenset[str], secret: bytes
) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """A function from a row as sent to the row as written."""
    known = frozenset(columns)

    def redact(row: Mapping[str, Any]) -> dict[str, Any]:
        kept = dict(row) if row.keys() <= known else {name: row[name] for name in columns if name in row}
        for name in hidden:
            if name in kept:
                kept[name] = hashed(kept[name], secret)
        return kept

    return redact
