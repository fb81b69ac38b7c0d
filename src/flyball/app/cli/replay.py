"""`flyball replay`: would a governed service have done better on a recorded stream, and at what cost?"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFile, emit_to, progress, say
from flyball.core.errors import BadInput, Fault

if TYPE_CHECKING:
    from rich.console import RenderableType

    from flyball.app.replay.report import Report


def replay(
    service: Annotated[Path, Parameter(help="service.yaml, or its folder.")],
    /,
    *,
    data: Annotated[tuple[Path, ...], Parameter(consume_multiple=True, help="The stream: files one after the other.")],
    train_rows: Annotated[int | None, Parameter(help="Rows that the first release learns from.")] = None,
    label_delay: Annotated[int | None, Parameter(help="Rows until a label arrives.")] = None,
    approve: Annotated[
        Literal["auto", "never"], Parameter(help="Whether the simulated person approves, or lets it wait.")
    ] = "auto",
    svg: Annotated[Path | None, Parameter(help="Draw the curve with the events on it to this file.")] = None,
    home: HomeOption = None,
    json: JsonFile = None,
) -> None:
    """Stream a labelled table through the governed service, the frozen first release and a fixed schedule."""
    import os

    from flyball.app.declared import load
    from flyball.app.home import HOME_VARIABLE, find_home
    from flyball.app.replay.chart import chart
    from flyball.app.wiring.replay import Options
    from flyball.app.wiring.replay import replay as run
    from flyball.app.wiring.replay.stream import read_stream

    declared = load(service)
    defaults = declared.service.replay
    options = Options(
        train_rows=defaults.train_rows if train_rows is None else train_rows,
        label_delay_rows=defaults.label_delay_rows if label_delay is None else label_delay,
        approve_after_rows=None if approve == "never" else defaults.approve_after_rows,
    )
    _check(options.train_rows, options.label_delay_rows)
    place = find_home(home or os.environ.get(HOME_VARIABLE) or tempfile.mkdtemp(prefix="flyball-replay-"))
    if place.has_ledger:
        raise BadInput(f"{place.root} holds a ledger already", hint="a replay needs a new home: --home NEW_FOLDER")
    say(f"home: {place.root}")
    stream = read_stream(data, declared.contract, declared.service.data.label)
    with progress(f"replaying {declared.service.metadata.name}", total=stream.height - options.train_rows) as advance:
        report = run(declared, stream, options, place, lambda rows: advance(rows))
    if svg is not None:
        svg.write_text(chart(report), encoding="utf-8")
    emit_to(report, json, text=lambda: _text(report))


def _check(train_rows: int, label_delay: int) -> None:
    asked = (("--train-rows", train_rows, 2), ("--label-delay", label_delay, 0))
    faults = tuple(
        Fault(where="command line", path=name, expected=f"at least {least}", found=str(value))
        for name, value, least in asked
        if value < least
    )
    if faults:
        raise BadInput("The options are faulty.", faults)


def _text(report: "Report") -> "RenderableType":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from flyball.core.ids import short

    scores = Table("regime", f"{report.metric} ({report.better} is better)")
    for regime in ("governed", "frozen", "scheduled", "scheduled_instant"):
        value = getattr(report, regime)
        scores.add_row(regime.replace("_", " "), "not defined" if value is None else f"{value:.4f}")
    deeds = Table("row", "what", "why")
    lines = [(t.row, "trained", f"{t.reason}{f' ({t.diagnosis})' if t.diagnosis else ''}") for t in report.trainings]
    lines += [(r.row, f"{short(r.release)} {r.outcome}", r.reason) for r in report.rollouts]
    lines += [(i.row, "quality incident", i.reason) for i in report.incidents]
    for row, what, why in sorted(lines):
        deeds.add_row(str(row), Text(what), Text(why))
    ledger = f"{report.ledger.events} events, {'verified' if report.ledger.verified else 'BROKEN'}"
    closing = f"{report.rows} rows in {report.seconds:.1f} s; {len(report.signals)} signals; ledger: {ledger}"
    return Group(scores, deeds, Text(closing))
