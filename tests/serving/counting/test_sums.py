"""Laws of counting over workers: however the rows of the units are spread over them, a unit's event counts once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import routing, split

from flyball.core.ids import Epoch, RolloutId
from flyball.serving.counting.accounting import Accounting, step_key
from flyball.serving.counting.counter_file import SLOT_BYTES, UNITS_BYTES, Slot, Units
from flyball.serving.counting.sums import Sums
from flyball.serving.routing.assign import owners, to_candidate, unit_hash

HALF = routing(weight=5000)
EVENTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30), st.booleans(), st.booleans()), max_size=100)


class Crew:
    """Three workers' accounts over one buffer, as three processes would map it."""

    def __init__(self) -> None:
        self.units = Units(bytearray(UNITS_BYTES))
        self.slots = [Slot(bytearray(SLOT_BYTES), self.units) for _ in range(3)]
        self.workers = [Accounting(slot) for slot in self.slots]
        self.sums = Sums(self.slots)

    def route(self, table: object = HALF, *, workers: int = 3) -> None:
        assert isinstance(table, type(HALF))
        self.units.turn(step_key(table))
        for worker in self.workers[:workers]:
            worker.route(table)

    def feed(self, worker: int, unit: int, *, error: bool = False, slow: bool = False) -> None:
        hashed = unit_hash("ro-1", str(unit))
        candidate = to_candidate(hashed, 5000)
        self.workers[worker].assigned(candidate, hashed)
        self.workers[worker].row(candidate, hashed, error, slow and not error, False, 1.0)


@given(EVENTS)
def test_units_and_their_events_count_once_whoever_answers(events: list[tuple[int, int, bool, bool]]) -> None:
    crew = Crew()
    crew.route()
    for worker, unit, error, slow in events:
        crew.feed(worker, unit, error=error, slow=slow)
    counts = crew.sums.counts(HALF)
    mine = {unit for _, unit, _, _ in events if to_candidate(unit_hash("ro-1", str(unit)), 5000)}
    assert counts.candidate.units == len(mine)
    assert counts.champion.units == len({unit for _, unit, _, _ in events}) - len(mine)
    assert counts.candidate.errors == len({u for _, u, error, _ in events if error} & mine)
    assert counts.candidate.slow == len({u for _, u, error, slow in events if slow and not error} & mine)
    assert counts.champion.requests + counts.candidate.requests == len(events)


@given(EVENTS)
def test_one_worker_of_three_counts_as_one_alone_would(events: list[tuple[int, int, bool, bool]]) -> None:
    crew, alone = Crew(), Accounting(Slot(bytearray(SLOT_BYTES)))
    crew.route()
    alone.route(HALF)
    for _, unit, error, slow in events:
        crew.feed(1, unit, error=error, slow=slow)
        hashed = unit_hash("ro-1", str(unit))
        candidate = to_candidate(hashed, 5000)
        alone.assigned(candidate, hashed)
        alone.row(candidate, hashed, error, slow and not error, False, 1.0)
    assert crew.sums.counts(HALF) == alone.counts(HALF)


def test_a_worker_that_has_not_turned_yet_counts_for_the_rollout_alone() -> None:
    crew = Crew()
    crew.route()
    for worker in range(3):
        crew.feed(worker, worker, error=True)
    erred = crew.sums.counts(HALF).rollout_candidate.errors
    further = routing(weight=6000, step=2, epoch=Epoch(2))
    crew.route(further, workers=2)
    crew.feed(2, 77)  # the third is still in the step before, and so is the set it writes to
    counts = crew.sums.counts(further)
    assert (counts.champion.requests, counts.candidate.requests, counts.rollout_candidate.errors) == (0, 0, erred)
    crew.feed(0, 77)
    after = crew.sums.counts(further)
    assert after.champion.units + after.candidate.units == 1
    another = routing(rollout=RolloutId("ro-2"), salt="ro-2", epoch=Epoch(3))
    crew.route(another, workers=0)
    assert crew.sums.counts(another).rollout_candidate.requests == 0


@given(EVENTS)
def test_arms_of_an_ab_test_are_summed_by_one_who_does_not_go_by_the_table(
    events: list[tuple[int, int, bool, bool]],
) -> None:
    table = split(3000, 3000)
    crew, arms = Crew(), owners(table.arms)
    crew.route(table)
    met: dict[str, set[int]] = {"champion": set(), "b": set(), "c": set()}
    for worker, unit, error, _ in events:
        hashed = unit_hash(table.salt, str(unit))
        arm = arms[hashed % 10_000]
        crew.workers[worker].arms.assigned(arm, hashed)
        crew.workers[worker].row_of_arm(arm, hashed, error, False, False, 1.0)
        met[arm].add(unit)
    counts = crew.sums.counts(table)
    assert {each.name: each.step.units for each in counts.arms} == {arm: len(units) for arm, units in met.items()}
    assert sum(each.total.requests for each in counts.arms) == len(events)
    assert sum(each.step.errors for each in counts.arms) == len({unit for _, unit, error, _ in events if error})
    for each in counts.arms:
        mine = [arms_of for worker in crew.workers for arms_of in worker.arms.evidence(table.arms)]
        assert each.tests.errors == pytest.approx(sum(one.tests.errors for one in mine if one.name == each.name))


def test_a_slot_between_two_pages_is_not_read() -> None:
    crew = Crew()
    crew.route()
    crew.feed(0, 1)
    crew.feed(1, 2)
    crew.slots[0].ints[1] = 0  # killed while it turned
    counts = crew.sums.counts(HALF)
    assert counts.champion.units + counts.candidate.units == 1


def test_the_same_step_keeps_its_sets_and_another_finds_them_empty() -> None:
    units = Units(bytearray(UNITS_BYTES))
    units.turn(2**40)
    page, seen = units.page, units.bitmap("seen")
    assert seen.add(5)
    units.turn(2**40)
    assert (units.page, 5 in seen, 5 in units.bitmap("seen")) == (page, True, True)
    units.turn(2**41)
    assert (units.page, 5 in seen, 5 in units.bitmap("seen")) == (1 - page, True, False)
    seen.clear()
    assert 5 not in seen
