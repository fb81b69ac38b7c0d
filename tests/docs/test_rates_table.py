"""Which rate can be seen at which traffic: the table of docs/how-to/see-health.md, computed anew by the exact test."""

from pathlib import Path

from flyball.control.reconcile.vitals import NEWEST
from flyball.core.service import HealthRules
from flyball.stats.scoring.rate_above import surely_above

PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/see-health.md"
RULES = HealthRules()
NEWEST_S = NEWEST * RULES.span_s
TRAFFIC = (0.005, 0.1, 1, 5, 20, 100, 1000)
HEAD = "| rows a second | in five minutes | in the newest one |"


def needed(rows: int) -> str:
    """Fewest errors that are a sign, of so many rows, and the share that they are."""
    for events in range(1, rows + 1):
        if surely_above(events, rows, RULES.errors, alpha=RULES.alpha):
            return f"{events:,} of {rows:,} ({100 * events / rows:.2g} %)"
    return "no number is enough"


def table() -> list[str]:
    return [f"| {rps:,} | {needed(round(rps * RULES.span_s))} | {needed(round(rps * NEWEST_S))} |" for rps in TRAFFIC]


def test_the_table_says_what_the_test_says() -> None:
    lines = PAGE.read_text().splitlines()
    start = lines.index(HEAD) + 2
    assert lines[start : start + len(TRAFFIC) + 1] == [*table(), ""]
