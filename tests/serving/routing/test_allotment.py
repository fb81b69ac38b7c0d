"""Laws of buckets: exact to 0.01 %, each with one owner, and nobody changes arms but where a weight was changed."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import ARMS, arm_release

from flyball.core.arms import Arm
from flyball.core.routing import WHOLE
from flyball.serving.routing.allotment import MOST_RANGES, allotted
from flyball.serving.routing.assign import owners, to_candidate


def arms(count: int) -> tuple[Arm, ...]:
    return tuple(Arm(name=name, release=arm_release(name)) for name in ARMS[:count])


@st.composite
def weights(draw: st.DrawFn, count: int) -> dict[str, int]:
    """Some of the whole for each arm; the champion has the rest."""
    cuts = sorted(draw(st.lists(st.integers(0, WHOLE), min_size=count, max_size=count)))
    return {name: high - low for name, low, high in zip(ARMS, [0, *cuts], cuts, strict=False)}


HISTORIES = st.integers(1, 6).flatmap(lambda count: st.lists(weights(count), min_size=1, max_size=5))


@given(HISTORIES)
def test_each_arm_has_exactly_its_weight_and_no_bucket_has_two_owners(history: list[dict[str, int]]) -> None:
    now = arms(len(history[0]))
    for wanted in history:
        now = allotted(now, wanted)
        assert {arm.name: arm.weight for arm in now} == wanted
        found = owners(now)
        assert len(found) == WHOLE
        assert {name: found.count(name) for name in wanted} == wanted
        for arm in now:
            assert all(before[1] < after[0] for before, after in pairwise(arm.buckets))


@given(HISTORIES)
def test_a_unit_leaves_an_arm_only_if_it_shrinks_and_joins_one_only_if_it_grows(history: list[dict[str, int]]) -> None:
    now = allotted(arms(len(history[0])), history[0])
    for before, after in pairwise(history):
        then, now = now, allotted(now, after)
        for old, new in zip(owners(then), owners(now), strict=True):
            if old != new:
                assert old == "champion" or after[old] < before[old]
                assert new == "champion" or after[new] > before[new]


@given(st.lists(st.integers(0, WHOLE), min_size=1, max_size=8))
def test_one_arm_has_the_buckets_that_a_candidate_of_its_weight_has(history: list[int]) -> None:
    now = arms(1)
    for weight in history:
        now = allotted(now, {"b": weight})
        assert [owner == "b" for owner in owners(now)] == [to_candidate(bucket, weight) for bucket in range(WHOLE)]


@given(HISTORIES)
def test_asked_twice_the_answer_is_the_same_and_what_is_not_named_stays(history: list[dict[str, int]]) -> None:
    first = allotted(arms(len(history[0])), history[0])
    assert allotted(arms(len(history[0])), history[0]) == first
    assert allotted(first, {}) == first


def test_a_test_that_ramps_its_arms_in_turn_keeps_them_in_few_pieces() -> None:
    now = arms(4)
    for share in range(1, 2400):
        now = allotted(now, dict.fromkeys(ARMS[:4], share))
    assert sum(len(arm.buckets) for arm in now) <= 12


def test_more_than_the_whole_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 10000"):
        allotted(arms(2), {"b": 6000, "c": 4001})
    with pytest.raises(ValueError, match="0 or more"):
        allotted(arms(1), {"b": -1})


def test_buckets_in_too_many_pieces_are_refused() -> None:
    scattered = Arm(name="b", release=arm_release("b"), buckets=tuple((2 * i, 2 * i + 1) for i in range(MOST_RANGES)))
    with pytest.raises(ValueError, match="too often"):
        allotted([scattered, arms(2)[1]], {"c": 1})
