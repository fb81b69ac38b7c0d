"""Rows that a quarantine kept out are owed a repair: a ticket with the very command, until they were filled in."""

from datetime import timedelta

from msgspec.structs import replace
from tests.control.healing.patient import Patient, incident, patient_service
from tests.control.world import NAME

from flyball.control.decision import Learning
from flyball.control.reconcile import Seen
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.health import Sign
from flyball.core.service import Alerts, Incidents

DAY_S = 86_400.0


def recovered(patient: Patient, how: str = "recovered", row: int = 0) -> Patient:
    """An incident of the data came and went; its rows are kept out."""
    patient.write(replace(incident("data_quality", "data_quality", "in-7"), row=500))
    patient.sensor.seen = Seen(learning=Learning(row=900))
    patient.tick()
    patient.after(60)
    patient.write(e.IncidentClosed(service=NAME, incident="in-7", how=how, reason="over", row=row))  # type: ignore[arg-type]
    patient.tick()
    return patient


def told(**incidents: str) -> Patient:
    return Patient(replace(patient_service(), alerts=Alerts(on_call=("ada",)), incidents=Incidents(**incidents)))  # type: ignore[arg-type]


def raised(patient: Patient) -> list[e.AlertRaised]:
    facts = [fact for fact in patient.all_facts() if isinstance(fact, e.AlertRaised)]
    return [fact for fact in facts if fact.cause == "repair/in-7"]


def filled_in(since: str, until: str, name: str | None = None, *, left_out: int = 0) -> e.BackfillDone:
    return e.BackfillDone(
        service=NAME,
        backfill="sha256:1",
        since=since,
        until=until,
        rows=400,
        labels=0,
        panes=1,
        source="s",
        output="o",
        by="ada",
        proof="os_user",
        incident=name,
        left_out=left_out,
        missing=tuple(f"p-{n}" for n in range(min(left_out, 5))),
    )


def test_the_ticket_holds_the_command_with_the_span_and_is_over_once_it_was_done() -> None:
    patient = recovered(told())
    owed = patient.reconciler.state.healing.unrepaired["in-7"]
    (ticket,) = raised(patient)
    assert (ticket.urgency, ticket.runbook) == ("ticket", "pipeline-break")
    command = f"flyball backfill {NAME} --since {owed.since} --until {owed.until} --rows FILE --incident in-7"
    assert command in ticket.detail
    opened = next(entry.at for entry in patient.ledger.read() if isinstance(entry.fact, e.IncidentOpened))
    assert owed.since == opened < owed.until
    patient.write(filled_in(owed.since, owed.until, "in-7"))
    patient.tick()
    assert patient.reconciler.state.healing.unrepaired == {}
    assert "repair/in-7" not in patient.reconciler.state.alerts.open


def test_what_the_table_did_not_bring_is_owed_by_number_and_name_until_it_is_brought() -> None:
    patient = recovered(told())
    owed = patient.reconciler.state.healing.unrepaired["in-7"]
    patient.write(filled_in(owed.since, owed.until, "in-7", left_out=10))
    patient.tick()
    ticket = raised(patient)[1]
    assert ticket.summary == "10 of 410 rows of incident in-7 stay out of trainings until they are repaired"
    assert "p-0, p-1, p-2, p-3, p-4 and others" in ticket.detail
    assert f"--since {owed.since} --until {owed.until} --rows FILE --incident in-7" in ticket.detail
    assert "--rest-is-lost" in ticket.detail
    patient.after(60)
    assert len(raised(patient)) == 2, "told once"
    patient.write(filled_in(owed.since, owed.until, "in-7", left_out=2))
    patient.tick()
    assert raised(patient)[-1].summary.startswith("2 of 402 rows")
    patient.write(filled_in(owed.since, owed.until, "in-7"))
    assert patient.tick().healing.unrepaired == {}
    patient.tick()
    assert "repair/in-7" not in patient.reconciler.state.alerts.open


def test_what_nobody_can_bring_is_owed_no_more_and_labels_alone_pay_nothing() -> None:
    patient = recovered(told())
    owed = patient.reconciler.state.healing.unrepaired["in-7"]
    whole = filled_in(owed.since, owed.until, "in-7", left_out=10)
    patient.write(replace(whole, rows=0, labels=400, left_out=0))
    assert "in-7" in patient.tick().healing.unrepaired
    patient.write(replace(whole, rest_is_lost=True))
    assert patient.tick().healing.unrepaired == {}


def test_where_a_place_is_declared_the_ticket_names_the_file() -> None:
    (ticket,) = raised(recovered(told(repairs="mended/{incident}.parquet")))
    assert "as mended/in-7.parquet" in ticket.detail


def test_a_backfill_that_covers_the_span_is_one_of_it_and_one_beside_it_is_not() -> None:
    patient = recovered(told())
    owed = patient.reconciler.state.healing.unrepaired["in-7"]
    patient.write(filled_in(owed.since, owed.since))
    assert "in-7" in patient.tick().healing.unrepaired
    patient.write(filled_in("2000-01-01T00:00:00.000000Z", "2100-01-01T00:00:00.000000Z"))
    assert patient.tick().healing.unrepaired == {}


def test_what_is_good_as_it_is_or_the_new_normal_needs_no_repair() -> None:
    for how, row in (("person", 0), ("new_normal", 700)):
        patient = recovered(told(), how, row)
        assert patient.reconciler.state.healing.unrepaired == {}
        assert raised(patient) == []


def test_a_supply_that_recovered_owes_the_rows_up_to_where_good_ones_came_and_those_after_are_learned_from() -> None:
    patient = told()
    patient.write(replace(incident("data_quality", "data_quality", "in-7"), row=500))
    patient.sensor.seen = Seen(learning=Learning(row=900))
    patient.tick()
    patient.after(60)
    over = timestamp(patient.clock.now() - timedelta(seconds=20))
    patient.write(e.IncidentClosed(service=NAME, incident="in-7", how="recovered", reason="over", row=700, over=over))
    patient.tick()
    healing = patient.reconciler.state.healing
    assert healing.unrepaired["in-7"].until == over
    assert (healing.kept_out["in-7"].first, healing.kept_out["in-7"].last) == (500, 699)
    assert len(raised(patient)) == 1


def test_rows_that_a_drill_broke_are_owed_to_nobody() -> None:
    patient, until = told(), "2100-01-01T00:00:00.000000Z"
    drill = e.DrillBegun(
        service=NAME, drill="dr-1", fault="nan_burst", share=0.05, until=until, by="ada", proof="os_user"
    )
    patient.write(drill)
    recovered(patient)
    assert patient.reconciler.state.healing.kept_out["in-7"].drill
    assert patient.reconciler.state.healing.unrepaired == {}


def test_rows_that_are_still_broken_after_the_drill_are_owed_a_repair_and_the_drills_are_not() -> None:
    """Red before: whoever repaired the real fault was asked for the rows that the drill had made up."""
    patient, until = told(), "2100-01-01T00:00:00.000000Z"
    patient.write(
        e.DrillBegun(service=NAME, drill="dr-1", fault="nan_burst", share=0.05, until=until, by="ada", proof="os_user")
    )
    patient.write(replace(incident("data_quality", "data_quality", "in-7"), row=500, drill="dr-1"))
    patient.sensor.seen = Seen(learning=Learning(row=600))
    patient.tick()
    assert patient.reconciler.state.healing.kept_out["in-7"].drill
    patient.write(e.DrillWithdrawn(service=NAME, drill="dr-1"))
    patient.sensor.seen = Seen(learning=Learning(row=900))
    patient.after(60)
    now = timestamp(patient.clock.now())
    broken = Sign(
        kind="data_quality",
        severity="critical",
        value=2,
        limit=1,
        since=now,
        why="real",
        clears="-",
        began=now,
        drill="",
    )
    patient.falls_ill(broken)
    assert [fact.drill for fact in patient.facts(e.IncidentOpened)] == ["dr-1", ""]  # type: ignore[union-attr]
    patient.after(60)
    own = patient.reconciler.state.incident
    assert own is not None
    assert not patient.reconciler.state.healing.kept_out[own.incident].drill
    patient.write(e.IncidentClosed(service=NAME, incident=own.incident, how="recovered", reason="over", row=1200))
    patient.falls_ill()
    owed = patient.reconciler.state.healing.unrepaired
    assert list(owed) == [own.incident]
    assert owed[own.incident].since == now


def test_after_a_month_nobody_is_reminded_any_more() -> None:
    patient = recovered(told())
    patient.after(29 * DAY_S)
    assert "repair/in-7" in patient.reconciler.state.alerts.open
    patient.after(2 * DAY_S)
    assert "repair/in-7" not in patient.reconciler.state.alerts.open
