"""Which signs a drill has made, and which are real.

Theory of operation. A sign that comes while a drill's fault is made, or while its traces may still be seen, is the
drill's where the fault makes such signs. It is real as soon as what was seen after the fault was withdrawn is enough
for the sign by itself: the same limits and the same tests, asked of the panes, probes and windows since then alone. So
a real fault that begins under the drill's name bears it hardly longer than it takes to be sure of any fault. What the
loop's own relief shows (answers of the fallback chain, requests that are turned away) is no such evidence.

Signs of which nothing is seen anew (labels that are missed, memory that is not given back, a loss of rows that came
before) are real when they stand longer than a drill's traces may, unless they only wait to be dropped. Of broken data
windows alone say whose they are, which may take hours: their sign is whose their incident is, until a window that
began after the fault finds what none had found before the drill.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from msgspec.structs import replace

from flyball.control.explained import TRACES_S, makes
from flyball.control.state.healing_state import Drilled, Tried
from flyball.core.clock import moment, timestamp
from flyball.core.facts.healing import RemedyKind
from flyball.core.health import Health, Sign, SignKind
from flyball.core.watching import WindowReport
from flyball.decide.health import Reading, Readings

SEEN_ANEW: Final[frozenset[SignKind]] = frozenset(
    {"availability", "errors", "fallback", "latency", "freshness", "data_quality"}
)
OF_DATA: Final = "data_quality"
SHOWS_AS: Final[Mapping[RemedyKind, SignKind]] = {"fall_back": "fallback", "shed": "availability"}  # while it stands
GRACE_S: Final = 10.0  # a worker that the fault has killed comes back, an answer that it held back goes out


def traces_until(one: Drilled) -> str:
    """When nothing can be of this drill any more, RFC 3339, UTC; of one whose driver was killed by its `until`."""
    return timestamp(moment(one.withdrawn_at or one.begun.until) + timedelta(seconds=TRACES_S))


def named_until(health: Health, drilled: Mapping[str, Drilled]) -> str:
    """When a sign that bears a drill's name bears it no more though nothing comes; empty: none does."""
    named = [drilled[sign.drill] for sign in health.signs if sign.drill and sign.drill in drilled]
    return min(map(traces_until, named), default="")


def asked_since(health: Health, before: Health, drilled: Mapping[str, Drilled]) -> dict[float, set[SignKind]]:
    """Kinds of signs that may be a drill's or real, by the moment (seconds since the epoch) after which what is seen of
    them is of no drill. Not those that a drill makes just now. Args: before: as the ledger has it."""
    known = {sign.key for sign in before.signs if not sign.drill}
    kinds = {sign.kind for sign in health.signs if sign.kind in SEEN_ANEW}
    kinds -= {sign.kind for sign in health.signs if sign.key in known and sign.kind != OF_DATA}
    found: dict[float, set[SignKind]] = {}
    for kind in kinds:
        makers = [one for one in drilled.values() if makes(one.begun, kind)]
        if makers and all(one.withdrawn_at for one in makers):
            last = max(moment(one.withdrawn_at).timestamp() for one in makers) + GRACE_S
            found.setdefault(last, set()).add(kind)
    return found


def of_our_making(health: Health, tried: Collection[Tried]) -> frozenset[SignKind]:
    """Kinds of signs that came while a relief stood which shows as them, and which has ended: they are over with it.
    Args: health: as the ledger has it. tried: remedies."""
    standing = {SHOWS_AS[one.begun.kind] for one in tried if one.begun.kind in SHOWS_AS and one.stands}
    spans = [
        (SHOWS_AS[one.begun.kind], one.at, one.ended_at) for one in tried if one.begun.kind in SHOWS_AS and one.ended
    ]
    found = {
        sign.kind for sign in health.signs for kind, at, end in spans if sign.kind == kind and at <= sign.since <= end
    }
    return frozenset(found - standing)


def surely_real(
    found: Readings,
    reports: Sequence[WindowReport],
    older: Sequence[WindowReport] = (),
    standing: Collection[RemedyKind] = (),
) -> dict[str, Reading]:
    """The readings of which what was seen since the fault was withdrawn makes a sign by itself, by its key.

    Args: found, reports: of that time alone. older: windows from before the drill. standing: reliefs.
    """
    hidden = {kind for relief, kind in SHOWS_AS.items() if relief in standing}
    real = {
        each.key: each
        for each in found.found
        if each.severity is not None and each.kind in SEEN_ANEW and each.kind not in hidden
    }
    known = {(finding.kind, finding.feature) for finding in (older[-1].quality if older else ())}
    broken = [report for report in reports if {(each.kind, each.feature) for each in report.quality} - known]
    data = real.pop(OF_DATA, None)
    if data is not None and broken and broken[-1] is reports[-1]:
        real[OF_DATA] = replace(data, began=timestamp(datetime.fromtimestamp(broken[0].start, UTC)))
    return real


def with_origins(
    health: Health,
    before: Health,
    drilled: Mapping[str, Drilled],
    real: Mapping[str, Reading],
    now: str,
    *,
    waiting: Collection[str] = (),
    of_data: str | None = None,
) -> Health:
    """The same, and of each sign which drill made it; one that turns out to be real tells of what shows that.

    Args:
        before: as the ledger has it.
        real: as `surely_real`.
        waiting: keys of signs that are gone, or that nobody sees, and wait to be dropped.
        of_data: which drill made the open incident of the data's quality; empty: none did; None: none is open.
    """
    known = {sign.key: sign for sign in before.signs}
    signs = []
    for sign in health.signs:
        old, seen = known.get(sign.key), real.get(sign.key)
        if old is not None and not old.drill and (sign.kind != OF_DATA or old.severity == sign.severity):
            signs.append(replace(sign, drill=""))
        elif seen is not None:
            signs.append(replace(sign, drill="", value=seen.value, why=seen.why, since=now, began=min(seen.began, now)))
        elif sign.kind == OF_DATA and of_data is not None:
            signs.append(replace(sign, drill=of_data))
        elif old is not None and old.drill:
            signs.append(replace(sign, drill=old.drill if _lasts(sign, drilled.get(old.drill), now, waiting) else ""))
        else:
            signs.append(_first_seen(sign, drilled, now))
    return replace(health, signs=tuple(signs))


def _lasts(sign: Sign, one: Drilled | None, now: str, waiting: Collection[str]) -> bool:
    return sign.key in waiting or sign.kind == OF_DATA or (one is not None and now <= traces_until(one))


def _first_seen(sign: Sign, drilled: Mapping[str, Drilled], now: str) -> Sign:
    makers = [one for one in drilled.values() if makes(one.begun, sign.kind) and now <= traces_until(one)]
    if not makers:
        return replace(sign, drill="")
    return replace(sign, drill=makers[-1].begun.drill, began=max(sign.began, makers[-1].at) if sign.began else "")


def origin_of_data(drilled: Mapping[str, Drilled], began: str) -> str:
    """Which drill made the rows of the window in which broken data were seen first; empty: none.

    Args: began: when that window began, RFC 3339, UTC; empty: it does not say.
    """
    for one in reversed(tuple(drilled.values())):
        if makes(one.begun, OF_DATA) and (not one.withdrawn_at or (began and began < one.withdrawn_at)):
            return one.begun.drill
    return ""
