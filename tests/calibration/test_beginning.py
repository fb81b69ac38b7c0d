"""How far the beginning of a fault is off that its sign tells of: the table in docs/how-to/see-health.md.

The looks are those of the controller: one a pane of 10 s, over the last five minutes and over the last one, with the
default limits; 15 minutes of panes are held.
"""

from functools import cache

import numpy as np
import pytest

from flyball.core.service import HealthRules
from flyball.decide.health import Counted, began_at
from flyball.stats.scoring.rate_above import surely_above

RULES = HealthRules()
PANE_S, HELD, SPANS = 10, 90, (30, 6)
FAULTS = 300


@cache
def above(events: int, rows: int) -> bool:
    return surely_above(events, rows, RULES.errors, alpha=RULES.alpha)


def off_s(rps: int, rate: float, before: float, *, seed: int = 5) -> list[int]:
    """Of each fault that was seen: where it was said to begin, from where it began, seconds."""
    rng = np.random.default_rng(seed)
    rows, found = rps * PANE_S, []
    for _ in range(FAULTS):
        events = [*rng.binomial(rows, before, HELD).tolist(), *rng.binomial(rows, rate, 4 * HELD).tolist()]
        for end in range(HELD, len(events)):
            if any(above(sum(events[end + 1 - span : end + 1]), span * rows) for span in SPANS):
                held = range(end + 1 - HELD, end + 1)
                panes = [(float(PANE_S * (n - HELD)), Counted(events=events[n], rows=rows)) for n in held]
                at = began_at(panes, RULES.errors)
                assert at is not None, "what is surely beyond the limit has a stretch beyond it"
                found.append(round(at))
                break
    return found


@pytest.mark.parametrize(
    ("rps", "rate", "before", "early", "late"),
    [
        (1, 0.05, 0.0, 0, 90),
        (1, 0.05, 0.002, -110, 80),
        (1, 0.2, 0.0, 0, 10),
        (1, 0.2, 0.002, -130, 10),
        (20, 0.02, 0.0, 0, 20),
        (20, 0.02, 0.002, 0, 20),
        (20, 0.2, 0.0, 0, 0),
        (20, 0.2, 0.002, 0, 0),
    ],
)
def test_the_beginning_lies_where_the_docs_say(rps: int, rate: float, before: float, early: int, late: int) -> None:
    found = off_s(rps, rate, before)
    assert len(found) == FAULTS
    inside = sum(early <= each <= late for each in found)
    assert inside >= 0.9 * FAULTS
