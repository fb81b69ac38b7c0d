"""One measure beside its limits: what it is worth now, and down to where a sign of it goes on.

Entering and leaving are two questions. A sign begins where the measure is surely beyond its limit; one that stands goes
on as long as the measure itself, sure or not, is not well below (`exit` of the limit). In between nothing changes, so a
measure that swings about its limit makes one sign and not many.
"""

from collections.abc import Iterable

from flyball.core.health import Severity, SignKind
from flyball.core.record import Record

RANK: dict[Severity | None, int] = {None: 0, "warning": 1, "critical": 2, "failed": 3}


class Reading(Record):
    """Of one measure that somebody could take."""

    kind: SignKind
    severity: Severity | None  # beyond a limit, by a test or a bound of its own; None: it is not
    holds: Severity | None  # what a sign that stands is still worth; never less than `severity`
    value: float
    limit: float  # same unit
    why: str  # what was measured, in words
    clears: str  # what would end a sign of it
    worse: str  # what would begin one, or a worse one
    feature: str | None = None
    felt: bool = False  # by clients: more of their rows than may be get no answer of the model
    began: str = ""  # when that began, RFC 3339, UTC; empty: nobody knows. Asked where a sign begins

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.feature}" if self.feature else self.kind


class Readings(Record):
    """All that was measured."""

    found: tuple[Reading, ...] = ()
    measured: frozenset[SignKind] = frozenset()  # a sign of these kinds that has no reading is over
    at_once: frozenset[SignKind] = frozenset()  # what a relief of ours showed, which has ended: nobody waits to be sure
    unknown: str = "nobody can tell whether it answers: no rows come, and no probes"  # why, where that is so


def worst(severities: Iterable[Severity | None]) -> Severity | None:
    """The worst of them; None: there is none.

    >>> worst(["warning", None, "critical"])
    'critical'
    """
    return max(severities, key=RANK.__getitem__, default=None)
