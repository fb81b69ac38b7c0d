"""Would a run exceed what it may use? Estimated from earlier runs of the same service, and said on what it rests.

An estimate is meant to be low rather than high: a run that is refused learns nothing, one that is too large is stopped
while it runs. Seconds grow with the rows; memory is taken from runs with at most as many rows, as it does not shrink.
"""

from collections.abc import Sequence
from statistics import median

from flyball.core.record import Record
from flyball.core.service import Experiment

NEWEST = 5  # earlier runs that count


class Past(Record):
    """An earlier run that came to its end and did every step itself."""

    rows: int
    seconds: float
    peak_rss_mb: float


class Estimate(Record):
    """What a run of so many rows will use. None: nothing is known."""

    seconds: float | None
    memory_mb: float | None
    cost: float | None  # in the unit of cost_per_hour; None also where no price is declared
    basis: str


def estimate(past: Sequence[Past], rows: int, *, cost_per_hour: float = 0.0) -> Estimate:
    """From the newest runs, oldest first.

    >>> estimate([Past(rows=1000, seconds=2.0, peak_rss_mb=300.0)], 4000, cost_per_hour=9.0).cost
    0.02
    """
    known = [run for run in past if run.rows > 0][-NEWEST:]
    if not known:
        return Estimate(seconds=None, memory_mb=None, cost=None, basis="no earlier run of this service is known")
    seconds = median(run.seconds / run.rows for run in known) * rows
    smaller = [run.peak_rss_mb for run in known if run.rows <= rows]
    counts = sorted({run.rows for run in known})
    basis = (
        f"the newest {len(known)} runs with {counts[0]} to {counts[-1]} rows" if len(known) > 1 else "one earlier run"
    )
    return Estimate(
        seconds=seconds,
        memory_mb=min(smaller) if smaller else None,
        cost=seconds / 3600 * cost_per_hour if cost_per_hour > 0 else None,
        basis=f"{basis}, this one has {rows} rows",
    )


def refusal(experiment: Experiment, expected: Estimate) -> str | None:
    """Why a run is not started; None: nothing speaks against it."""
    limits = experiment.limits
    checks = (
        ("seconds", expected.seconds, experiment.timeout_s, "experiment.timeout_s"),
        ("MB of resident memory", expected.memory_mb, limits.memory_mb, "experiment.limits.memory_mb"),
        ("cost", expected.cost, limits.cost, "experiment.limits.cost"),
    )
    over = [
        f"{found:.4g} {what}, more than {name} = {limit:g}"
        for what, found, limit, name in checks
        if found is not None and limit is not None and found > limit
    ]
    if not over:
        return None
    return (
        f"the training was refused before it started: expected are {'; '.join(over)} (estimated from {expected.basis})"
    )


def cost_of(seconds: float, cost_per_hour: float) -> float | None:
    """What a run has cost; None: no price is declared.

    >>> cost_of(1800.0, 3.0), cost_of(1800.0, 0.0)
    (1.5, None)
    """
    return seconds / 3600 * cost_per_hour if cost_per_hour > 0 else None
