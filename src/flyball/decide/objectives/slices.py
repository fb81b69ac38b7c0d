"""Budgets by time slices: each slice of a fixed length is one event, good or bad as a whole, or good in part."""

from flyball.core.declared.objectives import Events, Objective


class Slicing:
    """Turns events into slices; those of the slice that runs wait for its end. A slice without events is none."""

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self._slice_s = objective.slice_s or 300.0
        self._slice: int | None = None
        self._events = Events()

    def closed(self, at: float, events: Events) -> tuple[float, Events] | None:
        """Take events; where they begin another slice, the one before: its start and what it counts. What comes late,
        for a slice that is over, changes nothing: its slice was judged."""
        number = int(at // self._slice_s)
        if self._slice is not None and number < self._slice:
            return None
        done = None
        if self._slice is not None and number != self._slice and self._events.total > 0:
            done = self._slice * self._slice_s, Events(good=self._worth(self._events), total=1.0)
        if number != self._slice:
            self._slice, self._events = number, Events()
        self._events += events
        return done

    def put_back(self, now: float) -> None:
        """The clock shows an earlier time than it did: the slice that runs is the one of now."""
        if self._slice is not None:
            self._slice = min(self._slice, int(now // self._slice_s))

    def _worth(self, events: Events) -> float:
        share = events.good / events.total
        if self._objective.method == "RatioTimeslices":
            return share
        return float(share >= (self._objective.slice_target or self._objective.target))
