"""What a service promises of its answers, objective by objective, and which events say whether the promise is kept.

An objective is a share of good events over a rolling window; what may be bad is its error budget. Times are seconds,
shares lie in 0..1.
"""

from typing import Annotated, Literal

from msgspec import Meta

from flyball.core.declared.kinds import Name, Positive
from flyball.core.record import Record

DAYS_28_S = 28 * 86_400.0

# availability: rows whose client got an answer. latency: rows that stayed at most `limit_ms`. inputs: rows that the
# data contract accepts. freshness: rows whose own timestamp is at most `max_age_s` old. quality: judged rows of windows
# whose live metric lost no more than `monitor.live_metric.max_loss`. query: whatever two PromQL counters count
Sli = Literal["availability", "latency", "inputs", "freshness", "quality", "query"]
OWN: tuple[Sli, ...] = ("availability", "latency", "inputs", "freshness", "quality")
Method = Literal["Occurrences", "Timeslices", "RatioTimeslices"]  # as OpenSLO calls them
Urgency = Literal["page", "ticket"]


class Objective(Record, omit_defaults=True):
    """One promise. Of its keys those that its `sli` does not read stay unset."""

    name: Name
    sli: Sli
    target: Annotated[float, Meta(gt=0, lt=1)]
    window_s: Positive | None = None  # rolling; None: that of the section
    limit_ms: Positive | None = None  # latency
    max_age_s: Positive | None = None  # freshness
    good: str = ""  # query: PromQL of a counter of good events
    bad: str = ""  # or of bad ones
    total: str = ""
    method: Method = "Occurrences"
    slice_s: Positive | None = None  # of the methods of time slices: how long one is
    slice_target: Annotated[float, Meta(gt=0, le=1)] | None = None  # Timeslices: share of good events of a good slice
    urgency: Urgency = "page"  # of its alerts at most
    freeze: bool | None = None  # promotions while its budget is spent; None: as the section says, but never for quality
    description: Annotated[str, Meta(max_length=1050)] = ""

    @property
    def budget(self) -> float:
        """Share of events that may be bad."""
        return 1.0 - self.target


class Slo(Record):
    """The error-budget policy of a service. Where none is declared budgets are kept and shown, and nothing follows."""

    window_s: Positive = DAYS_28_S
    freeze: bool = True
    min_events: Annotated[int, Meta(ge=0)] = 100  # an hour, below which a burn rate says nothing
    low_traffic_errors: Annotated[int, Meta(ge=1)] = 5  # bad events in six hours that page all the same
    objectives: tuple[Objective, ...] = ()
    files: tuple[str, ...] = ()  # OpenSLO, beside service.yaml; of a service that was read they are in `objectives` too
    runbooks_url: str | None = None  # of older declarations; it stands in `alerts` now
    dashboard_url: str | None = None


class Events(Record):
    """Good ones among all. Adding two is merging them, whatever the order."""

    good: float = 0.0
    total: float = 0.0

    @property
    def bad(self) -> float:
        return self.total - self.good

    def __add__(self, other: "Events") -> "Events":
        return Events(good=self.good + other.good, total=self.total + other.total)


def window_of(objective: Objective) -> float:
    """Seconds of its window."""
    return objective.window_s or DAYS_28_S
