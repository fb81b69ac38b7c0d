"""Which runs are open: the one fold that says so, for lineage and for what is told outside."""

from collections.abc import Mapping

from flyball.core.events import ReleaseRegistered, RunFinished, TrainingFailed, TrainingStarted
from flyball.core.ledger import Entry
from flyball.core.record import Record
from flyball.registry.run_ids import run_id, uuid_of


class Run(Record):
    """One training from its beginning."""

    id: str  # UUID
    at: str  # RFC 3339, UTC
    fact: TrainingStarted


OpenRuns = Mapping[str, Run]  # by experiment, of one service


def begun(entry: Entry) -> Run | None:
    """The run that this entry begins."""
    return Run(id=run_id(entry), at=entry.at, fact=entry.fact) if isinstance(entry.fact, TrainingStarted) else None


def lost(runs: OpenRuns, entry: Entry) -> Run | None:
    """The open run that this entry shows to have ended without release or failure: broken off, or begun anew."""
    match entry.fact:
        case TrainingStarted(experiment=experiment):
            return runs.get(experiment)
        case RunFinished(outcome="broken_off", experiment=experiment, run=run):
            found = runs.get(experiment)
            return found if found is not None and found.id == uuid_of(run) else None
        case _:
            return None


def fold(runs: OpenRuns, entry: Entry) -> dict[str, Run]:
    """What is open after one more entry of the service."""
    gone = lost(runs, entry)
    ended = None if gone is None else gone.fact.experiment
    match entry.fact:
        case TrainingFailed(experiment=experiment):
            ended = experiment
        case ReleaseRegistered(release=release):
            ended = release.experiment
        case _:
            pass
    left = {experiment: run for experiment, run in runs.items() if experiment != ended}
    run = begun(entry)
    return left if run is None else left | {run.fact.experiment: run}
