"""Laws of assignment: integers, sticky, monotone in the weight, independent for the shadow."""

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.routing import WHOLE
from flyball.serving.routing.assign import bucket, mirrored, to_candidate, unit_hash

WEIGHTS = st.integers(0, WHOLE)


@given(st.text(), st.text())
def test_a_unit_has_one_bucket_of_ten_thousand_and_keeps_it(salt: str, unit: str) -> None:
    assert 0 <= bucket(salt, unit) < WHOLE
    assert bucket(salt, unit) == bucket(salt, unit) == unit_hash(salt, unit) % WHOLE


@given(st.text(), WEIGHTS, WEIGHTS)
def test_a_unit_that_the_candidate_has_it_keeps_as_the_weight_grows(unit: str, one: int, other: int) -> None:
    small, large = sorted((one, other))
    hashed = unit_hash("ro-1", unit)
    assert not to_candidate(hashed, small) or to_candidate(hashed, large)


@given(WEIGHTS)
def test_a_weight_takes_exactly_that_many_buckets(weight: int) -> None:
    assert sum(to_candidate(hashed, weight) for hashed in range(WHOLE)) == weight


def test_the_share_of_units_is_the_weight_within_its_binomial_error() -> None:
    units = 20_000
    taken = sum(to_candidate(unit_hash("ro-1", f"card-{i}"), 1000) for i in range(units))
    assert abs(taken - units * 0.1) < 4 * (units * 0.1 * 0.9) ** 0.5


def test_another_rollout_tries_other_units() -> None:
    first = {i for i in range(5000) if to_candidate(unit_hash("ro-1", str(i)), 1000)}
    second = {i for i in range(5000) if to_candidate(unit_hash("ro-2", str(i)), 1000)}
    assert len(first & second) < 0.2 * len(first)


def test_what_the_shadow_sees_says_nothing_about_the_arm() -> None:
    names = [str(i) for i in range(20_000)]
    seen = [name for name in names if mirrored("ro-1", name, 0.2)]
    candidates = sum(to_candidate(unit_hash("ro-1", name), 2000) for name in seen)
    assert abs(len(seen) - 4000) < 4 * (20_000 * 0.2 * 0.8) ** 0.5
    assert abs(candidates - 0.2 * len(seen)) < 4 * (len(seen) * 0.2 * 0.8) ** 0.5
