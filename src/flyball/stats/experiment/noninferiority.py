"""Superior, not inferior, inferior: what bounds on a difference say when a margin is given.

"Not significantly worse" is no reason to ship: with few rows nothing is significant. The margin says how much worse
would be tolerable, and the verdict asks whether the bounds exclude more than that. Given bounds that hold at all times
together (a confidence sequence), each verdict may be acted upon at the moment it appears: P(ever NOT_INFERIOR although
the candidate is worse by the margin or more) <= alpha, and so for the others; all of them at once, too.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from flyball.core.margin import margin as in_unit

DELTA = 0.01  # margin in the unit of the metric, where none is declared


class Standing(StrEnum):
    """How the candidate stands to the champion."""

    SUPERIOR = "superior"  # better, surely
    NOT_INFERIOR = "not_inferior"  # worse by less than the margin, if at all
    UNDECIDED = "undecided"
    INFERIOR = "inferior"  # worse by more than the margin, surely


@dataclass(frozen=True, kw_only=True)
class MarginVerdict:
    """The verdict and the numbers it rests on; all "worse by", whatever the direction of the metric."""

    standing: Standing
    low: float  # worse by at least; negative: better
    high: float  # worse by at most
    margin: float  # tolerated, same unit
    reason: str


def non_inferiority(
    low: float, high: float, *, delta: float = DELTA, better: Literal["higher", "lower"] = "higher"
) -> MarginVerdict:
    """The verdict on bounds of candidate minus champion.

    Args:
        low, high: of the difference, in the unit of the metric; infinite where nothing is known.
        delta: by how much worse is tolerable, >= 0, in that unit. 0: only superiority or inferiority.
        better: the direction of the metric.

    Raises: ValueError: NaN, low above high, or a margin below 0.

    >>> non_inferiority(-0.008, 0.004).standing.value, non_inferiority(-0.02, 0.004).standing.value
    ('not_inferior', 'undecided')
    >>> non_inferiority(5.0, 9.0, delta=4.0, better="lower").reason
    'worse by 5 to 9, all above the margin of 4'
    """
    if not low <= high or not 0 <= delta < math.inf:
        raise ValueError(f"expected low <= high and a margin >= 0, found {low} to {high} and {delta}")
    least, most = (-high, -low) if better == "higher" else (low, high)
    seen = f"worse by {least + 0.0:.4g} to {most + 0.0:.4g}"
    if most < 0:
        standing, reason = Standing.SUPERIOR, f"better by {-most:.4g} to {-least:.4g}"
    elif most < delta:
        standing, reason = Standing.NOT_INFERIOR, f"{seen}, all below the margin of {delta:.4g}"
    elif least > delta:
        standing, reason = Standing.INFERIOR, f"{seen}, all above the margin of {delta:.4g}"
    else:
        standing, reason = Standing.UNDECIDED, f"{seen}: the margin of {delta:.4g} is within"
    return MarginVerdict(standing=standing, low=least, high=most, margin=delta, reason=reason)


def non_inferiority_of_arms(
    candidate: tuple[float, float],
    champion: tuple[float, float],
    *,
    delta: float | str = DELTA,
    better: Literal["higher", "lower"] = "higher",
) -> MarginVerdict:
    """The verdict on bounds of each arm's own value, each made at alpha / 2; the promises then hold at alpha.

    A relative margin (`5%`) is a share of the champion's value, which is not known either: candidate and the champion
    times (1 - 5 %), or (1 + 5 %) where lower is better, are compared at the ends that speak least for the verdict. The
    margin of the result is that share and its bounds are relative too: worse by so much of the champion's value.

    Args:
        candidate, champion: (low, high), in the unit of the metric; for a relative margin the champion's above 0.
        delta: margin, a number in the unit of the metric or text with a percent sign.

    Returns: the verdict; UNDECIDED for a relative margin while the champion's value may be 0 or below.
    Raises: ValueError: as `non_inferiority`.

    >>> found = non_inferiority_of_arms((0.048, 0.052), (0.049, 0.050), delta="5%")
    >>> found.standing.value, round(found.high, 3)
    ('not_inferior', 0.04)
    """
    for low, high in (candidate, champion):
        if not low <= high:
            raise ValueError(f"expected low <= high, found {low} to {high}")
    if not isinstance(delta, str):
        return non_inferiority(candidate[0] - champion[1], candidate[1] - champion[0], delta=delta, better=better)
    share = in_unit(delta, 1.0)
    if champion[0] <= 0:
        return non_inferiority(-math.inf, math.inf, delta=share, better=better)
    ratios = [_ratio(value, base) for value in candidate for base in champion]  # which is least depends on signs
    return non_inferiority(min(ratios) - 1, max(ratios) - 1, delta=share, better=better)


def _ratio(value: float, base: float) -> float:
    return value if math.isinf(value) else value / base
