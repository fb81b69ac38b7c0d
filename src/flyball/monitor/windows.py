"""Windows: the shortest run of sealed panes that holds enough rows. They follow one another and never overlap.

A window belongs to one champion. A promotion throws the running window away: its rows were answered by a release that
no longer serves, and nothing older than the last promotion may move an actuator (anti-windup).
"""

from msgspec.structs import replace

from flyball.core.record import Record
from flyball.core.service import Monitor
from flyball.core.watching import Pane, WindowReport

__all__ = ["Span", "WindowReport", "full", "grown"]


class Span(Record):
    """The running window: where it began and how far it reaches."""

    release: str
    index: int  # since the release began to serve
    first_row: int
    last_row: int
    start: float  # seconds since the epoch
    end: float
    rows: int = 0  # received
    panes: int = 0
    dropped: int = 0


def grown(span: Span | None, pane: Pane, *, release: str, rows: int, index: int) -> Span:
    """The window with one pane more; a new one where none runs or another release serves now.

    Args: rows: that this pane received. index: of the window, if a new one begins.
    """
    if span is None or span.release != release:
        span = Span(
            release=release,
            index=index,
            first_row=pane.first_row,
            last_row=pane.last_row,
            start=pane.start,
            end=pane.end,
        )
    return replace(
        span,
        last_row=max(span.last_row, pane.last_row),
        end=max(span.end, pane.end),
        rows=span.rows + rows,
        panes=span.panes + 1,
        dropped=span.dropped + pane.dropped,
    )


def full(span: Span, monitor: Monitor) -> bool:
    """Whether the window is to be closed: enough rows, or long enough and not empty."""
    if span.rows >= monitor.window_rows:
        return True
    return monitor.window_s is not None and span.end - span.start >= monitor.window_s and span.rows > 0
