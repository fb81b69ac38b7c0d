"""The last screen of the demo: what happened, how long it took, and whether all of it was seen. Pure."""

from typing import TYPE_CHECKING

from flyball.app.demo.report import Report

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text


def screen(report: Report) -> "Group":
    """For a terminal of 100 columns and about 40 lines."""
    from rich.console import Group
    from rich.text import Text

    return Group(
        Text(""),
        Text("What happened", style="bold"),
        _story(report),
        Text(""),
        Text("What it took", style="bold"),
        _figures(report),
        Text(""),
        *_verdict(report),
    )


def _story(report: Report) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table("s", "chapter", "", box=None, padding=(0, 1), show_header=False)
    told = ""
    for line in report.story:
        chapter = line["chapter"] if line["chapter"] != told else ""
        told = line["chapter"]
        table.add_row(Text(f"{line['at_s']:6.1f}", style="dim"), Text(chapter, style="cyan"), Text(line["what"]))
    return table


def _figures(report: Report) -> "Table":
    from rich.table import Table

    table = Table(box=None, padding=(0, 1), show_header=False)
    for name, told in figures(report):
        table.add_row(name, told)
    return table


def figures(report: Report) -> list[tuple[str, str]]:
    """Detection and recovery, requests and the ledger, as words.

    >>> dict(figures(Report()))["requests"]
    '0 sent, 0 answered, 0 failed'
    """
    lines = [
        (
            f"rolled back for {each.cause}",
            f"after {each.requests} requests and {each.seconds:g} s by the {each.by}, "
            f"{each.events} bad answers of its own, {each.failed_answers} clients without an answer",
        )
        for each in report.rollbacks
    ]
    if report.kill is not None:
        kill = report.kill
        lines.append(
            (
                "controller killed",
                f"taken up again after {kill.seconds:g} s; {kill.answered} requests answered, {kill.failed} failed",
            )
        )
    drift = report.drift
    if drift.feature is not None:
        found = f"{drift.feature} after {drift.rows} requests and {drift.seconds:g} s"
        recovered = f", new release in service after {drift.recovered_s:g} s" if drift.promoted else ""
        lines.append(("drift", f"{found}: {(drift.diagnosis or 'no diagnosis').replace('_', ' ')}{recovered}"))
    if drift.roc_auc:
        lines.append(("AUC of the answers", ", ".join(f"{when} {auc:.3f}" for when, auc in drift.roc_auc.items())))
    asked = report.requests
    latency = f", p50 {asked.latency_p50_ms:g} ms, p99 {asked.latency_p99_ms:g} ms" if asked.latency_p50_ms else ""
    lines.append(("requests", f"{asked.sent} sent, {asked.answered} answered, {asked.failed} failed{latency}"))
    state = "verified" if report.ledger.verified else f"NOT VERIFIED: {report.ledger.reason}"
    lines.append(("ledger", f"{report.ledger.events} events, {state}"))
    return lines


def _verdict(report: Report) -> "list[Text]":
    from rich.text import Text

    if report.ok:
        words = Text(f"All of it was seen, in {report.seconds:.0f} s. State: {report.home}", style="bold green")
        return [
            words,
            Text("flyball explain fraud --home FOLDER tells the rest."),
        ]
    absent = [Text(f"  {what}", style="red") for what in dict.fromkeys(report.not_seen)]
    return [Text(f"Not seen ({report.seconds:.0f} s; state: {report.home}):", style="bold red"), *absent]
