"""How well a service is, from what was measured and from how well it was: the worst sign wins.

Theory of operation. Three times keep the answer from flapping. A sign begins when its measure is surely beyond the
limit, and goes on until the measure is well below it (`reading.py`). It is dropped when it has been gone for `clear_s`.
And a critical one keeps the service UNHEALTHY for `critical_s`: who was ill an hour ago is not well yet.

What nobody could measure neither begins nor ends a sign; one that nobody could measure for `critical_s` is dropped,
because it says nothing about the present any more. Where nobody can tell whether the service answers, the state is
UNKNOWN, which is no health.
"""

from collections.abc import Container, Sequence
from datetime import timedelta

from msgspec.structs import replace

from flyball.core.clock import moment, timestamp
from flyball.core.health import Health, HealthState, Severity, Sign, SignKind
from flyball.core.record import Record
from flyball.core.service import HealthRules
from flyball.decide.health.reading import RANK, Reading, Readings, worst

ALIVE: frozenset[SignKind] = frozenset({"availability", "errors", "freshness"})  # one of them says that it answers
STATES: dict[Severity | None, HealthState] = {
    None: "HEALTHY",
    "warning": "DEGRADING",
    "critical": "UNHEALTHY",
    "failed": "FAILED",
}


class Judging(Record):
    """The answer, and what the next one needs of it. Moments are RFC 3339, UTC."""

    health: Health = Health()
    gone: dict[str, str] = {}  # by the key of a sign that stands: since when its measure is well below the limit
    unseen: dict[str, str] = {}  # and since when nobody could take its measure
    critical_at: str = ""  # when a critical sign stood last; empty: never


def judge(readings: Readings, rules: HealthRules, before: Judging, now: str) -> Judging:
    """Pure: asked twice with the same it answers the same. Args: now: where it is before a moment of `before`, a clock
    was wrong then, and that moment is taken for now: what a jump has written must not hold for years."""
    before = _not_ahead(before, now)
    signs, gone, unseen = _signs(readings, rules, before, now)
    standing = worst(sign.severity for sign in signs if sign.key not in gone)
    critical_at = now if RANK[standing] >= RANK["critical"] else before.critical_at
    held = bool(critical_at) and _passed_s(critical_at, now) < rules.critical_s
    known = bool(readings.measured & ALIVE)
    state = STATES[worst((*(sign.severity for sign in signs), "critical" if held else None))]
    if state == "HEALTHY" and not known:
        state = "UNKNOWN"
    health = Health(
        state=state,
        why=readings.unknown if state == "UNKNOWN" else _why(state, signs, unseen, critical_at),
        signs=signs,
        would_change=tuple(_changes(readings, signs, rules, critical_at if held else "")),
    )
    return Judging(health=health, gone=gone, unseen=unseen, critical_at=critical_at)


def _not_ahead(before: Judging, now: str) -> Judging:
    return replace(
        before,
        gone={key: min(since, now) for key, since in before.gone.items()},
        unseen={key: min(since, now) for key, since in before.unseen.items()},
        critical_at=min(before.critical_at, now),
    )


def due(judging: Judging, rules: HealthRules) -> str:
    """When the passing of time alone may change the answer; empty: never."""
    ends = [_later(since, rules.clear_s) for since in judging.gone.values()]
    ends += [_later(since, rules.critical_s) for since in judging.unseen.values()]
    if judging.critical_at:
        ends.append(_later(judging.critical_at, rules.critical_s))
    return min(ends, default="")


def same(one: Health, other: Health) -> bool:
    """Whether state, signs and whose they are is the same, figures apart: only another answer is worth a fact."""
    return one.state == other.state and _set(one.signs) == _set(other.signs)


def _signs(
    readings: Readings, rules: HealthRules, before: Judging, now: str
) -> tuple[tuple[Sign, ...], dict[str, str], dict[str, str]]:
    """The signs, worst first; since when which of them are gone; and since when which are not measured."""
    old = {sign.key: sign for sign in before.health.signs}
    new = {reading.key: reading for reading in readings.found}
    signs: list[Sign] = []
    gone: dict[str, str] = {}
    unseen: dict[str, str] = {}
    for key in sorted(old.keys() | new.keys()):
        sign, reading = old.get(key), new.get(key)
        if sign is not None and reading is None and sign.kind not in readings.measured:
            since = before.unseen.get(key, now)
            if _passed_s(since, now) < rules.critical_s:
                unseen[key] = since
                if key in before.gone:
                    gone[key] = before.gone[key]
                signs.append(sign)
            continue
        severity = _severity(sign, reading)
        if severity is not None:
            assert reading is not None
            signs.append(_sign(reading, severity, sign, now))
        elif sign is not None:
            since = before.gone.get(key, now)
            at_once = reading is not None and sign.kind in readings.at_once
            if not at_once and _passed_s(since, now) < rules.clear_s:
                gone[key] = since
                signs.append(sign if reading is None else _well(sign, reading, since, now))
    return tuple(sorted(signs, key=lambda sign: (-RANK[sign.severity], sign.key))), gone, unseen


def _severity(sign: Sign | None, reading: Reading | None) -> Severity | None:
    """What is surely so; of a sign that stands also what is still so, and no more than it was."""
    if reading is None:
        return None
    if sign is None:
        return reading.severity
    still = min((sign.severity, reading.holds), key=RANK.__getitem__)
    return worst((reading.severity, still))


def _sign(reading: Reading, severity: Severity, before: Sign | None, now: str) -> Sign:
    """When it was told, and when it began, stay as they were when it came. A beginning is never later than that."""
    since, began = (before.since, before.began) if before is not None else (now, min(reading.began, now))
    return Sign(
        kind=reading.kind,
        severity=severity,
        value=reading.value,
        limit=reading.limit,
        since=since,
        why=reading.why,
        clears=reading.clears,
        feature=reading.feature,
        as_of=now,
        felt=reading.felt,
        began=began,
    )


def _well(sign: Sign, reading: Reading, since: str, now: str) -> Sign:
    """One that waits to be dropped: what it was is over, and what is measured says so."""
    why = f"{reading.why}, well below its limit since {since}"
    return replace(sign, value=reading.value, why=why, as_of=now, felt=reading.felt)


def _why(state: HealthState, signs: Sequence[Sign], unseen: Container[str], critical_at: str) -> str:
    if signs:
        worst_ones = [sign for sign in signs if sign.severity == signs[0].severity]
        return "; ".join(_told(sign, unseen=sign.key in unseen) for sign in worst_ones)
    return f"there was a critical sign until {critical_at}" if state == "UNHEALTHY" else "no sign that it is not well"


def _told(sign: Sign, *, unseen: bool) -> str:
    """Old figures are told as old ones."""
    if not unseen:
        return sign.why
    return f"{sign.why}, measured at {sign.as_of} and not since" if sign.as_of else f"{sign.why}, not measured now"


def _changes(readings: Readings, signs: Sequence[Sign], rules: HealthRules, critical_at: str) -> list[str]:
    found = [f"better: {sign.clears}" for sign in signs]
    if critical_at:
        found.append(f"better: no critical sign until {_later(critical_at, rules.critical_s)}")
    there = {sign.key for sign in signs}
    return found + [f"worse: {each.worse}" for each in readings.found if each.key not in there]


def _set(signs: Sequence[Sign]) -> set[tuple[str, Severity, str]]:
    return {(sign.key, sign.severity, sign.drill or "") for sign in signs}


def _passed_s(since: str, now: str) -> float:
    return (moment(now) - moment(since)).total_seconds()


def _later(since: str, seconds: float) -> str:
    return timestamp(moment(since) + timedelta(seconds=seconds))


def resumed(health: Health, critical_at: str, judging: Judging) -> Judging:
    """Go on from what the ledger says, where this memory is of another answer (or of none, after a start)."""
    if same(judging.health, health):
        return judging
    critical = max(critical_at, judging.critical_at)
    return replace(judging, health=health, gone={}, unseen={}, critical_at=critical)
