"""What `flyball rehearse` says: how much was rehearsed, what was broken, and one digest of everything that happened."""

import hashlib
from collections.abc import Sequence

from flyball.app.rehearse.story import Turn
from flyball.app.rehearse.witness import Violation
from flyball.core.prediction import PredictionRecord
from flyball.core.record import Record

SHOWN = 20  # violations in the text for people; the document has them all


class Run(Record):
    """One seed of a scenario."""

    seed: int
    days: float  # simulated
    violations: tuple[Violation, ...]
    digest: str  # of the ledger's facts and of every answer
    rows: int = 0  # received
    entries: int = 0  # of the ledger
    promoted: int = 0
    rolled_back: int = 0
    retrained: int = 0
    faults: int = 0  # calls that were struck by one
    words: int = 0  # that people said because the scenario says so
    unsaid: tuple[str, ...] = ()  # words that could not be said, and why
    facts: dict[str, int] = {}  # of each kind on the ledger
    story: tuple[Turn, ...] = ()


class Report(Record):
    """The document of `--json`."""

    seeds: int  # how many
    days: float  # simulated, over all seeds
    violations: tuple[Violation, ...]
    digest: str  # `sha256:<hex>`, over the digests of the seeds in their order


def report(runs: Sequence[Run]) -> Report:
    """All seeds as one document.

    >>> one = Run(seed=1, days=7.0, violations=(), digest="a")
    >>> report([one, one]).days
    14.0
    """
    together = hashlib.sha256("\n".join(f"{run.seed} {run.digest}" for run in runs).encode()).hexdigest()
    return Report(
        seeds=len(runs),
        days=sum(run.days for run in runs),
        violations=tuple(each for run in runs for each in run.violations),
        digest=f"sha256:{together}",
    )


class Fingerprint:
    """A digest that grows with every answer; the ledger's own chain is added at the end."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def answers(self, records: Sequence[PredictionRecord]) -> None:
        """Rows as they were written down, in the order in which they were answered."""
        for each in records:
            told = (each.id, each.arm, each.release, each.outcome, each.prediction, each.score, each.scores, each.slow)
            self._hash.update(repr(told).encode())

    def close(self, ledger: str) -> str:
        """Args: ledger: hash of its last entry, which names all before it."""
        self._hash.update(ledger.encode())
        return f"sha256:{self._hash.hexdigest()}"


def told(runs: Sequence[Run]) -> str:
    """For people: of one seed its story; a line for all seeds, and one for each broken promise and each word that could
    not be said."""
    found = [each for run in runs for each in run.violations]
    sums = {
        "promotion": sum(run.promoted for run in runs),
        "rollback": sum(run.rolled_back for run in runs),
        "retraining": sum(run.retrained for run in runs),
        "call struck by a fault": sum(run.faults for run in runs),
        "word said": sum(run.words for run in runs),
    }
    figures = ", ".join(f"{count} {what if count == 1 else _plural(what)}" for what, count in sums.items())
    days, rows = sum(run.days for run in runs), sum(run.rows for run in runs)
    lines = [f"  at {turn.at:>7.0f} s: {turn.what}" for turn in runs[0].story] if len(runs) == 1 else []
    lines += [
        f"{len(runs)} {'seed' if len(runs) == 1 else 'seeds'}, {days:g} simulated days, {rows:,} rows: {figures}",
        *(f"seed {run.seed}: nobody could say {word}" for run in runs for word in run.unsaid),
        *(f"seed {v.seed}, at {v.at:.0f} s: {v.invariant}: {v.what}" for v in found[:SHOWN]),
    ]
    if len(found) > SHOWN:
        lines.append(f"... and {len(found) - SHOWN} more")
    lines.append(f"promises broken: {len(found)}" if found else "no promise was broken")
    lines.append(f"digest {report(runs).digest}")
    return "\n".join(lines)


def _plural(what: str) -> str:
    first, _, rest = what.partition(" ")
    return f"{first}s {rest}".rstrip()
