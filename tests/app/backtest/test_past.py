"""What a backtest takes from a ledger as given, and what it decides anew."""

from tests.control.world import NAME

from flyball.app.backtest.past import past
from flyball.core import events as e
from flyball.core.facts.incident import IncidentKind
from flyball.core.ledger import Entry


def entries(*facts: e.AnyFact) -> list[Entry]:
    at = "2026-01-01T00:00:00.000000Z"
    return [
        Entry(seq=n, at=at, type="?", subject=NAME, fact=fact, prev_hash="", hash="") for n, fact in enumerate(facts, 1)
    ]


def opened(kind: IncidentKind) -> e.IncidentOpened:
    return e.IncidentOpened(service=NAME, incident=f"in-{kind}", kind=kind, reason="broken")


def recovered(kind: IncidentKind) -> e.IncidentClosed:
    return e.IncidentClosed(service=NAME, incident=f"in-{kind}", how="recovered", reason="gone")


def test_a_supply_that_recovered_is_decided_anew_and_an_outage_that_did_is_history() -> None:
    told = entries(opened("data_quality"), recovered("data_quality"), opened("health"), recovered("health"))
    assert [entry.fact for entry in past(NAME, told).entries] == [opened("health"), recovered("health")]
