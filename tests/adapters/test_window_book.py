"""The book of windows: written again it is the same, windows never overlap, and a reader changes nothing."""

import itertools
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flyball.adapters.window_book import SqliteWindows, newest_window, windows_of
from flyball.core.errors import Unavailable
from flyball.core.seen_windows import SeenWindow
from flyball.core.watching import WindowReport


def window(first: int, last: int, *, release: str = "sha256:aa01", psi: float = 0.1) -> SeenWindow:
    report = WindowReport(
        index=0, release=release, first_row=first, last_row=last, rows=last - first + 1, psi={"amount": psi}
    )
    return SeenWindow(start=float(first), end=float(last + 1), report=report)


def test_windows_come_back_in_order_and_as_they_were(tmp_path: Path) -> None:
    book, written = SqliteWindows(tmp_path / "monitor" / "shop.db"), [window(n, n + 99) for n in range(0, 500, 100)]
    book.keep(written[2:])
    book.keep(written[:3])
    assert windows_of(tmp_path / "monitor" / "shop.db") == written
    assert windows_of(tmp_path / "monitor" / "shop.db", last=2) == written[-2:]
    assert windows_of(tmp_path / "monitor" / "shop.db", since=200.0, until=400.0) == written[1:4]
    assert newest_window(tmp_path / "monitor" / "shop.db") == written[-1]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 80)), min_size=1, max_size=12))
def test_what_is_written_last_is_whole_and_no_two_windows_overlap(tmp_path: Path, spans: list[tuple[int, int]]) -> None:
    path = tmp_path / "shop.db"
    path.unlink(missing_ok=True)
    book = SqliteWindows(path)
    written = [window(first, first + rows - 1) for first, rows in spans]
    for each in (*written, *written[-1:]):  # the last one again changes nothing
        book.keep([each])
    there = windows_of(path)
    assert written[-1] in there
    assert all(a.report.last_row < b.report.first_row for a, b in itertools.pairwise(there))


def test_the_book_is_bounded_at_its_old_end(tmp_path: Path) -> None:
    book = SqliteWindows(tmp_path / "shop.db", most=3)
    for n in range(0, 1000, 100):
        book.keep([window(n, n + 99)])
    assert [each.report.first_row for each in windows_of(tmp_path / "shop.db")] == [700, 800, 900]


def test_where_there_is_no_book_there_is_no_window_and_none_is_made(tmp_path: Path) -> None:
    assert windows_of(tmp_path / "none.db") == []
    assert newest_window(tmp_path / "none.db") is None
    assert list(tmp_path.iterdir()) == []


def test_a_book_of_another_version_and_one_that_is_none_are_told(tmp_path: Path) -> None:
    SqliteWindows(tmp_path / "shop.db").keep([window(0, 9)])
    with sqlite3.connect(tmp_path / "shop.db") as db:
        db.execute("""UPDATE windows SET report = '{"colour": 1}'""")
    with pytest.raises(Unavailable, match="another version"):
        windows_of(tmp_path / "shop.db")
    (tmp_path / "text.db").write_text("no database at all, but long enough to be looked at" * 30)
    with pytest.raises(Unavailable, match=r"text\.db"):
        newest_window(tmp_path / "text.db")
    with pytest.raises(Unavailable, match=r"text\.db"):
        SqliteWindows(tmp_path / "text.db").keep([window(0, 9)])


def test_a_book_is_begun_before_the_first_window_so_that_a_missing_one_was_deleted(tmp_path: Path) -> None:
    book = SqliteWindows(tmp_path / "shop.db")
    book.keep([])
    assert (tmp_path / "shop.db").exists()
    assert windows_of(tmp_path / "shop.db") == []
    book.keep([window(0, 9)])
    book.keep([])
    assert len(windows_of(tmp_path / "shop.db")) == 1
