"""Windows over time on a terminal of 80 columns: a line a window, and below it what was found in it.

Intervals and times to the second are in the JSON document and on the page; a release stands once, above its windows.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flyball.app.monitor.standing import WindowStanding, drifted
from flyball.core.ids import short

WIDTH = 80
NAME = 15  # letters of a feature's name
MOST_NAMED = 8  # features of a window, largest PSI first; the others are counted
LINE = "{:>6}  {:<17}  {:>7}  {:<22}  {:>9}  {:>9}"
INDENT = " " * 8


def lines(windows: Sequence[WindowStanding]) -> Iterator[str]:
    """All windows, in their order; none is wider than `WIDTH`."""
    yield LINE.format("window", "until", "rows", "largest PSI", "metric", "loss").rstrip()
    release = None
    for each in windows:
        if each.report["release"] != release:
            release = each.report["release"]
            yield f"release {short(release)}"
        yield _line(each).rstrip()
        for found in _found(each):
            yield from textwrap.wrap(found, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT + "  ")
    if any(each.report["metric"] is not None for each in windows):
        yield "metric and loss: of the rows whose labels had come to count by then"


def _line(each: WindowStanding) -> str:
    report, first = each.report, each.features[0] if each.features else None
    largest = "-" if first is None else f"{_shortened(first.name)} {first.psi:{'.3f' if first.psi < 100 else '.0f'}}"
    until = f"{each.end[:10]} {each.end[11:16]}Z"
    return LINE.format(
        report["index"], until, report["rows"], largest, _value(report["metric"]), _value(report["loss"])
    )


def _found(each: WindowStanding) -> Iterator[str]:
    names = [_shortened(name) for name in drifted(each.features)]
    if names:
        rest = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        yield f"drifted: {', '.join(names[:MOST_NAMED])}{rest}"
    others = sorted({signal["signal"] for signal in each.report["signals"] if signal["signal"] != "psi"})
    if others:
        yield f"signals: {', '.join(others)}"


def _value(estimate: Mapping[str, Any] | None) -> str:
    return "-" if estimate is None else f"{estimate['value']:.3g}"


def _shortened(name: str) -> str:
    line = "".join(letter if letter.isprintable() else "�" for letter in name)
    return line if len(line) <= NAME else f"{line[: NAME - 1]}…"
