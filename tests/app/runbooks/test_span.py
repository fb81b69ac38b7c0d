"""The span that a runbook fills in: from the beginning of what is wrong, and no further than what is sealed."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.app.monitor.watched_home import START, logged, made, traffic
from tests.app.said import Said, said
from tests.control.world import NAME, first_champion

from flyball.adapters.prediction_log.query import tables
from flyball.app.home import Home
from flyball.app.runbooks.shelf import runbook
from flyball.app.runbooks.subject import subject_of
from flyball.app.wiring.ledger import ledger_of
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.ids import ServiceName

__all__ = ["said"]  # a fixture of the other file
ROWS, FIRST = 400, 150


def at(seconds: float) -> str:
    return timestamp(datetime.fromtimestamp(START + seconds, UTC))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Rows that broke from one of them on, in an incident that is still open, and the repaired rows beside it."""
    made(tmp_path)
    shutil.move(tmp_path / "home", tmp_path / "fraud" / ".flyball")
    there = Home(tmp_path / "fraud" / ".flyball")
    logged(there, traffic(ROWS, drifted_from=FIRST))
    opened = e.IncidentOpened(
        service=ServiceName("fraud"), incident="in-q", kind="data_quality", reason="r", row=FIRST, began=at(FIRST)
    )
    with ledger_of(there) as ledger:
        ledger.append([opened])
    log = tables(there.telemetry("fraud"), ("predictions",))["predictions"].sort("at").collect()
    ids = log["id"][FIRST:].alias("id")
    traffic(ROWS)[FIRST:].with_columns(ids).drop("is_fraud").write_parquet(tmp_path / "repaired.parquet")
    monkeypatch.setenv("FLYBALL_HOME", str(there.root))
    monkeypatch.chdir(tmp_path)
    return there


def test_an_open_incident_of_the_data_is_made_again_from_its_beginning_up_to_what_is_sealed(
    home: Home, said: Said
) -> None:
    code, document = said("runbook", "run", "pipeline-break", "--service", "fraud", "--yes", "--step", "5")
    assert (code, document["stopped"]) == (0, False), document
    with ledger_of(home) as ledger:
        (done,) = [one.fact for one in ledger.read() if isinstance(one.fact, e.BackfillDone)]
    assert (done.since, done.until, done.rows, done.incident) == (at(FIRST), at(ROWS), ROWS - FIRST, "in-q")


def test_a_span_of_which_nothing_is_sealed_stays_whole_and_the_backfill_says_what_it_waits_for(
    home: Home, said: Said, tmp_path: Path
) -> None:
    later = e.IncidentOpened(service=ServiceName("fraud"), incident="in-r", kind="data_quality", reason="r", row=900)
    with ledger_of(home) as ledger:
        ledger.append([later])
    words = ("runbook", "run", "pipeline-break", "--service", "fraud", "--incident", "in-r", "--dry-run", "--step", "5")
    (backfill,) = said(*words)[1]["commands"]
    code, document = said(*backfill["command"].split()[1:])
    assert code == 2
    assert "wait until the span is over" in str(document)


def test_rows_that_a_quarantine_kept_out_beyond_the_incident_are_in_the_span_of_their_repair(tmp_path: Path) -> None:
    opened = e.IncidentOpened(
        service=NAME, incident="in-q", kind="upstream", reason="r", cause="freshness/amount", began=at(100)
    )
    begun = e.RemedyBegun(
        service=NAME, remedy="re-1", kind="quarantine", cause="freshness/amount", number=0, why="w", verify_by=at(999),
        target="in-q", row=5, since=at(100), incident="in-q",
    )  # fmt: skip
    over = e.IncidentClosed(service=NAME, incident="in-q", how="recovered", reason="gone")
    ended = e.RemedyEnded(service=NAME, remedy="re-1", why="it is over", row=90)
    with ledger_of(Home(tmp_path)) as ledger:
        ledger.append([*first_champion(), opened, begun, over])
        (entry,) = ledger.append([ended])
        _, values = subject_of(ledger, NAME, "in-q", book=runbook("pipeline-break"))
        assert (values["since"], values["until"]) == (at(100), entry.at)
        _, values = subject_of(ledger, NAME, "in-q", book=runbook("pipeline-break"), sealed_until=at(300))
        assert (values["since"], values["until"]) == (at(100), entry.at), "a part of it would pay for all of it"


def test_the_repair_that_is_owed_ends_with_the_last_broken_row_and_not_with_its_incident(tmp_path: Path) -> None:
    """The ticket and the runbook name one span: rows were good again before anybody was sure enough to close it."""
    opened = e.IncidentOpened(
        service=NAME, incident="in-q", kind="data_quality", reason="r", cause="data_quality", row=5, began=at(80)
    )
    begun = e.RemedyBegun(
        service=NAME, remedy="re-1", kind="quarantine", cause="data_quality", number=0, why="w", verify_by=at(999),
        target="in-q", row=5, since=at(100), incident="in-q",
    )  # fmt: skip
    over = e.IncidentClosed(service=NAME, incident="in-q", how="recovered", reason="gone", row=90, over=at(200))
    ended = e.RemedyEnded(service=NAME, remedy="re-1", why="it is over", row=90)
    with ledger_of(Home(tmp_path)) as ledger:
        ledger.append([*first_champion(), opened, begun, over, ended])
        state = ServiceState(service=NAME)
        for entry in ledger.read(subject=NAME):
            state = fold(state, entry)
        owed = state.healing.unrepaired["in-q"]
        _, values = subject_of(ledger, NAME, "in-q", book=runbook("pipeline-break"))
    assert (values["since"], values["until"]) == (owed.since, owed.until) == (at(100), at(200))
