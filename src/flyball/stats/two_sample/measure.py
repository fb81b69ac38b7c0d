"""What a comparison of a window with its reference says, and how its evidence becomes a verdict.

Two null hypotheses, because two questions are asked:
- `limit`, the tolerance null: the true effect is at most the limit. DRIFT says that it surely is above; however large
  the sample, an effect below the limit does not alarm more often than alpha. An estimate above the limit that could
  still be below it is INSUFFICIENT, not OK.
- `zero`, the rule that people know: the number, as everybody computes it, is above the limit, and without any drift
  chance would seldom give one as large. It fires earlier, and half of the time where the true effect is the limit.

Either way silence must mean something: where chance alone could reach the limit at these sizes, it is INSUFFICIENT.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Null = Literal["limit", "zero"]

LEAST_TOLD = 1e-15  # of a probability, which is often 1 minus another


class Reading(StrEnum):
    """What a comparison says, worst last."""

    OK = "OK"
    INSUFFICIENT = "INSUFFICIENT"  # too little data: not "no drift"
    DRIFT = "DRIFT"
    INVALID = "INVALID"  # the input is not what the measure compares


@dataclass(frozen=True, kw_only=True)
class Measure:
    """How far a window is from its reference. None where there is no honest number."""

    measure: str  # name, one of `compare.MEASURES`, or of a measure that needs the values themselves
    value: float | None  # effect without the part that sampling alone adds, in the unit of the measure
    ci: tuple[float, float] | None  # two-sided interval of the true effect, same unit
    p: float | None  # P(an effect this large without drift), 0..1
    n: int  # rows of the reference, count
    m: int  # rows of the window, count
    mde: float | None  # smallest true effect seen with probability 0.80, same unit
    verdict: Reading
    reason: str  # for people
    plain: float | None = None  # the formula's own number, as other tools give it, same unit
    p_limit: float | None = None  # P(an effect this large where the true one is the limit), 0..1
    limit: float | None = None  # effect worth acting on, same unit


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a law says of one comparison, before anybody judges it; units as in `Measure`."""

    value: float
    plain: float
    ci: tuple[float, float]
    p: float
    p_limit: float
    chance: float  # effect that chance alone reaches with probability alpha, on the scale of `plain`
    mde: float


def read(
    name: str, found: Evidence, *, n: int, m: int, limit: float, alpha: float, floor: int, null: Null = "limit"
) -> Measure:
    """The verdict on some evidence.

    Args:
        name: of the measure.
        n, m: rows of reference and window, count.
        limit: effect worth acting on, in the unit of the measure.
        alpha: false-alarm rate of one comparison, in (0, 1).
        floor: rows below which nothing is said, count, of either side.
        null: which hypothesis DRIFT rejects.
    """
    verdict, why = _judged(found, n=n, m=m, limit=limit, alpha=alpha, floor=floor, null=null)
    value = found.value if null == "limit" else found.plain
    return Measure(
        measure=name,
        value=found.value,
        ci=found.ci,
        p=found.p,
        n=n,
        m=m,
        mde=found.mde,
        verdict=verdict,
        reason=f"{name} {value:.4g}, p {probability(found.p)}, n={n}, m={m}: {why}",
        plain=found.plain,
        p_limit=found.p_limit,
        limit=limit,
    )


def without_value(name: str, n: int, m: int, verdict: Reading, reason: str) -> Measure:
    """A comparison that gives no number, and why."""
    return Measure(
        measure=name, value=None, ci=None, p=None, n=n, m=m, mde=None, verdict=verdict, reason=reason
    )  # fmt: skip


def constant(name: str, n: int, m: int, limit: float, floor: int) -> Measure:
    """All rows of both sides are alike: nothing moved, if there are rows enough to say so.

    It has no interval: what no row shows has no spread either, and 0 to 0 would be a certainty that nobody has.
    """
    verdict, reason = Reading.OK, f"constant: all rows of both sides are in one bin, n={n}, m={m}"
    if min(n, m) < floor:
        verdict, reason = Reading.INSUFFICIENT, f"{reason}: fewer than {floor} rows on one side"
    return Measure(
        measure=name,
        value=0.0,
        ci=None,
        p=1.0,
        n=n,
        m=m,
        mde=None,
        verdict=verdict,
        reason=reason,
        plain=0.0,
        p_limit=1.0,
        limit=limit,
    )


def probability(p: float) -> str:
    """For people. What floating point cannot tell from 0 is not 0.

    >>> probability(0.0421), probability(0.0)
    ('0.042', 'below 1e-15')
    """
    return f"{p:.2g}" if p >= LEAST_TOLD else f"below {LEAST_TOLD:g}"


def _judged(
    found: Evidence, *, n: int, m: int, limit: float, alpha: float, floor: int, null: Null
) -> tuple[Reading, str]:
    if min(n, m) < floor:
        return Reading.INSUFFICIENT, f"fewer than {floor} rows on one side"
    if null == "zero":
        if found.plain > limit and found.p < alpha:
            return Reading.DRIFT, f"above {limit:g}, and chance alone gives as much with probability below {alpha:g}"
    elif found.value > limit:
        if found.p_limit < alpha:
            likely = f"an effect of {limit:g} looks like this with probability {probability(found.p_limit)}"
            return Reading.DRIFT, f"above {limit:g}, and {likely}"
        if found.p < alpha:
            low, high = found.ci
            return Reading.INSUFFICIENT, f"moved, but {low:.3g} to {high:.3g} may be at most {limit:g}: more rows tell"
    if found.chance > limit:
        return Reading.INSUFFICIENT, f"chance alone reaches {found.chance:.4g}, above the limit {limit:g}"
    at = found.plain if null == "zero" else found.value
    return Reading.OK, f"not above {limit:g}" if at <= limit else "chance explains it"
