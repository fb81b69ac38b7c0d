"""Columns of tables in a terminal: what one copies is never cut, sentences take the room that is left."""

from collections.abc import Iterable
from typing import Literal

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Column, Table

SENTENCE = 24  # characters that a column of words has at least


def whole(name: str, cells: Iterable[str], justify: Literal["left", "right"] = "left") -> Column:
    """As wide as its widest cell, however narrow the terminal, or the 80 columns of a pipe, is.

    >>> whole("objective", ["availability"]).min_width
    12
    """
    width = max(cell_len(line) for cell in (name, *cells) for line in (cell.split("\n") or [""]))
    return Column(name, no_wrap=True, min_width=width, justify=justify)


def words(name: str) -> Column:
    """Sentences and commands: on as many lines as they need, with nothing left out."""
    return Column(name, overflow="fold", min_width=SENTENCE)


class Whole(Table):
    """A table that is wider than its terminal, whose lines then go on below, rather than without its sentences: where
    the other columns leave no room at all, their column would be left out."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = sum((each.min_width or 1) + 2 for each in self.columns)
        yield from super().__rich_console__(console, options.update(max_width=max(room, options.max_width)))
