"""Each story comes out as it is written down, and says what it is told for."""

from pathlib import Path

import numpy as np
import pytest
from tests.scenarios.stories import STORIES
from tests.scenarios.threshold_rule import CHECKS, by_threshold

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", STORIES)
def test_the_story_is_the_one_that_is_written_down(name: str) -> None:
    # to renew one after looking at it: python benchmarks/head_to_head.py --write
    assert "\n".join(STORIES[name]()) + "\n" == (GOLDEN / f"{name}.txt").read_text()


@pytest.mark.parametrize(
    ("share", "requests", "promoted"),
    [(0.009, 1000, 0.86), (0.009, 10_000, 0.994), (0.005, 50, 0.951), (0.02, 50, 0.113)],
)
def test_the_threshold_rule_is_the_documented_one(share: float, requests: int, promoted: float) -> None:
    """Figures of the published comparison; 4,000 runs, so within 3 of its Monte-Carlo errors."""
    rng, runs = np.random.default_rng(11), 4000
    kept = sum(by_threshold(rng.binomial(requests, share, CHECKS), requests).promoted for _ in range(runs)) / runs
    assert abs(kept - promoted) < 3 * (promoted * (1 - promoted) / runs) ** 0.5 + 0.005


def test_nobody_that_had_the_candidate_meets_the_champion_again() -> None:
    rows = list(STORIES["sticky_units"]())[2:]
    assert [row.split()[-1] for row in rows] == ["0"] * 4
