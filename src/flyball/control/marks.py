"""At which row of the stream a moment was: marks of the panes that came, exact for the newest, coarser for older ones.

They are a fold over the panes, and as many after a year as after an hour. Pure.
"""

from flyball.core.watching import Pane

Marks = tuple[tuple[float, int], ...]  # start of a pane, seconds since the epoch; its first row; oldest first
MOST = 96
EXACT = 32  # newest panes of which each has its mark


def marked(marks: Marks, pane: Pane) -> Marks:
    """One pane further. Of the older marks every second one goes when there are too many. A pane that came late, or
    after the clock was put back, has none: its rows stand behind later ones, and a mark says what came no later."""
    if marks and pane.start < marks[-1][0]:
        return marks
    marks = (*marks, (pane.start, pane.first_row))
    return marks if len(marks) <= MOST else (*marks[:-EXACT:2], *marks[-EXACT:])


def row_at(marks: Marks, at: float) -> int | None:
    """The newest marked row that came no later; of a moment before all of them the first one. None: nothing came.

    >>> row_at(((10.0, 0), (20.0, 50)), 25.0), row_at(((10.0, 0), (20.0, 50)), 19.0), row_at((), 5.0)
    (50, 0, None)
    """
    before = [row for start, row in marks if start <= at]
    if before:
        return before[-1]
    return marks[0][1] if marks else None
