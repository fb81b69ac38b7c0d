"""The bounds on risk minus baseline where labels are missing: they hold by chance within a kind of answer, and only so.

The concept has changed in all of it (a tenth of the labels is turned round), so no estimate without labels is right,
and what holds the bounds is the correction by labels alone. The baseline is taken as known.
"""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from tests.monitor.test_expected_risk import promise, world

from flyball.core.release import Baseline
from flyball.monitor.answers import Answers
from flyball.monitor.expected_risk import ALPHA, Request, RunningRisk
from flyball.monitor.replay_buffer import ReplayBuffer

Floats = npt.NDArray[np.float64]
Missing = Callable[[Floats, Floats], Floats]  # (score, whether the answer is wrong) -> chance of a label

RUNS, WINDOWS, ROWS, TURNED = 200, 15, 400, 0.1
TOLERANCE = 3 * math.sqrt(ALPHA * (1 - ALPHA) / RUNS)


@cache
def baseline() -> Baseline:
    return promise().baseline


@cache
def truth() -> float:
    known = baseline().labelled
    assert known is not None
    now = world(np.random.default_rng(0), 2_000_000, flipped=TURNED)
    return float((now["prediction"].to_numpy() != now["label"].to_numpy()).mean()) - known.risk["error"].mean


def ever_wrong(chance: Missing, *, told: bool = True) -> float:
    """Share of runs in which the truth is ever outside, looked at after every window.

    Args: told: rows without a label are known as such; else the sequence stands on labelled rows only.
    """
    missed = 0
    for run in range(RUNS):
        rng = np.random.default_rng(run)
        buffer = ReplayBuffer[Request](rng=rng, block_rows=ROWS)
        risk = RunningRisk(baseline=baseline(), task="binary", metric="accuracy", buffer=buffer)
        risk.take(pl.DataFrame({"id": []}), np.empty(0), np.empty(0))
        for _ in range(WINDOWS):
            rows = world(rng, ROWS, flipped=TURNED)
            score, said, label = (rows[name].to_numpy().astype(np.float64) for name in ("score", "prediction", "label"))
            come = rng.random(ROWS) < chance(score, (said != label).astype(np.float64))
            if told:
                risk.unlabelled(said[~come], score[~come])
            risk.judged(
                Answers(
                    truth=label[come], prediction=said[come], score=score[come], classes=(0, 1), rows=(0, 0),
                    kept=np.ones(int(come.sum()), dtype=np.bool_),
                )
            )  # fmt: skip
            above = risk.report(lambda _: None).above
            assert above is not None
            assert not told or above.n % ROWS == 0
            if not above.low <= truth() <= above.high:
                missed += 1
                break
    return missed / RUNS


def by_chance(score: Floats, _: Floats) -> Floats:
    return np.full(score.size, 0.4)


def where_the_model_doubts(score: Floats, _: Floats) -> Floats:
    return np.where(np.abs(score - 0.5) < 0.25, 0.8, 0.2)


def where_it_was_wrong(_: Floats, wrong: Floats) -> Floats:
    return np.where(wrong > 0, 0.8, 0.4)


@pytest.mark.parametrize("chance", [by_chance, where_the_model_doubts])
def test_labels_that_are_missing_by_chance_within_a_kind_of_answer_keep_the_promise(chance: Missing) -> None:
    assert ever_wrong(chance) <= ALPHA + TOLERANCE


def test_rows_that_are_judged_without_a_label_have_to_be_in_it() -> None:
    """Labels by chance alone need them not; labels that depend on the answer do."""
    assert ever_wrong(by_chance, told=False) <= ALPHA + TOLERANCE
    assert ever_wrong(where_the_model_doubts, told=False) > 0.5


def test_labels_that_depend_on_what_they_say_break_it_and_nothing_in_the_data_shows_that() -> None:
    assert ever_wrong(where_it_was_wrong) > 0.5
