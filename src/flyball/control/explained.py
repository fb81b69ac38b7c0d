"""What a drill's fault explains, signs and what follows from them: that is the drill's, anything else is real."""

from collections.abc import Mapping
from typing import Final

from flyball.core.facts.drill import DrillBegun
from flyball.core.health import OF_SUPPLY, SignKind

TRACES_S: Final = 900.0  # what a drill made is over so long after it: the objective of a recovery

_ANSWERING: frozenset[SignKind] = frozenset({"availability", "errors", "fallback", "latency"})
_SUPPLY: frozenset[SignKind] = frozenset({"data_quality", "drift", "fallback", "quality", "trend"})

SIGNS_OF: Mapping[str, frozenset[SignKind]] = {
    "bad_candidate": _ANSWERING | {"quality", "trend"},
    "crash_loop": _ANSWERING | {"resources"},
    "disk_full": frozenset({"freshness", "labels", "resources"}),
    "expired_key": frozenset({"availability", "errors", "freshness"}),
    "latency": _ANSWERING,
    "ledger_gone": frozenset({"availability", "resources"}),
    "memory_leak": _ANSWERING | {"resources"},
    "nan_burst": _SUPPLY | {"errors"},
    "poisoned_labels": frozenset({"data_quality", "labels", "quality", "trend"}),
    "region_moved": _SUPPLY | {"freshness", "latency"},
    "schema_break": _SUPPLY | {"errors", "freshness"},
    "unit_change": _SUPPLY,
    "upstream_stall": _ANSWERING | {"freshness", "labels"},
}

# Families of causes that are no sign of health, and the signs with which a fault brings them.
FOLLOWS: Mapping[str, frozenset[SignKind]] = {
    "budget": _ANSWERING | {"data_quality", "freshness", "quality"},
    "retrain": frozenset({"drift", "quality", "trend"}),
    "upstream": frozenset(OF_SUPPLY),
}
# Those that a fault brings without any sign: orders and records that come nowhere, a candidate that is taken back.
BRINGS: Mapping[str, frozenset[str]] = {
    "bad_candidate": frozenset({"rollback"}),
    "crash_loop": frozenset({"capture", "command"}),
    "disk_full": frozenset({"capture", "command", "training"}),
    "expired_key": frozenset({"access", "command"}),
    "ledger_gone": frozenset({"capture", "command", "training"}),
    "memory_leak": frozenset({"command"}),
}


def explains_kind(drill: DrillBegun | None, kind: str, now: str) -> bool:
    """Whether the drill that runs makes such signs, or what is of this family of causes. A fault of another name
    explains nothing: better a real incident too many than one that nobody is told of."""
    return drill is not None and now <= drill.until and makes(drill, kind)


def makes(drill: DrillBegun, kind: str) -> bool:
    """The same of a drill whenever it was."""
    fault = drill.fault.replace("-", "_").replace(" ", "_")
    signs: frozenset[str] = SIGNS_OF.get(fault, frozenset())
    return kind in signs or kind in BRINGS.get(fault, ()) or bool(signs & FOLLOWS.get(kind, frozenset()))
