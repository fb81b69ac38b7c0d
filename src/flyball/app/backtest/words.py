"""A backtest for people: the policies side by side, then what nobody can know."""

from collections.abc import Iterator, Sequence

from flyball.app.backtest.policies import is_judged
from flyball.app.backtest.report import Backtest, PolicyLine
from flyball.app.backtest.truth import Truth

UNKNOWN = "unknown"
SEEN = ("alarms", "false", "false per 1,000 windows", "detected", "delay, rows", "known to row")
DONE = ("retrains", "training, s", "cost", "rollbacks", "rows by bad champions", "rows by bad candidates")
HEADS = ("policy", *SEEN, *DONE)


def page(found: Backtest) -> str:
    """What each policy saw, what it did, and the notes. Two tables, for one is wider than a screen; nothing is cut."""
    rows = [HEADS, *(cells(each, found.last_row) for each in found.policies)]
    halves = [[(row[0], *row[1 : 1 + len(SEEN)]) for row in rows], [(row[0], *row[1 + len(SEEN) :]) for row in rows]]
    return "\n".join([*beside(halves[0]), "", *beside(halves[1]), "", *lines(found)])


def beside(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Cells below one another, as wide as the widest of their column."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def cells(each: PolicyLine, last_row: int) -> tuple[str, ...]:
    """One policy in the columns of the tables: HEADS."""
    beside, asked = each.judged, each.retrains_by
    kinds = ", ".join(f"{n} {outcome}".replace("_", " ") for outcome, n in asked.items())
    of = f" ({kinds})" if asked else ""
    false = UNKNOWN if beside.false_alarms is None else str(beside.false_alarms)
    judged = f" ({beside.unjudged} {UNKNOWN})" if beside.unjudged and beside.false_alarms is not None else ""
    return (
        each.policy,
        f"{each.alarms} ({', '.join(f'{n} {kind}' for kind, n in each.alarms_by.items())})" if each.alarms else "0",
        false + judged,
        UNKNOWN if each.false_per_1000_windows is None else f"{each.false_per_1000_windows:.1f}",
        _detected(each),
        UNKNOWN if beside.detected is None else "-" if beside.delay_rows is None else f"{beside.delay_rows:.0f}",
        "the end" if each.known_to_row >= last_row else str(each.known_to_row),
        f"{each.retrains}{of}",
        UNKNOWN if each.training_s is None else f"{each.training_s:.4g}",
        UNKNOWN if each.cost is None else f"{each.cost:.4g}",
        _rollbacks(each),
        _bound(each.bad_rows, at_least=each.bad_rows_at_least),
        _bound(each.bad_requests, at_least=each.bad_requests_at_least),
    )


def lines(found: Backtest) -> list[str]:
    """What is said below the table."""
    told = [
        f"{found.service}: rows {found.first_row} to {found.last_row}, history: {found.history}",
        f"truth: {_truth(found.truth)}",
    ]
    for each in found.policies:
        if each.left is not None:
            told.append(
                f"{each.policy}: from row {each.left.row} on nobody knows its releases: {each.left.why}; "
                "its figures from there on are about the recorded windows"
            )
        hidden = [setting for setting in each.not_judged if is_judged(setting)]
        beyond = [setting for setting in each.not_judged if not is_judged(setting)]
        if hidden:
            told.append(f"{each.policy}: not judged, this history does not show it: {', '.join(hidden)}")
        if beyond:
            told.append(f"{each.policy}: not judged, the recorded ones stand: {', '.join(beyond)}")
        if each.guessed:
            told.append(
                f"{each.policy}: {each.guessed} PSI below the recorded warn were taken as more than chance: "
                "that test is not on record"
            )
    return [*told, *found.notes]


def _truth(known: Truth) -> str:
    if known.by == "unknown":
        return f"{known.why}, so nobody knows which alarms are false; --changes ROW ... names what is known"
    return f"{known.why}; an alarm within {known.within_rows} rows of a change tells of it"


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
        return "-"
    good = sum(one.outcome == "rolled_back" and one.recorded == "promoted" for one in each.rollout_list)
    told = [f"{good} promoted on record"] if good else []
    told += [f"{unknown} {UNKNOWN}"] if unknown else []
    return f"{each.rollbacks} ({', '.join(told)})" if told else str(each.rollbacks)


def _bound(rows: int | None, *, at_least: bool) -> str:
    if rows is None:
        return UNKNOWN
    return f"{'at least ' if at_least else ''}{rows}"
