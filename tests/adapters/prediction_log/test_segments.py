"""The log on disk: what was appended is read back, torn tails are cut, and sealing twice is sealing once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.adapters.prediction_log.memory_telemetry import MemoryTelemetry
from flyball.adapters.prediction_log.segments import SegmentLog, Segments
from flyball.core.contract import Column, DataContract
from flyball.core.log_tables import LogTables, log_tables
from flyball.core.prediction import LabelRecord, PredictionRecord, ShadowRecord

CONTRACT = DataContract(
    id="c",
    version="1",
    table="t",
    columns=(
        Column(name="card", kind="string", classification="pii"),
        Column(name="amount", kind="number"),
        Column(name="on", kind="date"),
        Column(name="y", kind="integer"),
    ),
)
TABLES = log_tables(CONTRACT, label="y", task="binary", hidden={"card"})


def record(number: int, **changes: object) -> PredictionRecord:
    values: dict[str, object] = {
        "id": f"s.{number}",
        "at": float(number),
        "unit": "u",
        "arm": "champion",
        "release": "sha256:a",
        "epoch": 1,
        "outcome": "answered",
        "prediction": 1,
        "score": 0.5,
        "features": {"card": "h:1", "amount": float(number), "on": "2026-01-02"},
    }
    return PredictionRecord(**(values | changes))  # type: ignore[arg-type]


def log(folder: Path, tables: LogTables = TABLES) -> SegmentLog:
    return SegmentLog(folder / "s", "s", tables)


def test_a_sealed_pane_has_its_header_and_its_rows(tmp_path: Path) -> None:
    writer = log(tmp_path)
    writer.append(0, [record(1), record(2)], [])
    shadow = ShadowRecord(id="s.1", at=1.0, release="sha256:b", epoch=1, error=False, slow=False, prediction=0)
    writer.append(0, [record(3, outcome="rejected", arm=None, prediction=None, features={})], [shadow])
    pane = writer.seal(0, start=0.5, end=4.0, received=5, labels=[LabelRecord(id="s.1", label=1, at=9.0)])
    assert (pane.received, pane.written, pane.dropped, pane.first_row, pane.last_row) == (5, 3, 2, 0, 2)
    (segment,) = Segments(tmp_path).sealed("s", -1)
    assert segment.pane == pane
    assert segment.predictions["x.amount"].to_list() == [1.0, 2.0, None]
    assert segment.predictions["prediction"].to_list() == [1, 1, None]
    assert segment.shadows["prediction"].to_list() == [0]
    assert segment.labels.rows() == [("s.1", 1, 9.0)]
    assert writer.unsealed() == []


@given(st.integers(0, 400))
@settings(max_examples=40)
def test_a_torn_tail_costs_the_last_frame_only(cut: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        writer = log(folder)
        writer.append(0, [record(1)], [])
        path = folder / "s" / "0000000000.frames"
        whole = path.stat().st_size
        writer.append(0, [record(2), record(3)], [])
        with path.open("r+b") as file:
            file.truncate(min(whole + cut, path.stat().st_size - 1))
        again = log(folder)
        assert again.unsealed() == [0]
        assert again.rows(0) == 1
        assert again.seal(0, start=0.0, end=1.0, received=3, labels=[]).dropped == 2


def test_a_changed_byte_ends_the_readable_part(tmp_path: Path) -> None:
    writer = log(tmp_path)
    writer.append(0, [record(1)], [])
    path = tmp_path / "s" / "0000000000.frames"
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(data)
    assert log(tmp_path).rows(0) == 0


def test_sealing_again_after_a_crash_changes_nothing(tmp_path: Path) -> None:
    writer = log(tmp_path)
    writer.append(0, [record(1)], [])
    frames = (tmp_path / "s" / "0000000000.frames").read_bytes()
    first = writer.seal(0, start=0.0, end=1.0, received=None, labels=[])
    (tmp_path / "s" / "0000000000.frames").write_bytes(frames)  # killed before they were removed
    again = log(tmp_path)
    assert again.seal(0, start=5.0, end=6.0, received=9, labels=[]) == first
    assert (again.next_index(), again.unsealed()) == (1, [])
    assert again.seal(1, start=6.0, end=7.0, received=0, labels=[]).first_row == 1


def test_segments_come_in_order_and_only_once_asked_for(tmp_path: Path) -> None:
    writer = log(tmp_path)
    for index in range(3):
        writer.append(index, [record(index)], [])
        writer.seal(index, start=0.0, end=1.0, received=1, labels=[])
    reader = Segments(tmp_path)
    assert [segment.pane.index for segment in reader.sealed("s", 0)] == [1, 2]
    assert list(reader.sealed("s", 2)) == list(reader.sealed("nobody", -1)) == []


def test_the_text_of_a_date_that_the_contract_refused_does_not_spoil_the_pane(tmp_path: Path) -> None:
    bad = record(2, outcome="quarantined", features={"card": "h:2", "amount": 2.0, "on": "the day after"})
    table = TABLES.predictions([record(1), bad])
    assert table["x.on"].is_not_null().to_list() == [True, False]


@pytest.mark.parametrize(
    ("task", "value", "shown"), [("regression", 3, 3.0), ("binary", True, 1), ("multiclass", 2, 2)]
)
def test_predictions_and_labels_have_one_dtype(task: str, value: object, shown: object) -> None:
    tables = log_tables(CONTRACT, label="y", task=task)  # type: ignore[arg-type]
    scores = {"a": 0.25, "b": 0.75} if task == "multiclass" else None
    table = tables.predictions([record(1, prediction=value, scores=scores), record(2, prediction=None)])
    assert table["prediction"].to_list() == [shown, None]
    assert table["prediction"].dtype == tables.labels([]).schema["label"]
    assert ("scores" in table.columns) == (task == "multiclass")


def test_the_twin_in_memory_gives_the_same_tables(tmp_path: Path) -> None:
    rows = [record(number) for number in range(250)]
    memory = MemoryTelemetry("s", TABLES, pane_rows=100)
    memory.put([LabelRecord(id="s.3", label=1, at=2.0)])
    memory.add(rows)
    memory.seal()
    writer = log(tmp_path)
    for index in range(3):
        writer.append(index, rows[100 * index : 100 * index + 100], [])
        labels = [LabelRecord(id="s.3", label=1, at=2.0)] if index == 0 else []
        writer.seal(index, start=100.0 * index, end=100.0 * index + 99, received=None, labels=labels)
    for ours, disk in zip(memory.sealed("s", -1), Segments(tmp_path).sealed("s", -1), strict=True):
        assert ours.predictions.equals(disk.predictions)
        assert ours.labels.equals(disk.labels)
        assert (ours.pane.first_row, ours.pane.last_row, ours.pane.written) == (
            disk.pane.first_row,
            disk.pane.last_row,
            disk.pane.written,
        )
    assert memory.put([LabelRecord(id="s.3", label=1, at=2.0), LabelRecord(id="s.3", label=0, at=3.0)]) == (0, 1, 1)


FULL = """
import resource, sys
from pathlib import Path
from tests.adapters.prediction_log.test_segments import log, record

writer = log(Path(sys.argv[1]))
writer.append(0, [record(1)], [])
size = (Path(sys.argv[1]) / "s" / "0000000000.frames").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))  # half a frame goes in
try:
    writer.append(0, [record(2)], [])
except OSError:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    writer.append(0, [record(3)], [])
    sys.exit(7)
"""


def test_a_frame_that_did_not_fit_does_not_hide_those_after_it(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    code = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], cwd=root, check=False).returncode
    assert (code, log(tmp_path).rows(0)) == (7, 2)


def test_a_pane_without_rows_takes_no_row_number(tmp_path: Path) -> None:
    writer = log(tmp_path)
    writer.seal(0, start=0.0, end=1.0, received=0, labels=[LabelRecord(id="s.1", label=1, at=0.0)])
    again = log(tmp_path)
    again.append(1, [record(1)], [])
    assert again.seal(1, start=1.0, end=2.0, received=1, labels=[]).first_row == 0


def test_history_is_read_pane_by_pane(tmp_path: Path) -> None:
    writer = log(tmp_path)
    for index in range(3):
        writer.append(index, [record(index)], [])
        writer.seal(index, start=0.0, end=1.0, received=1, labels=[])
    (tmp_path / "s" / "0000000002" / "predictions.parquet").unlink()
    found = iter(Segments(tmp_path).sealed("s", -1))
    assert [next(found).pane.index, next(found).pane.index] == [0, 1]  # nobody has asked for the third yet


def test_a_log_that_is_closed_or_dropped_with_a_pane_open_gives_its_file_back(tmp_path: Path) -> None:
    def held() -> int:
        links = [os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")]
        return sum(link.startswith(str(tmp_path)) for link in links)

    writer = log(tmp_path)
    writer.append(0, [record(1)], [])
    assert held() == 1
    writer.close()
    assert held() == 0
    writer.append(0, [record(2)], [])
    assert (writer.rows(0), held()) == (2, 1)
    del writer
    assert held() == 0
