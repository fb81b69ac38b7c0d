"""The raw files behind a snapshot: named by digest, graded, hashed once, and the same to standard tools."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import msgspec
import polars as pl
import pytest
from tests.pipeline.fraud import SERVICE, opened, transactions, write_service

from flyball.adapters.content import hashing
from flyball.adapters.content.blobs import Blobs
from flyball.adapters.ledger.memory import SimulatedClock
from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.stores.origins import Origins
from flyball.core import events as e
from flyball.core.errors import BadInput, Unavailable
from flyball.core.ports import TrainingJob
from flyball.core.release import Release
from flyball.pipeline.manifest import Manifest, of_bytes

PINNED = SERVICE.replace(
    "key: card_id}",
    "key: card_id, pin: {system: iceberg, table_id: cards, snapshot_id: '42', retention_until: 2027-06-30}}",
)


class Nobody:
    """A trainer that is never asked."""

    def train(self, job: TrainingJob) -> Release:
        raise AssertionError(job)


def origins(home: Path, at: datetime) -> Origins:
    return Origins(Home(home), SimulatedClock(at), Random(1))


def later() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)  # than the files of a test


def test_the_manifest_of_the_raw_files_is_a_blob_and_the_snapshot_names_it(tmp_path: Path) -> None:
    declared = load(write_service(tmp_path / "fraud"))
    with opened(tmp_path / "home", Nobody()) as pipeline:
        snapshot = pipeline.snapshot_source(declared)
        (taken,) = [entry.fact for entry in pipeline._ledger.read() if isinstance(entry.fact, e.SnapshotTaken)]
    origin = snapshot.origin
    assert origin is not None
    raw = {"train.parquet": (tmp_path / "fraud" / "train.parquet").read_bytes()}
    assert origin.root == of_bytes(raw).root
    assert (origin.files, origin.size, origin.grade, snapshot.grade) == (1, len(raw["train.parquet"]), "C", "A")
    assert taken.snapshot == snapshot
    whole = msgspec.json.decode(Blobs(tmp_path / "home" / "blobs").get(origin.manifest), type=Manifest)
    assert whole == of_bytes(raw)


def test_a_folder_of_files_gives_the_snapshot_of_the_same_rows(tmp_path: Path) -> None:
    table = transactions(2000)
    one = load(write_service(tmp_path / "one", table=table))
    many_file = write_service(tmp_path / "many", service=SERVICE.replace("train.parquet", "parts"), table=table)
    (tmp_path / "many" / "parts").mkdir()
    for number in range(4):
        table[number * 500 : (number + 1) * 500].write_parquet(tmp_path / "many" / "parts" / f"{number}.parquet")
    with opened(tmp_path / "home", Nobody()) as pipeline:
        single, parts = pipeline.snapshot_source(one), pipeline.snapshot_source(load(many_file))
    assert parts.root == single.root  # the same typed rows, frozen
    assert parts.origin is not None
    assert single.origin is not None
    assert parts.origin.files == 4
    assert parts.origin.root != single.origin.root


def test_a_second_look_at_unchanged_files_reads_none_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declared = load(write_service(tmp_path / "fraud"))
    first = origins(tmp_path / "home", later()).of(declared)
    monkeypatch.setattr(hashing, "hash_file", lambda path: pytest.fail(f"{path} was read"))
    assert origins(tmp_path / "home", later()).of(declared) == first
    monkeypatch.setenv("FLYBALL_PARANOID", "1")
    with pytest.raises(pytest.fail.Exception):
        origins(tmp_path / "home", later()).of(declared)


def test_a_pinned_source_is_grade_b_until_its_day_is_over(tmp_path: Path) -> None:
    declared = load(write_service(tmp_path / "fraud", service=PINNED))
    assert origins(tmp_path / "home", datetime(2027, 6, 30, tzinfo=UTC)).of(declared).grade == "B"
    assert origins(tmp_path / "home", datetime(2027, 7, 1, tzinfo=UTC)).of(declared).grade == "C"


def test_files_that_change_while_they_are_read_are_no_source(tmp_path: Path) -> None:
    declared = load(write_service(tmp_path / "fraud"))
    known = origins(tmp_path / "home", later())
    origin = known.of(declared)
    known.check_unchanged(declared, origin)
    transactions(100).write_parquet(tmp_path / "fraud" / "train.parquet")
    with pytest.raises(Unavailable, match="changed while it was read"):
        known.check_unchanged(declared, origin)


def test_a_source_may_be_a_link_but_a_folder_may_hold_none(tmp_path: Path) -> None:
    file = write_service(tmp_path / "fraud", service=SERVICE.replace("train.parquet", "link.parquet"))
    (tmp_path / "fraud" / "link.parquet").symlink_to("train.parquet")
    assert origins(tmp_path / "home", later()).of(load(file)).files == 1
    (tmp_path / "fraud" / "parts").mkdir()
    (tmp_path / "fraud" / "parts" / "a.parquet").symlink_to("../train.parquet")
    linked = write_service(tmp_path / "fraud", service=SERVICE.replace("train.parquet", "parts"))
    with pytest.raises(BadInput, match="symbolic link"):
        origins(tmp_path / "home", later()).of(load(linked))


def test_an_absent_source_is_bad_input(tmp_path: Path) -> None:
    file = write_service(tmp_path / "fraud", service=SERVICE.replace("train.parquet", "gone.parquet"))
    with pytest.raises(BadInput, match=r"gone\.parquet"):
        origins(tmp_path / "home", later()).of(load(file))


def test_a_changed_byte_in_the_raw_files_shows_even_where_the_rows_are_the_same(tmp_path: Path) -> None:
    table = transactions(500)
    declared = load(write_service(tmp_path / "fraud", table=table))
    with opened(tmp_path / "home", Nobody()) as pipeline:
        before = pipeline.snapshot_source(declared)
        pl.DataFrame(table).write_parquet(tmp_path / "fraud" / "train.parquet", compression="snappy")
        os.utime(tmp_path / "fraud" / "train.parquet")
        after = pipeline.snapshot_source(declared)
        facts = [entry.fact for entry in pipeline._ledger.read() if isinstance(entry.fact, e.SnapshotTaken)]
    assert after.root == before.root
    assert after.origin != before.origin
    assert len(facts) == 2
