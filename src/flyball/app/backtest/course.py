"""What a policy did on the past, in order: alarms, tickets, trainings that it asked for, and where it left it."""

from typing import Literal

from flyball.app.backtest.trials import TrialSeen
from flyball.core.record import Record
from flyball.core.watching import WindowReport

AlarmKind = Literal["drift", "risk", "trend", "quality"]
Outcome = Literal["promoted", "no_gain", "failed", "unknown", "open"]


class Alarm(Record):
    """A trigger that fired, or a quality incident; it stands until it is gone, or another release serves."""

    kind: AlarmKind
    row: int  # newest sealed row when it began
    at: str
    until_row: int | None = None  # None: it stands at the end of the record
    why: str = ""


class Ticket(Record):
    """A retraining that the policy wanted, and what became of it."""

    row: int
    at: str
    reason: str
    kind: str  # the diagnosis
    ordered_row: int | None = None
    ordered_at: str | None = None
    ended_row: int | None = None  # when the training had ended, rollout included; None: it runs, or never began
    outcome: Literal["promoted", "no_gain", "failed", "dismissed", "unknown", "open"] = "open"
    as_recorded: bool = False  # the record has the same ticket, so its outcome is known
    seconds: float | None = None  # that its training took, or the mean of the record; None: nobody knows
    cost: float | None = None  # the same at the price of experiment.limits.cost_per_hour


class Divergence(Record):
    """From here on the record is not this policy's own past."""

    row: int
    at: str
    why: str


class Course(Record):
    """One policy from the first window of the record to the last."""

    alarms: tuple[Alarm, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    reports: tuple[WindowReport, ...] = ()
    first_row: int = 0
    last_row: int = 0
    first_at: float = 0.0  # seconds since the epoch
    last_at: float = 0.0
    left: Divergence | None = None  # None: it did what the record did
    trials: tuple[TrialSeen, ...] | None = None  # of running rollouts, pane by pane; None: the rows were not read
    guessed: int = 0  # measures whose test against chance is not on record

    @property
    def ordered(self) -> tuple[Ticket, ...]:
        """The trainings that it asked for."""
        return tuple(ticket for ticket in self.tickets if ticket.ordered_row is not None)
