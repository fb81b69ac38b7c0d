"""The search proposes what the space allows, and the same proposals for the same answers."""

import math
from collections.abc import Callable

import pytest

from flyball.adapters.training.optuna_search import TpeSearch
from flyball.core.errors import TrainingFailed, Unavailable
from flyball.core.ports import Trial
from flyball.core.service import Scalar, Space

SPACE = {
    "rate": Space(low=0.01, high=1.0, log=True),
    "depth": Space(low=2, high=6),
    "kind": Space(choices=("a", 1, 1.0, True, None)),
}


def found(seed: int, score: Callable[[dict[str, Scalar]], float], direction: str = "lower") -> tuple[Trial, ...]:
    return TpeSearch().search(SPACE, trials=15, seed=seed, direction=direction, score=score, until=lambda: False)


def bowl(config: dict[str, Scalar]) -> float:
    assert isinstance(config["rate"], float)
    assert isinstance(config["depth"], int)
    return (math.log10(config["rate"]) + 1) ** 2 + (config["depth"] - 4) ** 2


@pytest.fixture(autouse=True)
def with_optuna() -> None:
    pytest.importorskip("optuna", reason="optuna is not there")


def test_the_same_seed_and_answers_give_the_same_trials() -> None:
    assert found(7, bowl) == found(7, bowl)
    assert found(7, bowl) != found(8, bowl)


def test_every_proposal_lies_in_the_space_with_its_type() -> None:
    trials = found(7, bowl)
    assert [trial.number for trial in trials] == list(range(15))
    for trial in trials:
        assert 0.01 <= float(str(trial.config["rate"])) <= 1.0
        assert trial.config["depth"] in range(2, 7)
        assert any(trial.config["kind"] is choice for choice in SPACE["kind"].choices)


def test_a_trial_that_fails_is_written_down_and_the_search_goes_on() -> None:
    def moody(config: dict[str, Scalar]) -> float:
        if config["depth"] == 4:
            raise TrainingFailed("not at four")
        return bowl(config)

    trials = found(7, moody)
    assert len(trials) == 15
    assert {trial.error for trial in trials if trial.score is None} == {"not at four"}


def test_nothing_begins_after_the_time_is_up() -> None:
    trials = TpeSearch().search(SPACE, trials=5, seed=1, direction="higher", score=bowl, until=lambda: True)
    assert trials == ()


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(Unavailable) as caught:
        found(7, bowl)
    assert "pip install flyball[search]" in caught.value.hint
