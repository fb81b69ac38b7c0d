"""`flyball train`: from a service folder to a signed, registered release, and champion if there is none."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress, say

if TYPE_CHECKING:
    from rich.console import Group

    from flyball.app.home import Home
    from flyball.app.wiring.training.pipeline import Trained

DRIFT_SHOWN = 5  # differences between lock and installation that the text names


def train(
    service: Annotated[Path, Parameter(help="service.yaml, or its folder.")] = Path("service.yaml"),
    /,
    *,
    locked: Annotated[
        bool, Parameter(negative="", help="Refuse where no lock file or image names the environment.")
    ] = False,
    judge_again: Annotated[
        bool, Parameter(negative="", help="Ask a release that is known its gates again, and measure its times anew.")
    ] = False,
    json: JsonFlag = False,
    home: HomeOption = None,
) -> int:
    """Train, judge, sign and register a release. The same inputs are not trained twice.

    Exit code 0: every gate passed and no hard test failed. 1: one did, the training failed, or the data violate their
    contract.
    """
    from flyball.app.cli.acting import os_user
    from flyball.app.cli.release_text import evidence_folder
    from flyball.app.declared import load
    from flyball.app.home import command, find_home
    from flyball.app.wiring.training.environment import demand_lock, environment_of
    from flyball.app.wiring.training.pipeline import pipeline_of
    from flyball.pipeline.steps import asked

    declared = load(service)
    if locked:
        demand_lock(environment_of(declared.folder))
    place = find_home(home, (declared.file,))
    name = declared.service.metadata.name
    try:
        with (
            progress(f"training {name}", total=1 + len(asked(declared.service))) as advance,
            pipeline_of(place, on_step=lambda step: advance(1, note=step)) as pipeline,
        ):
            pipeline.declare(declared)
            snapshot = pipeline.snapshot_source(declared)
            advance(1, note="snapshot")
            first = pipeline.registry(name).champion is None
            trained = pipeline.train(
                declared,
                snapshot,
                reason="first" if first else "manual",
                judge_again=judge_again,
                by=os_user(),
            )
            champion = pipeline.registry(name).champion
    finally:  # a failure as well: somebody waits for it
        if declared.service.events:
            _tell(place)
    is_champion = champion == trained.release.root
    withdrawn = trained.release.root in _withdrawn(place, name)
    stand = _stand(trained, champion, approve=command(place, "approve", name), withdrawn=withdrawn)
    evidence = evidence_folder(place, trained.release)
    document = _document(trained, is_champion) | {"evidence": evidence}
    emit(document, as_json=json, text=lambda: _text(trained, stand, evidence))
    return 0 if trained.release.passed else 1


def _tell(home: "Home") -> None:
    """Send what the destinations of the service are to hear, for a few seconds at most."""
    from flyball.app.wiring.relay import flush

    waiting, why = flush(home)
    if waiting:
        say(f"{waiting} messages wait for their destinations ({why}); flyball up goes on with them")


def _document(trained: "Trained", is_champion: bool) -> dict[str, Any]:
    from flyball.app.cli.release_text import judged

    release = trained.release
    return judged(release) | {
        "service": release.service,
        "experiment": trained.experiment,
        "release": release.root,
        "cached": trained.cached,
        "note": trained.note,
        "champion": is_champion,
        "snapshot": release.snapshot,
        "rows": {"trained": release.trained_rows, "holdout": release.holdout_rows},
        "environment": _environment(trained),
    }


def _environment(trained: "Trained") -> dict[str, Any]:
    found = trained.environment
    assert found is not None
    return {"kind": found.name.kind, "grade": found.grade, "reason": found.reason, "drift": found.drift}


def _stand(trained: "Trained", champion: str | None, *, approve: str, withdrawn: bool) -> str:
    """What becomes of the release now."""
    if champion == trained.release.root:
        return "is champion"
    if not trained.release.passed:
        from flyball.app.cli.release_text import refused_by

        return f"did not pass its gates and tests: {'; '.join(refused_by(trained.release))}"
    if champion is None:
        return f"waits for a person to make it the first champion: {approve}"
    if withdrawn:
        return "was taken back or turned down before, and is tried again only by flyball rollout retry"
    return "waits for a rollout"


def _withdrawn(place: "Home", service: str) -> frozenset[str]:
    """Releases that the loop does not try again by itself."""
    from flyball.app.people import states_of
    from flyball.app.wiring.ledger import open_ledger

    with closing(open_ledger(place)) as ledger:
        return states_of(ledger)[service].withdrawn


def _text(trained: "Trained", stand: str, evidence: str | None) -> "Group":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from flyball.app.cli.release_text import light_lines, not_passed_table
    from flyball.core.ids import short

    release = trained.release
    how = "known already, not trained again" if trained.cached else f"trained on {release.trained_rows} rows"
    lines: list[Any] = [Text(f"experiment {short(trained.experiment)}: {how}")]
    lines += [Text(trained.note)] if trained.note else []
    metrics = Table("metric", "value", "95 % interval", "rows")
    for name, found in release.metrics.items():
        metrics.add_row(Text(name), f"{found.value:.4g}", f"{found.low:.4g} to {found.high:.4g}", str(found.n))
    gates = Table("gate", "verdict", "evidence")
    for gate in release.gates:
        gates.add_row(Text(gate.name), gate.verdict, Text(gate.reason))
    lines += [metrics, gates] if release.gates else [metrics]
    tests = not_passed_table(release)
    lines += [tests] if tests is not None else []
    lines += [Text(line) for line in light_lines(release)]
    environment = _environment(trained)
    lines.append(Text(f"environment, grade {environment['grade']}: {environment['reason']}"))
    lines += [Text(f"  {words}") for words in environment["drift"][:DRIFT_SHOWN]]
    if (more := len(environment["drift"]) - DRIFT_SHOWN) > 0:
        lines.append(Text(f"  and {more} more"))
    if evidence is not None:
        lines.append(Text(f"evidence: {evidence}"))
    lines.append(Text(f"release {short(release.root)} {stand}"))
    return Group(*lines)
