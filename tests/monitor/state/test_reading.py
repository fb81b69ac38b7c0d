"""Counts beside their reference, and beside earlier counts: an effect that chance does not explain, or not enough."""

import numpy as np
import polars as pl
from tests.monitor.state.frames import a_frame

from flyball.core.service import Psi
from flyball.monitor.state.counting import counted
from flyball.monitor.state.reading import beside_earlier, beside_reference
from flyball.monitor.state.state import State, empty

FRAME, LIMITS = a_frame(), Psi()


def _state(n: int, *, seed: int, factor: float = 1.0) -> State:
    rng = np.random.default_rng(seed)
    rows = pl.DataFrame(
        {
            "outcome": ["answered"] * n,
            "x.amount": factor * rng.lognormal(0, 1, n),
            "x.age": rng.integers(18, 90, n),
            "x.country": rng.choice(["de", "fr", "it"], n, p=[0.5, 0.46, 0.04]),
            "prediction": rng.choice([0, 1], n, p=[0.45, 0.55]),
            "score": rng.random(n),
        }
    )
    return counted(FRAME, rows)


def test_what_moved_has_drifted_and_comes_first() -> None:
    first, *others = beside_reference(_state(2000, seed=1, factor=4), LIMITS)
    assert (first.name, first.of, first.verdict, first.level) == ("amount", "input", "DRIFT", "act")
    assert {each.verdict for each in others} == {"OK"}
    assert {each.name for each in others} == {"age", "country", "prediction", "score"}
    assert {each.name for each in others if each.of == "answer"} == {"prediction", "score"}


def test_too_few_rows_are_not_enough_whatever_they_show() -> None:
    for state in (_state(30, seed=1, factor=4), empty(FRAME)):
        assert {each.verdict for each in beside_reference(state, LIMITS)} == {"INSUFFICIENT"}
        assert {each.verdict for each in beside_earlier(_state(2000, seed=1), state, LIMITS)} == {"INSUFFICIENT"}
    assert beside_reference(empty(FRAME), LIMITS)[0].psi is None


def test_an_hour_that_looks_like_earlier_ones_has_not_moved_though_it_is_far_from_the_reference() -> None:
    rush, before = _state(1000, seed=1, factor=4), _state(4000, seed=2, factor=4)
    assert {each.verdict for each in beside_earlier(rush, before, LIMITS)} == {"OK"}
    moved = beside_earlier(_state(1000, seed=3), before, LIMITS)[0]
    assert (moved.name, moved.verdict, moved.level) == ("amount", "DRIFT", "act")
