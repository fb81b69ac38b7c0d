"""Evidence over many questions: a fair game, and what a window does to it."""

import numpy as np
import pytest
from scipy import stats

from flyball.stats.change.joint_evidence import apart, log_e_values
from flyball.stats.change.joint_features import Answers


def answers(rows: int, *yes: int) -> Answers:
    return Answers(rows=rows, yes=np.array(yes))


@pytest.mark.parametrize(("rows", "yes"), [(50, 25), (200, 20), (1000, 990)])
def test_every_bet_is_worth_one_on_average_over_the_urn(rows: int, yes: int) -> None:
    window = np.arange(41)
    urn = stats.betabinom.pmf(window, 40, yes + 0.5, rows - yes + 0.5)
    e = np.exp([log_e_values(answers(40, x), answers(rows, yes), np.zeros(1))[0] for x in window.tolist()])
    assert np.allclose(urn @ e, 1.0)


def test_with_a_tolerance_a_bet_is_worth_less_inside_it() -> None:
    window = np.arange(41)
    edge = np.array([0.3])
    e = np.exp([log_e_values(answers(40, x), answers(500, 250), edge)[0] for x in window.tolist()])
    for odds in (-0.3, -0.1, 0.0, 0.1, 0.3):
        urn = stats.betabinom.pmf(window, 40, 250.5 * np.exp(odds), 250.5)
        up, down = urn @ e[:, :3], urn @ e[:, 3:]
        assert (up <= 1 + 1e-9).all()
        assert (down <= 1 + 1e-9).all()


def test_a_window_like_the_reference_is_not_apart_and_another_is() -> None:
    edge = np.zeros(2)
    assert not apart(answers(1000, 505, 110), answers(5000, 2500, 500), edge)
    assert apart(answers(1000, 667, 110), answers(5000, 2500, 500), edge)
