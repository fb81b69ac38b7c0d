"""Where objectives stand, as a page in the terminal."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from flyball.app.slo.standing import ObjectiveStanding, SloStanding
from flyball.app.terminal_columns import whole
from flyball.contracts.openslo.reading import Reading
from flyball.core.clock import timestamp

if TYPE_CHECKING:
    from rich.console import RenderableType

UNITS = ((86_400.0, "d"), (3600.0, "h"), (60.0, "m"), (1.0, "s"))


def page(found: SloStanding) -> "RenderableType":
    """One row an objective, then what follows."""
    windows = sorted({burn.window_s for each in found.objectives for burn in each.burns})
    names = ("objective", "now", "target", "over", "left", "gone in", *map(span, windows))
    rows = [(each.name, *_figures(each), *_rates(each, windows)) for each in found.objectives]
    columns = [[row[at] for row in rows] for at in range(len(names))]
    first = whole(names[0], columns[0])
    figures = [whole(name, cells, "right") for name, cells in zip(names[1:], columns[1:], strict=True)]
    table = Table(first, *figures, box=None)
    for row in rows:
        table.add_row(*row)
    lines = [f"{each.name}: UNKNOWN: {each.unknown}" for each in found.objectives if each.left is None]
    lines += [
        f"{each.name}: BURNING ({each.burning.urgency}): {each.burning.why}"
        for each in found.objectives
        if each.burning
    ]
    lines += [
        f"{each.name}: counted for too short a time to be spent, for {span(each.early_s)} more: nothing stands still"
        for each in found.objectives
        if each.early_s and each.left is not None and each.left <= 0 and not each.spent
    ]
    return Group(table, *map(Text, (*lines, *_moment(found), _ending(found))))


def _moment(found: SloStanding) -> tuple[str, ...]:
    return () if found.as_of is None else (f"as of {timestamp(datetime.fromtimestamp(found.as_of, UTC))}",)


def _ending(found: SloStanding) -> str:
    if found.frozen_by:
        return f"promotions of {found.service} are FROZEN: the budget of {', '.join(found.frozen_by)} is spent"
    if not found.declared:
        return f"{found.service} declares no `slo`: nothing follows from these budgets"
    spent = [each.name for each in found.objectives if each.spent]
    return f"spent, and freezes nothing: {', '.join(spent)}" if spent else "promotions are not frozen by any budget"


def _figures(each: ObjectiveStanding) -> tuple[str, ...]:
    now = "-" if each.value is None else f"{each.value:.3%}"
    left = "UNKNOWN" if each.left is None else f"{each.left:.1%}"
    gone = "-" if each.exhausted_in_s is None else span(each.exhausted_in_s)
    return now, f"{each.target:.6g}", span(each.window_s), left, gone


def _rates(each: ObjectiveStanding, windows: list[float]) -> list[str]:
    rates = {burn.window_s: burn.rate for burn in each.burns}
    found = [rates.get(window_s) for window_s in windows]
    return ["-" if rate is None else f"{rate:.2f}x" for rate in found]


def span(seconds: float) -> str:
    """A duration, short.

    >>> span(300.0), span(2_419_200.0), span(5_400.0), span(0.0)
    ('5m', '28d', '1.5h', '0s')
    """
    for unit, name in UNITS:
        if seconds >= unit:
            return f"{round(seconds / unit, 1):g}{name}"
    return f"{seconds:.2g}s" if seconds else "0s"


def lint_page(found: Reading) -> str:
    """Objectives of a file, one a line, then what is left undone."""
    lines = [
        f"{each.name}: {each.sli}, {each.target:.6g} over {span(each.window_s or 0.0)}"
        + (f", {each.method}" if each.method != "Occurrences" else "")
        for each in found.objectives
    ]
    return "\n".join([*lines, *(f"note: {note}" for note in found.notes)])
