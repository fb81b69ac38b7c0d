"""A monitor whose windows are written down as they close, for `flyball monitor` and the gateway's metrics."""

from collections.abc import Callable
from typing import Any

from flyball.app.wiring.loop.passed_on import PassedOn
from flyball.control.reconcile.sensing import Watching
from flyball.core.errors import Unavailable
from flyball.core.ports import Segment
from flyball.core.seen_windows import SeenWindow, WindowBook
from flyball.core.watching import WindowReport

BATCH = 200  # windows written in one transaction, while a history is fed


class Remembering(PassedOn):
    """`Watching` around a watcher. That nothing can be written is told once, and keeps no decision waiting."""

    def __init__(self, watching: Watching, book: WindowBook, complain: Callable[[str], None]) -> None:
        super().__init__(watching)
        self._book, self._complain = book, complain
        self._start: float | None = None  # of the window that runs
        self._champion: str | None = None
        self._waiting: list[SeenWindow] = []
        self._told = ""

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]:
        if self._start is None or champion != self._champion:
            self._start, self._champion = segment.pane.start, champion
        found = super().feed(segment, champion=champion)
        for report in found:
            self._waiting.append(SeenWindow(start=self._start, end=segment.pane.end, report=report))
            self._start = segment.pane.end
        if len(self._waiting) >= BATCH:
            self.write()
        return found

    handed_in: tuple[Any, ...] = ()

    def memory(self) -> dict[str, Any]:
        """Where the running window began, and windows that are not written down yet."""
        return {"_start": self._start, "_champion": self._champion, "_waiting": tuple(self._waiting)}

    def recall(self, memory: dict[str, Any]) -> None:
        """Go on from there; what was written down meanwhile is written again, to the same place."""
        vars(self).update(memory | {"_waiting": list(memory["_waiting"])})

    def write(self) -> None:
        """What has closed since the last time; it waits, within a bound, where the book refuses."""
        try:
            self._book.keep(self._waiting)
        except Unavailable as error:
            if str(error) != self._told:
                self._complain(f"windows are not written down now: {error}")
            self._told = str(error)
            self._waiting = self._waiting[-BATCH:]
            return
        self._told, self._waiting = "", []
