"""Telemetry in memory, the twin of `segments.py`: same tables, a pane each 100 rows instead of each ten seconds."""

from collections.abc import Callable, Sequence

from flyball.adapters.prediction_log.labels import outlives
from flyball.core.log_tables import LogTables
from flyball.core.ports import Segment
from flyball.core.prediction import LabelRecord, PredictionRecord, ShadowRecord
from flyball.core.watching import Pane

PANE_ROWS = 100


class MemoryTelemetry:
    """`core.ports.Telemetry` and the log it reads, for one service under a simulated clock."""

    def __init__(
        self,
        service: str,
        tables: LogTables,
        *,
        pane_rows: int = PANE_ROWS,
        first_row: int = 0,
        written: Callable[[int], None] = lambda rows: None,  # noqa: ARG005 -- a port that may be left open
    ) -> None:
        """`first_row`: stream position of the first row. `written`: told of rows as they are in the log."""
        self._service, self._tables, self._pane_rows, self._written = service, tables, pane_rows, written
        self._row = first_row
        self._index = 0
        self._predictions: list[PredictionRecord] = []
        self._shadows: list[ShadowRecord] = []
        self._labels: list[LabelRecord] = []
        self._known: dict[str, LabelRecord] = {}
        self._sealed: list[Segment] = []

    def add(self, predictions: Sequence[PredictionRecord], shadows: Sequence[ShadowRecord] = ()) -> None:
        """Rows in the order in which they came; panes are sealed as they fill."""
        self._shadows += shadows
        self._written(len(predictions))
        start = 0
        while start < len(predictions):
            room = self._pane_rows - len(self._predictions)
            self._predictions += predictions[start : start + room]
            start += room
            if len(self._predictions) >= self._pane_rows:
                self.seal()

    def put(self, labels: Sequence[LabelRecord]) -> tuple[int, int, int]:
        """`core.ports.LabelBook`: new, duplicate, corrected. A label travels in the pane that is open when it comes."""
        new = duplicate = corrected = 0
        for label in labels:
            known = self._known.get(label.id)
            if known is not None and not outlives(label, known):
                duplicate += 1
                if known.label == label.label and label.at > known.at:
                    self._known[label.id] = label
                continue
            new, corrected = (new + 1, corrected) if known is None else (new, corrected + 1)
            self._known[label.id] = label
            self._labels.append(label)
        return new, duplicate, corrected

    def seal(self) -> None:
        """Close the open pane, if anything is in it."""
        rows = self._predictions
        if not rows and not self._labels and not self._shadows:
            return
        first, self._row = self._row, self._row + len(rows)
        times = [record.at for record in rows] or [label.at for label in self._labels] or [0.0]
        pane = Pane(
            service=self._service,
            index=self._index,
            start=times[0],
            end=times[-1],
            first_row=first,
            last_row=max(first, self._row - 1),
            received=len(rows),
            written=len(rows),
            dropped=0,
        )
        tables = self._tables
        self._sealed.append(
            Segment(
                pane=pane,
                predictions=tables.predictions(rows),
                shadows=tables.shadows(self._shadows),
                labels=tables.labels(self._labels),
            )
        )
        self._index += 1
        self._predictions, self._shadows, self._labels = [], [], []

    def sealed(self, service: str, after: int) -> Sequence[Segment]:
        """Segments with a pane index above `after`, in order; -1 for all."""
        if service != self._service:
            return ()
        return self._sealed[max(0, after + 1) :]
