"""The compatibility modes of schema registries, asked of data contracts.

A mode is a line in a table: which directions have to hold, and against how many of the older versions. The modes that
look at the last version only have a hole that the transitive ones close: a column deleted in version 2 may come back
in version 3 with another type; 3 reads 2 and 2 reads 1, and still 3 does not read 1.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from flyball.contracts.diff.change import Change
from flyball.contracts.diff.compared import changes
from flyball.contracts.diff.edition import Edition
from flyball.core.record import Record

Direction = Literal["backward", "forward"]
Mode = Literal[
    "BACKWARD", "FORWARD", "FULL", "BACKWARD_TRANSITIVE", "FORWARD_TRANSITIVE", "FULL_TRANSITIVE", "NONE"
]  # fmt: skip
MODES: Mapping[Mode, tuple[tuple[Direction, ...], bool]] = {  # directions; against all older versions?
    "BACKWARD": (("backward",), False),
    "FORWARD": (("forward",), False),
    "FULL": (("backward", "forward"), False),
    "BACKWARD_TRANSITIVE": (("backward",), True),
    "FORWARD_TRANSITIVE": (("forward",), True),
    "FULL_TRANSITIVE": (("backward", "forward"), True),
    "NONE": ((), False),
}
SAYS: Mapping[Direction, str] = {
    "backward": "data that keep the old version do not all keep the new one",
    "forward": "data that keep the new version do not all keep the old one",
}


class Break(Record):
    """One change that a mode does not allow."""

    against: str  # version of the older contract
    file: str
    direction: Direction
    change: Change


def breaks(mode: Mode, older: Sequence[Edition], new: Edition) -> tuple[Break, ...]:
    """Everything that the mode does not allow; empty where the new version may follow.

    Args:
        older: the versions before, oldest first; at least one.
    """
    directions, transitive = MODES[mode]
    found: list[Break] = []
    for old in older if transitive else older[-1:]:
        made = changes(old, new)
        found += [
            Break(against=old.version, file=old.file, direction=direction, change=change)
            for direction in directions
            for change in made
            if not getattr(change, direction)
        ]
    return tuple(found)
