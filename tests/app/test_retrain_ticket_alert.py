"""PSI over 0.25 in three windows: a retrain ticket, and a person finds its evidence where work is filed."""

from pathlib import Path

from tests.adapters.messages.alerts.trackers import GitHub, tracking
from tests.app.test_alert_relay import declare, flushed
from tests.control.alerts.watch import Watch
from tests.decide.windows import SERVICE, report

from flyball.adapters.clock import SystemClock
from flyball.app.home import Home
from flyball.app.wiring.ledger_place import open_ledger
from flyball.control.decision import Learning
from flyball.control.retraining import plan_retraining
from flyball.core import events as e
from flyball.core.declared.alerts import AlertDestination
from flyball.decide.triggers import wish


def test_three_windows_of_drift_are_one_ticket_with_windows_psi_features_and_diagnosis(tmp_path: Path) -> None:
    watch = Watch()
    fine = (0.001, -0.02)
    for streak in (1, 2, 3):
        wanted = wish([report(k, psi={"amount": 0.6}, streak=k + 1, loss=fine) for k in range(streak)], SERVICE)
        watch.learning = Learning(
            fired=wanted.fired, why=wanted.why, diagnosis=wanted.diagnosis, evidence=wanted.evidence, row=streak * 1000
        )
        if streak < 3:
            assert plan_retraining(watch.situation()) is None or wanted.fired is None
            assert watch.kinds() == []
    opened = plan_retraining(watch.situation())
    assert opened is not None
    watch.say(*opened.facts)
    (raised,) = watch.tick()
    assert isinstance(raised, e.AlertRaised)
    assert (raised.cause, raised.urgency, raised.name) == ("retrain/drift", "ticket", "RetrainWanted")
    assert watch.state.ticket is not None
    assert raised.labels == {"ticket": watch.state.ticket.ticket, "reason": "drift"}
    assert "| psi | amount | 0.6 | 0.25 | 3 |" in raised.detail
    assert "diagnosis:" in raised.detail

    home, clock = Home(tmp_path / "home").made(), SystemClock()
    with tracking(GitHub()) as github:
        ledger = open_ledger(home, clock=clock)
        try:
            declare(
                ledger,
                AlertDestination(format="ticket_file", to="file:tickets"),
                AlertDestination(format="github", to=f"{github.url}/repos/risk/alerts", token="TOKEN"),
            )
            ledger.append([raised])
            flushed(home, ledger, {"TOKEN": "t"})
        finally:
            ledger.close()
    (file,) = (home.root / "tickets").iterdir()
    for text in (file.read_text(), github.issues[0]["body"]):
        assert "| psi | amount | 0.6 | 0.25 | 3 |" in text
        assert "Runbook data-drift: https://runbooks.example/data-drift.md" in text
        assert raised.labels["ticket"] in text


def test_drift_itself_is_held_behind_its_ticket_and_the_ticket_is_over_with_the_retraining() -> None:
    from tests.control.alerts.watch import healthy, sign
    from tests.control.world import NAME

    watch = Watch()
    wanted = wish([report(k, psi={"amount": 0.6}, streak=k + 1, loss=(0.001, -0.02)) for k in range(3)], SERVICE)
    watch.learning = Learning(fired=wanted.fired, diagnosis=wanted.diagnosis, evidence=wanted.evidence, row=3000)
    opened = plan_retraining(watch.situation())
    assert opened is not None
    watch.say(*opened.facts, healthy(sign("drift", "warning", "amount")))
    assert watch.kinds() == ["raised retrain/drift ticket", "held drift/amount inhibited"]
    assert watch.state.ticket is not None
    closed = e.TicketClosed(service=NAME, ticket=watch.state.ticket.ticket, outcome="promoted", reason="it serves")
    watch.learning = Learning()
    watch.say(closed, healthy())
    assert watch.kinds() == ["resolved"]
    assert watch.after(300).kinds() == ["resolved"]
