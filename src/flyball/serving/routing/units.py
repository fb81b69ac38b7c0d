"""Whom a row belongs to: the unit by which it is assigned, counted and kept with one arm."""

from collections.abc import Mapping, Sequence
from typing import Any


def units_of(rows: Sequence[Mapping[str, Any]], key: str | None, request_id: str | Sequence[str]) -> list[str]:
    """The value of the key as text; a row without one, or a service without a key, goes by its request.

    Args: request_id: of all rows, or one a row where they are of several requests.

    >>> units_of([{"card": 7}, {"card": None}], "card", "req-1"), units_of([{}, {}], None, ["req-1", "req-2"])
    (['7', 'req-1'], ['req-1', 'req-2'])
    """
    given = (request_id,) * len(rows) if isinstance(request_id, str) else request_id
    if key is None:
        return list(given)
    return [one if row.get(key) is None else str(row[key]) for row, one in zip(rows, given, strict=True)]
