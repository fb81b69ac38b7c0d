"""Ids sort by time and are never given twice; clocks are handed in."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from flyball.adapters.clock import SystemClock
from flyball.adapters.ids import COUNTS, TimeIds
from flyball.adapters.ledger.memory import SequentialIds, SimulatedClock


def test_an_id_is_a_prefix_and_a_uuid_of_version_7_with_the_time_in_it() -> None:
    at = datetime(2026, 11, 21, 10, tzinfo=UTC)
    prefix, number = TimeIds(SimulatedClock(at)).new("ro").split("-")
    uuid = UUID(hex=number)
    assert (prefix, uuid.version, uuid.variant) == ("ro", 7, "specified in RFC 4122")
    assert uuid.int >> 80 == int(at.timestamp() * 1000)


def test_ids_sort_as_they_were_given_even_where_the_clock_stands_or_goes_back() -> None:
    clock = SimulatedClock()
    ids = TimeIds(clock)
    given = [ids.new("x") for _ in range(COUNTS + 10)]  # more than one millisecond can count
    clock.set(clock.now() - timedelta(hours=1))
    given += [ids.new("x") for _ in range(10)]
    clock.advance(2 * 3600)
    given += [ids.new("x") for _ in range(10)]
    assert given == sorted(set(given))


def test_threads_never_get_the_same_id() -> None:
    ids, given = TimeIds(SystemClock()), list[str]()
    threads = [threading.Thread(target=lambda: given.extend(ids.new("x") for _ in range(500))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(given)) == 2000


def test_simulated_ids_are_the_same_in_each_run() -> None:
    ids = SequentialIds()
    assert [ids.new("ro"), ids.new("tk")] == ["ro-000001", "tk-000002"]


def test_simulated_time_goes_by_only_when_told_and_never_backwards() -> None:
    clock = SimulatedClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(90.5)
    assert (clock.now(), clock.monotonic()) == (datetime(2026, 1, 1, 0, 1, 30, 500_000, tzinfo=UTC), 90.5)
    clock.set(datetime(2025, 1, 1, tzinfo=UTC))
    assert (clock.now().year, clock.monotonic()) == (2025, 90.5)
    with pytest.raises(ValueError, match="cannot go by"):
        clock.advance(-1)


def test_the_real_clock_is_aware_and_in_utc() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
