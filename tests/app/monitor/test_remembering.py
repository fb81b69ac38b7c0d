"""What a monitor says is written down as it says it, and a book that refuses keeps no decision waiting."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import polars as pl

from flyball.app.wiring.loop.remembering import BATCH, Remembering
from flyball.core.errors import Unavailable
from flyball.core.ports import Segment
from flyball.core.seen_windows import SeenWindow
from flyball.core.watching import Pane, WindowReport

NOTHING = pl.DataFrame()


class Every:
    """A monitor that closes a window with every so many panes."""

    def __init__(self, panes: int) -> None:
        self._panes, self._fed = panes, 0

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]:
        self._fed += 1
        if self._fed % self._panes:
            return []
        last = segment.pane.last_row
        return [WindowReport(index=0, release=champion, first_row=last, last_row=last, rows=1)]


class Book:
    def __init__(self, refusals: int = 0) -> None:
        self.kept: list[SeenWindow] = []
        self._refusals = refusals

    def keep(self, windows: Sequence[SeenWindow]) -> None:
        if self._refusals:
            self._refusals -= 1
            raise Unavailable("the disk is full")
        self.kept += windows


def segment(index: int) -> Segment:
    pane = Pane(service="shop", index=index, start=10.0 * index, end=10.0 * index + 10.0, last_row=index)
    return Segment(pane=pane, predictions=NOTHING, shadows=NOTHING, labels=NOTHING)


def remembering(panes: int, book: Book, said: list[str]) -> Remembering:
    watching: Any = Every(panes)
    return Remembering(watching, book, said.append)


def test_each_window_is_written_with_its_time_from_the_pane_that_began_it() -> None:
    book, said = Book(), list[str]()
    windows = remembering(3, book, said)
    for index in range(7):
        windows.feed(segment(index), champion="aa")
    windows.feed(segment(7), champion="bb")  # another release: its window begins anew
    windows.feed(segment(8), champion="bb")
    windows.write()
    assert [(each.start, each.end) for each in book.kept] == [(0.0, 30.0), (30.0, 60.0), (70.0, 90.0)]
    windows.write()
    assert len(book.kept) == 3
    assert said == []


def test_a_book_that_refuses_is_told_once_and_what_waits_is_written_later_within_a_bound() -> None:
    book, said = Book(refusals=4), list[str]()
    windows = remembering(1, book, said)
    for index in range(3):
        assert windows.feed(segment(index), champion="aa")
        windows.write()
    assert said == ["windows are not written down now: the disk is full"]
    for index in range(3, 3 + 2 * BATCH):
        windows.feed(segment(index), champion="aa")
    windows.write()
    assert [each.report.last_row for each in book.kept] == list(range(book.kept[0].report.last_row, 3 + 2 * BATCH))
    assert len(book.kept) >= BATCH


def test_all_other_questions_go_to_the_monitor() -> None:
    asked: list[object] = []
    watching: Any = SimpleNamespace(
        captured=lambda *words: asked.append(words), matured_rows=asked.append, pairs=asked.append
    )
    windows = Remembering(watching, Book(), print)
    windows.captured(5, 7)
    windows.matured_rows(3)
    windows.pairs("bb")
    assert asked == [(5, 7), 3, "bb"]
