"""A simulated world in which somebody is told: no promise is broken by it, and each fact of an alert has its place."""

from msgspec.structs import replace
from tests.simulation.crashing import A_RETRAINING, QUICK, ended, memory
from tests.simulation.small import SERVICE, declared, drifting, scenario

from flyball.app.rehearse.scenario import Candidate, Scenario
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.core import events as e
from flyball.core.service import Alerts


def told(story: Scenario, seed: int) -> tuple[list[e.AnyFact], Rehearsal]:
    rehearsal = Rehearsal(Cast(declared(replace(SERVICE, alerts=Alerts(on_call=("ada",)))), story), seed)
    run = rehearsal.run()
    assert run.violations == ()
    facts = [entry.fact for entry in rehearsal.world.ledger.read(0)]
    return [fact for fact in facts if isinstance(fact, e.AlertRaised | e.AlertHeld | e.AlertResolved)], rehearsal


def test_a_drift_files_a_ticket_that_is_over_when_it_is_learned_and_wakes_nobody() -> None:
    facts, rehearsal = told(drifting(), 1)
    raised = [fact for fact in facts if isinstance(fact, e.AlertRaised)]
    assert [fact.cause for fact in raised if fact.cause.startswith("retrain/")] in (["retrain/drift"], ["retrain/risk"])
    assert {fact.urgency for fact in raised} == {"ticket"}
    open_: set[str] = set()
    for fact in facts:
        match fact:
            case e.AlertRaised(alert=alert, cause=cause):
                assert cause not in {each.cause for each in raised if each.alert in open_}
                open_.add(alert)
            case e.AlertResolved(alert=alert):
                open_.discard(alert)
            case _:
                pass
    assert open_ == {one.raised.alert for one in rehearsal.state.alerts.open.values()}


def test_a_bad_candidate_that_the_gateway_took_back_is_a_ticket_and_no_page() -> None:
    story = scenario(days=0.5, candidates=(Candidate(at=60, error_ratio=10),))
    facts, _ = told(story, 3)
    raised = [fact for fact in facts if isinstance(fact, e.AlertRaised)]
    assert [(fact.cause, fact.urgency) for fact in raised if fact.cause == "rollback"] == [("rollback", "ticket")]
    assert all(fact.urgency == "ticket" for fact in raised)


def test_a_crash_at_some_effects_leaves_the_same_alerts_each_told_once() -> None:
    """The facts of a plan are one transaction: the next controller finds all of them, or none and says them itself."""
    cast = Cast(declared(replace(QUICK, alerts=Alerts(on_call=("ada",)))), A_RETRAINING)
    whole = ended(cast, memory, None)
    effects = whole.world.points.effects
    expected = told_of(whole)
    assert ("retrain/drift", "ticket") in expected
    for number in range(1, len(effects) + 1, 4):
        crashed = ended(cast, memory, (number, "before"))
        assert told_of(crashed) == expected, (number, effects[number - 1])
        assert set(crashed.state.alerts.open) == set(whole.state.alerts.open)


def told_of(rehearsal: Rehearsal) -> list[tuple[str, str]]:
    facts = [entry.fact for entry in rehearsal.world.ledger.read(0)]
    return sorted((fact.cause, fact.urgency) for fact in facts if isinstance(fact, e.AlertRaised))
