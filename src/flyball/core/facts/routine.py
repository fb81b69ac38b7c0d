"""The facts of routine: what is written up, filled in again, or done by hand."""

from flyball.core.declared.review import Period
from flyball.core.fact import Fact, Proof


class DigestWritten(Fact, tag="digest.written"):
    period: Period
    since: str  # RFC 3339, UTC
    until: str
    digest: str  # of the file


class BackfillDone(Fact, tag="backfill.done"):
    """Features, labels and panes of a span were made again after a repair."""

    backfill: str  # digest of what went in: the same once more changes nothing
    since: str  # RFC 3339, UTC
    until: str
    rows: int
    labels: int
    panes: int
    source: str  # root of the repaired rows
    output: str  # root of what was written
    by: str
    proof: Proof
    incident: str | None = None
    left_out: int = 0  # rows of the span that the table did not bring: out of training and analysis
    missing: tuple[str, ...] = ()  # prediction ids of the first of them
    rest_is_lost: bool = False  # nobody can bring them: they are owed no more


class BackupMade(Fact, tag="backup.made"):
    """The home was laid aside, and each of its services says so: what a disaster would take is what came after."""

    folder: str
    made_at: str  # RFC 3339, UTC: as in the backup's own list, by which it is known again
    entries: int  # of the ledger
    newest_at: str  # of its newest entry, RFC 3339, UTC
    size: int  # bytes


class RunbookStepDone(Fact, tag="runbook.step_done"):
    """A step that somebody did by hand: what is done twice wants to be automated."""

    runbook: str
    step: str
    by: str
    proof: Proof
    exit_code: int
    incident: str | None = None
    alert: str | None = None
