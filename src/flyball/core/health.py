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
