"""Merging and forgetting: readers see what they saw before, at whichever operation it is killed or the power fails."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adapters.prediction_log.power_cut import MortalDisk, PowerFailure
from tests.adapters.prediction_log.test_query import shadow
from tests.adapters.prediction_log.test_segments import TABLES, log, record

from flyball.adapters.prediction_log.answers import Answers
from flyball.adapters.prediction_log.disk import Disk
from flyball.adapters.prediction_log.files import folders, sealed
from flyball.adapters.prediction_log.query import tables
from flyball.adapters.prediction_log.segments import SegmentLog, Segments
from flyball.adapters.prediction_log.upkeep import DAY_S, HOUR_S, Upkeep
from flyball.core.errors import Conflict
from flyball.core.log_tables import LogTables
from flyball.core.ports import Segment
from flyball.core.prediction import LabelRecord

NOW = 20_000 * DAY_S + 12.5 * HOUR_S
PANES = st.lists(  # hours before now, rows, and whether the contract was an older one
    st.tuples(st.integers(0, 60), st.integers(0, 4), st.booleans()), max_size=8
).map(lambda panes: sorted(panes, reverse=True))
OLD = LogTables(features={"amount": pl.Int64()}, answer=pl.Int64())


def written(folder: Path, panes: list[tuple[int, int, bool]], disk: Disk | None = None) -> None:
    """Panes that were sealed so many hours ago."""
    number = 0
    for index, (hours, rows, old) in enumerate(panes):
        writer = SegmentLog(folder, folder.name, OLD if old else TABLES, disk=disk)
        at = NOW - hours * HOUR_S
        features = {"amount": 1} if old else {"card": "h:1", "amount": 2.0, "on": "2026-01-02"}
        writer.append(index, [record(number + i, at=at + i, features=features) for i in range(rows)], [shadow(number)])
        labels = [LabelRecord(id=f"s.{number}", label=1, at=at)] if rows > 1 else []
        writer.seal(index, start=at, end=at + 5, received=rows + 1, labels=labels)
        number += rows


def seen(folder: Path, after: int = -1) -> list[Segment]:
    return list(Segments(folder.parent).sealed(folder.name, after))


def same(one: list[Segment], other: list[Segment]) -> bool:
    return [s.pane for s in one] == [s.pane for s in other] and all(
        getattr(a, name).equals(getattr(b, name)) and getattr(a, name).schema == getattr(b, name).schema
        for a, b in zip(one, other, strict=True)
        for name in ("predictions", "shadows", "labels")
    )


@given(PANES, st.integers(1, 12), st.integers(-1, 8))
@settings(max_examples=20, deadline=None)
def test_readers_see_after_a_merge_what_they_saw_before(
    panes: list[tuple[int, int, bool]], most_rows: int, after: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "s"
        written(folder, panes)
        before, rows = seen(folder), tables(folder)["predictions"].collect()
        upkeep = Upkeep(folder, now=NOW)
        upkeep.merge(most_rows)
        merged = len(sealed(folder))
        for _ in range(2):  # with the parts still there, and without them
            assert same(seen(folder), before)
            assert same(seen(folder, after), [s for s in before if s.pane.index > after])
            assert tables(folder)["predictions"].collect()["id"].to_list() == rows["id"].to_list()
            assert upkeep.merge(most_rows) == 0  # nothing is left to do
            upkeep.sweep(grace_s=-1e12)
        assert len(sealed(folder)) == merged == len(folders(folder))
        again = SegmentLog(folder, "s", TABLES)
        assert (again.next_index(), again.last_sealed()) == (len(panes), len(panes) - 1)
        assert again._row == sum(rows for _, rows, _ in panes)


@given(PANES, st.integers(0, 40), st.booleans())
@settings(max_examples=20, deadline=None)
def test_killed_at_any_operation_it_loses_nothing_and_doubles_nothing(
    panes: list[tuple[int, int, bool]], dies_at: int, power: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "s"
        folder.mkdir()
        disk = MortalDisk(folder)
        written(folder, panes, disk)
        before = seen(folder)
        disk.dies_after(dies_at)
        upkeep = Upkeep(folder, now=NOW, disk=disk)
        try:
            upkeep.merge(100)
            upkeep.sweep(grace_s=-1e12)
            upkeep.merge(100)
        except PowerFailure:
            if power:
                disk.after_the_cut(Path(name) / "after")
                (Path(name) / "after").rename(Path(name) / "t")
                folder = Path(name) / "t"
        assert [s.pane for s in seen(folder)] == [s.pane for s in before]
        again = Upkeep(folder, now=NOW)
        again.sweep(grace_s=-1e12)
        again.merge(100)
        again.sweep(grace_s=-1e12)
        assert same(seen(folder), before)
        assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_day_is_one_folder_and_the_running_day_has_one_for_each_hour_that_is_over(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    written(folder, [(14, 1, False)] * 3 + [(13, 1, False)] * 3 + [(2, 1, False)] * 3 + [(0, 1, False)] * 3)
    assert Upkeep(folder, now=NOW).merge(1000) == 2
    names = [each.path.name for each in sealed(folder)]
    assert names[:2] == ["0000000000-0000000005", "0000000006-0000000008"]
    assert len(names) == 5  # this hour's stay as they are
    assert Upkeep(folder, now=NOW + DAY_S).merge(1000) == 1
    names = [each.path.name for each in sealed(folder)]
    assert names == ["0000000000-0000000005", "0000000006-0000000010", "0000000011"]


def test_parts_stay_for_those_who_read_them_and_a_reader_that_is_overtaken_looks_again(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    written(folder, [(40, 2, False)] * 5)
    reader = iter(Segments(tmp_path).sealed("s", -1))
    first = next(reader)
    now = (folder / "0000000000").stat().st_mtime
    upkeep = Upkeep(folder, now=max(NOW, now))
    upkeep.merge(100)
    assert upkeep.sweep() == 0
    assert Upkeep(folder, now=now + 1200).sweep() == 4
    assert [first.pane.index, *(segment.pane.index for segment in reader)] == [0, 1, 2, 3, 4]


def test_an_answer_is_found_at_its_place_in_a_merged_folder(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    written(folder, [(40, 2, False), (40, 0, False), (40, 3, False), (0, 0, False)])
    assert Upkeep(folder, now=NOW).merge(100) == 1
    found = {each.id: (each.pane, each.row) for each in Answers(tmp_path).find("s", "s.")}
    assert found == {"s.0": (0, 0), "s.1": (0, 1), "s.2": (2, 2), "s.3": (2, 3), "s.4": (2, 4)}


def test_frames_that_a_killed_process_left_of_a_pane_that_was_merged_are_only_removed(tmp_path: Path) -> None:
    writer = log(tmp_path)
    for index in range(3):
        writer.append(index, [record(index, at=0.0)], [])
        if index == 1:
            frames = (tmp_path / "s" / "0000000001.frames").read_bytes()
        writer.seal(index, start=0.0, end=1.0, received=1, labels=[])
    (tmp_path / "s" / "0000000001.frames").write_bytes(frames)
    upkeep = Upkeep(tmp_path / "s", now=NOW)
    upkeep.merge(100)
    upkeep.sweep(grace_s=-1e12)
    again = log(tmp_path)
    assert again.seal(1, start=5.0, end=6.0, received=9, labels=[]).end == 1.0
    assert (again.unsealed(), again._row, len(sealed(tmp_path / "s"))) == ([], 3, 2)


def test_retention_takes_whole_days_from_the_old_end_and_never_the_count_of_rows(tmp_path: Path) -> None:
    folder = tmp_path / "s"
    written(folder, [(24 * days, 2, False) for days in (5, 4, 3)])
    upkeep = Upkeep(folder, now=NOW)
    assert [each.first for each in upkeep.due(3.4 * DAY_S)] == [0, 1]
    over = upkeep.expire(3.6 * DAY_S)  # of the second day an hour is younger
    assert [each.name for each in over] == ["0000000000"]
    assert over[0].size > 0
    assert [segment.pane.index for segment in seen(folder)] == [1, 2]
    assert upkeep.expire(3.6 * DAY_S) == over  # killed before it was told: told again
    upkeep.remove(over)
    assert upkeep.expire(3.6 * DAY_S) == []
    upkeep.remove(upkeep.expire(0.0))
    assert [segment.pane.index for segment in seen(folder)] == [2]
    assert SegmentLog(folder, "s", TABLES)._row == 6


def test_two_never_run_at_once(tmp_path: Path) -> None:
    upkeep = Upkeep(tmp_path, now=NOW)
    with upkeep.alone(), pytest.raises(Conflict), Upkeep(tmp_path, now=NOW).alone():
        pass
    with upkeep.alone():
        pass
