"""Single rows of a coded pane with the labels that stand: what a test that goes row by row asks of the book."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from flyball.core.service import BusinessValue
from flyball.monitor.realised.coding import CodedPane, batch
from flyball.monitor.realised.forms import Known
from flyball.monitor.realised.tally import Batch, Ints


class LabelledRows(NamedTuple):
    """One pane. `rows` are places in it, each with a label, shape [n]; what is told are places among `rows`."""

    pane: CodedPane
    known_of: Callable[[str], Known]  # of a release
    declared: BusinessValue | None
    names: Sequence[str]  # of the groups of slices, by number

    def batches(self, rows: Ints) -> Iterator[tuple[Ints, Batch]]:
        """Owner by owner what the rows say; a row that no release answered itself is in none."""
        owner, labels = self.pane.owner[rows], self.pane.held.labels
        for number, (_, release) in enumerate(self.pane.owners):
            places = np.flatnonzero(owner == number)
            if places.size:
                mine = rows[places]
                standing = [labels[at] for at in mine.tolist()]
                yield places, batch(self.pane, mine, standing, self.known_of(release), self.declared)

    def groups(self, rows: Ints) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
        """Each group of a declared slice that has some of the rows: its name, and which they are, shape [n]."""
        for codes in self.pane.slices:
            here = codes[rows]
            yield from ((self.names[group], here == group) for group in np.unique(here).tolist() if group >= 0)
