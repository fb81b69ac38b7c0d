"""Was the fault seen, is it over, and did anybody have to help? From changes and counted answers alone. Pure.

Theory of operation. Each fault names the kinds of change by which the product may tell of it (`told_by`). It is
*detected* when the first of them begins after the injection. It is *recovered* when all of them that began since are
over again, and stay so until the watch ends, and no client goes without an answer after that moment. Both are measured
from the injection. A fault that only the outside can end (a supplier that sends rubbish) is ended by the drill once
it was seen; then recovery means that clients were served meanwhile and that all that was opened closed by itself.
"""

from collections.abc import Sequence

from flyball.app.drills.seen import Change
from flyball.core.record import Record


class Judged(Record):
    """What a drill comes to."""

    detected_s: float | None = None  # from the injection; None: not seen
    detected_by: str = ""
    recovered_s: float | None = None  # from the injection; None: not seen
    standing: tuple[str, ...] = ()  # what is still wrong


def judged(
    changes: Sequence[Change], told_by: Sequence[str], *, injected_at: float, failures: Sequence[float] = ()
) -> Judged:
    """What the changes so far come to.

    Args:
        told_by: how the keys of those that count begin.
        injected_at: seconds since the epoch.
        failures: when a client got no answer, seconds since the epoch.

    >>> seen = [Change(at=12.0, key="signal/error", what="begins"), Change(at=19.0, key="signal/error", what="ends")]
    >>> found = judged(seen, ("signal/error",), injected_at=10.0)
    >>> found.detected_s, found.detected_by, found.recovered_s
    (2.0, 'signal/error', 9.0)
    >>> judged(seen[:1], ("signal/error",), injected_at=10.0).standing
    ('signal/error',)
    """
    first: Change | None = None
    standing: dict[str, Change] = {}
    over_at: float | None = None
    for change in sorted(changes, key=lambda each: each.at):
        if change.at < injected_at or not _counts(change.key, told_by):
            continue
        if change.what == "begins":
            first = first or change
            standing[change.key] = change
            over_at = None
        elif standing.pop(change.key, None) is not None and not standing:
            over_at = change.at
    if first is None:
        return Judged()
    last_failure = max((at for at in failures if at >= injected_at), default=injected_at)
    return Judged(
        detected_s=round(first.at - injected_at, 2),
        detected_by=first.key + (f": {first.words}" if first.words else ""),
        recovered_s=None if over_at is None else round(max(over_at, last_failure) - injected_at, 2),
        standing=tuple(sorted(standing)),
    )


def _counts(key: str, told_by: Sequence[str]) -> bool:
    return any(key == each or key.startswith(f"{each}/") for each in told_by)
