"""What a person accepted of broken data: findings that stay known while they stand and are no graver than they were."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from flyball.core.record import Record
from flyball.core.watching import QualityFinding, WindowReport

NOISE = 0.05  # of a share, between two windows
GRAVER = 2.0  # times as much; or of a share, so many times less that is left


class Accepted(Record):
    """A person's word that an incident of the data's quality is known."""

    row: int  # stream position at which what they closed had broken
    at: float  # when they said so, seconds since the epoch


def said_before(word: Accepted, report: WindowReport) -> bool:
    """Whether the window was over only after the word: whoever said it had not seen this one. One that does not say
    when it was is told by its rows."""
    return report.end > word.at if report.end else report.first_row > word.row


def standing(accepted: Iterable[QualityFinding], found: Sequence[QualityFinding]) -> tuple[QualityFinding, ...]:
    """Those of the accepted ones that a window has found again: what was gone once is news when it is back."""
    there = {(one.kind, one.feature): one for one in found}
    both = ((one, there[one.kind, one.feature]) for one in accepted if (one.kind, one.feature) in there)
    left = ((one, {rule: share for rule, share in one.rules.items() if rule in now.rules}) for one, now in both)
    return tuple(replace(one, rules=rules) for one, rules in left if rules or not one.rules)


def is_accepted(finding: QualityFinding, accepted: Iterable[QualityFinding]) -> bool:
    """Whether it is one of them, and no graver."""
    return any(
        (one.kind, one.feature) == (finding.kind, finding.feature) and not _graver(finding, one) for one in accepted
    )


def _graver(now: QualityFinding, before: QualityFinding) -> bool:
    """Twice as much, or half of what was left is gone; and by more than noise: a limit's worth, of shares `NOISE` at
    most, since the limit of some is counted from the baseline and may be nearly all. Of rows that break the contract
    each rule is asked too.

    >>> share = QualityFinding(kind="violations", value=0.3, limit=0.05, detail="")
    >>> [_graver(QualityFinding(kind="violations", value=now, limit=0.05, detail=""), share) for now in (0.5, 0.6, 0.9)]
    [False, True, True]
    >>> _graver(
    ...     QualityFinding(kind="missing", value=0.9, limit=0.45, detail=""),
    ...     QualityFinding(kind="missing", value=0.46, limit=0.45, detail=""))
    True
    """
    noise = min(now.limit, NOISE) if now.value <= 1.0 else now.limit
    if before.rules and any(_much_more(share, before.rules.get(rule, 0.0), noise) for rule, share in now.rules.items()):
        return True
    if now.value - before.value <= noise:
        return False
    left = now.value <= 1.0 and 1.0 - now.value < (1.0 - before.value) / GRAVER
    return left or now.value >= GRAVER * before.value


def _much_more(now: float, before: float, noise: float) -> bool:
    """Of one rule: another one that is broken beside the accepted one is news at the limit's worth."""
    return now - before > noise and now >= GRAVER * before
