"""The page of alerts has every cause as the code has it, and every key of a notice."""

from pathlib import Path

import msgspec

from flyball.control.alerts.table import EXPLAINS, TABLE
from flyball.core.notice import Notice

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "alerts.md").read_text()
PAGES = {"warning": "always", "critical": "critical", "failed": "failed", "never": "never, unless no remedy helped"}


def test_every_cause_has_its_line() -> None:
    lines = [line for line in PAGE.splitlines() if line.startswith("| `") and line.count("|") == 6]
    expected = []
    for cause, row in TABLE.items():
        by = ", ".join(f"`{known}`" for known, symptoms in EXPLAINS.items() if cause in symptoms)
        expected.append(f"| `{cause}` | {row.name} | {PAGES[row.pages_from]} | `{row.runbook}` | {by} |")
    assert lines == expected


def test_every_key_of_a_notice_is_named() -> None:
    assert [field.name for field in msgspec.structs.fields(Notice) if f"`{field.name}`" not in PAGE] == []
