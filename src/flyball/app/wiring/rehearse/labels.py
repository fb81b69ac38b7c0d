"""Labels on their way: each row's comes within the declared delay, unless the supply of labels is out."""

import heapq
from collections.abc import Sequence
from typing import Any

import numpy as np

from flyball.app.rehearse.models import Labels
from flyball.app.rehearse.rows import LATENT
from flyball.core.ports import LabelBook
from flyball.core.prediction import LabelRecord, PredictionRecord


class LabelSupply:
    """Where labels wait until they are due. Times in seconds since the beginning."""

    def __init__(self, labels: Labels, book: LabelBook, rng: np.random.Generator, *, delay_s: float) -> None:
        self._labels, self._book, self._rng, self._delay_s = labels, book, rng, delay_s
        self._heap: list[tuple[float, int, LabelRecord]] = []
        self._count = 0

    def expect(
        self, rows: Sequence[dict[str, Any]], records: Sequence[PredictionRecord], now_s: float, wall: float
    ) -> None:
        """The labels of rows that were just answered. Args: wall: now, seconds since the epoch, by the wall clock."""
        delays = ((0.5 + 0.5 * self._rng.random(len(rows))) * self._delay_s).tolist()
        for row, record, delay_s in zip(rows, records, delays, strict=True):
            self._count += 1
            label = LabelRecord(id=record.id, label=self._labels.truth(row[LATENT]), at=wall + delay_s)
            heapq.heappush(self._heap, (now_s + delay_s, self._count, label))

    def deliver(self, now_s: float, *, twice: bool) -> None:
        """What is due; `twice`: and, in another order, once more."""
        due: list[LabelRecord] = []
        while self._heap and self._heap[0][0] <= now_s:
            due.append(heapq.heappop(self._heap)[2])
        if due:
            self._book.put(due)
        if twice and due:
            self._book.put(due[::-1])
