"""Runs of trainings, folded from the ledger: when each began, how it ended, what it used."""

from collections.abc import Iterable

from msgspec.structs import replace

from flyball.core.errors import NotFound
from flyball.core.events import Reason, RunFinished, SignalCleared, SignalRaised, TrainingStarted
from flyball.core.ledger import Entry
from flyball.core.record import Record
from flyball.core.runs import Use
from flyball.registry.run_ids import as_fact


class Run(Record):
    """One run. `outcome` is `running` until its end is on the ledger."""

    run: str
    service: str
    experiment: str
    outcome: str  # running, trained, judged, failed, refused or broken_off
    reason: Reason
    began_at: str  # RFC 3339, UTC
    ended_at: str | None = None
    executor: str = ""
    rows: int = 0
    release: str | None = None
    error: str = ""
    use: Use = Use()
    cost: float | None = None


Runs = dict[str, Run]  # by id, oldest first


class Book(Record):
    """The runs of one service, or of all, and how often in a row the newest training failed."""

    runs: Runs = {}
    failures: int = 0

    def open_run(self, experiment: str) -> str:
        """Id of the newest run of an experiment that has not ended; words where there is none."""
        found = [run.run for run in self.runs.values() if run.experiment == experiment and run.outcome == "running"]
        return found[-1] if found else "another training of the same experiment"


def book(entries: Iterable[Entry]) -> Book:
    """Every run on a ledger."""
    found = Book()
    for entry in entries:
        found = fold(found, entry)
    return found


def fold(known: Book, entry: Entry) -> Book:
    """The book after one more entry; the newest word about a run counts."""
    match entry.fact:
        case SignalRaised(signal=signal) if signal.signal == "training":
            return replace(known, failures=int(signal.value))
        case SignalCleared(signal="training"):
            return replace(known, failures=0)
        case TrainingStarted() | RunFinished():
            return replace(known, runs=_runs(known.runs, entry))
        case _:
            return known


def _runs(known: Runs, entry: Entry) -> Runs:
    match entry.fact:
        case TrainingStarted(run=run, experiment=experiment, reason=reason) if run:
            begun = Run(
                run=run,
                service=entry.subject,
                experiment=experiment,
                outcome="running",
                reason=reason,
                began_at=entry.at,
            )
            return known | {run: begun}
        case RunFinished() as fact:
            begun = known.get(fact.run) or Run(
                run=fact.run,
                service=entry.subject,
                experiment=fact.experiment,
                outcome="running",
                reason=fact.reason,
                began_at=entry.at,
            )
            ended = replace(
                begun,
                outcome=fact.outcome,
                ended_at=entry.at,
                executor=fact.executor,
                rows=fact.rows,
                release=fact.release,
                error=fact.error,
                use=fact.use,
                cost=fact.cost,
            )
            return known | {fact.run: ended}
        case _:
            return known


def named(known: Runs, name: str) -> Run:
    """The run of this id, also as a UUID, or the only one that begins or ends so.

    Raises: NotFound: none, or several.
    """
    name = as_fact(name)
    if name in known:
        return known[name]
    near = [run for key, run in known.items() if len(name) >= 4 and (key.startswith(name) or key.endswith(name))]
    if len(near) == 1:
        return near[0]
    told = "several runs have" if near else "no run has"
    raise NotFound(f"{told} the id {name!r}", hint="flyball runs list")
