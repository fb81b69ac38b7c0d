"""Invariants know even shares: who changes arms with them is not the holdback, and less weight breaks no rule."""

from collections.abc import Sequence

import pytest
from tests.control.check.test_policy import NEVER, declared
from tests.control.world import FIRST, NAME, OPENED, SECOND, entries

from flyball.app.rehearse.approved import Rules
from flyball.app.rehearse.arriving import Holdback
from flyball.app.rehearse.witness import Stand
from flyball.core import events as e
from flyball.core.ids import Epoch, RolloutId
from flyball.core.routing import Routing


def soak(epoch: int, weight: int) -> e.StepStarted:
    routing = Routing(
        service=NAME, epoch=Epoch(epoch), champion=FIRST, previous=None, candidate=SECOND, weight=weight, step=2
    )
    return e.StepStarted(
        service=NAME, rollout=RolloutId("ro-1"), step=2, kind="soak", key=f"k{epoch}", routing=routing, why=""
    )


STEPS = entries([OPENED, soak(3, 9500), soak(4, 5000), soak(5, 9500)])
CHANGES = [(3, "between", "candidate"), (4, "between", "champion"), (5, "between", "candidate")]
KEPT = [(3, "kept", "champion"), (4, "kept", "champion"), (5, "kept", "champion")]


def held(assigned: Sequence[tuple[int, str, str]]) -> list[str]:
    watched, found = Holdback(), []
    for entry in STEPS:
        found += list(watched.entry(entry))
    for one in assigned:
        found += list(watched.stand(Stand(assigned=(one,))))
    return found


def test_units_between_the_half_and_the_holdback_may_change_and_the_holdback_may_not() -> None:
    assert held([*CHANGES, *KEPT]) == []
    assert held([(4, "between", "champion"), (5, "between", "candidate")]) == []


@pytest.mark.parametrize("epoch", [4, 5])
def test_a_unit_of_the_holdback_never_gets_the_candidate_whatever_the_shares(epoch: int) -> None:
    assert held([KEPT[0], (epoch, "kept", "candidate")]) == [
        f"unit kept of the holdback got the candidate in epoch {epoch}"
    ]
    assert held([(4, "kept", "candidate"), (5, "kept", "champion")]) == [
        "unit kept had the candidate, and is in the holdback of epoch 5"
    ]


def test_what_breaks_for_many_units_is_told_once_an_epoch() -> None:
    units = [str(number) for number in range(9)]
    assert len(held([*((3, unit, "champion") for unit in units), *((3, unit, "candidate") for unit in units)])) == 1


def test_a_rule_is_broken_by_more_weight_and_not_by_less() -> None:
    watched = Rules(declared(NEVER["promote"]))
    told = [len(list(watched.entry(entry))) for entry in STEPS]
    assert told == [0, 1, 0, 1]
