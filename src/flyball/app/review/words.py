"""Figures of a review as people read them: a value in its unit, a target with its sign."""

from flyball.control.review.figures import Unit
from flyball.control.review.scorecard import Line

MARKS = {"met": "met", "missed": "MISSED", "unknown": "unknown", "no target": "-"}


def value_of(line: Line) -> str:
    return "unknown" if line.value is None else amount(line.value, line.unit)


def target_of(line: Line) -> str:
    if line.target is None:
        return "-"
    return f"{'>=' if line.better == 'higher' else '<='} {amount(line.target, line.unit)}"


def verdict_of(line: Line) -> str:
    """A verdict that the next few cases may turn is marked so; a target is never called missed by so few."""
    return MARKS[line.met] + (" (n is small)" if line.sure is False else "")


def amount(value: float, unit: Unit) -> str:
    """A number with its unit.

    >>> amount(0.99975, "share"), amount(900, "s"), amount(0.2283, "per week"), amount(1, "objectives")
    ('99.975 %', '15 min', '0.23 a week', '1')
    """
    match unit:
        case "share":
            return f"{100 * value:.6g} %"
        case "s":
            return duration(value)
        case "per month":
            return f"{value:.2f} a month"
        case "per week":
            return f"{value:.2f} a week"
        case "cost":
            return f"{value:.3g}"
        case "objectives":
            return f"{value:.0f}"


def duration(seconds: float) -> str:
    """The largest unit of which there is one at least.

    >>> duration(12.34), duration(900), duration(7_200), duration(7 * 86_400)
    ('12.3 s', '15 min', '2 h', '7 d')
    """
    for length, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds / length:.3g} {name}"
    return f"{seconds:.3g} s"


def age_of(seconds: float | None) -> str:
    """How long ago, for a table."""
    return "-" if seconds is None else duration(seconds)
