"""What OpenSLO has no field for, as annotations: which of our indicators an objective is, and how it binds."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from flyball.core.declared.objectives import Objective, Sli, Urgency

PREFIX = "flyball."
_NUMBERS = {"limit-ms": "limit_ms", "max-age-s": "max_age_s"}
_TRUTHS = {"true": True, "false": False}
_KINDS: dict[str, tuple[str, ...]] = {"sli": get_args(Sli), "urgency": get_args(Urgency)}


def annotated(objective: Objective) -> dict[str, str]:
    """Those that an objective needs to be read back as it is.

    >>> annotated(Objective(name="quick", sli="latency", target=0.99, limit_ms=100.0))
    {'flyball.name': 'quick', 'flyball.sli': 'latency', 'flyball.limit-ms': '100.0'}
    """
    found = {"name": objective.name, "sli": objective.sli}
    for key, field in _NUMBERS.items():
        if (value := getattr(objective, field)) is not None:
            found[key] = repr(float(value))
    if objective.urgency != "page":
        found["urgency"] = objective.urgency
    if objective.freeze is not None:
        found["freeze"] = str(objective.freeze).lower()
    return {PREFIX + key: value for key, value in found.items()}


def fields_of(annotations: Mapping[str, str]) -> dict[str, Any]:
    """Fields of an objective; what cannot be read is not in it (`faults_of` tells it)."""
    found: dict[str, Any] = {}
    for key, value in annotations.items():
        name = key.removeprefix(PREFIX)
        if name == key:
            continue
        if name in _NUMBERS and _number(value) is not None:
            found[_NUMBERS[name]] = _number(value)
        elif name == "freeze" and value in _TRUTHS:
            found[name] = _TRUTHS[value]
        elif name == "name" or value in _KINDS.get(name, ()):
            found[name] = value
    return found


def faults_of(annotations: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Annotations of ours that say nothing: (key, expected, found)."""
    for key, value in annotations.items():
        name = key.removeprefix(PREFIX)
        if name == key:
            continue
        if name in _NUMBERS:
            if _number(value) is None:
                yield key, "a number above 0", value
        elif name == "freeze":
            if value not in _TRUTHS:
                yield key, "true or false", value
        elif name in _KINDS:
            if value not in _KINDS[name]:
                yield key, f"one of {', '.join(_KINDS[name])}", value
        elif name != "name":
            names = ", ".join(PREFIX + each for each in ("name", *_KINDS, *_NUMBERS, "freeze"))
            yield key, f"one of {names}", "an unknown annotation of ours"


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None
