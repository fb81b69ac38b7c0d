"""`flyball drift`: have the columns of one table moved away from those of another? No service, no state."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from flyball.app.cli.door import JsonFlag, emit, progress
from flyball.core.errors import BadInput, Fault

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from flyball.app.cli.door import Advance
    from flyball.app.drift.comparable import Column
    from flyball.app.drift.course import Course
    from flyball.app.drift.judged import Feature, Limits, Report
    from flyball.app.drift.losses import Risk
    from flyball.app.drift.pair import OnProgress, Progress, TablePair

Like = Literal["evidently", "nannyml"]
Preset = Literal["psi-0.10-0.25x3", "psi-0.20"]
MOST_BINS = 256
FINE_BINS = 64  # that distances of ordered values are read on


def drift(
    reference: Annotated[Path, Parameter(help="The table to compare with, Parquet or CSV.")],
    current: Annotated[Path, Parameter(help="The table that may have moved.")],
    /,
    *,
    html: Annotated[Path | None, Parameter(help="Write a report to this file: one page, no network.")] = None,
    svg: Annotated[Path | None, Parameter(help="Write a picture to this file; needs the extra `charts`.")] = None,
    json: JsonFlag = False,
    label: Annotated[
        str | None, Parameter(help="Column of labels, of the reference at least; with --prediction risk is told too.")
    ] = None,
    prediction: Annotated[str | None, Parameter(help="Column of what a model predicted.")] = None,
    together: Annotated[
        bool, Parameter(negative="", help="Compare rows as wholes too: all numbers, and each column of vectors.")
    ] = False,
    like: Annotated[
        Like | None, Parameter(help="Another tool, whose numbers and verdicts are told beside ours.")
    ] = None,
    bins: Annotated[int, Parameter(help="Bins of a number, of about equal mass in the reference.")] = 10,
    measure: Annotated[
        tuple[str, ...],
        Parameter(help="Measures to report; the first decides. Without it all, and psi decides.", negative=""),
    ] = (),
    columns: Annotated[
        tuple[str, ...], Parameter(help="The only columns to compare, keys and times included.", negative="")
    ] = (),
    exclude: Annotated[tuple[str, ...], Parameter(help="Columns to leave out.", negative="")] = (),
    preset: Annotated[Preset, Parameter(help="Known limits of PSI.")] = "psi-0.10-0.25x3",
    limit: Annotated[float | None, Parameter(help="Effect of the deciding measure from which on it counts.")] = None,
) -> int:
    """Compare two tables, column by column. Exit code 0 whatever is found, 2 where there is nothing to compare."""
    from flyball.app.drift.comparable import columns_of
    from flyball.app.drift.course import course
    from flyball.app.drift.course_words import told
    from flyball.app.drift.judged import judge
    from flyball.app.drift.outputs import refuse_outputs
    from flyball.app.drift.reading import profile_tables
    from flyball.app.wiring.whole_files import write_text

    limits = _limits(measure, preset, limit, bins)
    risk = _risk(label, prediction)
    refuse_outputs({"--html": html, "--svg": svg}, (reference, current))
    with progress("reading", total=100) as advance:
        tables = profile_tables(
            reference,
            current,
            psi_bins=bins,
            bins=max(FINE_BINS, bins),
            columns=_names(columns) or None,
            exclude=_names(exclude),
            on_progress=_shown(advance),
        )
    _refuse_strangers(tables, current)
    judged = columns_of(tables, named=_names(columns))
    more = _together(reference, current, judged) if together else ()
    report = judge(judged, limits, (tables.reference_rows, tables.current_rows), more)
    if like is not None:
        report = _beside(report, reference, current, like)
    with progress("reading along the rows"):
        went = course(reference, current, judged, rows=tables.current_rows, risk=risk, limit=limits.of("psi"))
    if html is not None:
        from flyball.app.drift.page import page

        write_text(html, page(report, went, reference=reference.name, current=current.name))
    if svg is not None:
        from flyball.app.drift.picture import picture

        write_text(svg, picture(report))
    emit(report.document() | told(went), as_json=json, text=lambda: _text(report, went))
    return 0


def _refuse_strangers(tables: "TablePair", current: Path) -> None:
    """Raises: BadInput: no column is in both."""
    if tables.features:
        return
    ours, theirs = (", ".join(names) or "none" for names in (tables.only_reference, tables.only_current))
    fault = Fault(where=str(current), path="(columns)", expected=f"one of {ours}", found=theirs)
    raise BadInput("The tables have no column in common, so there is nothing to compare.", (fault,))


def _shown(advance: "Advance") -> "OnProgress":
    """Moves a bar of 100 steps: three passes, each of which knows how many cells it has, or does not."""
    done = 0.0

    def told(progress: "Progress") -> None:
        nonlocal done
        stages = ("fit", "reference", "current")
        share = progress.cells / progress.of if progress.of else 0.0
        now = 100 * (stages.index(progress.stage) + min(1.0, share)) / len(stages)
        note = "the reference" if progress.stage != "current" else "the current table"
        advance(max(0.0, now - done), f"{note}, {progress.cells:,} cells")
        done = max(done, now)

    return told


def _limits(measures: tuple[str, ...], preset: Preset, limit: float | None, bins: int) -> "Limits":
    from flyball.app.drift.judged import Limits
    from flyball.stats.two_sample.compare import LIMITS, MEASURES

    asked = _names(measures)
    faults = [
        Fault(where="command line", path="--measure", expected=f"one of {', '.join(MEASURES)}", found=name)
        for name in asked
        if name not in MEASURES
    ]
    if limit is not None and not 0 < limit < float("inf"):
        faults.append(Fault(where="command line", path="--limit", expected="a number above 0", found=f"{limit:g}"))
    if not 2 <= bins <= MOST_BINS:
        faults.append(Fault(where="command line", path="--bins", expected=f"2 to {MOST_BINS}", found=str(bins)))
    if faults:
        raise BadInput("The command line is faulty.", tuple(faults))
    decides = asked[0] if asked else "psi"
    if limit is not None:
        warn = act = limit
    elif decides != "psi":
        warn = act = LIMITS[decides]
    else:
        warn, act = (0.20, 0.20) if preset == "psi-0.20" else (0.10, 0.25)
    return Limits(measure=decides, warn=warn, act=act, measures=asked or MEASURES)


def _together(reference: Path, current: Path, columns: "tuple[Column, ...]") -> "tuple[Feature, ...]":
    from flyball.app.drift.together import together

    with progress("comparing rows as wholes"):
        return together(reference, current, columns)


def _beside(report: "Report", reference: Path, current: Path, like: Like) -> "Report":
    from flyball.app.drift.beside import with_beside

    with progress(f"reading as {like}"):
        return with_beside(report, reference, current, like=like)


def _risk(label: str | None, prediction: str | None) -> "Risk | None":
    from flyball.app.drift.losses import Risk

    if label is not None and prediction is not None:
        return Risk(label=label, prediction=prediction)
    if label is None and prediction is None:
        return None
    given, other = ("--label", "--prediction") if prediction is None else ("--prediction", "--label")
    fault = Fault(where="command line", path=other, expected=f"a column, as {given} is given", found="none")
    raise BadInput("Risk needs a label and a prediction.", (fault,))


def _names(given: tuple[str, ...]) -> tuple[str, ...]:
    """Repeated or joined by commas; a name that holds a comma is given alone, with a backslash before the comma."""
    import re

    parts = [part.replace("\\,", ",") for each in given for part in re.split(r"(?<!\\),", each)]
    return tuple(dict.fromkeys(part for part in parts if part))


def _text(report: "Report", went: "Course") -> "Group":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from flyball.app.drift import words
    from flyball.app.drift.words_plain import shortened
    from flyball.stats.two_sample.compare import Reading
    from flyball.stats.two_sample.mmd import LIMIT as LIMIT_ON_ROWS

    table = Table("column", "verdict", report.limits.measure, "95 % interval")
    for feature in report.features:
        deciding = feature.deciding
        value = "-" if deciding.value is None else f"{deciding.value:.3g}"
        if feature.on_rows:
            value = f"{deciding.measure} {value} (limit {LIMIT_ON_ROWS:g})"
        interval = "-" if deciding.ci is None else f"{deciding.ci[0]:.2g} to {deciding.ci[1]:.2g}"
        table.add_row(*(Text(cell) for cell in (shortened(feature.name), feature.verdict.value, value, interval)))
    told = [
        f"{shortened(feature.name)}: {words.changed(feature)} {words.meaning(feature, report.limits)} "
        f"{words.broken(feature)}".rstrip()
        for feature in report.features
        if feature.verdict is not Reading.OK or feature.quality
    ]
    return Group(table, *_others(report), *(Text(sentence) for sentence in (*told, *words.summary(report, went))))


def _others(report: "Report") -> "tuple[Table | Text, ...]":
    """Another tool's default for each column, and why it differs; nothing where none was asked for."""
    from rich.table import Table
    from rich.text import Text

    from flyball.app.drift import words
    from flyball.app.drift.beside import sentences
    from flyball.app.drift.words_plain import shortened

    answers = [(each.name, each.like[0]) for each in report.features if each.like]
    if not answers:
        return ()
    tool = answers[0][1].tool
    table = Table("column", tool, "its limit", "ours", "of")
    for name, answer in answers:
        its, ours = ("-" if value is None else f"{value:.3g}" for value in (answer.theirs, answer.ours))
        verdict = {True: "drift", False: "no drift", None: "no answer"}[answer.drift]
        method = f"{answer.method} p" if answer.is_p else answer.method
        cells = (shortened(name), f"{verdict} {its}", words.limit(answer), f"{answer.verdict} {ours}", method)
        table.add_row(*(Text(cell) for cell in cells))
    return (table, *(Text(sentence) for sentence in sentences(report)))
