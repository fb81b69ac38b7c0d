"""What the prediction log says of answers, without the rows that were asked."""

from flyball.core.record import Record


class AnswerRecord(Record):
    """What the log says of one row, without the row."""

    id: str
    at: float  # seconds since the epoch
    arm: str | None
    release: str  # of the assigned arm
    epoch: int
    outcome: str
    fallback: str | None = None
    reason: str | None = None
    answered_by: str | None = None
    prediction: str | None = None  # what the client got, as text
    pane: int = 0
    sealed: bool = True
    row: int | None = None  # its place in the log of the service, from 0; None while its pane is open


class Given(Record):
    """Answers of one release in one arm, counted."""

    service: str
    release: str  # that was assigned
    answered_by: str | None  # that answered
    arm: str | None
    outcome: str
    predictions: int
    first: str  # id
    last: str
    first_at: float  # seconds since the epoch
    last_at: float
