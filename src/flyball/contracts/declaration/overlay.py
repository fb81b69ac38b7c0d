"""A part of a declaration laid over a whole one: mappings are merged key by key, anything else takes its place."""

from collections.abc import Mapping
from typing import Any


def laid_over(whole: Mapping[str, Any], part: Any) -> Any:
    """`whole` with what `part` says; neither is changed. A list is one value: its items have no names to merge by.

    >>> laid_over({"psi": {"warn": 0.1, "act": 0.25}, "slices": [1, 2]}, {"psi": {"act": 0.4}, "slices": [3]})
    {'psi': {'warn': 0.1, 'act': 0.4}, 'slices': [3]}
    >>> laid_over({"psi": {"warn": 0.1}}, "no mapping")
    'no mapping'
    """
    if not isinstance(part, Mapping):
        return part
    merged = dict(whole)
    for key, value in part.items():
        before = merged.get(key)
        merged[key] = laid_over(before, value) if isinstance(before, Mapping) and isinstance(value, Mapping) else value
    return merged
