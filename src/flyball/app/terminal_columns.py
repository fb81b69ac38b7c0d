"""Columns of tables in a terminal: what one copies is never cut, sentences take the room that is left."""

from collections.abc import Iterable
from typing import Literal

from rich.cells import cell_len
from rich.table import Column

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
