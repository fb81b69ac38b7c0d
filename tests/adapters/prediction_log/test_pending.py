"""A query while several workers answer: whatever has been taken over, every row once."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adapters.prediction_log.power_cut import MortalDisk, PowerFailure
from tests.adapters.prediction_log.test_segments import TABLES, record

from flyball.adapters.prediction_log.answers import Answers
from flyball.adapters.prediction_log.labels import SqliteLabels
from flyball.adapters.prediction_log.query import tables
from flyball.adapters.prediction_log.segments import SegmentLog
from flyball.adapters.prediction_log.worker_panes import NoLabels, WorkerPanes, worker_folder

DEEDS = st.lists(st.tuples(st.sampled_from(["append", "append", "seal", "take over"]), st.integers(0, 1)), max_size=10)


@given(DEEDS)
@settings(max_examples=15, deadline=None)
def test_every_row_of_every_worker_is_found_once(deeds: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "s"
        logs = [SegmentLog(worker_folder(folder, number), "s", TABLES) for number in range(2)]
        indices = [0, 0]
        labels = SqliteLabels(folder / "labels.db")
        supervisor = WorkerPanes(folder, "s", TABLES, labels)
        written = []
        for number, (deed, worker) in enumerate(deeds):
            if deed == "append":
                logs[worker].append(indices[worker], [record(number)], [])
                written.append(f"s.{number}")
            elif deed == "seal" and indices[worker] in logs[worker].unsealed():
                logs[worker].seal(indices[worker], start=0.0, end=1.0, received=None, labels=[])
                indices[worker] += 1
            elif deed == "take over":
                supervisor.take_over()
            found = tables(folder)["predictions"].collect()["id"].to_list()
            assert sorted(found) == sorted(written)
            assert {each.id for each in Answers(Path(name)).find("s", "s.", limit=50)} == set(written)
        labels.close()


@given(DEEDS, st.integers(0, 60))
@settings(max_examples=15, deadline=None)
def test_a_power_cut_while_panes_are_taken_over_loses_and_doubles_nothing(
    deeds: list[tuple[str, int]], dies_at: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "s"
        folder.mkdir()
        disk = MortalDisk(folder)
        written: list[str] = []
        try:
            logs = [SegmentLog(worker_folder(folder, n), "s", TABLES, fsync="always", disk=disk) for n in range(2)]
            indices = [0, 0]
            supervisor = WorkerPanes(folder, "s", TABLES, NoLabels(), disk=disk)
            disk.dies_after(dies_at)
            for number, (deed, worker) in enumerate(deeds):
                if deed == "append":
                    logs[worker].append(indices[worker], [record(number)], [])
                    written.append(f"s.{number}")
                elif deed == "seal" and indices[worker] in logs[worker].unsealed():
                    logs[worker].seal(indices[worker], start=0.0, end=1.0, received=None, labels=[])
                    indices[worker] += 1
                elif deed == "take over":
                    supervisor.take_over()
        except PowerFailure:
            pass
        disk.after_the_cut(Path(name) / "after")
        found = tables(Path(name) / "after")["predictions"].collect()["id"].to_list()
        assert set(found) >= set(written)
        assert len(found) == len(set(found))
