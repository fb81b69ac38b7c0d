"""Is a metric's mean worse in the candidate's arm than in the champion's, by more than a margin? Asked at any time.

Theory of operation. Units are assigned by chance: the t-th one goes to the candidate with a known probability w_t that
may differ from unit to unit. So, whatever the units are like and however they change over time, with x a unit's value,

    c_t = a_t + (x - a_t) [candidate] / w_t,        s_t = a_t + (x - a_t) [champion] / (1 - w_t)

have the means that x would have if every unit were the candidate's, or the champion's; a_t is any guess made before x
was seen, here the mean so far: it takes the level of the metric out of the noise. A higher metric is "not worse" while

    z_t = c_t - (1 - relative) s_t + absolute        (lower is better: (1 + relative) s_t - c_t + absolute)

has a mean >= 0. Two gamblers bet a share of their capital on each z_t, a share that was chosen before:

    worse *= 1 - min(l, C / most z_t can be) z_t,        fine *= 1 + min(l, C / most -z_t can be) z_t.

If the candidate is not worse, `worse` does not grow in expectation; if it is worse by the margin or more, `fine` does
not. So each ever exceeds 1/alpha with probability at most alpha (Ville), for any law of the metric, any drift of it and
any ramp of the weights. Each gambler spreads the capital over bets l = 1, 1/2, 1/4 ...: one of them is near the best.

Duty of the caller: a unit counts once. One that sticks to its arm and counts again is not assigned by chance again.

Source: betting, Waudby-Smith and Ramdas 2024 (arXiv:2010.09686), section 4; the estimate of a mean under known
assignment with a guess taken out, Robins, Rotnitzky and Zhao 1994, eq. 2.3, with the true propensity.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

CAP = 0.5  # C: the largest share of the capital that one unit can cost
BETS = 2.0 ** -np.arange(18)  # l, in 1 / (unit of z)
_PRIOR = 0.5  # the guess before the first unit, worth one unit
_BLOCK = 4096  # units whose bets are laid at once


@dataclass(frozen=True, kw_only=True, eq=False)
class ArmMeans:
    """State: the capitals of each bet, and the sums from which the next guess follows. Its size never grows."""

    relative: float = 0.0  # margin as a share of the champion's mean, 0..1
    absolute: float = 0.0  # margin in units of the value, >= 0; both add
    higher_is_better: bool = True
    candidate: int = 0  # units, count
    champion: int = 0
    candidate_total: float = 0.0  # sum of their values
    champion_total: float = 0.0
    log_worse: Floats | None = None  # nats, shape [bets]; None: no unit yet
    log_fine: Floats | None = None
    most_worse: float = 0.0  # the largest capital on the way, nats
    most_fine: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.relative < 1 and self.absolute >= 0):
            raise ValueError(f"expected 0 <= relative < 1 and absolute >= 0, found {self.relative}, {self.absolute}")

    def plus(self, values: npt.ArrayLike, of_candidate: npt.ArrayLike, shares: npt.ArrayLike) -> "ArmMeans":
        """With these units more, in their order; where a batch ends changes nothing but last bits.

        Args:
            values: of each unit, 0..1, shape [k].
            of_candidate: whether it was assigned to the candidate, shape [k].
            shares: probability with which it could have been, strictly between 0 and 1, shape [k].

        Raises: ValueError: faulty columns.

        >>> rng = np.random.default_rng(0)
        >>> mine = rng.random(4000) < 0.3
        >>> right = rng.random(4000) < np.where(mine, 0.7, 0.9)
        >>> found = ArmMeans(relative=0.05).plus(right, mine, np.full(4000, 0.3))
        >>> found.most_worse > 20, found.most_fine < 3
        (True, True)
        """
        x, mine, w = _columns(values, of_candidate, shares)
        found = self
        for begin in range(0, x.size, _BLOCK):
            part = slice(begin, begin + _BLOCK)
            found = found._block(x[part], mine[part], w[part])
        return found

    @cached_property
    def now_worse(self) -> float:
        """Log of the evidence that the candidate is worse as it stands, nats: of an e-value, unlike its largest one."""
        return 0.0 if self.log_worse is None else _log_mean(self.log_worse[None, :])[0]

    @property
    def candidate_mean(self) -> float:
        """NaN where there is no unit."""
        return self.candidate_total / self.candidate if self.candidate else math.nan

    @property
    def champion_mean(self) -> float:
        return self.champion_total / self.champion if self.champion else math.nan

    def _block(self, x: Floats, mine: npt.NDArray[np.bool_], w: Floats) -> "ArmMeans":
        z, most, least = self._contrasts(x, mine, w)
        nothing = np.zeros(BETS.size)
        worse = _path(nothing if self.log_worse is None else self.log_worse, -z, most)
        fine = _path(nothing if self.log_fine is None else self.log_fine, z, -least)
        return replace(
            self,
            candidate=self.candidate + int(mine.sum()),
            champion=self.champion + int((~mine).sum()),
            candidate_total=self.candidate_total + float(x[mine].sum()),
            champion_total=self.champion_total + float(x[~mine].sum()),
            log_worse=worse[-1].copy(),
            log_fine=fine[-1].copy(),
            most_worse=max(self.most_worse, float(_log_mean(worse).max())),
            most_fine=max(self.most_fine, float(_log_mean(fine).max())),
        )

    def _contrasts(self, x: Floats, mine: npt.NDArray[np.bool_], w: Floats) -> tuple[Floats, Floats, Floats]:
        """z of each unit, and the most and the least that it could have been, shape [k] each."""
        before = self.candidate_total + self.champion_total + np.concatenate([[0.0], np.cumsum(x)[:-1]])
        n = self.candidate + self.champion + np.arange(x.size)
        guess = (_PRIOR + before) / (n + 1)
        side = 1.0 if self.higher_is_better else -1.0
        kept = 1 - side * self.relative
        level = side * (1 - kept) * guess + self.absolute
        of_one, of_other = side / w, -side * kept / (1 - w)  # what a value above the guess is worth in each arm
        z = level + (x - guess) * np.where(mine, of_one, of_other)
        ends = np.stack([level + (end - guess) * slope for end in (0.0, 1.0) for slope in (of_one, of_other)])
        return z, ends.max(axis=0), ends.min(axis=0)


def _path(before: Floats, gain: Floats, most_lost: Floats) -> Floats:
    """Log capitals of each bet after each unit, [k, bets]. Args: most_lost: the most that -gain could have been."""
    with np.errstate(divide="ignore"):
        cap = CAP / np.maximum(most_lost, 0.0)
    grown = np.log1p(np.minimum(BETS, cap[:, None]) * gain[:, None])
    found: Floats = before + np.cumsum(grown, axis=0)
    return found


def _log_mean(logs: Floats) -> Floats:
    """ln of the mean over the bets, shape [k]."""
    largest = logs.max(axis=1)
    found: Floats = largest + np.log(np.exp(logs - largest[:, None]).mean(axis=1))
    return found


def _columns(
    values: npt.ArrayLike, of_candidate: npt.ArrayLike, shares: npt.ArrayLike
) -> tuple[Floats, npt.NDArray[np.bool_], Floats]:
    x, w = np.asarray(values, dtype=np.float64), np.asarray(shares, dtype=np.float64)
    mine = np.asarray(of_candidate, dtype=np.bool_)
    if x.ndim != 1 or not x.shape == mine.shape == w.shape:
        raise ValueError(f"expected three columns of one length, found shapes {x.shape}, {mine.shape}, {w.shape}")
    if not (((x >= 0) & (x <= 1)).all() and ((w > 0) & (w < 1)).all()):
        raise ValueError("expected values from 0 to 1 and shares strictly between 0 and 1")
    return x, mine, w
