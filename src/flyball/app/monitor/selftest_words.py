"""What `flyball monitor selftest` says on a terminal."""

from typing import TYPE_CHECKING

from flyball.app.monitor.selftested import Detector, Planted, SelfTest
from flyball.core.ids import short

if TYPE_CHECKING:
    from rich.console import RenderableType


def page(told: SelfTest) -> "RenderableType":
    """Delays, false alarms, and the two that know nothing beside them."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    delays = Table("planted", "into", "found after", "first warning", "by", box=None)
    for each in told.planted:
        delays.add_row(each.change, Text(each.feature), _after(each, told), _rows(each.warned_rows), each.by or "-")
    beside = Table("detector", "windows in false alarm", "median delay, windows", "missed", box=None)
    for one in told.detectors:
        beside.add_row(*_beside(one))
    return Group(Text("\n".join(_heading(told))), delays, Text(_false(told)), beside, Text("\n".join(told.notes)))


def _heading(told: SelfTest) -> list[str]:
    span = f"{told.traffic_from[:19]}Z to {told.traffic_to[:19]}Z"
    return [
        f"{told.service}, release {short(told.release)}: {told.traffic_rows} rows of {span}, seed {told.seed}",
        f"windows of {told.window_rows} rows; alarms after {told.consecutive} windows at act in a row",
    ]


def _after(each: Planted, told: SelfTest) -> str:
    if each.already:
        return "was in alarm before"
    if each.delay_rows is None:
        return f"missed ({told.most_windows} windows)"
    return f"{each.delay_windows} windows ({each.delay_rows} rows)"


def _rows(rows: int | None) -> str:
    return "-" if rows is None else f"{rows} rows"


def _false(told: SelfTest) -> str:
    low, high = told.false_alarms
    names = f"; by {', '.join(told.false_features[:5])}" if told.false_features else ""
    return (
        f"undrifted: {told.alarmed} of {told.windows} windows in alarm ({low:.2%} to {high:.2%}), in "
        f"{told.alarmed_copies} of {told.copies} copies{names}"
    )


def _beside(one: Detector) -> tuple[str, ...]:
    delay = "-" if one.median_delay_windows is None else f"{one.median_delay_windows:g}"
    return one.name, f"{one.false_alarms:.2%}", delay, "-" if one.missed is None else f"{one.missed:.0%}"
