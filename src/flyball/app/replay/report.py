"""The answer of a replay: figures of each regime, and what the governor did, read off the ledger.

A `row` counts from 0, as in the files: it is the last row that had been answered when the fact was written (for the
first training: the first row of the stream that is answered). A signal's window ends there; its labels end earlier.
"""

from collections.abc import Iterable

from flyball.core import events as e
from flyball.core.ledger import Entry
from flyball.core.record import Record

# the report has one word for what labels say, one for what comes by a count, and one for what people say
TOLD_AS = {"trend": "risk", "new_data": "schedule", "commit": "manual", "webhook": "manual"}


class CurvePoint(Record):
    row: int  # last row of the window
    frozen: float | None
    scheduled: float | None
    governed: float | None


class TrainingLine(Record):
    row: int
    reason: str
    diagnosis: str | None


class RolloutLine(Record):
    row: int
    release: str
    outcome: str
    reason: str
    opened_row: int


class SignalLine(Record):
    row: int
    signal: str
    feature: str | None
    value: float
    level: str


class IncidentLine(Record):
    row: int
    closed_row: int | None
    reason: str


class LedgerLine(Record):
    events: int
    verified: bool


class Report(Record):
    """`flyball replay --json`."""

    service: str
    rows: int
    train_rows: int
    metric: str
    better: str
    frozen: float | None
    scheduled: float | None
    scheduled_instant: float | None
    governed: float | None
    curve: tuple[CurvePoint, ...]
    trainings: tuple[TrainingLine, ...]
    rollouts: tuple[RolloutLine, ...]
    signals: tuple[SignalLine, ...]
    incidents: tuple[IncidentLine, ...]
    unanswered: int  # rows whose client got no answer from the governed service
    seconds: float  # wall time of the whole replay
    rows_per_s: float  # of the governed run, trainings left out
    home: str
    ledger: LedgerLine


class Deeds(Record):
    """What the governor did."""

    trainings: tuple[TrainingLine, ...]
    rollouts: tuple[RolloutLine, ...]
    signals: tuple[SignalLine, ...]
    incidents: tuple[IncidentLine, ...]

    @property
    def retrainings(self) -> int:
        return sum(training.reason != "first" for training in self.trainings)

    @property
    def lags(self) -> tuple[int, ...]:
        """Rows from opening to promotion, of each promoted rollout."""
        return tuple(line.row - line.opened_row for line in self.rollouts if line.outcome == "promoted")


def deeds(entries: Iterable[Entry], row_at: "dict[int, int]", train_rows: int) -> Deeds:
    """Fold the ledger into the report's lists. `row_at`: ledger size -> stream row when it was first so large."""
    marks = sorted(row_at.items())
    trainings, signals, incidents = [], [], []
    rollouts: dict[str, RolloutLine] = {}
    tickets: dict[str, e.TicketOpened] = {}
    open_incident: dict[str, IncidentLine] = {}
    place = 0
    for entry in entries:
        while place < len(marks) - 1 and marks[place][0] < entry.seq:
            place += 1
        row = marks[place][1] if marks else train_rows
        match entry.fact:
            case e.TicketOpened() as ticket:
                tickets[ticket.ticket] = ticket
            case e.TrainingStarted(reason=reason, ticket=ticket_id):
                opened = tickets.get(ticket_id) if ticket_id else None
                diagnosis = opened.diagnosis.kind if opened else None
                told = TOLD_AS.get(reason, reason)
                trainings.append(TrainingLine(row=row, reason=told, diagnosis=diagnosis))
            case e.RolloutOpened() as rollout:
                rollouts[rollout.rollout] = RolloutLine(
                    row=row, release=rollout.release, outcome="open", reason=rollout.reason, opened_row=row
                )
            case e.RolloutClosed() as closed:
                begun = rollouts[closed.rollout]
                rollouts[closed.rollout] = RolloutLine(
                    row=row,
                    release=begun.release,
                    outcome=closed.outcome,
                    reason=closed.reason,
                    opened_row=begun.opened_row,
                )
            case e.SignalRaised(signal=signal) if signal.signal != "shift":  # it is read on the ledger
                signals.append(
                    SignalLine(
                        row=row,
                        signal=signal.signal,
                        feature=signal.feature,
                        value=signal.value,
                        level=signal.level,
                    )
                )
            case e.IncidentOpened(kind="data_quality") as incident:
                open_incident[incident.incident] = IncidentLine(row=row, closed_row=None, reason=incident.reason)
            case e.IncidentClosed() as ended if ended.incident in open_incident:
                begun_at = open_incident.pop(ended.incident)
                incidents.append(IncidentLine(row=begun_at.row, closed_row=row, reason=begun_at.reason))
    incidents += open_incident.values()
    return Deeds(
        trainings=tuple(trainings),
        rollouts=tuple(rollouts.values()),
        signals=tuple(signals),
        incidents=tuple(incidents),
    )
