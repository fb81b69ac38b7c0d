"""`flyball runs list | show | compare`: what each training did, how long its steps took and what it used."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit
from flyball.app.home import Home, find_home
from flyball.core.errors import NotFound
from flyball.core.ids import ReleaseRoot, short
from flyball.core.release import Release
from flyball.registry.runs import Run, Runs, book, named

if TYPE_CHECKING:
    from rich.table import Table

app = App(name="runs", help="List, show or compare the runs of trainings.")


@app.command(name="list")
def list_(
    service: Annotated[str | None, Parameter(help="One service; without it all of the home.")] = None,
    /,
    *,
    json: JsonFlag = False,
    home: HomeOption = None,
) -> int:
    """Every run on the ledger, newest first."""
    found = [run for run in _runs(find_home(home)).values() if service in (None, run.service)]
    found.reverse()
    emit({"runs": [_line(run) for run in found]}, as_json=json, text=lambda: _table(found))
    return 0


@app.command
def show(
    run: Annotated[str, Parameter(help="Its id, or at least 4 characters of its beginning or end.")],
    /,
    *,
    json: JsonFlag = False,
    home: HomeOption = None,
) -> int:
    """One run: its steps with their times, what it used, how its release was judged, what it printed."""
    from flyball.app.cli.release_text import evidence_folder, release_lines

    place = find_home(home)
    found = named(_runs(place), run)
    log = _log(place, found.run)
    release = _release(place, found)
    evidence = evidence_folder(place, release) if release is not None else None
    judged = release_lines(release, evidence) if release is not None else []
    document = _line(found) | {"steps": found.use.steps} | _judged(release) | {"evidence": evidence, "log": log}
    emit(document, as_json=json, text=lambda: _told(found, judged, log))
    return 0


@app.command
def compare(
    first: Annotated[str, Parameter(help="A run.")],
    second: Annotated[str, Parameter(help="Another run.")],
    /,
    *more: Annotated[str, Parameter(help="Further runs.")],
    json: JsonFlag = False,
    home: HomeOption = None,
) -> int:
    """Runs and how their releases were judged side by side; whether inputs and release are the same."""
    place = find_home(home)
    known = _runs(place)
    found = [named(known, name) for name in (first, second, *more)]
    releases = [_release(place, run) for run in found]
    document = {
        "runs": [
            _line(run) | {"steps": run.use.steps} | _judged(release)
            for run, release in zip(found, releases, strict=True)
        ],
        "same_experiment": len({run.experiment for run in found}) == 1,
        "same_release": len({run.release for run in found}) == 1 and found[0].release is not None,
    }
    emit(document, as_json=json, text=lambda: _beside(found, releases))
    return 0


def _runs(place: Home) -> Runs:
    from flyball.app.wiring.ledger import open_ledger

    if not place.has_ledger:
        raise NotFound(f"no ledger in {place.root}", hint="name the folder by --home or FLYBALL_HOME")
    with closing(open_ledger(place)) as ledger:
        return book(ledger.read()).runs


def _release(place: Home, run: Run) -> Release | None:
    """What the ledger says of the release of a run; None where it gave none."""
    from flyball.app.wiring.ledger import open_ledger
    from flyball.registry.releases import registry

    if run.release is None:
        return None
    with closing(open_ledger(place)) as ledger:
        known = registry(ledger.read(subject=run.service)).releases
    found = known.get(ReleaseRoot(run.release))
    return found.release if found is not None else None


def _judged(release: Release | None) -> dict[str, Any]:
    from flyball.app.cli.release_text import judged

    empty: dict[str, Any] = {"passed": None, "metrics": {}, "gates": [], "tests": [], "lights": {}}
    return judged(release) if release is not None else empty


def _log(place: Home, run: str) -> str:
    file = place.runs / run / "log"
    return file.read_text(errors="replace") if file.is_file() else ""


def _line(run: Run) -> dict[str, Any]:
    return {
        "run": run.run,
        "service": run.service,
        "outcome": run.outcome,
        "reason": run.reason,
        "began_at": run.began_at,
        "ended_at": run.ended_at,
        "executor": run.executor,
        "rows": run.rows,
        "experiment": run.experiment,
        "release": run.release,
        "error": run.error,
        "seconds": run.use.seconds,
        "cpu_s": run.use.cpu_s,
        "peak_rss_mb": run.use.peak_rss_mb,
        "gpu_mb": run.use.gpu_mb,
        "gpu": run.use.gpu,
        "ended": run.use.ended,
        "cost": run.cost,
    }


def _table(found: list[Run]) -> "Table":
    from rich.table import Column, Table
    from rich.text import Text

    whole = Column("run", no_wrap=True, min_width=max((len(run.run) for run in found), default=3))  # it is typed again
    table = Table(whole, "service", "outcome", "began", "rows", "seconds", "MB", "cost", "release", box=None)
    for run in found:
        table.add_row(
            run.run,
            Text(run.service),
            run.outcome.replace("_", " "),
            run.began_at[:19] + "Z",
            str(run.rows),
            f"{run.use.seconds:.1f}",
            f"{run.use.peak_rss_mb:.0f}",
            _cost(run),
            short(run.release) if run.release else "-",
        )
    return table


def _told(run: Run, judged: list[str], log: str) -> str:
    lines = [
        f"run {run.run} of {run.service}: {run.outcome.replace('_', ' ')}",
        f"why {run.reason}, executor {run.executor or 'not known yet'}",
        f"experiment {short(run.experiment)}, {run.rows} rows, release {short(run.release) if run.release else 'none'}",
        f"began {run.began_at}, ended {run.ended_at or 'not yet'}",
        f"{run.use.seconds:.2f} s, {run.use.cpu_s:.2f} processor seconds, {run.use.peak_rss_mb:.0f} MB, "
        f"graphics memory {_gpu(run)}, cost {_cost(run)}",
        *(f"  {step.name:<10} {step.seconds:>9.3f} s  {step.how}" for step in run.use.steps),
    ]
    lines += judged
    if run.use.ended:
        lines.append(f"{run.use.ended} processes that it had left running were ended")
    if run.error:
        lines += ["error:", run.error]
    if log:
        lines += ["printed:", log.rstrip()]
    return "\n".join(lines)


def _beside(found: list[Run], releases: list[Release | None]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table("", *(short(run.run) for run in found), box=None)
    rows: dict[str, list[str]] = {
        "run": [run.run for run in found],
        "outcome": [run.outcome.replace("_", " ") for run in found],
        "experiment": [short(run.experiment) for run in found],
        "release": [short(run.release) if run.release else "-" for run in found],
        "rows": [str(run.rows) for run in found],
        "seconds": [f"{run.use.seconds:.2f}" for run in found],
        "cpu_s": [f"{run.use.cpu_s:.2f}" for run in found],
        "peak_rss_mb": [f"{run.use.peak_rss_mb:.0f}" for run in found],
        "cost": [_cost(run) for run in found],
    }
    times = [{step.name: step for step in run.use.steps} for run in found]
    for name in dict.fromkeys(name for each in times for name in each):
        rows[name] = [f"{each[name].seconds:.3f} s {each[name].how}" if name in each else "-" for each in times]
    rows |= _verdicts(releases)
    for name, values in rows.items():
        table.add_row(name, *(Text(value) for value in values))
    return table


def _verdicts(releases: list[Release | None]) -> dict[str, list[str]]:
    """A row for each metric, gate and test that one of the releases has; `-` where another has it not."""
    columns: list[dict[str, str]] = []
    for release in releases:
        column: dict[str, str] = {}
        if release is not None:
            column |= {
                f"metric {name}": f"{found.value:.4g} ({found.low:.4g} to {found.high:.4g})"
                for name, found in release.metrics.items()
            }
            column |= {f"gate {gate.name}": gate.verdict for gate in release.gates}
            column |= {
                f"test {test.suite}, {test.name}": test.verdict if test.hard else f"{test.verdict} (finding)"
                for test in release.tests
            }
        columns.append(column)
    names = dict.fromkeys(name for column in columns for name in column)
    order = ("metric", "gate", "test")
    return {
        name: [column.get(name, "-") for column in columns]
        for name in sorted(names, key=lambda name: order.index(name.split(" ", 1)[0]))
    }


def _cost(run: Run) -> str:
    return "-" if run.cost is None else f"{run.cost:.4g}"


def _gpu(run: Run) -> str:
    return run.use.gpu or "not measured" if run.use.gpu_mb is None else f"{run.use.gpu_mb:.0f} MB ({run.use.gpu})"
