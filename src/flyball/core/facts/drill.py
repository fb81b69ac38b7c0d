"""The facts of drills: a real fault on purpose, and what was seen of it."""

from typing import Literal

from flyball.core.fact import Fact, Proof
from flyball.core.ids import ReleaseRoot


class DrillBegun(Fact, tag="drill.begun"):
    drill: str  # id
    fault: str
    share: float  # of the traffic that it may touch, 0..1
    until: str  # RFC 3339, UTC: it is over by itself then
    by: str
    proof: Proof
    own: bool = False  # on the drill's own service: whatever is rolled out there meanwhile is the drill's


class DrillCandidate(Fact, tag="drill.candidate"):
    """A copy of the champion under a root of its own, whose answers to the drill's rows fail while the drill runs.

    It is in no registry: nobody can want it, and no rule can let it serve."""

    drill: str
    release: ReleaseRoot  # of the copy
    copy_of: ReleaseRoot


class DrillWithdrawn(Fact, tag="drill.withdrawn"):
    """Its fault is made no more. What it left may be seen for a while yet; what later times alone show is real."""

    drill: str


class DrillEnded(Fact, tag="drill.ended"):
    drill: str
    fault: str
    outcome: Literal["passed", "missed", "aborted"]  # missed: an objective, or the fault was not seen
    detected_s: float | None = None
    recovered_s: float | None = None
    answers_failed: int = 0
    automatic: bool = False  # recovered with no hand
    injected: Literal["real", "port"] = "real"
    why: str = ""
    figures: dict[str, float] = {}  # of the drill of a disaster: `rpo_s`, `rto_s`
