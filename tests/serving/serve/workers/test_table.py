"""The mapped table: whoever reads it sees a whole one, the newest, also when its writer is killed between two lines."""

import threading
from itertools import count
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from tests.serving.parts import routing, split

from flyball.core.arms import MOST_ARMS
from flyball.core.errors import BadInput
from flyball.core.ids import Epoch, ReleaseRoot
from flyball.core.routing import ArmCounts, ArmEvidence, ArmStop, Observed, StepCounts, Stopped, TestSums, Verdict
from flyball.serving.routing.allotment import MOST_RANGES
from flyball.serving.serve.workers.table import LAYOUT, Table, TableMap, read_table, write_table

LEAST = 2000  # tables that are written while somebody reads


def table(epoch: int) -> Table:
    return Table(routing=routing(epoch=Epoch(epoch), weight=epoch % 10_000, salt=f"ro-{'x' * (epoch % 300)}-{epoch}"))


def test_no_reader_ever_sees_half_a_table(tmp_path: Path) -> None:
    writing, reading = TableMap(tmp_path / "routing.map"), TableMap(tmp_path / "routing.map")
    assert reading.read() == (0, None)
    enough, over = threading.Event(), threading.Event()

    def write() -> None:
        """At least so many, and on until the reader has seen some, however seldom it is given the processor."""
        for epoch in count(1):
            writing.publish(table(epoch))
            if over.is_set() or (enough.is_set() and epoch >= LEAST):
                return

    writer = threading.Thread(target=write)
    writer.start()
    newest, seen = 0, 0
    try:
        while writer.is_alive():
            number, found = reading.read()
            if found is None:
                continue
            assert found == table(number)  # all of one, and that of its number
            assert number >= newest
            if number > newest:
                newest, seen = number, seen + 1
            if seen > 10:
                enough.set()
    finally:
        over.set()
        writer.join()
    last, _ = reading.read()
    assert last >= LEAST
    assert reading.read() == (last, table(last))


def test_a_writer_that_is_killed_leaves_the_table_in_force(tmp_path: Path) -> None:
    path = tmp_path / "routing.map"
    TableMap(path).publish(table(1))
    data = bytearray(path.read_bytes())
    start = 64  # the place of even numbers, where the second would go
    data[start : start + 2000] = b"half of a table".ljust(2000)
    path.write_bytes(data)
    assert TableMap(path).read() == (1, table(1))
    assert TableMap(path).publish(table(2)) == 2
    assert TableMap(path).read() == (2, table(2))


def test_what_is_no_table_is_told(tmp_path: Path) -> None:
    path = tmp_path / "routing.map"
    TableMap(path).publish(table(1))
    data = bytearray(path.read_bytes())
    data[64 + 64 * 1024 + 10] ^= 1
    path.write_bytes(data)
    with pytest.raises(BadInput, match="cannot be read"):
        TableMap(path).read()
    with pytest.raises(ValueError, match="at most"):
        TableMap(path).publish(Table(routing=routing(salt="x" * 70_000)))


def test_a_table_without_arms_is_what_a_gateway_from_before_them_reads(tmp_path: Path) -> None:
    """Neither form says anything of arms, so the strict reader of layout 1 takes it; with arms it refuses."""
    write_table(tmp_path, table(1))
    assert b"arms" not in (tmp_path / "routing.json").read_bytes()
    assert b"arms" not in msgspec.json.encode(Observed(routing=table(1).routing, counts=None))
    with_arms = Table(routing=split(100))
    assert b'"arms"' in msgspec.json.encode(with_arms)
    write_table(tmp_path, with_arms)
    assert read_table(tmp_path) == with_arms


def test_a_map_of_layout_1_goes_on_and_one_of_a_newer_layout_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "routing.map"
    TableMap(path).publish(table(1))
    data = bytearray(path.read_bytes())
    assert data[40] == LAYOUT
    data[40] = 0
    path.write_bytes(data)
    assert TableMap(path).read() == (1, table(1))
    assert TableMap(path).publish(table(2)) == 2
    data[40] = LAYOUT + 1
    path.write_bytes(data)
    with pytest.raises(BadInput, match="newer Flyball"):
        TableMap(path)


def test_the_largest_ab_test_fits_into_the_map(tmp_path: Path) -> None:
    """Sixteen arms, as many ranges as are allowed, every arm stopped, each with its verdict, and the orders kept."""
    each = MOST_RANGES // MOST_ARMS
    arms = tuple(
        replace(
            arm,
            name=arm.name * 31,
            release=ReleaseRoot("sha256:" + "f" * 64),
            buckets=tuple((9990 - 19 * (n + i * each), 9991 - 19 * (n + i * each)) for n in range(each))[::-1],
        )
        for i, arm in enumerate(split(*[1] * MOST_ARMS).arms)
    )
    routing = split(1, arms_=arms)
    numbers = {f"a number of the judge's, by its name {n}": 1.0 / 3.0 for n in range(12)}
    verdict = Verdict(kind="ROLL_BACK", reason="x" * 300, cause="errors", numbers=numbers)
    counts = ArmCounts(requests=1 << 50, units=1 << 50, errors=1 << 50, slow=1 << 50, failed=1 << 50)
    sums = TestSums(errors=1.0 / 3.0, slow=1.0 / 3.0)
    evidence = tuple(ArmEvidence(name=arm.name, step=counts, total=counts, tests=sums) for arm in arms)
    stops = tuple(ArmStop(arm=arm.name, release=arm.release, verdict=verdict, at="t" * 27) for arm in arms)
    seen = StepCounts(service=routing.service, epoch=1, rollout=routing.rollout, step=None, arms_=evidence)
    assert routing.rollout is not None
    stopped = Stopped(rollout=routing.rollout, epoch=1, verdict=verdict, counts=seen, at="t" * 27, arms_=stops)
    largest = Table(routing=routing, stopped=stopped, keys=tuple(f"route/{'s' * 60}/{n}" for n in range(64)))
    written = TableMap(tmp_path / "routing.map")
    written.publish(largest)
    assert written.read() == (1, largest)
