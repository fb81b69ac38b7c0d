"""Facts of the ledger as changes: what begins to be wrong, and what is over."""

from tests.control.world import BACK, FIRST, NAME

from flyball.app.drills.seen import Change, FactReader
from flyball.core import events as e
from flyball.core.health import Health, Sign
from flyball.core.ids import Epoch
from flyball.core.ledger import Entry
from flyball.core.watching import Signal

AT = "2026-11-21T10:00:00.000000Z"


def read(*facts: e.AnyFact) -> list[tuple[str, str]]:
    reader = FactReader()
    found: list[Change] = []
    for seq, fact in enumerate(facts, 1):
        entry = Entry(seq=seq, at=AT, type="", subject=NAME, fact=fact, prev_hash="", hash="")
        found += reader.take(entry)
    return [(each.key, each.what) for each in found]


def sign(kind: str) -> Sign:
    assert kind in ("errors", "latency")
    return Sign(
        kind="errors" if kind == "errors" else "latency",
        severity="critical",
        value=1.0,
        limit=0.5,
        since=AT,
        why="measured",
        clears="less",
    )


def test_a_signal_begins_and_ends_under_its_kind_and_feature() -> None:
    signal = Signal(
        signal="psi", level="act", value=0.3, limit=0.25, release=FIRST, window=1, first_row=1, last_row=9, feature="a"
    )
    assert read(
        e.SignalRaised(service=NAME, signal=signal), e.SignalCleared(service=NAME, signal="psi", feature="a")
    ) == [("signal/psi/a", "begins"), ("signal/psi/a", "ends")]


def test_an_incident_ends_under_the_cause_it_began_with_one_that_a_drill_explains_too() -> None:
    assert read(
        e.IncidentOpened(service=NAME, incident="in-1", kind="data_quality", reason="rows break the contract"),
        e.IncidentOpened(service=NAME, incident="in-2", kind="drill", reason="a drill", cause="errors"),
        e.IncidentClosed(service=NAME, incident="in-2", how="recovered", reason="over"),
        e.IncidentClosed(service=NAME, incident="in-1", how="new_normal", reason="steady"),
    ) == [
        ("incident/data_quality/in-1", "begins"),
        ("incident/errors/in-2", "begins"),
        ("incident/errors/in-2", "ends"),
        ("incident/data_quality/in-1", "ends"),
    ]


def test_an_incident_is_over_when_its_cause_was_and_not_when_that_was_sure() -> None:
    """Red before: the time in which the loop makes sure was counted as time that clients had to wait."""
    reader = FactReader()

    def at(second: str, fact: e.AnyFact) -> tuple[Change, ...]:
        moment = AT.replace("00.000000Z", f"{second}.000000Z")
        return reader.take(Entry(seq=1, at=moment, type="", subject=NAME, fact=fact, prev_hash="", hash=""))

    for name, recovered_s, over_after in (("in-1", 12.0, 12.0), ("in-2", None, 50.0), ("in-3", 99.0, 50.0)):
        opened = e.IncidentOpened(service=NAME, incident=name, kind="health", reason="errors", cause="errors")
        closed = e.IncidentClosed(service=NAME, incident=name, how="recovered", reason="-", recovered_s=recovered_s)
        (begins,), (ends,) = at("00", opened), at("50", closed)
        assert ends.at - begins.at == over_after


def test_health_tells_of_each_sign_once() -> None:
    def told(*kinds: str) -> e.HealthChanged:
        return e.HealthChanged(
            service=NAME, health=Health(state="UNHEALTHY", signs=tuple(sign(each) for each in kinds))
        )

    assert read(told("errors"), told("errors", "latency"), told("latency"), told()) == [
        ("health/errors", "begins"),
        ("health/latency", "begins"),
        ("health/errors", "ends"),
        ("health/latency", "ends"),
    ]


def test_a_rollback_is_over_when_the_gateway_holds_its_weights() -> None:
    earlier, applied = (e.RoutingApplied(service=NAME, epoch=Epoch(epoch), key="") for epoch in (2, 3))
    assert read(BACK, earlier) == [("rollback/ro-1", "begins")]
    assert read(BACK, earlier, applied) == [("rollback/ro-1", "begins"), ("rollback/ro-1", "ends")]
