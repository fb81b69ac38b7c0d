"""Second questions for one row: never more than their share."""

from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import gateway, routing, row

from flyball.core.declared.serving import RetryBudget
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.serving.resilience.retry_budget import RESERVE, Budget, repeated


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), max_size=200))
def test_what_is_asked_again_stays_below_the_reserve_the_share_and_one_request(steps: list[tuple[int, int]]) -> None:
    budget, rows = Budget(RetryBudget(share=0.2, per_s=0.0)), 0
    for first, again in steps:
        rows += first
        budget.earn(first, 0.0)
        budget.spend(again)
        assert budget.spent <= RESERVE + 0.2 * rows + 50


def test_a_quiet_service_may_ask_again_some_rows_a_second() -> None:
    budget = Budget(RetryBudget(share=0.0, per_s=10.0))
    budget.earn(0, 100.0)
    assert budget.spend(int(RESERVE))
    assert not budget.spend(1)
    budget.earn(1, 101.0)
    assert [budget.spend(1) for _ in range(11)] == [True] * 10 + [False]
    assert budget.refused == 2


def test_only_rows_for_which_a_release_has_worked_count() -> None:
    core = gateway()
    core.route(routing(weight=10_000))
    rows = [row(), row(), row(), row(amount=-1.0)]
    batch, (ask,) = core.begin(rows, request_id="r", at=[1.0] * 4)
    answers = (Failure(reason="exception"), Failure(reason="dead"), Failure(reason="open"))
    core.take(batch, ask, ArmReply(answers=answers, service_ms=1.0))
    (again,) = core.stand_ins(batch)
    assert again.places == (0, 1, 2, 3)  # the last one was withheld by the contract
    assert repeated(batch, again) == 1


def test_a_hedge_counts_because_the_first_arm_is_still_at_work() -> None:
    core = gateway()
    core.route(routing(weight=10_000))
    batch, (ask,) = core.begin([row()], request_id="r", at=[1.0])
    (hedge,) = core.stand_ins(batch)
    assert repeated(batch, hedge) == 1
    core.take(batch, ask, ArmReply(answers=(Answer(prediction=1),), service_ms=1.0))
    assert repeated(batch, hedge) == 0
