"""What is in the buckets and what the mark says agree, wherever a process dies."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flyball.adapters.prediction_log.pane_states import PaneStates, Series, buckets_between, series_of
from flyball.core.errors import Unavailable


def _series(name: str) -> Series:
    return Series(release=f"of {name}", arm="champion", name=name, without=())


def _all(path: Path) -> list[list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as db:
        return [db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in ("bucket", "series", "mark")]


def _feed(store: PaneStates, panes: int) -> None:
    """What the keeper does: panes after the mark, each added to its bucket. A state is a number as text here."""
    for pane in range(store.mark() + 1, panes):
        start = pane // 3 * 300.0
        series = _series("g" if pane == 0 else "f")  # whose only bucket the newest pane makes forgotten
        before = int(store.read(series.name, start) or b"0")
        bucket = (series, start, 300.0, str(before + pane).encode())
        store.record(pane, [bucket], forget_before=300.0 if pane == 3 else None)


def _killed_at(path: Path, statement: int, panes: int) -> bool:
    """Run in a child that dies without a word before its n-th statement. Whether it died."""
    child = os.fork()
    if child == 0:
        left = statement
        connect = sqlite3.connect

        def traced(*args: object, **options: object) -> sqlite3.Connection:
            db = connect(*args, **options)  # type: ignore[call-overload]

            def step(_: str) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    os._exit(9)

            db.set_trace_callback(step)
            return db  # type: ignore[no-any-return]

        sqlite3.connect = traced  # type: ignore[assignment]
        _feed(PaneStates(path), panes)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def test_a_kill_between_any_two_statements_loses_and_doubles_nothing(tmp_path: Path) -> None:
    whole = PaneStates(tmp_path / "whole.db")
    _feed(whole, 4)
    expected = _all(tmp_path / "whole.db")
    assert [len(table) for table in expected] == [1, 1, 1]
    kills = 0
    for statement in range(1, 400):
        path = tmp_path / f"{statement}.db"
        if not _killed_at(path, statement, 4):
            break
        kills += 1
        store = PaneStates(path)
        assert store.mark() < 4
        _feed(store, 4)
        assert _all(path) == expected
    assert 15 < kills < 399


def test_buckets_are_by_frame_and_time_and_old_ones_are_forgotten(tmp_path: Path) -> None:
    store = PaneStates(tmp_path / "states.db")
    assert (store.mark(), store.read("a", 0.0)) == (-1, None)
    store.record(0, [(_series("a"), 0.0, 300.0, b"x"), (_series("b"), 0.0, 300.0, b"y")])
    store.record(1, [(_series("a"), 300.0, 300.0, b"z")])
    found = buckets_between(tmp_path / "states.db", "a", 0.0, 600.0)
    assert list(found) == [(0.0, 300.0, b"x"), (300.0, 300.0, b"z")]
    store.record(2, [], forget_before=300.0)
    assert (store.mark(), store.read("b", 0.0), store.read("a", 300.0)) == (2, None, b"z")
    named = [series_of(tmp_path / "states.db", f"of {name}", "champion") for name in "ab"]
    assert named == [_series("a"), None]  # a series is forgotten with its last bucket


def test_a_store_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "states.db"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(Unavailable, match="cannot be read"):
        PaneStates(path).mark()
    with pytest.raises(Unavailable, match="cannot be read"):
        list(buckets_between(path, "a", 0, 1))


def test_the_newest_name_of_a_release_in_an_arm_is_what_its_buckets_count(tmp_path: Path) -> None:
    store, path = PaneStates(tmp_path / "states.db"), tmp_path / "states.db"
    assert series_of(path, "r", "champion") is None
    old = Series(release="r", arm="champion", name="a", without=("key",))
    new = Series(release="r", arm="champion", name="b", without=("key", "email"))
    for each in (old, new, Series(release="r", arm="candidate", name="a candidate", without=("key",))):
        store.record(0, [(each, 0.0, 300.0, b"x")])
    assert series_of(path, "r", "champion") == new
    assert series_of(path, "s", "champion") is None
    assert store.is_only_of("b", "r", "champion")
    assert not store.is_only_of("b", "s", "champion")
    assert not store.is_only_of("c", "r", "champion")


def test_a_reader_makes_no_file_and_reads_one_from_before_there_were_names(tmp_path: Path) -> None:
    path = tmp_path / "states.db"
    assert list(buckets_between(path, "a", 0, 1)) == []
    assert not path.exists()
    PaneStates(path).record(0, [(_series("a"), 0.0, 300.0, b"x")])
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("DROP TABLE series")
    assert series_of(path, "r", "champion") is None
    assert len(list(buckets_between(path, "a", 0, 1))) == 1


def test_forgetting_old_buckets_reads_no_others(tmp_path: Path) -> None:
    """What a pane costs does not grow with the history that is kept."""
    store = PaneStates(tmp_path / "states.db")
    _feed(store, 1)
    with closing(sqlite3.connect(tmp_path / "states.db")) as db:
        plan = db.execute("EXPLAIN QUERY PLAN DELETE FROM bucket WHERE start < 5").fetchall()
    assert [line[3] for line in plan] == ["SEARCH bucket USING INDEX bucket_start (start<?)"]
