"""What `flyball monitor` says on a terminal: a window as a table of features and a line for each other figure, and each
arm over time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flyball.app.monitor.kept_windows import ArmWindows, KeptWindow, Over
from flyball.app.monitor.standing import FeatureStanding, MonitorStanding, WindowStanding
from flyball.core.ids import short

if TYPE_CHECKING:
    from rich.console import RenderableType

MOST_FEATURES = 20  # told one by one; the others are counted
MOST_FIGURES = 8  # told of one field of a report
NOT_MEASURED = "not measured"
OVER: Mapping[Over, str] = {"5m": "last 5 minutes", "1h": "last hour", "24h": "last day", "7d": "last 7 days"}

# fields of a window report that have a line of their own, with their name for people; whatever else a report holds is
# in the JSON document
FIGURES: Mapping[str, str] = {
    "metric": "live metric",
    "loss": "worse than promised by",
    "estimated": "estimated without labels",
    "labels": "labels",
    "changed": "changed beyond chance",
    "serving": "serving",
    "error_rate": "error rate",
    "failed_rate": "failed answers",
    "latency_p50_ms": "latency p50, ms",
    "latency_p99_ms": "latency p99, ms",
    "dropped": "rows without a record",
}


def page(found: Sequence[MonitorStanding]) -> "RenderableType":
    """All services, one below the other."""
    from rich.console import Group
    from rich.text import Text

    if not found:
        return Text("no service on this ledger")
    parts: list[RenderableType] = []
    for number, each in enumerate(found):
        parts += [Text("")] if number else []
        parts += _service(each)
    return Group(*parts)


def _service(each: MonitorStanding) -> "Iterator[RenderableType]":
    from rich.text import Text

    champion = f"champion {short(each.champion)}" if each.champion else "no champion"
    yield Text(f"{each.service}: {champion}")
    if each.window is None:
        yield Text("no window has closed yet")
    else:
        yield Text(heading(each.window))
        yield _features(each.window.features)
        yield Text("\n".join(lines(each.window.report)))
    for arm in each.arms:
        yield from _arm(arm)
    signals = ", ".join(each.open_signals) or "none"
    yield Text(f"open signals: {signals}" + (f"; incident {each.incident}" if each.incident else ""))
    yield Text("waits for: " + ("\n           ".join(each.waiting_for) or "nothing"))


def heading(window: WindowStanding) -> str:
    """Which window this is."""
    told = window.report
    return (
        f"window {told['index']} of release {short(told['release'])}: {told['rows']} rows "
        f"({told['first_row']} to {told['last_row']}), {window.start[:19]}Z to {window.end[:19]}Z"
    )


def _features(found: Sequence[FeatureStanding]) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    if not found:
        return Text("no feature was measured in it")
    table = Table("feature", "PSI", "verdict", "", box=None)
    for each in found[:MOST_FEATURES]:
        table.add_row(Text(each.name), f"{each.psi:.4f}", each.verdict, _why(each))
    if len(found) > MOST_FEATURES:
        table.add_row(f"and {len(found) - MOST_FEATURES} more", f"below {found[MOST_FEATURES - 1].psi:.4f}", "", "")
    return table


def _why(each: FeatureStanding) -> str:
    told = [] if each.of == "input" else ["an answer"]
    if each.level is None or each.limit is None:
        return "".join(told)
    windows = "1 window" if each.consecutive == 1 else f"{each.consecutive} windows in a row"
    return "; ".join([*told, f"{each.level}: over {each.limit:g} for {windows}"])


def _arm(each: ArmWindows) -> "Iterator[RenderableType]":
    from rich.table import Table
    from rich.text import Text

    yield Text(f"over time, {each.arm} {short(each.release)}")
    if each.windows:
        table = Table("", "counted from", "rows", "largest PSI", "verdict", "drifted", box=None)
        for window in each.windows:
            table.add_row(*map(Text, over_time(window)))
        yield table
    for note in each.notes:
        yield Text(note)


def over_time(window: KeptWindow) -> tuple[str, ...]:
    """One span in the columns of the table."""
    if window.over == "hour":
        weeks = f"{window.weeks} earlier weeks" if (window.weeks or 0) > 1 else f"{window.weeks or 'no'} earlier week"
        name = f"{window.start[11:16]} to {window.end[11:16]}Z, {weeks}"
    else:
        name = OVER[window.over]
    first = f"{window.first[:16]}Z" if window.first else "-"
    if window.largest is None or window.largest.psi is None:
        return name, first, str(window.rows), "-", "not enough", "-"
    largest = window.largest
    verdict = window.verdict + (f" ({window.level})" if window.level else "")
    drifted = ", ".join(window.drifted[:MOST_FIGURES])
    if len(window.drifted) > MOST_FIGURES:
        drifted += f" and {len(window.drifted) - MOST_FIGURES} more"
    return name, first, str(window.rows), f"{largest.name} {largest.psi:.4f}", verdict, drifted or "-"


def lines(report: Mapping[str, Any]) -> Iterator[str]:
    """The other figures of a window report, what is absent told as not measured, and its findings."""
    for name, called in FIGURES.items():
        yield f"{called}: {told(report.get(name))}"
    for each in report.get("quality", ()):
        yield f"quality: {each['detail']}"
    for each in report.get("signals", ()):
        if each["signal"] not in ("psi", "quality"):
            of = f" of {each['feature']}" if each["feature"] else ""
            yield f"signal {each['signal']}{of} ({each['level']}): {each['detail'] or told(each['value'])}"


def told(value: Any) -> str:
    """A figure, an estimate or a small record on one line.

    >>> told({"value": 0.8123456, "low": 0.79, "high": 0.83, "n": 1000, "confidence": 0.95})
    '0.8123 (0.79 to 0.83, n 1000)'
    >>> told(None), told({}), told({"champion": 0.01, "candidate": 0.5}), told(12.5)
    ('not measured', 'not measured', 'champion 0.01, candidate 0.5', '12.5')
    """
    match value:
        case None | "" | () | []:
            return NOT_MEASURED
        case dict() if {"value", "low", "high", "n"} <= value.keys():
            return f"{value['value']:.4g} ({value['low']:.4g} to {value['high']:.4g}, n {value['n']})"
        case dict():
            shown = [(name, told(each)) for name, each in value.items() if each not in (None, (), [], {}, "")]
            return ", ".join(f"{name} {text}" for name, text in shown[:MOST_FIGURES]) or NOT_MEASURED
        case list() | tuple():
            return "; ".join(map(told, value[:MOST_FIGURES]))
        case float():
            return f"{value:.4g}"
        case _:
            return str(value)
