"""Single rows of a coded pane with the labels that stand: what a test that goes row by row asks of the book."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from flyball.core.service import BusinessValue
from flyball.monitor.realised.coding import CodedPane, answers_of, batch
from flyball.monitor.realised.forms import Known
from flyball.monitor.realised.tally import Batch, Ints


class LabelledRows(NamedTuple):
    """One pane. `rows` are places in it, each with a label, shape [n]; what is told are places among `rows`."""

    pane: CodedPane
    known_of: Callable[[str], Known]  # of a release
    declared: BusinessValue | None
    names: Sequence[str]  # of the groups of slices, by number

    def batches(self, rows: Ints, *, otherwise: str) -> Iterator[tuple[Ints, Batch]]:
        """Owner by owner what the rows say.

        Args: otherwise: release by whose classes a row is read that no release answered itself. It counts with what
            the client got: the fallback's answer, and none is none of the classes, so it is wrong.
        """
        owner, labels = self.pane.owner[rows], self.pane.held.labels
        owners = [(number, release) for number, (_, release) in enumerate(self.pane.owners)]
        for number, release in [*owners, (-1, otherwise)]:
            places = np.flatnonzero(owner == number)
            if places.size:
                mine, known = rows[places], self.known_of(release)
                standing = [labels[at] for at in mine.tolist()]
                pane = self.pane if number >= 0 else self._as_the_client_saw(known)
                yield places, batch(pane, mine, standing, known, self.declared)

    def _as_the_client_saw(self, known: Known) -> CodedPane:
        frame = self.pane.held.frame
        everybody = np.zeros(frame.height, dtype=np.int64)
        answer = answers_of(frame, everybody, [known], known.form.task)
        return replace(self.pane, answer=answer, scores=None)

    def groups(self, rows: Ints) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
        """Each group of a declared slice that has some of the rows: its name, and which they are, shape [n]."""
        for codes in self.pane.slices:
            here = codes[rows]
            yield from ((self.names[group], here == group) for group in np.unique(here).tolist() if group >= 0)
