"""Volume, error rate, latency and availability of features, hour by hour, beside the service's own past.

Each whole hour is judged once, when the next one begins: against the same hour of up to `WEEKS` earlier weeks, or where
too few weeks are known, against the hours before it. The verdict stands in every window until the next hour is judged.
An hour whose panes leave a tenth of it uncovered says nothing: a gateway that was down is not a quiet night. The past
is the service's, not a release's: a promotion does not forget it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from msgspec.structs import replace

from flyball.core.watching import OwnPast, Pane, PaneGroup, Signal
from flyball.monitor.objectives import quantile
from flyball.monitor.windows import Span
from flyball.stats.change.operational import LEAST_VALUES, Expectation, Moving, insufficient, level, log_ratio, share

HOUR_S = 3600.0
WEEK = 168  # hours
WEEKS = 8  # that are looked back
KEPT_RATIOS = 2 * WEEK  # newest, that a scale is learned from
COVERED = 0.9  # share of an hour that its panes must cover
BIN_NOISE = 0.05  # least standard deviation of the logarithm of a latency read from bins of 10 %
ALPHA = 1e-4  # of a share, an hour; divided by the number of features for theirs

Level = Literal["volume", "latency_p99_ms"]
LEVELS: tuple[Level, ...] = ("volume", "latency_p99_ms")


@dataclass(kw_only=True)
class Hour:
    """Counts of one hour."""

    number: int  # hours since the epoch
    covered_s: float = 0.0
    rows: int = 0  # received
    answered: int = 0  # of the champion, which the next three are of
    errors: int = 0
    latency: tuple[int, ...] = ()
    missing: dict[str, tuple[int, int]] = field(default_factory=dict)  # feature -> rows without it, rows

    def plus(self, pane: Pane, rows: int, group: PaneGroup | None) -> None:
        """A pane more. Args: group: the champion's counts of it; None: it answered nothing."""
        self.covered_s += max(pane.end - pane.start, 0.0)
        self.rows += rows
        if group is None:
            return
        self.answered += group.rows
        self.errors += group.errors
        self.latency = tuple(map(sum, zip(self.latency, group.latency, strict=True))) if self.latency else group.latency
        for name, bins in group.features.items():
            gone, seen = self.missing.get(name, (0, 0))
            self.missing[name] = gone + bins[-1], seen + sum(bins)

    def figure(self, name: Level) -> float:
        """Rows per hour, or ms; NaN where there is none."""
        if name == "volume":
            return self.rows / self.covered_s * HOUR_S
        found = quantile(self.latency, 0.99)
        return math.nan if found is None else found


@dataclass(kw_only=True)
class PastHours:
    """What a service knows of its own past."""

    running: Hour | None = None
    whole: dict[int, Hour] = field(default_factory=dict)  # number -> hour, up to `WEEKS` weeks
    ratios: dict[Level, list[float]] = field(default_factory=lambda: {name: [] for name in LEVELS})
    moving: dict[Level, Moving] = field(default_factory=lambda: {name: Moving() for name in LEVELS})
    told: tuple[OwnPast, ...] = ()

    def take(self, pane: Pane, rows: int, group: PaneGroup | None) -> None:
        """A sealed pane; one of an hour that is over (a clock ran backwards) counts in none."""
        number = int(pane.start // HOUR_S)
        if self.running is None or number > self.running.number:
            if self.running is not None:
                self._close(self.running)
            self.running = Hour(number=number)
        if number == self.running.number:
            self.running.plus(pane, rows, group)

    def figures(self) -> tuple[OwnPast, ...]:
        """Of the newest whole hour."""
        if self.told:
            return self.told
        return _silent("no hour is over yet that panes covered", None)

    def _close(self, hour: Hour) -> None:
        if hour.covered_s < COVERED * HOUR_S:
            why = f"panes cover {hour.covered_s / HOUR_S:.0%} of the hour: {COVERED:.0%} are needed"
            self.told = _silent(why, hour)
            return
        before = {(one.figure, one.feature): one for one in self.told}
        made = [*(self._level(name, hour) for name in LEVELS), self._errors(hour), *self._missing(hour)]
        self.told = tuple(_lasting(one, before.get((one.figure, one.feature))) for one in made)
        self.whole[hour.number] = hour
        self.whole.pop(hour.number - WEEKS * WEEK, None)
        if len(self.whole) > WEEKS * WEEK:  # hours without panes left older ones behind
            self.whole = {at: one for at, one in self.whole.items() if at > hour.number - WEEKS * WEEK}

    def _weeks(self, hour: Hour) -> list[Hour]:
        """The same hour of earlier weeks, newest first."""
        found = (self.whole.get(hour.number - week * WEEK) for week in range(1, WEEKS + 1))
        return [one for one in found if one is not None]

    def _level(self, name: Level, hour: Hour) -> OwnPast:
        found, weeks = hour.figure(name), [one.figure(name) for one in self._weeks(hour)]
        offset = 1.0 if name == "volume" else 0.0
        noise = 1 / math.sqrt(hour.rows + 1) if name == "volume" else BIN_NOISE
        season = level(found, weeks, self.ratios[name], offset=offset, noise=noise)
        ratio = log_ratio(found, weeks, offset=offset)
        if ratio is not None:
            self.ratios[name] = [*self.ratios[name], ratio][-KEPT_RATIOS:]
        moving, self.moving[name] = self.moving[name].after(_log(found + offset), noise=noise)
        if season.verdict != "INSUFFICIENT" or moving.verdict == "INSUFFICIENT":
            silent = f"{season.reason}; {moving.reason}" if season.verdict == "INSUFFICIENT" else ""
            return _told(name, hour, found, season, "same hour of the week", reason=silent)
        bounds = [math.exp(value) - offset for value in (moving.expected, moving.low, moving.high)]
        expected, low, high = bounds
        reason = f"{found:.6g} where {expected:.6g} was expected ({low:.6g} to {high:.6g})"
        plain = Expectation(verdict=moving.verdict, expected=expected, low=low, high=high, reason=reason)
        return _told(name, hour, found, plain, "moving average")

    def _errors(self, hour: Hour) -> OwnPast:
        known = {at: (one.errors, one.answered) for at, one in self.whole.items()}
        return self._share("error_rate", None, hour, (hour.errors, hour.answered), known, ALPHA)

    def _missing(self, hour: Hour) -> list[OwnPast]:
        """Features that came in fewer rows than they used to."""
        found: list[OwnPast] = []
        for name, (gone, rows) in hour.missing.items():
            if not gone:
                continue
            known = {at: one.missing[name] for at, one in self.whole.items() if name in one.missing}
            before, all_before = (sum(each[at] for each in known.values()) for at in (0, 1))
            if gone * all_before <= before * rows:
                continue  # as available as in all hours together: no loss
            one = self._share("missing", name, hour, (gone, rows), known, ALPHA / len(hour.missing))
            if one.verdict == "HIGH":
                found.append(one)
        return found

    def _share(
        self,
        name: Literal["error_rate", "missing"],
        feature: str | None,
        hour: Hour,
        now: tuple[int, int],
        known: Mapping[int, tuple[int, int]],
        alpha: float,
    ) -> OwnPast:
        if not now[1]:
            return _told(name, hour, math.nan, insufficient("the champion answered no row"), "moving average", feature)
        value = now[0] / now[1]
        slots: dict[int, list[tuple[int, int]]] = {}
        for at, counts in known.items():
            slots.setdefault((at - hour.number) % WEEK, []).append(counts)
        season = share(slots, 0, *now, alpha=alpha)
        if season.verdict != "INSUFFICIENT":
            return _told(name, hour, value, season, "same hour of the week", feature)
        newest = [known[at] for at in sorted(known)[-LEAST_VALUES:]]
        moving = share({0: newest}, 0, *now, alpha=alpha, least=LEAST_VALUES)
        if moving.verdict == "INSUFFICIENT":
            few = insufficient(f"{season.reason}; {len(newest)} earlier hours: {LEAST_VALUES} are needed")
            return _told(name, hour, value, few, "same hour of the week", feature)
        return _told(name, hour, value, moving, "moving average", feature)


def signals(found: Sequence[OwnPast], span: Span) -> tuple[Signal, ...]:
    """What is told and moves no actuator: another volume, more errors, slower answers, features that are missing."""
    return tuple(_signal(one, span) for one in found if one.verdict == "HIGH" or _too_few(one))


def _too_few(one: OwnPast) -> bool:
    return one.verdict == "LOW" and one.figure == "volume"


def _signal(one: OwnPast, span: Span) -> Signal:
    limit = one.low if one.verdict == "LOW" else one.high
    assert one.found is not None
    assert limit is not None
    what = f"{one.figure} of {one.feature}" if one.feature else one.figure
    return Signal(
        signal="error" if one.figure == "error_rate" else "latency" if one.figure == "latency_p99_ms" else "quality",
        level="warn",
        value=one.found,
        limit=limit,
        release=span.release,
        window=span.index,
        first_row=span.first_row,
        last_row=span.last_row,
        feature="rows" if one.figure == "volume" else one.feature,
        consecutive=one.consecutive,
        detail=f"{what}: {one.reason}, {one.against}",
    )


def _told(
    name: Literal["volume", "error_rate", "latency_p99_ms", "missing"],
    hour: Hour,
    found: float,
    said: Expectation,
    against: Literal["same hour of the week", "moving average"],
    feature: str | None = None,
    *,
    reason: str = "",
) -> OwnPast:
    silent = said.verdict == "INSUFFICIENT"
    return OwnPast(
        figure=name,
        verdict=said.verdict,
        reason=reason or said.reason,
        hour=hour.number * HOUR_S,
        found=found if math.isfinite(found) else None,
        expected=None if silent else said.expected,
        low=None if silent else said.low,
        high=None if silent else said.high,
        against="" if silent else against,
        feature=feature,
    )


def _lasting(now: OwnPast, before: OwnPast | None) -> OwnPast:
    if now.verdict not in ("LOW", "HIGH"):
        return now
    streak = before.consecutive if before is not None and before.verdict == now.verdict else 0
    return replace(now, consecutive=streak + 1)


def _silent(reason: str, hour: Hour | None) -> tuple[OwnPast, ...]:
    start = hour.number * HOUR_S if hour is not None else None
    names: tuple[Literal["volume", "latency_p99_ms", "error_rate"], ...] = ("volume", "latency_p99_ms", "error_rate")
    return tuple(OwnPast(figure=name, verdict="INSUFFICIENT", reason=reason, hour=start) for name in names)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else math.nan
