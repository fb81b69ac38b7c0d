"""A seed is a world: the same seed is the same world to the last bit, and no promise is broken in any of them."""

from tests.simulation.small import drifting, rehearse, scenario

from flyball.app.rehearse.report import report


def test_the_same_seed_twice_is_the_same_to_the_last_bit() -> None:
    first, again, other = rehearse(scenario(), (3, 3, 4))
    assert first == again
    assert first.digest != other.digest


def test_a_good_candidate_is_promoted_and_one_ten_times_worse_goes_back_in_every_seed() -> None:
    runs = rehearse(scenario(), range(6))
    assert report(runs).violations == ()
    assert [run.rolled_back for run in runs] == [1] * 6
    assert sum(run.promoted for run in runs) >= 5  # a good one is stopped with a chance of at most 5 %


def test_a_drift_is_learned_once_and_the_new_release_serves() -> None:
    runs = rehearse(drifting(), range(3))
    assert report(runs).violations == ()
    assert [run.retrained for run in runs] == [1, 1, 1]
    assert sum(run.promoted for run in runs) >= 2
