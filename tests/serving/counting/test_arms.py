"""Laws of the counts of k arms: with one arm they are those of a rollout, they agree with a plain re-computation, add
over workers and outlive the process."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.serving.parts import CHAMPION, routing, split

from flyball.core.arms import MOST_ARMS, Arm
from flyball.core.ids import Epoch, RolloutId
from flyball.core.routing import WHOLE, ArmEvidence, Routing
from flyball.serving.counting.accounting import Accounting, merged, step_key
from flyball.serving.counting.counter_file import SLOT_BYTES, Slot, in_memory
from flyball.serving.routing.allotment import allotted
from flyball.serving.routing.assign import owners, to_candidate, unit_hash
from flyball.stats.sequential_tests.sequential import increment

Event = tuple[int, bool, bool]  # unit, error, slow
EVENTS = st.lists(st.tuples(st.integers(0, 40), st.booleans(), st.booleans()), max_size=120)
FOUR = split(2000, 2000, 2000, 2000)


def fed(events: Sequence[Event], table: Routing = FOUR, accounting: Accounting | None = None) -> Accounting:
    accounting = accounting or Accounting(in_memory())
    accounting.route(table)
    arms = owners(table.arms)
    for number, (unit, error, slow) in enumerate(events):
        hashed = unit_hash(table.salt, str(unit))
        arm = arms[hashed % WHOLE]
        accounting.arms.assigned(arm, hashed)
        accounting.row_of_arm(arm, hashed, error, slow and not error, False, float(number + 1))
    return accounting


def found(accounting: Accounting, table: Routing = FOUR) -> dict[str, ArmEvidence]:
    return {each.name: each for each in accounting.counts(table).arms}


def log_e(events: Sequence[Event], of: str, ratio: float) -> float:
    """The error test of one arm again, with sets and without bitmaps."""
    total, done, seen = 0.0, set[int](), dict[int, str]()
    arms = owners(FOUR.arms)
    for unit, error, _ in events:
        if unit in done:
            continue
        arm = seen[unit] = arms[unit_hash(FOUR.salt, str(unit)) % WHOLE]
        if error:
            pair = [each for each in seen.values() if each in (of, "champion")]
            if arm in (of, "champion"):
                total += increment(arm == of, pair.count(of) / len(pair), ratio)
            done.add(unit)
            seen.clear()
    return total


@given(EVENTS, st.integers(0, WHOLE))
def test_one_arm_is_counted_and_tested_as_the_candidate_of_a_rollout(events: list[Event], weight: int) -> None:
    test, rollout = split(weight, salt="ro-1"), routing(weight=weight)
    two = Accounting(in_memory())
    two.route(rollout)
    for number, (unit, error, slow) in enumerate(events):
        hashed = unit_hash("ro-1", str(unit))
        mine = to_candidate(hashed, weight)
        two.assigned(mine, hashed)
        two.row(mine, hashed, error, slow and not error, False, float(number + 1))
    expected, arms = two.counts(rollout), found(fed(events, test), test)
    assert (arms["champion"].step, arms["b"].step) == (expected.champion, expected.candidate)
    assert arms["b"].tests.errors == pytest.approx(expected.rollout_tests.errors)
    assert arms["b"].tests.slow == pytest.approx(expected.rollout_tests.slow)


@given(EVENTS)
def test_the_tests_of_four_arms_are_those_of_the_events_one_after_the_other(events: list[Event]) -> None:
    assert FOUR.guardrails is not None
    for name, each in found(fed(events)).items():
        wanted = 0.0 if name == "champion" else log_e(events, name, FOUR.guardrails.errors.ratio)
        assert each.tests.errors == pytest.approx(wanted)


@given(EVENTS)
def test_a_unit_counts_once_for_its_arm_however_often_it_errs(events: list[Event]) -> None:
    arms = found(fed(events)).values()
    assert sum(each.step.units for each in arms) == len({unit for unit, _, _ in events})
    assert sum(each.step.errors for each in arms) == len({unit for unit, error, _ in events if error})
    assert sum(each.step.requests for each in arms) == len(events)


@given(EVENTS, st.integers(0, 120))
def test_a_restart_in_the_middle_changes_nothing(events: list[Event], cut: int) -> None:
    file = bytearray(SLOT_BYTES)
    fed(events[:cut], accounting=Accounting(Slot(file)))
    again = fed(events[cut:], accounting=Accounting(Slot(file)))
    assert again.counts(FOUR).arms == fed(events).counts(FOUR).arms


@given(EVENTS, EVENTS)
def test_other_weights_are_another_step_of_the_same_test(first: list[Event], second: list[Event]) -> None:
    accounting = fed(first)
    before = found(accounting)
    other = replace(FOUR, epoch=Epoch(2), arms_=allotted(FOUR.arms, {"b": 0, "c": 3000}))
    after = found(fed(second, other, accounting), other)
    alone = found(fed(second, other), other)
    for name, each in after.items():
        assert each.step == alone[name].step
        assert each.total == before[name].total.plus(alone[name].step)
        assert each.tests.errors == pytest.approx(before[name].tests.errors + alone[name].tests.errors)


@given(EVENTS, EVENTS)
def test_another_test_begins_at_zero(first: list[Event], second: list[Event]) -> None:
    other = replace(FOUR, epoch=Epoch(2), rollout=RolloutId("ab-2"), salt="ab-2")
    assert fed(second, other, fed(first)).counts(other) == fed(second, other).counts(other)


@given(EVENTS, EVENTS)
def test_workers_add(one: list[Event], other: list[Event]) -> None:
    both = merged(fed(one).counts(FOUR), fed(other).counts(FOUR)).arms
    for each, mine, theirs in zip(both, fed(one).counts(FOUR).arms, fed(other).counts(FOUR).arms, strict=True):
        assert each == mine.plus(theirs)


def test_a_rollout_counts_no_arms_and_a_table_says_so_by_its_step() -> None:
    assert Accounting(in_memory()).counts(routing(weight=1)).arms == ()
    assert step_key(FOUR) != step_key(replace(FOUR, arms_=allotted(FOUR.arms, {"b": 1})))


def test_there_is_room_for_the_most_arms_and_no_more() -> None:
    most = split(*[500] * MOST_ARMS)
    units = [(unit, True, True) for unit in range(2000)]
    assert min(each.step.errors for each in fed(units, most).counts(most).arms) > 0
    one_more = (*most.arms, Arm(name="more", release=CHAMPION))
    with pytest.raises(ValueError, match="at most 16"):
        Accounting(in_memory()).route(replace(most, arms_=one_more))
