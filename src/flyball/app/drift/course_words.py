"""Where a change began and what became of the risk, in sentences and for `--json`."""

from typing import Any

from flyball.app.drift.course import Course
from flyball.app.drift.losses import OF_CLASSES, Level
from flyball.app.drift.words_plain import plain, shortened


def change_told(went: Course) -> tuple[str, ...]:
    """One sentence, or none where no window has moved."""
    change = went.change
    if change is None:
        return ()
    (worst, psi), *others = change.columns
    more = f" and {len(others)} more {'column' if len(others) == 1 else 'columns'}" if others else ""
    are = "are" if others else "is"
    span = (
        f"From row {change.first_row:,} on" if change.lasts else f"In rows {change.first_row:,} to {change.last_row:,}"
    )
    return (f"{span} {shortened(worst)} (PSI {psi:.2g} there){more} {are} away from the reference.",)


def risk_told(went: Course) -> tuple[str, ...]:
    """One sentence, or none where no labels were given."""
    if went.unit is None:
        return ()
    unit = went.unit.capitalize()
    share = went.unit == OF_CLASSES
    if went.before is None:
        return (f"{unit}: unknown, as no row of the reference has a label and a prediction.", *_expected(went))
    if went.now is None:
        known = f"{unit}: {_level(went.before, share=share)} over the reference"
        return (f"{known}; no row of the current table has a label and a prediction.", *_expected(went))
    told = f"{unit}: {_level(went.before, share=share)} over the reference, {_level(went.now, share=share)} now"
    since = went.since
    if since is None or went.change is None:
        return (f"{told}.", *_expected(went))
    span = "since row" if went.change.lasts else "from the change in row"
    return (f"{told}; {span} {went.change.first_row:,}: {_level(since, share=share)}.", *_expected(went))


def _expected(went: Course) -> tuple[str, ...]:
    """What is estimated; where nothing is, why, if there are no labels that tell."""
    found = went.expected
    if found.level is not None:
        return (
            f"Without its labels {_level(found.level, share=False)} is to be expected of the current table, "
            "if the same kind of row loses what it lost in the reference.",
        )
    return (f"Nothing is estimated in their place: {found.reason}.",) if went.now is None else ()


def told(went: Course) -> dict[str, Any]:
    """The keys `course` and `risk` of `--json`."""
    change = went.change
    windows = [
        {name: getattr(each, name) for name in ("first_row", "last_row", "column", "psi", "risk")}
        for each in went.windows
    ]
    began = (
        None
        if change is None
        else {
            "first_row": change.first_row,
            "last_row": change.last_row,
            "columns": dict(change.columns),
        }
    )
    risk = (
        None
        if went.unit is None
        else {
            "unit": went.unit,
            "reference": _document(went.before),
            "current": _document(went.now),
            "since_change": _document(went.since),
            "estimated": _document(went.expected.level),
            "estimated_reason": went.expected.reason,
        }
    )
    return {"course": {"change": began, "windows": windows}, "risk": risk}


def _document(level: Level | None) -> dict[str, Any] | None:
    return None if level is None else {"value": level.value, "ci": level.ci, "rows": level.rows}


def _level(level: Level, *, share: bool) -> str:
    low, high = level.ci
    if share:
        return f"{level.value:.2%} (95 % interval {low:.2%} to {high:.2%})"
    return f"{plain(level.value)} (95 % interval {plain(low)} to {plain(high)})"
