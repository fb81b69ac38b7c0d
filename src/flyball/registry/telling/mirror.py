"""What another registry of models has to know to show the same as ours: runs, versions, judgements, the champion.

Words of no vendor: an adapter turns them into calls. Each message is complete, so that one that comes twice, or after a
long rest, needs nothing but itself.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from flyball.core import events as e
from flyball.core.ledger import Entry
from flyball.registry.open_runs import Run, begun, lost
from flyball.registry.telling.known import Known
from flyball.registry.telling.plainly import outside


def events(state: Known, entry: Entry) -> Iterator[dict[str, Any]]:
    """Messages about this entry. `state`: the service before it."""
    if (gone := lost(state.open_runs, entry)) is not None:
        yield _ended(gone, entry, "killed")
    if (new := begun(entry)) is not None:
        config = state.declaration.get("experiment", {})
        yield _run(new) | {
            "event": "run.started",
            "config": config.get("config", {}) if isinstance(config, dict) else {},
        }
    match entry.fact:
        case e.TrainingFailed(experiment=experiment, error=error):
            if (run := state.open_runs.get(experiment)) is not None:
                yield _ended(run, entry, "failed") | {"error": outside(error)}
        case e.ReleaseRegistered(release=release):
            made_by = state.open_runs.get(release.experiment)
            if made_by is not None:
                yield _ended(made_by, entry, "finished") | {"release": msgspec.to_builtins(release)}
            yield _about(entry, "release.registered", release.root) | {
                "run": made_by.id if made_by else None,
                "experiment": release.experiment,
                "snapshot": release.snapshot,
            }
        case e.GatesJudged(release=root, passed=passed):
            yield _about(entry, "release.judged", root) | {"passed": passed}
        case e.ChampionAppointed(release=root):
            yield _about(entry, "champion", root)
        case e.RolledBack(release=root, to=to) if root == state.champion:
            yield _about(entry, "champion", to)
        case _:
            return


def _about(entry: Entry, event: str, root: str) -> dict[str, Any]:
    return {"event": event, "service": entry.subject, "at": entry.at, "seq": entry.seq, "release_root": root}


def _run(run: Run) -> dict[str, Any]:
    fact = run.fact
    return {
        "run": run.id,
        "service": fact.service,
        "started_at": run.at,
        "experiment": fact.experiment,
        "snapshot": fact.snapshot,
        "code": fact.code,
        "environment": fact.environment,
        "reason": fact.reason,
    }


def _ended(run: Run, entry: Entry, outcome: str) -> dict[str, Any]:
    return _run(run) | {"event": "run.ended", "outcome": outcome, "at": entry.at}
