"""Which signs a drill has made, and which are real.

Theory of operation. A sign that comes while a drill's fault is made, or while its traces may still be seen, is the
drill's where the fault makes such signs. It is real as soon as what was seen after the fault was withdrawn is enough
for the sign by itself: the same limits and the same tests, asked of the panes, probes and windows since then alone. So
a real fault that begins under the drill's name bears it no longer than it takes to be sure of any fault. Signs of which
nothing is seen anew (labels that are missed, memory that is not given back, a loss of rows that came before) are real
when they stand longer than a drill's traces may.
"""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from flyball.control.explained import TRACES_S, makes
from flyball.control.state.healing_state import Drilled
from flyball.core.clock import moment, timestamp
from flyball.core.health import Health, Sign, SignKind
from flyball.core.watching import WindowReport
from flyball.decide.health import Readings

SEEN_ANEW: Final[frozenset[SignKind]] = frozenset(
    {"availability", "errors", "fallback", "latency", "freshness", "data_quality"}
)


def traces_until(drilled: Drilled | None) -> str:
    """When nothing can be the drill's any more, RFC 3339, UTC; empty: there was none, or its fault is made."""
    if drilled is None or not drilled.withdrawn_at:
        return ""
    return timestamp(moment(drilled.withdrawn_at) + timedelta(seconds=TRACES_S))


def withdrawn_s(drilled: Drilled | None, now: str) -> float | None:
    """Since when its fault is made no more, seconds since the epoch; None: it is made, or no trace is left."""
    if drilled is None or not drilled.withdrawn_at or now > traces_until(drilled):
        return None
    return moment(drilled.withdrawn_at).timestamp()


def surely_real(found: Readings, reports: Sequence[WindowReport]) -> frozenset[str]:
    """Keys of the signs that what was seen since the fault was withdrawn makes by itself. Args: of that time alone."""
    broken = bool(reports) and bool(reports[-1].quality)
    return frozenset(
        each.key
        for each in found.found
        if each.severity is not None and each.kind in SEEN_ANEW and (each.kind != "data_quality" or broken)
    )


def with_origins(health: Health, before: Health, drilled: Drilled | None, real: Collection[str], now: str) -> Health:
    """The same, and of each sign which drill made it. Args: before: as the ledger has it. real: as `surely_real`."""
    known = {sign.key: sign for sign in before.signs}
    if drilled is None:
        return health
    signs = tuple(replace(sign, drill=_origin(sign, known.get(sign.key), drilled, real, now)) for sign in health.signs)
    return replace(health, signs=signs)


def _origin(sign: Sign, before: Sign | None, drilled: Drilled, real: Collection[str], now: str) -> str:
    end = traces_until(drilled) or drilled.begun.until
    if sign.key in real or now > end:
        return ""
    if before is not None:
        return before.drill
    return drilled.begun.drill if makes(drilled.begun, sign.kind) else ""
