"""All error budgets of one service, fed pane by pane; feeding all panes again gives the same."""

from collections.abc import Iterator, Mapping, Sequence

from flyball.core.budget_standing import BudgetStanding, Burn, Burning
from flyball.core.declared.objectives import Events, Objective, Slo, window_of
from flyball.core.duration_words import in_words
from flyball.decide.objectives.burning import (
    LOW_TRAFFIC,
    Pair,
    burn_rate,
    early_s,
    exhausted_in_s,
    left,
    pairs_of,
    threshold,
)
from flyball.decide.objectives.slices import Slicing
from flyball.decide.objectives.slots import HOUR_S, Kept

FOREIGN = "its queries are Prometheus's, and what they count is not in the prediction log"
NOTHING = "no event of it was counted in its window"


class Budgets:
    """`take` what a pane counted, ask `standing`. The events of a pane cost the same however many came before."""

    def __init__(self, objectives: Sequence[Objective], slo: Slo | None) -> None:
        self.objectives, self._slo = tuple(objectives), slo or Slo()
        own = [each for each in objectives if each.sli != "query"]
        self._kept = {each.name: Kept(window_of(each)) for each in own}
        self._slicing = {each.name: Slicing(each) for each in own if each.method != "Occurrences"}

    def take(self, at: float, counted: Mapping[str, Events]) -> None:
        """Events by the name of their objective. At: start of their pane, seconds since the epoch."""
        for name, events in counted.items():
            if events.total <= 0:
                continue
            slicing = self._slicing.get(name)
            if slicing is None:
                self._kept[name].add(at, events)
            elif (slice_ := slicing.closed(at, events)) is not None:
                self._kept[name].add(*slice_)

    def put_back(self, now: float) -> None:
        """The clock was ahead and was put back to now: events of its future are taken along, none is lost."""
        for kept in self._kept.values():
            kept.put_back(now)
        for slicing in self._slicing.values():
            slicing.put_back(now)

    def standing(self, now: float) -> tuple[BudgetStanding, ...]:
        """As of now, seconds since the epoch."""
        return tuple(self._of(each, now) for each in self.objectives)

    def _of(self, objective: Objective, now: float) -> BudgetStanding:
        kept = self._kept.get(objective.name)
        if kept is None:
            return BudgetStanding(objective=objective, unknown=FOREIGN)
        events = kept.within(now, window_of(objective))
        remaining = left(events, objective)
        burns = tuple(_burns(objective, kept, now))
        rates = {burn.window_s: burn.rate for burn in burns}
        return BudgetStanding(
            objective=objective,
            events=events,
            left=remaining,
            unknown=NOTHING if remaining is None else "",
            burns=burns,
            burning=self._burning(objective, burns),
            exhausted_in_s=exhausted_in_s(remaining, rates.get(LOW_TRAFFIC.long_s), objective),
            since=kept.since,
            counted=kept.sum,
            early_s=early_s(kept.since, now, objective),
        )

    def _burning(self, objective: Objective, burns: tuple[Burn, ...]) -> Burning | None:
        """The gravest rule that holds. With little traffic a share means nothing, and errors are counted instead."""
        by = {burn.window_s: burn for burn in burns}
        hour = by.get(HOUR_S)
        if hour is None:
            return None
        if self._little(objective, hour.events):
            return _of_few(objective, by, self._slo)
        return next((found for pair in pairs_of(objective) if (found := _over(objective, pair, by))), None)

    def _little(self, objective: Objective, hour: Events) -> bool:
        return objective.method == "Occurrences" and hour.total <= self._slo.min_events


def _burns(objective: Objective, kept: Kept, now: float) -> Iterator[Burn]:
    for window_s in windows_of(objective):
        events = kept.within(now, window_s)
        yield Burn(window_s=window_s, events=events, rate=burn_rate(events, objective))


def windows_of(objective: Objective) -> tuple[float, ...]:
    """Every window that its burn rates are read over, shortest first, in seconds."""
    return tuple(sorted({each for pair in pairs_of(objective) for each in (pair.long_s, pair.short_s)}))


def _over(objective: Objective, pair: Pair, by: Mapping[float, Burn]) -> Burning | None:
    limit = threshold(pair.factor, objective) / objective.budget
    long, short = by[pair.long_s], by[pair.short_s]
    if long.rate is None or short.rate is None or long.rate <= limit or short.rate <= limit:
        return None
    why = f"{long.events.bad:g} of {long.events.total:g} events were bad in {in_words(pair.long_s)}"
    told = f"{why}: {long.rate:.3g} times what the budget allows, over {limit:.3g}, and still so"
    return Burning(
        urgency=pair.urgency, rate=long.rate, limit=limit, long_s=pair.long_s, short_s=pair.short_s, why=told
    )


def _of_few(objective: Objective, by: Mapping[float, Burn], slo: Slo) -> Burning | None:
    """So many bad events in six hours, the last of them not long ago, and more than a burn rate of six."""
    pair = LOW_TRAFFIC
    long, short = by.get(pair.long_s), by.get(pair.short_s)
    if long is None or short is None or long.rate is None:
        return None
    limit = threshold(pair.factor, objective) / objective.budget
    if long.events.bad < slo.low_traffic_errors or short.events.bad <= 0 or long.rate <= limit:
        return None
    why = f"{long.events.bad:g} of only {long.events.total:g} events were bad in {in_words(pair.long_s)}, and still so"
    return Burning(
        urgency=objective.urgency,
        rate=long.rate,
        limit=limit,
        long_s=pair.long_s,
        short_s=pair.short_s,
        why=why,
        low_traffic=True,
    )
