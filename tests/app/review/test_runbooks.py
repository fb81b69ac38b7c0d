"""Runbooks of the package and of a service, looked through as the checklist does."""

from datetime import date, timedelta
from pathlib import Path

from flyball.app.cli.parsed import fault_of
from flyball.app.review.runbooks import FRESH_DAYS, looked_through
from flyball.app.runbooks.shelf import shelf, text_of

TODAY = max(date.fromisoformat(book.reviewed) for book in shelf().values())


def test_those_of_the_package_are_fresh_and_would_run() -> None:
    found = looked_through("fraud", None, TODAY, fault_of)
    assert found.ok
    assert f"{len(shelf())} runbooks, 0 of them its own" in found.why
    assert found.why.endswith("of pipeline-break only about an incident")


def test_one_that_nobody_has_reviewed_for_a_year_is_named_with_its_age() -> None:
    found = looked_through("fraud", None, TODAY + timedelta(days=FRESH_DAYS + 1), fault_of)
    assert found.ok is False
    assert f"data-drift, {FRESH_DAYS + 1} days ago" in found.why


def test_one_of_the_service_whose_command_no_verb_knows_stops_the_dry_run(tmp_path: Path) -> None:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    mine = text_of("data-drift").replace("$ flyball monitor status", "$ flyball monitor statos", 1)
    assert mine != text_of("data-drift")
    (folder / "data-drift.md").write_text(mine)
    found = looked_through("fraud", tmp_path, TODAY, fault_of)
    assert found.ok is False
    assert "data-drift" in found.why


def test_one_that_cannot_be_read_is_a_failure_with_its_faults(tmp_path: Path) -> None:
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "mine.md").write_text("no title\n")
    found = looked_through("fraud", tmp_path, TODAY, fault_of)
    assert found.ok is False
    assert "a title" in found.why
