"""The sample of recent requests: bounded, deterministic, fair, and rare kinds are kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.monitor.replay_buffer import OTHER, ReplayBuffer


def buffer(seed: int = 0, *, capacity: int = 40, blocks: int = 4, block_rows: int = 100) -> ReplayBuffer[int]:
    return ReplayBuffer(
        rng=np.random.default_rng(seed), capacity=capacity, blocks=blocks, block_rows=block_rows, most_strata=4
    )


@settings(max_examples=50)
@given(st.lists(st.integers(0, 7), max_size=700))
def test_memory_is_bounded_and_the_weights_add_up_to_what_was_seen(strata: list[int]) -> None:
    held = buffer()
    held.add(range(len(strata)), strata)
    assert len(held) <= 40 + 4 * 5  # a place at least for each stratum and `other`
    assert sum(one.weight for one in held.kept()) == pytest.approx(held.seen)
    assert held.seen <= 400
    assert held.seen == len(strata) or held.seen > 300


def test_the_same_dice_keep_the_same_rows() -> None:
    strata = [row % 3 for row in range(500)]
    kept = []
    for _ in range(2):
        held = buffer(3)
        held.add(range(500), strata)
        kept.append(list(held.kept()))
    assert kept[0] == kept[1]


def test_the_oldest_block_is_forgotten_whole() -> None:
    held = buffer()
    held.add(range(1000), [0] * 1000)
    assert min(one.row for one in held.kept()) >= 600
    assert {one.block for one in held.kept()} == {0, 1, 2, 3}


def test_a_rare_kind_is_kept_and_stands_for_itself_alone() -> None:
    held = buffer(block_rows=400)
    held.add(range(400), ["rare" if row in (7, 300) else "common" for row in range(400)])
    rare = [one for one in held.kept() if one.stratum == "rare"]
    assert sorted(one.row for one in rare) == [7, 300]
    assert {one.weight for one in rare} == {1.0}


def test_more_kinds_than_there_is_room_for_share_one_stratum() -> None:
    held = buffer()
    held.add(range(100), list(range(100)))
    assert OTHER in {one.stratum for one in held.kept()}
    assert len({one.stratum for one in held.kept()}) == 5


def test_room_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        buffer(capacity=1)
