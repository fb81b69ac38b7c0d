"""The facts of a remedy: begun, and whether it helped."""

from typing import Literal

from flyball.core.fact import Fact

RemedyKind = (
    Literal["fall_back", "roll_back", "shed", "recycle_worker", "freeze", "page"]  # at once
    | Literal["retrain", "quarantine", "backfill"]  # slower
)
Helped = Literal["yes", "no", "unknown"]


class RemedyBegun(Fact, tag="remedy.begun"):
    """The intent of an automatic action against a cause; each can be reviewed."""

    remedy: str  # id
    kind: RemedyKind
    cause: str  # fingerprint
    number: int  # which of the policy's remedies, from 0
    why: str
    verify_by: str  # RFC 3339, UTC: by then the cause is gone, or the next remedy follows
    incident: str | None = None


class RemedyVerified(Fact, tag="remedy.verified"):
    """Whether the cause was gone in time."""

    remedy: str
    helped: Helped
    why: str


class RemedyEnded(Fact, tag="remedy.ended"):
    """What was put in place for a time (a fallback, a shed share) is taken away again."""

    remedy: str
    why: str
