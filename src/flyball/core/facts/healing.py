"""The facts of a remedy: begun, and whether it helped."""

from typing import Literal

from flyball.core.fact import Fact

RemedyKind = (
    Literal["fall_back", "roll_back", "shed", "recycle_worker", "freeze", "page"]  # at once
    | Literal["retrain", "quarantine"]  # slower
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
    target: str | None = None  # the release that goes, the ticket, the incident whose rows are kept out
    row: int = 0  # quarantine: rows are kept out from this stream position on
    since: str = ""  # quarantine: when its incident began, RFC 3339, UTC
    skipped: tuple[str, ...] = ()  # remedies before it, each with why it was not taken
    figures: dict[str, float] = {}  # of the sign: `value`, `limit`
    drill: str | None = None  # id of the drill that made the cause; empty: it is real; None: an earlier version


class RemedyVerified(Fact, tag="remedy.verified"):
    """Whether the cause was gone in time."""

    remedy: str
    helped: Helped
    why: str
    figures: dict[str, float] = {}  # of the sign, if it is still there: `value`, `limit`; `seconds` since it began


class RemedyEnded(Fact, tag="remedy.ended"):
    """What was put in place for a time (a fallback, a shed share) is taken away again."""

    remedy: str
    why: str
    row: int = 0  # quarantine: the last stream position that is kept out
