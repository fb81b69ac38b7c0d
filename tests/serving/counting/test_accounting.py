"""Laws of the counts: they agree with a plain re-computation, add, survive a restart, and flat memory is enough."""

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import routing

from flyball.core.ids import Epoch, RolloutId
from flyball.core.routing import Routing
from flyball.decide.rollout import judge
from flyball.serving.counting.accounting import Accounting, merged
from flyball.serving.counting.counter_file import SLOT_BYTES, Slot, in_memory
from flyball.serving.routing.assign import to_candidate, unit_hash
from flyball.stats.sequential_tests.sequential import increment

Event = tuple[int, bool, bool]  # unit, error, slow
EVENTS = st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.booleans()), max_size=120)
HALF = routing(weight=5000)


def fed(events: Sequence[Event], table: Routing = HALF, accounting: Accounting | None = None) -> Accounting:
    accounting = accounting or Accounting(in_memory())
    accounting.route(table)
    for number, (unit, error, slow) in enumerate(events):
        hashed = unit_hash(table.salt, str(unit))
        accounting.assigned(to_candidate(hashed, table.weight), hashed)
        accounting.row(to_candidate(hashed, table.weight), hashed, error, slow and not error, False, float(number + 1))
    return accounting


def log_e(events: Sequence[Event], which: int, ratio: float, table: Routing = HALF) -> float:
    """The test again, with sets and without bitmaps."""
    total, done, seen = 0.0, set[int](), dict[int, bool]()
    for unit, error, slow in events:
        event = error if which == 1 else (slow and not error)
        if unit in done:
            continue
        candidate = to_candidate(unit_hash(table.salt, str(unit)), table.weight)
        seen[unit] = candidate
        if event:
            total += increment(candidate, sum(seen.values()) / len(seen), ratio)
            done.add(unit)
            seen.clear()
    return total


@given(EVENTS)
def test_the_tests_are_those_of_the_events_one_after_the_other(events: list[Event]) -> None:
    counts = fed(events).counts(HALF)
    assert HALF.guardrails is not None
    assert counts.step_tests.errors == pytest.approx(log_e(events, 1, HALF.guardrails.errors.ratio))
    assert counts.step_tests.slow == pytest.approx(log_e(events, 2, HALF.guardrails.slow.ratio))
    assert counts.rollout_tests == counts.step_tests


@given(EVENTS)
def test_a_unit_counts_once_a_step_however_often_it_errs(events: list[Event]) -> None:
    counts = fed(events).counts(HALF)
    assert counts.champion.units + counts.candidate.units == len({unit for unit, _, _ in events})
    assert counts.champion.errors + counts.candidate.errors == len({unit for unit, error, _ in events if error})
    assert counts.champion.requests + counts.candidate.requests == len(events)


@given(EVENTS, st.integers(0, 120))
def test_a_restart_in_the_middle_changes_nothing(events: list[Event], cut: int) -> None:
    file = bytearray(SLOT_BYTES)
    fed(events[:cut], accounting=Accounting(Slot(file)))
    again = Accounting(Slot(file))  # another process maps the same bytes
    again.route(HALF)
    for number, (unit, error, slow) in enumerate(events[cut:]):
        hashed = unit_hash(HALF.salt, str(unit))
        again.assigned(to_candidate(hashed, HALF.weight), hashed)
        again.row(to_candidate(hashed, HALF.weight), hashed, error, slow and not error, False, float(number + 1))
    assert again.counts(HALF) == fed(events).counts(HALF)


@given(EVENTS, EVENTS)
def test_a_step_begins_anew_and_the_rollout_goes_on(first: list[Event], second: list[Event]) -> None:
    accounting = fed(first)
    before = accounting.counts(HALF)
    wider = routing(weight=8000, step=2, epoch=Epoch(2))
    counts = fed(second, wider, accounting).counts(wider)
    alone = fed(second, wider).counts(wider)
    assert counts.step_tests == alone.step_tests
    assert counts.candidate == alone.candidate
    assert counts.rollout_tests.errors == pytest.approx(before.rollout_tests.errors + alone.step_tests.errors)
    assert counts.rollout_candidate == before.candidate.plus(alone.candidate)


@given(EVENTS)
def test_another_rollout_owes_nothing_to_the_one_before(events: list[Event]) -> None:
    accounting = fed(events)
    fresh = routing(weight=5000, rollout=RolloutId("ro-2"), salt="ro-2", epoch=Epoch(9))
    accounting.route(fresh)
    assert accounting.counts(fresh) == Accounting(_routed(fresh).slot).counts(fresh)
    assert accounting.first_candidate_at() is None


@given(EVENTS, EVENTS, EVENTS)
def test_merging_is_addition(a: list[Event], b: list[Event], c: list[Event]) -> None:
    one, two, three = (fed(events).counts(HALF) for events in (a, b, c))
    left, right = merged(merged(one, two), three), merged(one, merged(two, three))
    assert msgspec.structs.replace(left, step_tests=one.step_tests, rollout_tests=one.step_tests) == (
        msgspec.structs.replace(right, step_tests=one.step_tests, rollout_tests=one.step_tests)
    )
    assert left.rollout_tests.errors == pytest.approx(right.rollout_tests.errors)
    assert merged(one, two).candidate == merged(two, one).candidate


def test_counts_of_different_steps_do_not_add() -> None:
    other = routing(weight=5000, step=2)
    with pytest.raises(ValueError, match="different steps"):
        merged(fed([]).counts(HALF), fed([], other).counts(other))


def test_the_same_table_under_a_higher_epoch_keeps_its_counts() -> None:
    accounting = fed([(1, True, False), (2, False, False)])
    again = routing(weight=5000, epoch=Epoch(7))
    accounting.route(again)
    assert accounting.counts(again).candidate.plus(accounting.counts(again).champion).requests == 2


def test_units_count_when_they_are_assigned_so_that_a_slow_arm_is_no_broken_split() -> None:
    accounting = Accounting(in_memory())
    accounting.route(HALF)
    for unit in range(400):
        hashed = unit_hash(HALF.salt, str(unit))
        candidate = to_candidate(hashed, HALF.weight)
        accounting.assigned(candidate, hashed)
        if not candidate:  # the candidate's answers are still on their way
            accounting.row(candidate, hashed, False, False, False, 1.0)
    counts = accounting.counts(HALF)
    assert counts.candidate.requests == 0
    assert counts.candidate.units + counts.champion.units == 400
    assert judge(HALF, counts).kind != "INVALID"


def test_an_error_of_the_candidate_never_speaks_for_it() -> None:
    accounting = Accounting(in_memory())
    accounting.route(HALF)
    sums = [0.0]
    for unit in range(200):
        hashed = unit_hash(HALF.salt, str(unit))
        candidate = to_candidate(hashed, HALF.weight)
        accounting.row(candidate, hashed, candidate, False, False, 1.0)
        sums.append(accounting.counts(HALF).rollout_tests.errors)
    assert all(later >= earlier for earlier, later in pairwise(sums))
    assert sums[-1] > 3.7


def test_shadow_pairs_are_tested_as_even_odds_once_a_unit() -> None:
    table = routing(weight=0, shadow=0.05, step=0)
    accounting = Accounting(in_memory())
    accounting.route(table)
    hashed = unit_hash("ro-1", "7")
    for _ in range(5):
        accounting.mirrored(hashed, error=True, slow=False, champion_error=False, champion_slow=False, disagrees=None)
    counts = accounting.counts(table)
    assert counts.rollout_tests.errors == pytest.approx(increment(True, 0.5, 2))
    assert (counts.shadow.requests, counts.shadow.errors, counts.pairs) == (5, 1, 0)


def test_rows_on_their_way_into_the_log_belong_to_the_step_that_received_them() -> None:
    accounting = Accounting(in_memory())
    accounting.route(HALF)
    accounting.open_pane(0)
    accounting.received(10)
    accounting.written(4)
    next_step = routing(weight=6000, step=2)
    accounting.route(next_step)
    accounting.received(5)
    accounting.dropped(2)
    accounting.written(6)
    accounting.written(3)
    counts = accounting.counts(next_step)
    assert (counts.received, counts.written, counts.dropped) == (5, 3, 2)


def _routed(table: Routing) -> Accounting:
    accounting = Accounting(in_memory())
    accounting.route(table)
    return accounting
