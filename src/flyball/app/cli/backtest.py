"""`flyball backtest`: what would these policies have done on the recorded past?"""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from flyball.app.cli.door import JsonFlag, emit, progress
from flyball.core.errors import BadInput, Fault


def backtest(
    *policies: Annotated[
        Path, Parameter(help="A service.yaml, or a file with other monitor, retrain, rollout or autonomy.")
    ],
    history: Annotated[
        Path,
        Parameter(help="A home, its ledger.db, its prediction log (HOME/telemetry/SERVICE), or a log on its own."),
    ],
    service: Annotated[str | None, Parameter(help="The service; not needed where the home has one.")] = None,
    changes: Annotated[
        list[str] | None,
        Parameter(consume_multiple=True, help="Rows or times at which the data changed, or a file of them."),
    ] = None,
    within: Annotated[
        int | None,
        Parameter(help="Rows after a change in which an alarm tells of it; 10 windows.", validator=Number(gte=1)),
    ] = None,
    sweep: Annotated[
        list[str] | None,
        Parameter(help="One setting with several values, such as monitor.psi.act=0.1..0.4:7, once for each."),
    ] = None,
    svg: Annotated[Path | None, Parameter(help="Draw false alarms against delay to this file.")] = None,
    json: JsonFlag = False,
) -> None:
    """Policies side by side on the recorded past: alarms, delays, retrainings, rollbacks. Changes nothing."""
    from flyball.app.backtest.frontier import frontier
    from flyball.app.backtest.sweep import sweeps
    from flyball.app.backtest.words import page
    from flyball.app.wiring.backtest.places import place
    from flyball.app.wiring.backtest.run import Asked, on_history

    swept = sweeps(sweep or ())
    asked = Asked(files=policies, sweeps=swept, changes=_changes(changes or []), within_rows=within)
    total = 1 + len(policies) + sum(len(each.values) for each in swept)
    with progress("policies", total=total) as advance:
        found = on_history(place(history), service, asked, lambda done: advance(done))
    if svg is not None:
        _write(svg, frontier(found))
    emit(found, as_json=json, text=lambda: page(found))


def _changes(given: list[str]) -> tuple[str, ...]:
    """Words, and the lines of files; what follows a # is a comment."""
    from flyball.app.declared import read_text

    found: list[str] = []
    for text in given:
        if not Path(text).is_file():
            found.append(text)
            continue
        lines = (line.partition("#")[0].strip() for line in read_text(Path(text), where=text).splitlines())
        found += [line for line in lines if line]
    return tuple(found)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        fault = Fault(where="--svg", path=str(path), expected="a file that can be written", found=str(error.strerror))
        raise BadInput("The picture cannot be written.", (fault,)) from error
