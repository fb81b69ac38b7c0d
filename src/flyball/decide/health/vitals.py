"""What was measured of a service at a moment. What nobody could measure is None, and says nothing."""

from flyball.core.declared.health import HealthRules
from flyball.core.estimating import ConceptTrend
from flyball.core.record import Record
from flyball.core.release import Estimate
from flyball.core.surroundings import Surroundings
from flyball.core.watching import Signal

ENOUGH = 2.0  # times the usual wait for a label


class Counted(Record):
    """Events among rows."""

    events: int
    rows: int

    @property
    def rate(self) -> float:
        """0..1; 0 of no rows."""
        return self.events / self.rows if self.rows else 0.0


class Latency(Record):
    """The champion's newest rows beside its first ones."""

    baseline_ms: float  # p95 of its first rows
    beyond: Counted  # newest rows slower than the limit that follows from it
    p95_ms: float  # of the newest rows


class Loss(Record):
    """How much worse than its holdout a release is."""

    metric: str  # `accuracy`, or the loss of a row, `error`
    estimate: Estimate  # worse by, in its unit
    base: float | None  # value on the holdout; None: the metric is a share, and its points are what counts
    estimated: bool = False  # without labels; its interval then holds at all looks together
    before: tuple[Estimate, ...] = ()  # the same of the windows before, newest first; each of other rows


class Trend(Record):
    """Where the live metric goes."""

    told: ConceptTrend  # slope a day, in the metric's unit
    base: float | None  # as of `Loss`


class Unlabelled(Record):
    """Labels that are missed."""

    waited_s: float  # of the first row since the newest label
    usual_s: float  # longest that labels ever made one wait for the next, or that 99 % of them take

    def limit_s(self, rules: HealthRules) -> float:
        """After this they are missed."""
        return max(rules.labels_s, ENOUGH * self.usual_s)

    def missed(self, rules: HealthRules) -> bool:
        return self.waited_s > self.limit_s(rules)


class Late(Record):
    """The freshest value of a time column beside what its data contract promises."""

    column: str
    late_s: float
    limit_s: float


class Vitals(Record):
    """Of one champion."""

    champion: bool = True  # False: there is none
    silent_s: float | None = None  # since the newest row; None: none ever came
    errors: Counted | None = None  # rows of the champion with an error event, within `span_s`
    errors_now: Counted | None = None  # the same within the newest fifth of it: what begins is not thinned out
    failing: tuple[Counted, ...] = ()  # the same by parts of `failed_s`, oldest first; empty: not that much was seen
    unanswered: Counted | None = None  # of all rows that asked for an answer
    unanswered_now: Counted | None = None
    fallbacks: Counted | None = None
    refused: Counted | None = None  # of all rows that came: by the data contract, answered by the chain or by an error
    latency: Latency | None = None
    loss: Loss | None = None
    trend: Trend | None = None
    unlabelled: Unlabelled | None = None
    late: tuple[Late, ...] = ()
    windows: int = 0  # that were reported of the champion
    signals: tuple[Signal, ...] = ()  # that stand
    incident: str | None = None  # why the supply is broken
    around: Surroundings = Surroundings()
