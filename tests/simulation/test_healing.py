"""A champion that begins to fail by itself: in a simulated world the loop spares it, asks it again, sends it back."""

from typing import Literal

import pytest
from msgspec.structs import replace
from tests.simulation.small import scenario
from tests.simulation.stories import CALM, GOOD, cast

from flyball.app.rehearse.faults import POINTS, FaultAt
from flyball.app.rehearse.report import Run
from flyball.app.rehearse.scenario import Scenario
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.service import Constant, FallbackLink, HealthRules, Service, Serving

CHAIN: tuple[Literal["previous", "cached"] | FallbackLink, ...] = (
    "previous",
    FallbackLink(constant=Constant(prediction=0, score=0.0)),
)
SICK_AT = 4000.0


def healing_service(base: Service = CALM) -> Service:
    health = HealthRules(critical_s=600.0)
    monitor = replace(base.monitor, health=health)
    return replace(base, serving=Serving(fallback=CHAIN), monitor=monitor)


def sick(**changes: object) -> Scenario:
    """A good candidate is promoted, and then fails by itself."""
    told = {
        "days": 0.25,
        "traffic_rps": 1.0,
        "label_delay_s": 60.0,
        "candidates": (replace(GOOD, error_ratio=1),),
        "faults": (FaultAt(at=SICK_AT, point="champion", kind="errors"),),
    }
    return scenario(**(told | changes))


def lived(told: Scenario, seed: int = 1) -> tuple[Run, Rehearsal]:
    rehearsal = Rehearsal(cast(healing_service(), told), seed)
    return rehearsal.run(), rehearsal


@pytest.fixture(scope="module")
def healed() -> tuple[Run, Rehearsal]:
    return lived(sick())


def remedies(rehearsal: Rehearsal) -> list[tuple[str, str]]:
    """Kind and verdict of each, in order."""
    facts = [entry.fact for entry in rehearsal.world.ledger.read()]
    verdicts = {fact.remedy: fact.helped for fact in facts if isinstance(fact, e.RemedyVerified)}
    return [(fact.kind, verdicts.get(fact.remedy, "")) for fact in facts if isinstance(fact, e.RemedyBegun)]


def test_a_champion_that_fails_is_spared_asked_again_and_sent_back(healed: tuple[Run, Rehearsal]) -> None:
    run, rehearsal = healed
    assert run.violations == ()
    assert remedies(rehearsal)[:2] == [("fall_back", "yes"), ("roll_back", "yes")]
    assert run.promoted == 1
    state = rehearsal.state
    assert state.champion != rehearsal.world.weather.sick
    assert rehearsal.world.weather.sick in state.withdrawn
    assert state.healing.standing == ()
    assert state.routing is not None
    assert state.routing.relief is None


def test_it_is_seen_within_five_minutes_and_answered_at_once(healed: tuple[Run, Rehearsal]) -> None:
    _, rehearsal = healed
    entries = list(rehearsal.world.ledger.read())
    (first, *_) = [entry for entry in entries if isinstance(entry.fact, e.RemedyBegun)]
    told = next(entry for entry in entries if isinstance(entry.fact, e.HealthChanged) and entry.fact.health.signs)
    assert first.at == told.at
    seen_s = (moment(told.at) - moment(entries[0].at)).total_seconds() - SICK_AT
    assert 0 < seen_s <= 300.0
    assert any("remedy" in turn.what for turn in rehearsal._report().story)


def test_with_the_default_durations_what_failed_for_two_minutes_has_recovered_within_fifteen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From its beginning, with no hand. The page about drills tells these seconds: a drill declares shorter ones."""
    monkeypatch.setitem(POINTS["champion"], "errors", 120.0)
    rehearsal = Rehearsal(cast(replace(CALM, serving=Serving(fallback=CHAIN)), sick(days=0.07)), 1)
    assert rehearsal.run().violations == ()
    entries = list(rehearsal.world.ledger.read())
    (closed,) = [entry.fact for entry in entries if isinstance(entry.fact, e.IncidentClosed)]
    assert closed.how == "recovered"
    assert closed.detected_s is not None
    assert closed.recovered_s is not None
    assert 0 < closed.detected_s <= 300.0
    assert closed.detected_s + closed.recovered_s <= 900.0
    ended_s = {  # since it began
        type(entry.fact): (moment(entry.at) - moment(entries[0].at)).total_seconds() - SICK_AT
        for entry in entries
        if isinstance(entry.fact, e.RemedyVerified | e.RemedyEnded)
    }
    assert ended_s[e.RemedyVerified] <= 400.0
    assert ended_s[e.RemedyEnded] <= 700.0
    assert remedies(rehearsal) == [("fall_back", "yes")]
    shown = [entry for entry in entries if isinstance(entry.fact, e.HealthChanged)]
    well = next(entry for entry in shown[2:] if not entry.fact.health.signs)  # type: ignore[union-attr]
    assert (moment(well.at) - moment(entries[0].at)).total_seconds() - SICK_AT <= 750.0  # the warning of the relief too
