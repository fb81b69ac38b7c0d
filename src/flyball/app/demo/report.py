"""What the demo says at its end: the JSON document, filled while the story goes on, and whether all of it was seen."""

from typing import Any

import msgspec


class Rollback(msgspec.Struct, kw_only=True):
    """One candidate that went bad under live traffic."""

    cause: str
    requests: int  # that the candidate was given
    seconds: float  # from its first live answer to weight 0, by the gateway's clock
    failed_answers: int  # clients that got none in that time
    events: int  # error or slow events among its requests
    stood_in: int  # requests of the candidate that clients had answered by the fallback chain
    by: str  # who took it back


class Drift(msgspec.Struct, kw_only=True):
    feature: str | None = None
    diagnosis: str | None = None
    rows: int | None = None  # requests from the shift to the signal
    seconds: float | None = None  # ... and the time that was
    promoted: bool = False  # the retrained release serves
    psi: float | None = None
    recovered_s: float | None = None  # from the shift to the promotion
    roc_auc: dict[str, float] = {}  # of the answers that clients got: before, shifted, recovered


class Kill(msgspec.Struct, kw_only=True):
    """The controller's death in the middle of a rollout."""

    during: str
    answered: int  # requests while nobody controlled
    failed: int
    seconds: float  # until a new controller moved the same rollout on


class Requests(msgspec.Struct, kw_only=True):
    sent: int = 0
    answered: int = 0
    failed: int = 0
    labels: int = 0
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None


class LedgerSeen(msgspec.Struct, kw_only=True):
    events: int = 0
    verified: bool = False
    reason: str | None = None


class Report(msgspec.Struct, kw_only=True):
    ok: bool = False
    story: list[dict[str, Any]] = []  # chapter, what, at_s, and figures
    rollbacks: list[Rollback] = []
    drift: Drift = msgspec.field(default_factory=Drift)
    kill: Kill | None = None
    requests: Requests = msgspec.field(default_factory=Requests)
    ledger: LedgerSeen = msgspec.field(default_factory=LedgerSeen)
    seconds: float = 0.0
    home: str = ""
    not_seen: list[str] = []  # what was promised and not observed; empty where `ok`


PROMISED = ("errors", "slow")


def missing(report: Report) -> list[str]:
    """What a demo has to have seen and has not, in words; chapters say for themselves what they waited for in vain.

    >>> missing(Report())[0]
    'a candidate with errors rolled back by the gateway'
    """
    found = {rollback.cause for rollback in report.rollbacks if rollback.by == "gateway"}
    names = {"errors": "with errors", "slow": "with slow answers"}
    absent = [f"a candidate {names[cause]} rolled back by the gateway" for cause in PROMISED if cause not in found]
    if report.kill is None:
        absent.append("a rollout that goes on after the controller was killed")
    if report.drift.feature is None or report.drift.diagnosis is None:
        absent.append("drift found and diagnosed")
    if not report.drift.promoted:
        absent.append("a retrained release promoted")
    if not report.requests.answered or report.requests.sent != report.requests.answered + report.requests.failed:
        absent.append("every request accounted for")
    if not report.ledger.verified:
        absent.append(f"a ledger that verifies ({report.ledger.reason or 'not looked at'})")
    return absent
