"""What was seen after a drill's fault was withdrawn, where it makes a sign by itself."""

from collections.abc import Mapping

from flyball.core.health import SignKind
from flyball.decide.health import Reading

NOTHING_REAL: Mapping[str, Reading] = {}


def reading(kind: SignKind, *, began: str = "") -> Reading:
    return Reading(
        kind=kind,
        severity="critical",
        holds="critical",
        value=3.0,
        limit=1.0,
        why=f"{kind}, seen since",
        clears="-",
        worse="-",
        began=began,
    )
