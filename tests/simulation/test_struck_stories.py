"""The stories under faults, words and candidates that dice choose: whatever comes together, no promise is broken."""

import random
from typing import get_args

import pytest
from msgspec.structs import replace
from tests.simulation.stories import STORIES

from flyball.app.rehearse.faults import POINTS, FaultAt
from flyball.app.rehearse.scenario import Candidate, Say, Word
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.run import Rehearsal

KINDS = [(point, kind) for point, kinds in POINTS.items() for kind in kinds]


def struck(story: str, seed: int) -> Cast:
    """Up to five faults, eight words and two candidates more than the story has."""
    cast, dice = STORIES[story], random.Random(f"{story}/{seed}")
    told = cast.scenario

    def at() -> float:
        return dice.uniform(0, 0.8 * told.length_s)

    faults = [(at(), *dice.choice(KINDS)) for _ in range(dice.randint(1, 5))]
    words = [
        Word(at=at(), say=dice.choice(get_args(Say)), by=dice.choice(["", "", "ada", "ben"]), lasts_s=600.0)
        for _ in range(dice.randint(0, 8))
    ]
    candidates = [
        Candidate(at=at(), error_ratio=dice.choice([0.0, 1.0, 300.0]), fails=dice.choice([None, None, "accuracy"]))
        for _ in range(dice.randint(0, 2))
    ]
    more = replace(
        told,
        faults=(*told.faults, *(FaultAt(at=when, point=point, kind=kind) for when, point, kind in faults)),
        words=(*told.words, *words),
        candidates=(*told.candidates, *candidates),
    )
    return Cast(cast.declared, more)


def broken(story: str, seed: int) -> list[str]:
    run = Rehearsal(struck(story, seed), seed, checkpoint_panes=random.Random(seed).choice([1, 3, 60])).run()
    return [f"seed {seed}, at {each.at:.0f} s: {each.invariant}: {each.what}" for each in run.violations]


@pytest.mark.parametrize("story", STORIES)
def test_no_promise_is_broken_whatever_comes_together(story: str) -> None:
    assert broken(story, 1) + broken(story, 2) == []


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES)
def test_a_hundred_seeds_of_each(story: str) -> None:
    assert [said for seed in range(3, 103) for said in broken(story, seed)] == []
