"""Names under which people know a set of limits, or of steps: `monitor.psi: psi-0.20` stands for a mapping."""

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

PSI_PRESETS: dict[str, dict[str, float | int]] = {
    "psi-0.10-0.25x3": {"warn": 0.10, "act": 0.25, "consecutive": 3},  # the default
    "psi-0.20": {"warn": 0.20, "act": 0.20, "consecutive": 1},
}
_HOUR = 3600.0
STEP_PRESETS: dict[str, list[dict[str, Any]]] = {
    "shadow-48h-canary-5": [
        {"shadow": {"min_s": 48 * _HOUR, "timeout_s": 72 * _HOUR}},
        {"approval": {}},
        {"canary": {"weight": 0.05, "min_s": _HOUR, "timeout_s": 3 * _HOUR}},
        {"promote": {}},
    ],
    "canary-5": [
        {"approval": {}},
        {"canary": {"weight": 0.05, "min_s": _HOUR, "timeout_s": 3 * _HOUR}},
        {"promote": {}},
    ],
}


class Named(NamedTuple):
    """A key whose value may be a name."""

    section: str
    key: str
    presets: Mapping[str, Any]
    instead: str  # what may stand there else, for people


NAMED = (
    Named("monitor", "psi", PSI_PRESETS, "warn, act and consecutive"),
    Named("rollout", "steps", STEP_PRESETS, "a list of steps"),
)


class Unknown(NamedTuple):
    """A name that is none."""

    path: tuple[str, str]
    name: str
    expected: str


def spelled_out(data: Any) -> tuple[Any, tuple[Unknown, ...]]:
    """The declaration with what names stand for in their place, and the names that are none that is known.

    >>> spelled_out({"monitor": {"psi": "psi-0.20"}})[0]["monitor"]["psi"]["act"]
    0.2
    >>> spelled_out({"monitor": {"psi": "psi-0.3"}})[0]
    {'monitor': {}}
    >>> [list(step) for step in spelled_out({"rollout": {"steps": "canary-5"}})[0]["rollout"]["steps"]]
    [['approval'], ['canary'], ['promote']]
    """
    unknown = []
    for section, key, presets, instead in NAMED:
        given = data.get(section) if isinstance(data, dict) else None
        name = given.get(key) if isinstance(given, dict) else None
        if not isinstance(given, dict) or not isinstance(name, str):
            continue
        rest = {other: value for other, value in given.items() if other != key}
        if name in presets:
            rest[key] = copy.deepcopy(presets[name])
        else:
            unknown.append(Unknown((section, key), name, f"{instead}, or one of {', '.join(presets)}"))
        data = {**data, section: rest}
    return data, tuple(unknown)
