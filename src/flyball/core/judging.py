"""How answers are judged once their labels are here: for whom, by what worth, at what cost."""

from typing import Annotated

from msgspec import Meta

from flyball.core.declared.kinds import Name
from flyball.core.record import Record


class Slice(Record):
    """Rows that fit a condition, under a name of their own."""

    name: Name
    when: str  # CEL over the row: `row.amount > 900.0`


class BusinessValue(Record):
    """What an answer turned out to be worth, in the owner's unit, for each row."""

    column: str | None = None  # a number of the row, times the weight below; None: the weight alone
    source: str | None = None  # a table that has the column instead; may begin with $FLYBALL_DATA/
    on: str | None = None  # with source: column of the row, and of the table, by which they are joined
    right: float = 1.0  # weight of a right answer
    wrong: float = 0.0  # weight of a wrong one
    tp: float | None = None  # binary: weight of each cell; None: that of right or wrong
    fp: float | None = None
    fn: float | None = None
    tn: float | None = None
    error: float = -1.0  # regression: weight of one unit of absolute error

    @property
    def weights(self) -> tuple[float, float]:
        """The least and the largest weight of an answer of a classifier.

        >>> BusinessValue(right=1.0, wrong=0.0, fn=-5.0).weights
        (-5.0, 1.0)
        """
        cells = (self.tp, self.fp, self.fn, self.tn)
        known = (self.right, self.wrong, *(each for each in cells if each is not None))
        return min(known), max(known)


class Cost(Record):
    """What answering costs, in the owner's unit."""

    per_request: Annotated[float, Meta(ge=0)] = 0.0
    per_second: Annotated[float, Meta(ge=0)] = 0.0  # of a release's own service time
