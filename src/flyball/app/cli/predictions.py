"""`flyball predictions`: the log by SQL, by id and in sums, what answers rest on, and its upkeep."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from cyclopts import App, Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress
from flyball.app.home import find_home
from flyball.core.errors import BadInput, Fault

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from flyball.app.wiring.asking.log_questions import Summary, Told

app = App(name="predictions", help="Ask the prediction log.")
_FEW = ("id", "at", "arm", "release", "outcome", "prediction", "score", "latency_ms")  # of a table without --columns


@app.command
def query(
    service: Annotated[str | None, Parameter(help="Name of the service; not needed where the home has one.")] = None,
    /,
    *,
    sql: Annotated[str | None, Parameter(help="SQL over the tables predictions, shadows and labels.")] = None,
    where: Annotated[str | None, Parameter(help="A SQL condition on predictions, such as 'score > 0.9'.")] = None,
    since: Annotated[str | None, Parameter(help="Arrived at or after: 24h (ago), a date, a time.")] = None,
    until: Annotated[str | None, Parameter(help="Arrived before.")] = None,
    arm: Annotated[str | None, Parameter(help="Assigned to champion or candidate.")] = None,
    release: Annotated[str | None, Parameter(help="Assigned to the release whose root begins so.")] = None,
    columns: Annotated[str | None, Parameter(help="Columns, separated by commas.")] = None,
    limit: Annotated[int | None, Parameter(help="Rows at most; 50 unless a file is written.")] = None,
    out: Annotated[Path | None, Parameter(help="Write all rows to this Parquet file instead.")] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Rows of the log, newest first; with --sql in the order that it says."""
    from flyball.app.wiring.asking.log_questions import Question, ask, folders, service_named, span

    if limit is not None and limit < 1:
        fault = Fault(where="command line", path="--limit", expected="at least 1", found=str(limit))
        raise BadInput("The query is faulty.", (fault,))
    place = find_home(home)
    name = service_named(place, service)
    first, last = span(since, until)
    question = Question(
        sql=sql,
        where=where,
        since=first,
        until=last,
        arm=arm,
        release=release,
        columns=tuple(column.strip() for column in columns.split(",")) if columns else (),
    )
    with progress(f"{name}: folders of the log", folders(place, name)) as advance:
        rows = ask(place, name, question, advance=advance)
        if out is not None:
            document: dict[str, Any] = {"service": name, "file": str(out), "rows": _written(rows, limit, out)}
            emit(document, as_json=json, text=lambda: f"{document['rows']} rows in {out}")
            return
        most = limit or 50
        if sql is None and "at" in rows.collect_schema():
            rows = rows.sort("at", descending=True, maintain_order=True)
        found = _read(rows.head(most + 1))
    more, found = found.height > most, found.head(most)
    emit(
        {"service": name, "columns": found.columns, "rows": [_plain(row) for row in found.to_dicts()], "more": more},
        as_json=json,
        text=lambda: _table(found, few=sql is None and not columns, more=more),
    )


@app.command
def attribute(
    service: Annotated[str | None, Parameter(help="Name of the service; not needed where the home has one.")] = None,
    /,
    *,
    share: Annotated[float, Parameter(help="Share of the answered rows, 0 to 1, chosen by their ids.")] = 0.01,
    since: Annotated[str | None, Parameter(help="Arrived at or after: 24h (ago), a date, a time.")] = None,
    until: Annotated[str | None, Parameter(help="Arrived before.")] = None,
    release: Annotated[str | None, Parameter(help="Assigned to the release whose root begins so.")] = None,
    seed: Annotated[int, Parameter(help="Seed of the random walks.")] = 0,
    out: Annotated[Path | None, Parameter(help="Write a Parquet file, a row for each prediction and input.")] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """What a sample of the answers rests on: Shapley values of the inputs, newest 200 rows first."""
    from flyball.app.wiring.asking.attributing import as_table
    from flyball.app.wiring.asking.attributing import attribute as explained
    from flyball.app.wiring.asking.log_questions import Question, folders, service_named, span

    if not 0.0 < share <= 1.0:
        fault = Fault(where="command line", path="--share", expected="above 0, at most 1", found=f"{share:g}")
        raise BadInput("No row can be chosen.", (fault,))
    place = find_home(home)
    name = service_named(place, service)
    first, last = span(since, until)
    question = Question(since=first, until=last, release=release)
    with progress(f"{name}: folders of the log", folders(place, name)) as advance:
        found = explained(place, name, question, share=share, seed=seed, advance=advance)
    table = as_table(found)
    if out is not None:
        _written(table.lazy(), None, out)
        document = {"service": name, "file": str(out), "predictions": len(found)}
        emit(document, as_json=json, text=lambda: f"{len(found)} predictions in {out}")
        return
    emit({"service": name, "attributions": found}, as_json=json, text=lambda: _table(table, few=False, more=False))


@app.command
def show(
    prediction: Annotated[str, Parameter(help="Its id, or the beginning of it.")],
    /,
    *,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """One prediction: its record, what the shadow said about the same row, its labels, and how late they came."""
    from flyball.app.wiring.asking.log_questions import show as told_of

    told = told_of(find_home(home), prediction)
    emit(_plain(msgspec.structs.asdict(told)), as_json=json, text=lambda: _text(told))


@app.command
def summary(
    service: Annotated[str | None, Parameter(help="Name of the service; not needed where the home has one.")] = None,
    /,
    *,
    since: Annotated[str | None, Parameter(help="Arrived at or after: 24h (ago), a date, a time.")] = None,
    until: Annotated[str | None, Parameter(help="Arrived before.")] = None,
    label_window: Annotated[str | None, Parameter(help="A label that came later is late, such as 7d.")] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """What the log holds: rows by outcome, and labels: how many, corrected, late, and how long they took."""
    from flyball.app.wiring.asking.log_questions import folders, length_of, service_named, span
    from flyball.app.wiring.asking.log_questions import summary as counted

    place = find_home(home)
    name = service_named(place, service)
    first, last = span(since, until)
    window_s = length_of("--label-window", label_window)
    with progress(f"{name}: folders of the log", 2 * folders(place, name)) as advance:
        told = counted(place, name, since=first, until=last, window_s=window_s, advance=advance)
    emit(told, as_json=json, text=lambda: _summary(told))


@app.command
def tidy(
    *services: Annotated[Path, Parameter(help="Services: service.yaml or its folder.")],
    dry_run: Annotated[bool, Parameter(negative="", help="Say what would be deleted, and change nothing.")] = False,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Merge small panes, delete days beyond `serving.log.retention_s`; the controller of `flyball up` does it too."""
    from flyball.app.cli.services import load_each
    from flyball.app.wiring.loop.log_keeping import tidy as tidy_up

    declared = [each.service for each in load_each(services, verb="predictions tidy")]
    kept = tidy_up(find_home(home, services), declared, dry_run=dry_run)
    emit(
        {"dry_run": dry_run, "services": kept},
        as_json=json,
        text=lambda: "\n".join(
            f"{each.service}: {each.merged} merged folders, {each.removed} parts removed, "
            f"{len(each.deleted)} folders and {len(each.beside)} things beside the log ({each.bytes / 1e6:.1f} MB) "
            "beyond the retention" + (" would be deleted" if dry_run else " deleted")
            for each in kept
        ),
    )


def _read(rows: "pl.LazyFrame") -> "pl.DataFrame":
    """Raises: BadInput: it fails on the values, such as a text that is no number."""
    import polars as pl

    try:
        return rows.collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise _faulty(str(error)) from error


def _written(rows: "pl.LazyFrame", limit: int | None, out: Path) -> int:
    """Never all in memory. Raises: BadInput: the file cannot be written, or the query fails on the values."""
    import polars as pl

    try:
        (rows if limit is None else rows.head(limit)).sink_parquet(out)
    except pl.exceptions.PolarsError as error:
        raise _faulty(str(error)) from error
    except OSError as error:
        fault = Fault(where="command line", path="--out", expected="a file that can be written", found=str(error))
        raise BadInput("The rows cannot be written.", (fault,)) from error
    return int(pl.scan_parquet(out).select(pl.len()).collect().item())


def _faulty(said: str) -> BadInput:
    found = said.strip().splitlines()[0]
    return BadInput("The query is faulty.", (Fault(where="command line", path="query", expected="SQL", found=found),))


def _plain(value: Any) -> Any:
    """As JSON has it: times as text, what is no number as null."""
    match value:
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case float() if value != value or value in (float("inf"), float("-inf")):
            return None
        case _:
            return msgspec.to_builtins(value) if not isinstance(value, str | int | float | bool | None) else value


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _table(found: "pl.DataFrame", *, few: bool, more: bool) -> "Table":
    from rich.table import Column, Table
    from rich.text import Text

    names = [name for name in found.columns if not few or name in _FEW]
    if few:
        names = [name for name in _FEW if name in names]
    cells = [[_cell(name, row[name], few=few) for name in names] for row in found.iter_rows(named=True)]
    widths = [max([len(name), *(len(row[place]) for row in cells)]) for place, name in enumerate(names)]
    # nothing is cut off: an id is typed again, a figure without its end is another figure
    heads = [Column(name, no_wrap=True, min_width=width) for name, width in zip(names, widths, strict=True)]
    table = Table(*heads, box=None, caption="there are more: --limit, or --out FILE.parquet for all" if more else None)
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def _cell(name: str, value: Any, *, few: bool) -> str:
    if value is None:
        return ""
    if name == "at" and isinstance(value, float):
        return _moment(value)
    if name == "release" and few:
        return str(value).removeprefix("sha256:")[:12]
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _summary(told: "Summary") -> str:
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in told.outcomes.items()) or "none"
    lines = [f"{told.service}: {told.rows} rows: {outcomes}"]
    if told.first_at is not None and told.last_at is not None:
        lines.append(f"from {_moment(told.first_at)} to {_moment(told.last_at)}")
    lines.append(f"{told.fallbacks} answered by a stand-in, {told.errors} error events, {told.slow} slow events")
    late = "" if told.late is None else f", {told.late} late"
    delays = ", ".join(f"{name} {value:.6g} s" for name, value in told.label_delay_s.items() if value is not None)
    lines.append(
        f"{told.labelled} with a label, {told.corrected} of them corrected{late}"
        + (f"; delay {delays}" if delays else "")
    )
    return "\n".join(lines)


def _text(told: "Told") -> str:
    lines = [f"{name:<14} {_cell(name, value, few=False)}" for name, value in told.record.items() if value is not None]
    for shadow in told.shadows:
        said = "an error" if shadow["error"] else f"{shadow['prediction']} (score {shadow['score']})"
        lines.append(f"{'shadow':<14} {said} by {shadow['release']} in {shadow['service_ms']:.3g} ms")
    for label in told.labels:
        lines.append(f"{'label':<14} {label['label']}, known at {_moment(label['at'])}")
    if told.label_delay_s is not None:
        lines.append(f"{'label delay':<14} {told.label_delay_s:.6g} s")
    return "\n".join(lines) if told.labels else "\n".join([*lines, f"{'label':<14} none yet"])
