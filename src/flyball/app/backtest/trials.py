"""What the rows of the log said of a rollout's two arms, pane by pane, under the metrics of one policy."""

from collections.abc import Sequence

from flyball.core.clock import moment
from flyball.core.metric_evidence import MetricEvidence
from flyball.core.record import Record
from flyball.core.routing import PairEvidence
from flyball.decide.rollout import MAX_DROPPED


class TrialSeen(Record):
    """At the end of a pane. Only rows that the rollout's routing assigned count."""

    rollout: str
    step: int
    at: str
    row: int  # the newest of the pane
    candidate_rows: int  # of the whole rollout so far
    champion_rows: int
    metrics: tuple[MetricEvidence, ...] = ()
    pairs: PairEvidence | None = None


def newest(trials: Sequence[TrialSeen], until: str) -> TrialSeen | None:
    """The last one that was known at a moment.

    >>> seen = TrialSeen(rollout="ro-1", step=2, at="2026-11-27T10:00:00Z", row=99, candidate_rows=10, champion_rows=90)
    >>> newest([seen], "2026-11-27T09:00:00Z"), newest([seen], "2026-11-27T11:00:00Z") == seen
    (None, True)
    """
    return next((seen for seen in reversed(trials) if moment(seen.at) <= moment(until)), None)


def lacking(trials: Sequence[TrialSeen], counted: int) -> str:
    """Why rows are no evidence: one arm is not among them, or some of the candidate's are gone. Empty: they are whole.

    Args: counted: requests of the candidate as its gateway counted them, in the whole rollout.

    >>> lacking([], 100)
    'the log has none of the 100 rows of the candidate'
    """
    last = trials[-1] if trials else None
    if last is None or not last.candidate_rows:
        return f"the log has none of the {counted} rows of the candidate"
    if not last.champion_rows:
        return "the log has no row that the champion was assigned beside it"
    if last.candidate_rows < (1 - MAX_DROPPED) * counted:
        return f"the log has {last.candidate_rows} of the {counted} rows of the candidate"
    return ""
