"""A backtest for people: the policies side by side, then what nobody can know."""

from typing import TYPE_CHECKING

from flyball.app.backtest.report import Backtest, PolicyLine

if TYPE_CHECKING:
    from rich.console import RenderableType

UNKNOWN = "unknown"
HEADS = (
    *("policy", "alarms", "false", "false per 1,000 windows", "detected", "delay, rows", "retrains", "cost"),
    *("rollbacks", "rows by bad champions", "known to row"),
)


def page(found: Backtest) -> "RenderableType":
    """The table and the notes below it."""
    from rich.console import Group
    from rich.table import Column, Table
    from rich.text import Text

    rows = [cells(each, found.last_row) for each in found.policies]
    widths = [max(map(len, column)) for column in zip(HEADS, *rows, strict=True)]
    # nothing is cut off: a figure without its end is another figure
    heads = [Column(name, no_wrap=True, min_width=width) for name, width in zip(HEADS, widths, strict=True)]
    table = Table(*heads, box=None)
    for row in rows:
        table.add_row(*map(Text, row))
    return Group(table, *map(Text, lines(found)))


def cells(each: PolicyLine, last_row: int) -> tuple[str, ...]:
    """One policy in the columns of the table."""
    beside, asked = each.judged, each.retrains_by
    promoted, unknown = asked.get("promoted", 0), asked.get("unknown", 0)
    of = f" ({promoted} promoted, {unknown} {UNKNOWN})" if each.retrains else ""
    false = UNKNOWN if beside.false_alarms is None else str(beside.false_alarms)
    judged = f" ({beside.unjudged} {UNKNOWN})" if beside.unjudged and beside.false_alarms is not None else ""
    return (
        each.policy,
        f"{each.alarms} ({', '.join(f'{n} {kind}' for kind, n in each.alarms_by.items())})" if each.alarms else "0",
        false + judged,
        UNKNOWN if each.false_per_1000_windows is None else f"{each.false_per_1000_windows:.1f}",
        _detected(each),
        UNKNOWN if beside.detected is None else "-" if beside.delay_rows is None else f"{beside.delay_rows:.0f}",
        f"{each.retrains}{of}",
        UNKNOWN if each.cost is None else f"{each.cost:.4g}",
        _rollbacks(each),
        UNKNOWN if each.bad_rows is None else str(each.bad_rows),
        "the end" if each.known_to_row >= last_row else str(each.known_to_row),
    )


def lines(found: Backtest) -> list[str]:
    """What is said below the table."""
    told = [
        f"{found.service}: rows {found.first_row} to {found.last_row}, history: {found.history}",
        f"truth: {found.truth.why}; an alarm within {found.truth.within_rows} rows of a change tells of it",
    ]
    for each in found.policies:
        if each.left is not None:
            told.append(
                f"{each.policy}: from row {each.left.row} on nobody knows its releases: {each.left.why}; "
                "its figures from there on are about the recorded windows"
            )
        if each.not_judged:
            told.append(f"{each.policy}: not judged, this history does not show it: {', '.join(each.not_judged)}")
        if each.guessed:
            told.append(
                f"{each.policy}: {each.guessed} PSI below the recorded warn were taken as more than chance: "
                "that test is not on record"
            )
    return [*told, *found.notes]


def _detected(each: PolicyLine) -> str:
    found = each.judged
    if found.detected is None:
        return UNKNOWN
    changes = found.detected + (found.missed or 0) + (found.hidden or 0)
    hidden = f" ({found.hidden} under an alarm that stood)" if found.hidden else ""
    return f"{found.detected} of {changes}{hidden}"


def _rollbacks(each: PolicyLine) -> str:
    unknown = each.rollouts_by.get("unknown", 0)
    if not sum(each.rollouts_by.values()):
        return UNKNOWN
    return f"{each.rollbacks} ({unknown} {UNKNOWN})" if unknown else str(each.rollbacks)
