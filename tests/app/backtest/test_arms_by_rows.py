"""Metric guardrails and soaks over the rows of the log: the backtest says what the loop does, or that nobody knows."""

from functools import cache

import polars as pl
import pytest
from msgspec.structs import replace
from tests.app.backtest.two_arms import BEGINS, PANE, TwoArms, accuracy, declared

from flyball.app.backtest.report import PolicyLine
from flyball.app.backtest.rollouts import RolloutAgain
from flyball.core import events as e
from flyball.core.declared.guardrails import MetricGuardrail
from flyball.core.ports import Segment
from flyball.core.service import Service

MUCH_WORSE, WORSE, EQUAL = (0.9, 0.8), (0.9, 0.84), (0.9, 0.9)  # share of right answers of each arm
PANES = 33  # to the end of the soak
GUARDED = declared(accuracy())


@cache
def unguarded(right: tuple[float, float]) -> TwoArms:
    """Nobody looked at its labels, so it was promoted; two windows more of a bad one."""
    return TwoArms(declared(), right, panes=PANES + 20 * (right == MUCH_WORSE))


@pytest.fixture
def much_worse() -> TwoArms:
    return unguarded(MUCH_WORSE)


def second(record: TwoArms, policy: Service, segments: list[Segment] | None = None) -> tuple[PolicyLine, RolloutAgain]:
    line = record.backtest(policy, segments=segments).policies[1]
    (rollout,) = line.rollout_list
    return line, rollout


@pytest.mark.parametrize(("right", "step"), [(MUCH_WORSE, 0), (WORSE, 1)])
def test_it_is_taken_back_where_the_loop_under_that_policy_takes_it_back_and_on_the_same_evidence(
    right: tuple[float, float], step: int
) -> None:
    """The law: the policy on the record of another one, beside the record of its own on the same rows."""
    lived = TwoArms(GUARDED, right, panes=PANES)
    _, found = second(unguarded(right), GUARDED)
    (back,) = (entry for entry in lived.loop.ledger.read() if isinstance(entry.fact, e.RolledBack))
    assert isinstance(back.fact, e.RolledBack)
    assert back.fact.counts is not None
    assert (back.fact.cause, back.fact.counts.step) == ("metric", step)
    assert (found.recorded, found.outcome) == ("promoted", "rolled_back")
    assert (found.at, found.why) == (back.at, back.fact.verdict.reason)
    assert found.requests == lived.candidate_rows(10**9)


@pytest.mark.parametrize(("max_loss", "outcome"), [(0.2, "promoted"), (0.02, "unknown")])
def test_an_equal_candidate_is_let_on_where_labels_have_shown_it_and_else_nobody_knows(
    max_loss: float, outcome: str
) -> None:
    """A soak waits for labels: within 0.2 they have shown it when the record goes on, within 0.02 they have not."""
    guarded = declared(accuracy(max_loss))
    lived = TwoArms(guarded, EQUAL, panes=PANES)
    line, found = second(unguarded(EQUAL), guarded)
    closed = [entry.fact.outcome for entry in lived.loop.ledger.read() if isinstance(entry.fact, e.RolloutClosed)]
    assert (closed, found.outcome) == (["promoted"] if outcome == "promoted" else [], outcome)
    if outcome == "promoted":
        assert (found.why, line.left) == ("each step is judged as recorded", None)
    else:
        assert found.why.startswith("step 2 would have gone on: not enough yet; labels that show accuracy not worse")
        assert found.at_least


def test_requests_are_counted_to_the_pane_of_the_rollback_and_the_record_is_left_there(much_worse: TwoArms) -> None:
    line, found = second(much_worse, GUARDED)
    assert line.left is not None
    assert line.known_to_row == line.left.row
    assert line.left.row > BEGINS
    assert (line.left.row + 1) % PANE == 0
    assert found.requests == much_worse.candidate_rows(line.left.row) < much_worse.candidate_rows(10**9)
    assert line.left.why == f"the rollout of {'b' * 12} ended otherwise"


def test_of_a_release_that_is_bad_from_its_first_labels_the_candidates_rows_count_and_less_of_them_if_seen(
    much_worse: TwoArms,
) -> None:
    recorded, guarded = much_worse.backtest(GUARDED).policies
    assert recorded.bad_rows
    assert recorded.bad_requests == recorded.rollout_list[0].requests
    assert guarded.bad_requests is not None
    assert recorded.bad_requests is not None
    assert 0 < guarded.bad_requests < recorded.bad_requests
    assert (guarded.bad_rows, guarded.bad_rows_at_least) == (0, True)


def test_one_that_it_would_have_kept_longer_answered_at_least_what_is_on_record() -> None:
    record = TwoArms(GUARDED, MUCH_WORSE, panes=30)
    for lax in (declared(), declared(accuracy(max_loss=0.5))):
        line, found = second(record, lax)
        assert (found.recorded, found.outcome) == ("rolled_back", "unknown")
        assert found.why == "it would not have been taken back when the record did it"
        assert (line.bad_requests, line.bad_requests_at_least) == (record.candidate_rows(10**9), True)
    _, stricter = second(record, declared(accuracy(), alpha=0.2))
    assert stricter.outcome == "rolled_back"
    assert stricter.requests is not None
    assert stricter.requests <= record.candidate_rows(10**9)


def test_a_canary_that_waits_for_labels_goes_on_and_how_long_nobody_knows() -> None:
    """A margin of 0.1 %: no canary of some hundred rows can show that."""
    needs = MetricGuardrail(name="accuracy", max_loss=0.001, labels="required")
    _, found = second(unguarded(EQUAL), declared(needs))
    assert found.outcome == "unknown"
    assert found.why.startswith("step 1 would have gone on: not enough yet; labels that show accuracy not worse")


def test_rows_without_one_of_the_arms_show_nothing(much_worse: TwoArms) -> None:
    """The log was pruned, or a gateway's rows were lost: unknown, as where only windows were kept."""
    for gone, why in (("candidate", "the log has none of the"), ("champion", "no row that the champion was assigned")):
        rows = [
            replace(one, predictions=one.predictions.filter(pl.col("arm") != gone)) if one.pane.last_row > 600 else one
            for one in much_worse.segments
        ]
        _, found = second(much_worse, GUARDED, rows)
        assert (found.outcome, found.requests) == ("unknown", None)
        assert why in found.why
    half = [
        replace(one, predictions=one.predictions.filter((pl.col("arm") != "candidate") | (pl.int_range(pl.len()) < 50)))
        for one in much_worse.segments
    ]
    _, found = second(much_worse, GUARDED, half)
    assert "rows of the candidate" in found.why
    assert found.outcome == "unknown"
