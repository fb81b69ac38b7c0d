"""A seed is a world: the same seed is the same world to the last bit, and no promise is broken in any of them."""

from msgspec.structs import replace
from tests.simulation.small import SERVICE, declared, drifting, rehearse, scenario

from flyball.app.rehearse.report import report
from flyball.app.rehearse.scenario import Candidate
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.core.service import Canary, Rollout, Step


def test_the_same_seed_twice_is_the_same_to_the_last_bit() -> None:
    first, again, other = rehearse(scenario(), (3, 3, 4))
    assert first == again
    assert first.digest != other.digest


def test_a_good_candidate_is_promoted_and_one_ten_times_worse_goes_back_in_every_seed() -> None:
    runs = rehearse(scenario(), range(4))
    assert report(runs).violations == ()
    assert [run.rolled_back for run in runs] == [1] * 4
    assert sum(run.promoted for run in runs) > 2  # a good one is stopped with a chance of at most 5 %


def test_a_drift_is_learned_once_and_the_new_release_serves() -> None:
    runs = rehearse(drifting(), range(3))
    assert report(runs).violations == ()
    assert [run.retrained for run in runs] == [1, 1, 1]
    assert sum(run.promoted for run in runs) >= 2


def test_at_nine_tenths_of_the_units_only_max_errors_bounds_the_harm() -> None:
    """Found by a seed: an error of the candidate gains ln 2 - ln 1.9 there, so 40 of them prove nothing."""
    steps = (Step(canary=Canary(weight=0.9, min_requests=150, timeout_s=7200)),)
    service = replace(
        SERVICE, rollout=Rollout(steps=steps), autonomy=replace(SERVICE.autonomy, promote="auto", retrain="observe")
    )
    told = scenario(days=0.05, traffic_rps=3.0, candidates=(Candidate(at=60, error_ratio=10),))
    rehearsal = Rehearsal(Cast(declared(service), told), 70)
    assert rehearsal.run().violations == ()
    (release,) = rehearsal.state.withdrawn
    assert 40 < rehearsal.world.gateway.errors[release] <= service.rollout.guardrails.max_errors
