"""What drills come to: the JSON document, the table of `docs/reference/drills.md`, and a report that is kept. Pure."""

from collections.abc import Sequence
from typing import Literal

from msgspec.structs import replace

from flyball.core.record import Record

DETECT_S, RECOVER_S = 300.0, 900.0  # objectives: seen within five minutes, over within fifteen
AUTOMATIC = 0.8  # share of the drills that are to be over with no hand


class DrillRow(Record):
    """One drill."""

    fault: str
    detected_s: float | None  # from the injection; None: not seen
    recovered_s: float | None  # from the injection; None: not seen
    answers_failed: int  # clients without an answer, or with a status of 500 or more
    automatic: bool  # over with no hand; ending a fault that only the outside can end is no hand
    answers_shed: int = 0  # clients that were turned away for want of room (503, `Retry-After`): lost too, if politely
    injected: Literal["real", "port"] = "real"
    detected_by: str = ""
    ended_s: float | None = None  # when the drill ended the fault; None: it was over before
    waited_s: float | None = None  # from the injection, until the drill stopped watching; None: not known
    outcome: Literal["passed", "missed", "aborted"] = "missed"
    why: str = ""  # what was missed
    share: float = 0.0  # of the requests, or rows, that the fault could touch
    answers: dict[str, int] = {}  # ok, fallback, refused, shed, failed, as the drill's own clients counted them
    drill: str = ""  # id on the ledger
    remedies: tuple[str, ...] = ()  # that the loop took by itself meanwhile
    by_hand: str = ""  # what a person had to do afterwards
    figures: dict[str, float] = {}


class LeftOut(Record):
    """A drill that could not be made here."""

    fault: str
    why: str
    refused: bool = False  # it could be made here, and something stood against it at that moment


class DrillReport(Record):
    """What `flyball drill --json` prints."""

    drills: tuple[DrillRow, ...]
    left_out: tuple[LeftOut, ...] = ()
    service: str = ""
    home: str = ""
    seconds: float = 0.0
    report: str = ""  # file in the home's `drills/`
    within_s: float | None = None  # what was asked for; None: nobody asked for a time
    unmet: tuple[str, ...] = ()  # why a drill did not do what was asked, in words

    @property
    def complete(self) -> bool:
        """Whether every drill that could be made here came to its end: one that somebody aborted did not."""
        aborted = any(row.outcome == "aborted" for row in self.drills)
        return not aborted and not any(each.refused for each in self.left_out)

    @property
    def met(self) -> bool:
        """Whether everything was done that was asked for: the exit code."""
        return self.complete and not self.unmet


def outcome_of(row: DrillRow, *, fallback: bool = False) -> tuple[Literal["passed", "missed"], str]:
    """Whether a drill met the objectives, and what it missed. Fallback: somebody is declared to answer where the model
    does not, so no answer may be lost, be it failed or shed.

    >>> row = DrillRow(fault="latency", detected_s=4.0, recovered_s=None, answers_failed=0, automatic=False)
    >>> outcome_of(row)
    ('missed', 'it was not over')
    """
    missed = []
    if row.detected_s is None:
        missed.append("nothing told of it")
    elif row.detected_s > DETECT_S:
        missed.append(f"it was seen after {row.detected_s:.0f} s, later than {DETECT_S:.0f} s")
    if row.recovered_s is None:
        after = "" if row.waited_s is None else f" {row.waited_s:.0f} s after its beginning"
        missed.append(f"it was not over{after}" + (", when the drill stopped waiting" if after else ""))
    elif row.recovered_s > RECOVER_S:
        missed.append(f"it was over after {row.recovered_s:.0f} s, later than {RECOVER_S:.0f} s")
    if fallback and row.answers_failed + row.answers_shed:
        lost = f"{row.answers_failed} answers failed and {row.answers_shed} were shed"
        missed.append(f"{lost}, where a fallback chain is declared and none may be lost")
    return ("missed" if missed else "passed"), "; ".join(missed)


def unmet(rows: Sequence[DrillRow], within_s: float | None) -> tuple[str, ...]:
    """What was asked for and not met: that a fault is seen within a time, and over within as long after its end.

    >>> row = DrillRow(fault="latency", detected_s=4.0, recovered_s=None, answers_failed=0, automatic=False)
    >>> unmet([row], 30.0)
    ('latency: it was seen, and not over in the 30 s that were asked for after the fault had its 30 s',)
    >>> unmet([row], None)
    ()
    """
    if within_s is None:
        return ()
    found = []
    for row in rows:
        if row.outcome == "aborted":
            found.append(f"{row.fault}: it was aborted before its {within_s:g} s were over")
        elif row.detected_s is None:
            found.append(f"{row.fault}: nothing told of it in the {within_s:g} s that were asked for")
        elif row.recovered_s is None:
            after = f"in the {within_s:g} s that were asked for after the fault had its {within_s:g} s"
            found.append(f"{row.fault}: it was seen, and not over {after}")
    return tuple(found)


def with_hand(row: DrillRow, by_hand: str) -> DrillRow:
    """With what a person had to do afterwards; empty: nothing.

    >>> row = DrillRow(fault="latency", detected_s=4.0, recovered_s=9.0, answers_failed=0, automatic=True)
    >>> with_hand(row, "").automatic, with_hand(row, "the data were accepted").automatic
    (True, False)
    """
    return replace(row, by_hand=by_hand, automatic=row.automatic and not by_hand)


def goals(rows: Sequence[DrillRow]) -> tuple[str, ...]:
    """How far the goals are met, in words; empty without drills.

    >>> goals([DrillRow(fault="latency", detected_s=4.0, recovered_s=9.0, answers_failed=0, automatic=True)])[:2]
    ('1 of 1 detected', '1 of 1 over with no hand (goal: 80 %)')
    """
    if not rows:
        return ()
    seen = sum(row.detected_s is not None for row in rows)
    alone = sum(row.automatic for row in rows)
    failed, shed = sum(row.answers_failed for row in rows), sum(row.answers_shed for row in rows)
    return (
        f"{seen} of {len(rows)} detected",
        f"{alone} of {len(rows)} over with no hand (goal: {AUTOMATIC * 100:.0f} %)",
        f"{failed} answers failed, {shed} shed (goal: 0 lost where a fallback exists)",
    )


HEADER = ("fault", "detected after", "recovered after", "answers failed", "shed", "automatic")


def cells(row: DrillRow) -> tuple[str, ...]:
    """A line of the table, as words."""
    return (
        row.fault
        + (" (at the port)" if row.injected == "port" else "")
        + (" (aborted)" if row.outcome == "aborted" else ""),
        _seconds(row.detected_s),
        _seconds(row.recovered_s),
        str(row.answers_failed),
        str(row.answers_shed),
        "yes" if row.automatic else "no" + (f": {row.by_hand}" if row.by_hand else ""),
    )


def markdown(report: DrillReport) -> str:
    """The table and what is behind it.

    >>> print(markdown(DrillReport(drills=(), service="fraud")).splitlines()[0])
    # Drills of fraud
    """
    lines = [f"# Drills of {report.service}", "", *table(report.drills), ""]
    lines += [f"- {line}" for line in goals(report.drills)]
    lines += ["", "## What told of it, and what clients got", ""]
    for row in report.drills:
        answers = ", ".join(f"{count} {name}" for name, count in row.answers.items())
        lines.append(
            f"- **{row.fault}** ({row.drill or 'no id'}): {row.detected_by or 'nothing told of it'}. {answers}."
        )
        if row.remedies:
            lines.append(f"  Remedies: {', '.join(row.remedies)}.")
        if row.why:
            lines.append(f"  Missed: {row.why}.")
    lines += [f"- **{each.fault}** was left out: {each.why}." for each in report.left_out]
    lines += [f"- Not met: {each}." for each in report.unmet]
    return "\n".join(lines) + "\n"


def table(rows: Sequence[DrillRow]) -> list[str]:
    """As Markdown."""
    lines = ["| " + " | ".join(HEADER) + " |", "|" + "---|" * len(HEADER)]
    return lines + ["| " + " | ".join(cells(row)) + " |" for row in rows]


def _seconds(value: float | None) -> str:
    return "not seen" if value is None else f"{value:.1f} s"
