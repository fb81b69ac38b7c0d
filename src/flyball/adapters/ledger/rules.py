"""What every adapter of the ledger port refuses, in the same words."""

from collections.abc import Sequence

from flyball.core.errors import BadInput, Conflict, Fault, NotFound, StaleEpoch
from flyball.core.events import AnyFact
from flyball.core.ledger import Entry, Lease, Sealed


def check_batch(facts: Sequence[AnyFact], expected: int | None, ids: Sequence[str] | None) -> str:
    """The one subject of the facts, empty without facts. Raises: BadInput: they cannot be one append."""
    faults: list[Fault] = []
    subjects = sorted({str(fact.service) for fact in facts})
    if len(subjects) > 1:
        faults.append(Fault(where="append", path="facts", expected="facts of one service", found=", ".join(subjects)))
    if ids is not None and (len(ids) != len(facts) or len(set(ids)) != len(ids)):
        found = f"{len(ids)} ids, {len(set(ids))} of them different"
        faults.append(Fault(where="append", path="ids", expected=f"{len(facts)} different ids", found=found))
    if expected is not None and not facts:
        faults.append(Fault(where="append", path="expected", expected="at least one fact", found="none"))
    if faults:
        raise BadInput("this is not one append", tuple(faults))
    return subjects[0] if subjects else ""


def entry_of(row: Sealed, fact: AnyFact) -> Entry:
    """The row as readers get it."""
    return Entry(
        seq=row.seq,
        at=row.at,
        type=row.type,
        subject=row.subject,
        fact=fact,
        prev_hash=row.prev_hash,
        hash=row.hash,
    )


def conflict(subject: str, expected: int, present: int) -> Conflict:
    return Conflict(
        f"{subject}: expected entry {expected} to be its newest, found {present}",
        hint="read the entries that came in between, decide again, and append with the new number",
    )


def stale(fence: Lease, holder: str | None, epoch: int) -> StaleEpoch:
    """`holder`: who has the lease now, None for nobody."""
    return StaleEpoch(
        f"lease {fence.name}: {fence.owner} with epoch {fence.epoch} lost it to {holder or 'nobody'}, epoch {epoch}",
        hint="stop acting, take the lease again, and decide again from what the ledger says then",
    )


def next_epoch(last: tuple[str | None, int, float, float] | None, owner: str, now: float) -> int | None:
    """The epoch under which a lease is taken or renewed; None: another holder's runs.

    Args:
        last: owner (None: given back), epoch, and from when until when it was taken; None: nobody ever had it.
        now: by the clock of these times. A right taken "in the future" is over: that clock began again.

    >>> held = ("one", 3, 0.0, 9.0)
    >>> next_epoch(None, "one", 5.0), next_epoch(held, "one", 5.0), next_epoch(held, "two", 5.0)
    (1, 3, None)
    >>> next_epoch(held, "two", 9.0), next_epoch((None, 3, 0.0, 9.0), "two", 5.0)
    (4, 4)
    """
    if last is None:
        return 1
    holder, epoch, taken, until = last
    running = holder is not None and taken <= now < until
    if running and holder != owner:
        return None
    return epoch if running else epoch + 1


def not_ordered(key: str) -> NotFound:
    return NotFound(f"command {key} was never ordered: only an ordered command can be finished")


def not_open(key: str) -> NotFound:
    return NotFound(f"command {key} is not open: only an open command can be postponed")
