"""What a judge reads: the evidence of all events in their order, through kills, pages, workers and old files."""

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.serving.counting.test_sums import Crew
from tests.serving.parts import routing

from flyball.core.ids import Epoch, RolloutId
from flyball.core.routing import OwnRates, Routing, TestSums
from flyball.serving.counting.accounting import Accounting
from flyball.serving.counting.counter_file import FLOAT, INT, SLOT_BYTES, Slot
from flyball.serving.counting.judged import JudgedCounts
from flyball.serving.routing.assign import to_candidate, unit_hash
from flyball.stats.change.rate_rise import RISEN
from flyball.stats.sequential_tests.change_point import BOLDER, FIRST, FIRST_SPLIT, ChangePointEvidence
from flyball.stats.sequential_tests.sequential import increment

Event = tuple[int, bool]  # unit, error
EVENTS = st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=80)
HALF, MOST = routing(weight=5000), routing(weight=9500, step=2, epoch=Epoch(2))


class Desk:
    """One process: its account, and who judges, over one buffer."""

    def __init__(self, file: bytearray | None = None) -> None:
        self.slot = Slot(bytearray(SLOT_BYTES) if file is None else file)
        self.account = Accounting(self.slot)
        self.judged = JudgedCounts([self.slot], self.account.counts)

    def feed(self, events: Sequence[Event], table: Routing = HALF, *, look: bool = True) -> None:
        self.account.route(table)
        for unit, error in events:
            hashed = unit_hash(table.salt, str(unit))
            candidate = to_candidate(hashed, table.weight)
            self.account.assigned(candidate, hashed)
            self.account.row(candidate, hashed, error, False, False, 1.0)
            if look:
                self.judged.look(table)

    def log_e(self, table: Routing = HALF) -> float:
        return self.judged.standing(table).rollout_tests.errors


def by_hand(events: Sequence[Event], table: Routing = HALF) -> float:
    """With sets, event by event."""
    state, whole = ChangePointEvidence(), (0.0, 0.0)
    done, seen = set[int](), dict[int, bool]()
    for unit, error in events:
        if unit in done:
            continue
        candidate = to_candidate(unit_hash(table.salt, str(unit)), table.weight)
        seen[unit] = candidate
        if error:
            w = sum(seen.values()) / len(seen)
            gained = increment(candidate, w, 2.0), increment(candidate, w, BOLDER * 2.0)
            whole = (whole[0] + gained[0], whole[1] + gained[1])
            state = state.observe(gained, 1)
            done.add(unit)
            seen.clear()
    return state.log_e(whole)


@given(EVENTS)
def test_it_is_the_evidence_of_the_events_one_after_the_other(events: list[Event]) -> None:
    desk = Desk()
    desk.feed(events)
    assert desk.log_e() == pytest.approx(by_hand(events), abs=1e-9)


@given(EVENTS)
def test_looking_twice_finds_nothing_twice(events: list[Event]) -> None:
    desk = Desk()
    desk.feed(events)
    found = desk.judged.look(HALF)
    assert desk.judged.look(HALF) == found == desk.judged.standing(HALF)


@given(EVENTS, st.integers(0, 80))
def test_a_process_that_maps_the_same_file_goes_on(events: list[Event], cut: int) -> None:
    file = bytearray(SLOT_BYTES)
    Desk(file).feed(events[:cut])
    again = Desk(file)
    again.feed(events[cut:])
    assert again.log_e() == pytest.approx(by_hand(events), abs=1e-9)


class Killed(Exception):
    """Before a store."""


class Stores:
    """Floats of a slot; after so many stores the process is killed."""

    def __init__(self, floats: "memoryview[float]", left: int) -> None:
        self._floats, self.left = floats, left

    def __getitem__(self, at: int | slice) -> object:
        return self._floats[at]

    def __setitem__(self, at: int, number: float) -> None:
        if self.left == 0:
            raise Killed
        self.left -= 1
        self._floats[at] = number


@given(EVENTS, EVENTS, st.integers(0, 60))
@example([(1, True), (2, True), (3, True)], [(4, True), (5, True), (6, True)], 7)
@example([(1, True), (2, True), (3, True)], [(4, True), (5, True), (6, True)], 60)
def test_a_kill_at_any_store_uses_nothing_twice(before: list[Event], after: list[Event], stores: int) -> None:
    """Bets have begun; one look is cut off anywhere, and the next goes on: they have gained all of it once, or not."""
    desk = Desk()
    desk.feed(before)
    desk.judged.look(HALF)
    was, _ = desk.judged._read("errors")
    sums = ("rollout_errors", "bolder_errors")
    told = [desk.slot.real(name) for name in sums]
    desk.feed(after, look=False)
    new = desk.account.counts(HALF)
    events = new.champion.errors + new.candidate.errors - was.events
    gained = [desk.slot.real(name) - old for name, old in zip(sums, told, strict=True)]
    floats, desk.slot.floats = desk.slot.floats, cast("memoryview[float]", Stores(desk.slot.floats, stores))
    with suppress(Killed):
        JudgedCounts([desk.slot], desk.account.counts).look(HALF)
    desk.slot.floats = floats
    desk.judged.look(HALF)
    now, _ = desk.judged._read("errors")
    without = was.observe((0.0, 0.0), 0)
    for which in (0, 1):
        gain = (gained[0], gained[1])
        possible = [each.log_begun[which] for each in (without, was.observe(gain, 0), was.observe(gain, events))]
        assert any(now.log_begun[which] == pytest.approx(log, abs=1e-9) for log in possible)
    assert was.events <= now.events <= was.events + events


@given(EVENTS, st.integers(0, 3))
def test_an_exposure_is_a_row_of_a_unit_at_risk(events: list[Event], spread: int) -> None:
    """Whoever counted it, and however often was looked: a unit that has erred in this step is none any more."""
    crew = Crew()
    crew.route()
    judged = JudgedCounts(crew.slots, crew.sums.counts)
    erred, rows, own = set[int](), 0, 0
    for at, (unit, error) in enumerate(events):
        crew.feed(at % (spread + 1) % 3, unit, error=error)
        rows += unit not in erred
        own += unit not in erred and to_candidate(unit_hash("ro-1", str(unit)), 5000)
        if error:
            erred.add(unit)
        if at % 3 == 0:
            judged.look(HALF)
    judged.look(HALF)
    _, rise = judged._read("errors")
    assert (rise.step_events, rise.step_exposures) == (len(erred), rows)
    _, slow = judged._read("slow")
    assert (slow.step_events, slow.step_exposures) == (0, len(events))


def test_units_that_are_given_by_a_rule_are_no_exposure_before_or_after_their_event() -> None:
    desk = Desk()
    desk.feed([(unit, False) for unit in range(50)])
    for _ in range(3):
        desk.account.given(unit_hash(HALF.salt, "given"), True, False)
    desk.judged.look(HALF)
    _, rise = desk.judged._read("errors")
    assert (rise.step_events, rise.step_exposures) == (1, 50)


@given(EVENTS)
def test_a_file_from_before_there_was_a_judges_state_is_read(events: list[Event]) -> None:
    """An older gateway kept the sums of the declared ratio alone: they are heard as one batch."""
    file = bytearray(SLOT_BYTES)
    Desk(file).feed(events, look=False)
    slot = Slot(file)
    for name in FLOAT:
        if name.startswith(("bolder_", "told_", "judged_", "heard_", "again_")):
            slot.floats[FLOAT[name]] = 0.0
    for name in ("told_rollout", "judged_rollout", "judged_step"):
        slot.ints[INT[name]] = 0
    desk = Desk(file)
    found = desk.judged.look(HALF)
    assert found.rollout_tests.errors >= slot.real("rollout_errors") + math.log(FIRST * FIRST_SPLIT[0]) - 1e-9
    assert found.candidate == Accounting(slot).counts(HALF).candidate


def test_another_rollout_begins_with_nothing() -> None:
    desk = Desk()
    desk.feed([(unit, True) for unit in range(40)])
    other = routing(weight=5000, rollout=RolloutId("ro-2"), epoch=Epoch(9))
    desk.account.route(other)
    found = desk.judged.look(other)
    assert found.rollout_tests == TestSums()
    assert found.own_rates == OwnRates()


def test_evidence_goes_on_over_a_step_and_less_weight_is_a_reason() -> None:
    desk = Desk()
    desk.feed([(unit, unit % 4 == 0) for unit in range(200)])
    before = desk.log_e()
    desk.account.route(MOST)
    assert desk.judged.look(MOST).rollout_tests.errors == before
    kept = desk.slot.real("judged_reason_left_errors")
    lower = replace(HALF, step=2, epoch=Epoch(3))
    desk.account.route(lower)
    desk.judged.look(lower)
    assert desk.slot.real("judged_reason_left_errors") == kept / 2
    assert desk.log_e(lower) == pytest.approx(before, abs=1e-9)


def test_a_worker_that_cannot_be_read_now_has_gained_nothing_now() -> None:
    """One that turns its page, or has not come yet: its sum may be far below zero; to leave it out is no evidence."""
    crew = Crew()
    crew.route()
    judged = JudgedCounts(crew.slots, crew.sums.counts)
    units = [unit for unit in range(4000) if not to_candidate(unit_hash("ro-1", str(unit)), 5000)]
    for unit in units[:60]:  # the champion's errors alone, all of them at the first worker
        crew.feed(0, unit, error=True)
        crew.feed(0, 10_000 + unit)
        judged.look(HALF)
    before = judged.standing(HALF).rollout_tests.errors
    assert crew.slots[0].real("rollout_errors") < -5
    key = crew.slots[0].count("step_key")
    crew.slots[0].ints[INT["step_key"]] = 0
    assert judged.look(HALF).rollout_tests.errors == before
    crew.slots[0].ints[INT["step_key"]] = key
    assert judged.look(HALF).rollout_tests.errors == before


@given(EVENTS, st.integers(1, 3))
def test_many_workers_are_one_stream_of_events(events: list[Event], spread: int) -> None:
    crew = Crew()
    crew.route()
    judged = JudgedCounts(crew.slots, crew.sums.counts)
    for at, (unit, error) in enumerate(events):
        crew.feed(at % spread, unit, error=error)
        judged.look(HALF)
    counts, raw = judged.standing(HALF), crew.sums.counts(HALF)
    assert replace(counts, rollout_tests=raw.rollout_tests, own_rates_=raw.own_rates_) == raw
    assert counts.rollout_tests.errors >= raw.rollout_tests.errors + math.log(FIRST * FIRST_SPLIT[0]) - 1e-9


def test_a_rate_that_has_risen_is_told() -> None:
    desk = Desk()
    desk.feed([(unit, unit % 100 == 0) for unit in range(3000)], MOST)
    assert desk.judged.look(MOST).own_rates.risen.errors < RISEN
    desk.feed([(unit, unit % 5 == 0) for unit in range(5000, 5100)], MOST)
    found = desk.judged.look(MOST)
    assert found.own_rates.risen.errors > RISEN
    assert found.own_rates.risen.slow == 0
