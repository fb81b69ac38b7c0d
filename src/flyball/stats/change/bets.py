"""What a detector of change bets on: shifts, scalings, single bins that grow or shrink, anything, and what it saw last.

A bet is a way in which the reference's distribution may have changed, with a tolerance: a change that is smaller than
the tolerance is not worth an alarm, however many rows show it. Each bet pays for that in its own coin:

- a smooth bet Q against the reference p pays ln(1 + delta chi(Q, p)) nats a row. For every true distribution q with
  chi(q, p) <= delta, by Cauchy and Schwarz, E_q[Q/p] = 1 + sum (q-p)(Q-p)/p <= 1 + delta chi(Q, p), so what is left is
  an e-value for *all* q within the tolerance, whatever their direction;
- a bet on one bin is a bet on a share: it is weighed against the largest share that the tolerance allows, not against
  the reference's. The likelihood ratio of two shares is monotone, so it is an e-value for every smaller share as well;
- the open bet (Dirichlet of `CONCENTRATIONS` rows around p) pays m^2 delta^2 / (2 kappa) for m rows, the same bound
  averaged over its directions, in the Gaussian approximation.

delta^2 is the tolerance as PSI: for small changes PSI is the chi-square divergence.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]
Kind = Literal["numeric", "category", "rate"]

JEFFREYS = 0.5  # added to each bin of the reference: a bin without rows is not impossible
SHIFTS = (0.1, 0.2, 0.4, 0.8)  # of the mean, in standard deviations of a normal with these bins, both ways
SCALES = (-1.2, -0.5, 0.3, 0.55)  # 1 - 1/s^2 for a scaling by s: 0.67, 0.82, 1.2, 1.5
CONCENTRATIONS = (100.0, 1000.0)  # rows; an open bet expects a PSI of about (bins - 1) / concentration
STEPS_UP = (0.35, 1.2, 3.0)  # log odds beyond the tolerated share
STEPS_DOWN = (0.35, 1.2)
RATE_STEPS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
MOST_BINS = 16  # categories that have bets of their own, most frequent first
RARE = 0.02  # a share below this cannot shrink visibly
CREDIT = {"shift": 0.30, "scale": 0.15, "open": 0.15, "recent": 0.15, "bin": 0.25}  # shared by the bets of a group


@dataclass(frozen=True, kw_only=True, eq=False)
class Bets:
    """K bets: tilts of all bins first, then open ones, then the one on what was seen last, then single bins."""

    names: tuple[str, ...]  # K, for people
    log_weight: Floats  # [K], their exponentials sum to 1
    tilt: Floats  # log factor on each bin, shape [tilts, B]
    tilt_cost: Floats  # nats a row, shape [tilts]
    open_cost: Floats  # nats a row and row, shape [open]
    delta: float  # tolerance, square root of a PSI
    bin: npt.NDArray[np.int64]  # which bin, shape [single]
    bin_null: Floats  # log odds ratio at the edge of the tolerance, shape [single]
    bin_bet: Floats  # log odds ratio of the bet, shape [single]


def bets(counts: npt.ArrayLike, kind: Kind, *, tolerance: float) -> Bets:
    """The bets against a reference.

    Args:
        counts: of the reference, shape [B]. `numeric`: ordered bins, the last is missing. `category`: values from the
            most frequent one, other, missing. `rate`: rows without and with the event.
        kind: what the bins are.
        tolerance: a change up to this PSI is none, >= 0.

    Raises: ValueError: fewer than two bins, or a negative tolerance.

    >>> told = bets([100] * 10 + [0], "numeric", tolerance=0.01).names
    >>> told[0], told[-1], len(told)
    ('shift -0.8', 'bin 10 up 3', 18)
    """
    reference = np.asarray(counts, dtype=np.float64)
    if reference.ndim != 1 or reference.size < 2 or tolerance < 0:
        raise ValueError(f"expected at least two bins and a tolerance >= 0, found {reference.shape}, {tolerance}")
    p = (reference + JEFFREYS) / (reference.sum() + JEFFREYS * reference.size)
    tilts = _smooth(p) if kind == "numeric" else []
    singles = _singles(p, kind, tolerance)
    opens = () if kind == "rate" else CONCENTRATIONS
    groups = [group for group, _, _ in tilts] + ["open"] * len(opens) + ["recent"] + ["bin"] * len(singles)
    delta = float(np.sqrt(tolerance))
    tilt = np.array([row for _, _, row in tilts]).reshape(len(tilts), p.size)
    return Bets(
        names=(
            *(name for _, name, _ in tilts),
            *(f"open {kappa:g}" for kappa in opens),
            "recent",
            *(name for name, _, _, _ in singles),
        ),
        log_weight=_log_weights(groups),
        tilt=tilt,
        tilt_cost=np.log1p(delta * np.sqrt(np.maximum(np.exp(2 * tilt) @ p - 1, 0.0))),
        open_cost=delta**2 / (2 * np.array(opens, dtype=np.float64)),
        delta=delta,
        bin=np.array([at for _, at, _, _ in singles], dtype=np.int64),
        bin_null=np.array([null for _, _, null, _ in singles], dtype=np.float64),
        bin_bet=np.array([bet for _, _, _, bet in singles], dtype=np.float64),
    )


def _smooth(p: Floats) -> list[tuple[str, str, Floats]]:
    """Shifts and scalings of a normal that has these shares; missing (the last bin) keeps its share."""
    z, square = normal_scores(p[:-1] / p[:-1].sum())
    found = []
    for group, sizes, score in (
        ("shift", (*(-size for size in reversed(SHIFTS)), *SHIFTS), z),
        ("scale", SCALES, (square - 1) / 2),
    ):
        for size in sizes:
            row = np.append(size * score, 0.0)
            row[:-1] -= np.log(np.exp(row[:-1]) @ p[:-1] / p[:-1].sum())
            found.append((group, f"{group} {size:g}", row))
    return found


def normal_scores(shares: Floats) -> tuple[Floats, Floats]:
    """Mean of z and of z squared in each bin of a standard normal that is cut into these shares, shape [B] each.

    >>> [round(float(z), 3) for z in normal_scores(np.array([0.5, 0.5]))[0]]
    [-0.798, 0.798]
    """
    edges = special.ndtri(np.clip(np.concatenate([[0.0], np.cumsum(shares)[:-1], [1.0]]), 0.0, 1.0))
    density = np.exp(-(edges**2) / 2) / np.sqrt(2 * np.pi)
    moment = np.where(np.isfinite(edges), edges, 0.0) * density
    width = np.maximum(shares, 1e-12)
    return -np.diff(density) / width, 1 - np.diff(moment) / width


def _singles(p: Floats, kind: Kind, tolerance: float) -> list[tuple[str, int, float, float]]:
    """Name, bin, log odds ratio at the edge of the tolerance and of the bet."""
    last = p.size - 1
    if kind == "numeric":
        watched = [last]
    elif kind == "rate":
        watched = [1]
    else:
        watched = sorted({*range(min(MOST_BINS, last - 1)), last - 1, last} - {-1})
    up, down = (RATE_STEPS, RATE_STEPS) if kind == "rate" else (STEPS_UP, STEPS_DOWN)
    found = []
    for at in watched:
        share = float(p[at])
        edge = tolerated_log_odds(share, tolerance)
        found += [(f"bin {at} up {step:g}", at, edge, edge + step) for step in up]
        if share > RARE or kind == "rate":
            found += [(f"bin {at} down {step:g}", at, -edge, -edge - step) for step in down]
    return found


def tolerated_log_odds(share: float, tolerance: float) -> float:
    """How far the log odds of a share may rise until the two shares (this bin, all others) are at PSI `tolerance`.

    >>> round(tolerated_log_odds(0.5, 0.01), 3), tolerated_log_odds(0.2, 0.0)
    (0.2, 0.0)
    """
    low, high, base = 0.0, 20.0, float(special.logit(share))
    if tolerance == 0:
        return 0.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if (float(special.expit(base + middle)) - share) * middle < tolerance else (low, middle)
        )
    return low


def _log_weights(groups: list[str]) -> Floats:
    size = {group: groups.count(group) for group in groups}
    weight = np.array([CREDIT[group] / size[group] for group in groups])
    found: Floats = np.log(weight / weight.sum())
    return found
