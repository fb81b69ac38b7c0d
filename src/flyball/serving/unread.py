"""Rows that were turned away unread, as the log keeps them: a column of ids and times, not a record a row."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from flyball.core.log_columns import LogColumns


@dataclass(kw_only=True, slots=True)
class Unread:
    """Rows of one reason and one table of weights. Nobody knows their unit or arm: nobody has looked."""

    reason: str
    release: str  # the champion that was full
    epoch: int
    ids: list[str] = field(default_factory=list)
    at: list[float] = field(default_factory=list)  # seconds since the epoch

    def __len__(self) -> int:
        return len(self.ids)

    def takes(self, other: "Unread") -> bool:
        """Whether rows of the other are more of the same."""
        return (self.reason, self.epoch, self.release) == (other.reason, other.epoch, other.release)

    def add(self, other: "Unread") -> None:
        self.ids += other.ids
        self.at += other.at


def shed_columns(unread: Unread) -> LogColumns:
    """Outcome `shed`, one a row; what nobody knows is empty.

    >>> one = Unread(reason="overload", release="r", epoch=3, ids=["a", "b"], at=[1.0, 2.0])
    >>> [(record.id, record.outcome, record.unit, record.features) for record in shed_columns(one).records()]
    [('a', 'shed', '', {}), ('b', 'shed', '', {})]
    """
    told: dict[str, Sequence[object]] = {
        "id": unread.ids,
        "at": unread.at,
        "unit": [""],
        "arm": [None],
        "release": [unread.release],
        "epoch": [unread.epoch],
        "outcome": ["shed"],
        "reason": [unread.reason],
    }
    return LogColumns(len(unread), {name: list(values) for name, values in told.items()}, {})
