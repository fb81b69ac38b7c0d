"""How well a service is: one state, the signs that make it so, and what would change it."""

from typing import Final, Literal

from flyball.core.record import Record

HealthState = Literal["UNKNOWN", "HEALTHY", "DEGRADING", "UNHEALTHY", "FAILED"]
Severity = Literal["warning", "critical", "failed"]
SignKind = (
    Literal["availability", "errors", "latency", "fallback", "resources"]  # how it answers
    | Literal["freshness", "data_quality", "drift", "labels"]  # what it is fed
    | Literal["quality", "trend"]  # how right it is
)

OF_SUPPLY: Final[tuple[SignKind, ...]] = ("data_quality", "freshness")  # what somebody before us delivers
_GRAVEST: Final[dict[str, Severity]] = {  # of a kind, or of one feature of it
    "availability": "failed",
    "errors": "failed",
    "latency": "warning",
    "fallback": "warning",
    "resources": "critical",
    "resources/memory": "warning",
    "resources/machine": "warning",
    "freshness": "critical",  # a sign of it is a warning; its incident stays, and is critical, when the sign is gone
    "data_quality": "critical",
    "upstream": "critical",  # no sign: what an incident says of those two
    "drift": "warning",
    "labels": "warning",
    "quality": "critical",
    "trend": "warning",
}


def gravest_of(cause: str) -> Severity:
    """How grave a cause can be at all; what nobody knows may be anything.

    >>> gravest_of("drift/amount"), gravest_of("resources/memory"), gravest_of("failed")
    ('warning', 'warning', 'failed')
    """
    return _GRAVEST.get(cause) or _GRAVEST.get(cause.partition("/")[0], "failed")


class Sign(Record):
    """One thing that is not as it should be, told since a moment, and begun no later."""

    kind: SignKind
    severity: Severity
    value: float
    limit: float  # same unit as `value`
    since: str  # when it was first told, RFC 3339, UTC
    why: str  # what was measured, in words
    clears: str  # what would end it, in words
    feature: str | None = None
    as_of: str = ""  # when its figures were taken last, RFC 3339, UTC; empty: nobody wrote it down
    drill: str | None = None  # id of the drill that made it; empty: it is real; None: an earlier version did not say
    felt: bool = False  # of broken data: more rows of clients than may be get no answer of the model
    began: str = ""  # when what it tells of began, as panes, probes and windows show; empty: nothing shows it

    @property
    def key(self) -> str:
        """`errors`, `drift/amount`"""
        return f"{self.kind}/{self.feature}" if self.feature else self.kind


class Health(Record):
    """The worst sign wins. UNKNOWN: nothing was measured, which is no health."""

    state: HealthState = "UNKNOWN"
    why: str = "nothing was measured yet"
    signs: tuple[Sign, ...] = ()
    would_change: tuple[str, ...] = ()  # what would make it better, or worse
