"""What an incident meant for those who asked: rows of its span by what became of them, from the prediction log."""

from flyball.core.record import Record


class Impact(Record):
    """Counted rows; `unknown` says why there are none to count, which is not 0."""

    rows: int | None = None  # received between its beginning and its end
    outcomes: dict[str, int] = {}  # answered, fallback, failed, shed, quarantined, rejected
    fallbacks: int | None = None  # answered by the chain, marked
    slow: int | None = None  # slow events: an answer of its own whose own service time was over the objective
    late: int | None = None  # rows whose whole stay, waiting included, was over it: what an alert of latency counts
    limit_ms: float | None = None  # objectives.latency_p99_ms as it was declared then; None: no declaration is known
    unknown: str = ""
    since: str = ""  # when the first row of broken data came, RFC 3339, UTC; empty: the ledger has the time, or no row

    @property
    def failed(self) -> int | None:
        """Rows whose client got no answer, or a status of 500 and more."""
        return None if self.rows is None else self.outcomes.get("failed", 0)
