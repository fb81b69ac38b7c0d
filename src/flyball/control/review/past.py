"""What a review counts: deployments, failures, runs, incidents, remedies, pages and hands, each at its own moment.

Each thing belongs to the moment of the fact that told it, so the parts of a span add up to the whole, however it is
cut. What it needs of earlier facts (whose experiment a release is, what a rollout went through) was gathered by
`reading`, which always reads from the ledger's beginning.
"""

from collections.abc import Iterable
from typing import Any, Literal

from flyball.control.unanswered import Silence
from flyball.core.clock import moment
from flyball.core.facts.incident import IncidentKind
from flyball.core.record import Record
from flyball.decide.calendar import Span

Work = Literal["decision", "hand"]
"""decision: a person's yes or no that somebody wanted to be asked for; hand: work that a machine could have done."""


class Happened(Record):
    seq: int  # of the fact that told it
    at: str  # RFC 3339, UTC
    what: str  # id or name


class Deployment(Happened):
    """A release took the champion's place, and not as a way back. `what`: its root."""

    first: bool = False  # no champion was there to be compared with
    checked: tuple[str, ...] = ()  # kinds of the steps that tried it before: shadow, canary, soak
    lead_s: float | None = None  # from the commit that asked, or the start of its experiment; None: not on the ledger


class Failure(Happened):
    """A release that clients had met was taken back. `what`: its root."""

    promoted: bool  # it was champion; else its rollout ran


class RunEnded(Happened):
    """A training came to its end. `what`: the run."""

    well: bool
    helped: bool  # a person ordered it, or did a step of a runbook while it ran
    first: bool  # there was no release before: a person's beginning and no work of the pipeline
    cost: float | None  # in the unit of experiment.limits.cost_per_hour; None: no price is declared


class Opened(Happened):
    """An incident. `what`: its id."""

    kind: IncidentKind
    cause: str
    detected_s: float | None  # from its beginning to its opening


class Closed(Happened):
    kind: IncidentKind
    detected_s: float | None  # only where its opening did not tell it
    recovered_s: float  # until what it is about was over, or, where nobody said that, until it was closed
    by_closing: bool  # the second


class Remedied(Happened):
    """Something was done against a cause. `what`: roll_back, retrain, a kind of remedy, or a runbook."""

    automatic: bool


class Reproduced(Happened):
    """An experiment was run again. `what`: the release, or the experiment where none is known."""

    verdict: str

    @property
    def same(self) -> bool:
        return self.verdict in ("IDENTICAL", "EQUIVALENT")


class Told(Happened):
    """People were told of something. `what`: the alert's name."""

    urgency: str
    people: tuple[str, ...]
    cause: str


class Hand(Happened):
    """A person did something. `what`: which kind of thing, as `review.toil` lists them."""

    by: str
    work: Work
    about: str = ""  # the runbook's step, the release ...


class Drilled(Happened):
    """A drill came to its end. `what`: its fault."""

    passed: bool
    detected_s: float | None  # None: it was not seen
    recovered_s: float | None
    answers_failed: int
    automatic: bool  # recovered with no hand


class Budget(Happened):
    """An error budget was spent, or is there again. `what`: the objective."""

    left: float
    spent: bool


class Unanswered(Happened):
    """A gateway was started after a time in which none answered. `what`: the life that it began."""

    since: str  # RFC 3339, UTC

    @property
    def silence(self) -> Silence:
        return Silence(seq=self.seq, since=self.since, until=self.at)


class Past(Record):
    """All of them, oldest first."""

    first: tuple[Happened, ...] = ()  # the first fact of the service
    deployments: tuple[Deployment, ...] = ()
    changes: tuple[Happened, ...] = ()  # a rollout's release met clients for the first time
    failures: tuple[Failure, ...] = ()
    runs: tuple[RunEnded, ...] = ()
    releases: tuple[Happened, ...] = ()
    opened: tuple[Opened, ...] = ()
    closed: tuple[Closed, ...] = ()
    remedies: tuple[Remedied, ...] = ()
    reproduced: tuple[Reproduced, ...] = ()
    told: tuple[Told, ...] = ()
    hands: tuple[Hand, ...] = ()
    drills: tuple[Drilled, ...] = ()
    budgets: tuple[Budget, ...] = ()
    unanswered: tuple[Unanswered, ...] = ()

    def within(self, span: Span) -> "Past":
        """What happened in a span."""
        parts: dict[str, Any] = {name: _within(getattr(self, name), span) for name in self.__struct_fields__}
        return Past(**parts)

    def plus(self, later: "Past") -> "Past":
        """Two spans that follow one another, together."""
        both: dict[str, Any] = {n: (*getattr(self, n), *getattr(later, n)) for n in self.__struct_fields__}
        return Past(**both)

    def began(self, span: Span) -> bool:
        """Whether the service was there before the end of a span."""
        return any(moment(each.at) < span.until for each in self.first)

    def spent(self, until: Span) -> tuple[Budget, ...] | None:
        """Budgets as they stood at the end of a span: those that were spent then. None: none was ever told of."""
        last = {each.what: each for each in self.budgets if moment(each.at) < until.until}
        return tuple(each for each in last.values() if each.spent) if last else None


def _within(happened: Iterable[Happened], span: Span) -> tuple[Happened, ...]:
    return tuple(each for each in happened if span.holds(moment(each.at)))
