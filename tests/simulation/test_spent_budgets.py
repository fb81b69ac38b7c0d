"""A strict objective in a rehearsal: it is spent, and no seed gives a candidate more traffic meanwhile."""

import pytest
from msgspec.structs import replace
from tests.control.world import NAME, OPENED, entries
from tests.simulation.small import SERVICE, declared, scenario

from flyball.app.rehearse.report import Run
from flyball.app.rehearse.scenario import Candidate
from flyball.app.rehearse.spending import NothingOnCredit
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.core import events as e
from flyball.core.declared.objectives import Objective, Slo

STRICT = Objective(name="latency", sli="latency", target=0.999_99, window_s=3600.0, limit_ms=0.001)
SPENT = e.BudgetSpent(service=NAME, objective="latency", left=-1.0, target=0.9, window_s=3600.0, why="late")


def rehearsed(seed: int, *, freeze: bool) -> tuple[Run, Rehearsal]:
    slo = Slo(freeze=freeze, objectives=(STRICT,))
    told = scenario(days=0.08, candidates=(Candidate(at=600, metric_change=0.02),))
    rehearsal = Rehearsal(Cast(declared(replace(SERVICE, slo=slo)), told), seed)
    return rehearsal.run(), rehearsal


def test_with_a_budget_that_nobody_can_keep_nothing_is_rolled_out() -> None:
    run, rehearsal = rehearsed(0, freeze=True)
    assert not run.violations
    assert run.promoted == 0
    assert rehearsal.state.health.spent.keys() >= {"latency"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_the_same_release_is_promoted_where_the_policy_does_not_freeze(seed: int) -> None:
    for freeze in (True, False):
        run, rehearsal = rehearsed(seed, freeze=freeze)
        assert not run.violations
        assert run.promoted == (not freeze)
        assert rehearsal.state.health.spent.keys() >= {"latency"}


def test_a_ledger_that_opens_a_rollout_on_credit_is_complained_about() -> None:
    watch = NothingOnCredit(replace(SERVICE, slo=Slo()))
    assert [said for each in entries([OPENED]) for said in watch.entry(each)] == []
    told = [said for each in entries([SPENT, OPENED]) for said in watch.entry(each)]
    assert told == ["rollout ro-1 was opened while the budget of latency is spent"]
    free = NothingOnCredit(replace(SERVICE, slo=Slo(freeze=False)))
    assert [said for each in entries([SPENT, OPENED]) for said in free.entry(each)] == []
