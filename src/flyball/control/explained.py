"""Which signs a drill's fault explains: an incident of these is the drill's, any other one is real."""

from collections.abc import Mapping

from flyball.core.drill_facts import DrillBegun
from flyball.core.health import Sign, SignKind

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


def explains(drill: DrillBegun | None, sign: Sign, now: str) -> bool:
    """Whether the drill that runs has made this sign."""
    return explains_kind(drill, sign.kind, now)


def explains_kind(drill: DrillBegun | None, kind: str, now: str) -> bool:
    """The same of a kind of sign, or of the family of a cause. A fault of another name explains nothing: better a
    real incident too many than one that nobody is told of."""
    if drill is None or now > drill.until:
        return False
    return kind in SIGNS_OF.get(drill.fault.replace("-", "_").replace(" ", "_"), frozenset())
