"""Sequential tests: is the candidate worse, asked after every event, with error rates that survive the asking.

Theory of operation: the error-event test. Look only at units that ended in an error event (or a slow event) and ask
whose they were. Between two events, k of the m units were the candidate's, the erring unit included; w = k/m is the
realised share. Arms are drawn independently of what happens, so if the arms fail alike every order of those m arms is
equally likely, and the erring unit is the candidate's with probability exactly w. If the candidate's odds of an error
are r times the champion's, that probability is exactly theta1 = w r / (w r + 1 - w). The likelihood ratio of the two
is therefore an exact martingale: for any base rate, however it moves, and for any weights, however they ramp. It needs
no base rate; common causes cancel; an interval in which one arm had no unit says nothing (0).

Two duties fall to the caller. A unit counts once. And the interval of an event begins at the last event *or change of
weight*, whichever is later: units from before a ramp would understate w.

Roll back at log_e >= ln(G/alpha) (Ville, G guardrails; one process for the whole rollout, never restarted). Advance at
log_e <= ln(beta) (Ville for the inverse ratio; a larger true ratio only makes that rarer), a fresh test for each step.
An error of the candidate never lowers log_e.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from flyball.stats.intervals import Interval, difference_of_shares


def theta1(w: float, ratio: float) -> float:
    """P(an error event is the candidate's) when it errs `ratio` times as often, 0..1.

    Args: w: realised share of the candidate's units, 0..1. ratio: of the odds of an error, > 0.

    >>> round(theta1(0.10, 2), 6), round(theta1(0.50, 2), 6)
    (0.181818, 0.666667)
    """
    if not 0 <= w <= 1 or not ratio > 0:
        raise ValueError(f"expected 0 <= w <= 1 and ratio > 0, found w={w}, ratio={ratio}")
    return w * ratio / (w * ratio + 1 - w)


def increment(arm_is_candidate: bool, w: float, ratio: float) -> float:
    """What one error event adds to the log-likelihood ratio of "worse by `ratio`" over "the same", in nats.

    Args: arm_is_candidate: whose unit it was. w, ratio: as in `theta1`; w of 0 or 1 says nothing.

    >>> round(increment(True, 0.10, 2), 6), round(increment(False, 0.10, 2), 5), increment(True, 1.0, 2)
    (0.597837, -0.09531, 0.0)
    """
    theta1(w, ratio)  # the same range of w and ratio
    if w in (0.0, 1.0):
        return 0.0
    # theta1/w = ratio/d and (1 - theta1)/(1 - w) = 1/d with d = 1 + w (ratio - 1): exact where w is almost 0 or 1
    step = -math.log1p(w * (ratio - 1))
    if not arm_is_candidate:
        return step
    gain = step + math.log(ratio)
    return max(gain, 0.0) if ratio >= 1 else min(gain, 0.0)


def increment_of_counts(
    candidate_errors: int, champion_errors: int, candidate_units: int, champion_units: int, ratio: float
) -> float:
    """The same for a batch in which the order of events is lost: units and error events of each arm, in nats.

    Given the totals, the candidate's errors are hypergeometric if the arms fail alike, and Fisher's noncentral
    hypergeometric with odds `ratio` if not; the likelihood ratio is ratio^x / E0[ratio^X]. For one error event it
    equals `increment` at w = candidate_units / all units. Units of one weight only.

    Raises: ValueError: more errors than units.

    >>> round(increment_of_counts(1, 0, 10, 90, 2.0), 6)
    0.597837
    """
    if not (0 <= candidate_errors <= candidate_units and 0 <= champion_errors <= champion_units):
        raise ValueError(
            f"expected errors <= units, found {candidate_errors} of {candidate_units} and "
            f"{champion_errors} of {champion_units}"
        )
    errors, log_ratio = candidate_errors + champion_errors, math.log(ratio)
    lowest, highest = max(0, errors - champion_units), min(errors, candidate_units)
    if lowest == highest:
        return 0.0
    x = np.arange(lowest, highest, dtype=np.float64)  # P(x + 1) / P(x) for each x but the last
    growth = np.log((candidate_units - x) * (errors - x) / ((x + 1) * (champion_units - errors + x + 1)))
    log_p = np.concatenate([[0.0], np.cumsum(growth)])
    tilted = log_p + log_ratio * np.arange(highest - lowest + 1)
    return log_ratio * (candidate_errors - lowest) - (_log_sum(tilted) - _log_sum(log_p))


@dataclass(frozen=True, kw_only=True)
class ErrorEventTest:
    """State of one guardrail: three sums. Merging is addition, so workers keep their own and a supervisor adds."""

    log_e: float = 0.0  # log-likelihood ratio of "worse by ratio" over "the same", nats
    events_candidate: int = 0  # error events of the candidate, count
    events_champion: int = 0  # error events of the champion, count

    def observe(self, arm_is_candidate: bool, w: float, ratio: float) -> "ErrorEventTest":
        """With one error event more; w as in the theory of operation.

        >>> ErrorEventTest().observe(True, 0.5, 2).events_candidate
        1
        """
        return ErrorEventTest(
            log_e=self.log_e + increment(arm_is_candidate, w, ratio),
            events_candidate=self.events_candidate + arm_is_candidate,
            events_champion=self.events_champion + (not arm_is_candidate),
        )

    def observe_counts(
        self, candidate_errors: int, champion_errors: int, candidate_units: int, champion_units: int, ratio: float
    ) -> "ErrorEventTest":
        """With a batch of one weight more; arguments as in `increment_of_counts`."""
        gained = increment_of_counts(candidate_errors, champion_errors, candidate_units, champion_units, ratio)
        return ErrorEventTest(
            log_e=self.log_e + gained,
            events_candidate=self.events_candidate + candidate_errors,
            events_champion=self.events_champion + champion_errors,
        )

    def merge(self, other: "ErrorEventTest") -> "ErrorEventTest":
        """Both streams together; they must not share an event."""
        return ErrorEventTest(
            log_e=self.log_e + other.log_e,
            events_candidate=self.events_candidate + other.events_candidate,
            events_champion=self.events_champion + other.events_champion,
        )


def rollback_bound(alpha: float, guardrails: int) -> float:
    """log_e at which to roll back, nats: ln(G/alpha). P(a rollout of an equal candidate ever gets there) <= alpha.

    >>> round(rollback_bound(0.05, 2), 6)
    3.688879
    """
    _check(alpha=alpha)
    if guardrails < 1:
        raise ValueError(f"guardrails={guardrails}: expected at least 1")
    return math.log(guardrails / alpha)


def accept_bound(beta: float) -> float:
    """log_e at which to advance, nats, negative: -ln(1/beta). P(a candidate worse by ratio ever gets there) <= beta.

    >>> round(accept_bound(0.10), 6)
    -2.302585
    """
    _check(beta=beta)
    return -math.log(1 / beta)


def sprt_bounds(alpha: float, beta: float) -> tuple[float, float]:
    """Wald's bounds (upper: worse, lower: not worse), nats; alpha' + beta' <= alpha + beta.

    Source: Wald 1945, eq. 3.

    >>> [round(bound, 6) for bound in sprt_bounds(0.05, 0.10)]
    [2.890372, -2.251292]
    """
    _check(alpha=alpha, beta=beta)
    return math.log((1 - beta) / alpha), math.log(beta / (1 - alpha))


def expected_events(p0: float, p1: float, *, alpha: float = 0.05, beta: float = 0.10) -> tuple[float, float]:
    """Observations until Wald's test of rate p0 against p1 decides, on average: (if p0 is true, if p1 is true), count.

    Wald's approximation: it neglects the overshoot, so the truth is a little more. For the error-event test pass
    p0 = w and p1 = theta1(w, ratio); for the paired test 0.5 and 0.60.

    Source: Wald 1945, eq. 62.

    >>> [round(n, 1) for n in expected_events(0.01, 0.02)]
    [639.3, 607.2]
    """
    up, down = _steps(p0, p1)
    a, b = sprt_bounds(alpha, beta)
    return (
        ((1 - alpha) * b + alpha * a) / (p0 * up + (1 - p0) * down),
        (beta * b + (1 - beta) * a) / (p1 * up + (1 - p1) * down),
    )


class Finding(StrEnum):
    """What a test of "worse" against "not worse" says so far."""

    WORSE = "worse"
    NOT_WORSE = "not_worse"  # not worse by the design's difference; never "better"
    UNDECIDED = "undecided"


@dataclass(frozen=True, kw_only=True)
class BernoulliSprt:
    """Wald's test of an event rate p0 (good) against p1 > p0 (bad), one arm."""

    p0: float  # rate that is fine, 0..1
    p1: float  # rate that is bad, 0..1
    llr: float = 0.0  # log-likelihood ratio of p1 over p0, nats; an event always raises it
    n: int = 0  # observations, count
    events: int = 0  # events among them, count

    def __post_init__(self) -> None:
        if not 0 < self.p0 < self.p1 < 1:
            raise ValueError(f"expected 0 < p0 < p1 < 1, found p0={self.p0}, p1={self.p1}")

    def observe(self, event: bool) -> "BernoulliSprt":
        """With one observation more.

        >>> round(BernoulliSprt(p0=0.01, p1=0.02).observe(True).llr, 6)
        0.693147
        """
        up, down = _steps(self.p0, self.p1)
        return replace(self, llr=self.llr + (up if event else down), n=self.n + 1, events=self.events + event)

    def verdict(self, *, alpha: float, beta: float) -> Finding:
        """Judged by Wald's bounds."""
        return _judge(self.llr, *sprt_bounds(alpha, beta))


@dataclass(frozen=True, kw_only=True)
class PairedTest:
    """Shadow pairs with labels: both arms answered the same row, and exactly one of them was right (McNemar).

    Among discordant pairs an equal candidate is the wrong one half the time; `worse_share` is the share that is worth
    stopping for. Concordant pairs say nothing about the difference and move nothing but the count.
    """

    worse_share: float = 0.60  # theta1, P(a discordant pair speaks against the candidate) if it is worse
    pairs: int = 0  # rows both arms answered and whose label has come, count
    candidate_only: int = 0  # pairs in which the candidate alone was right, count
    champion_only: int = 0  # pairs in which the champion alone was right, count

    def __post_init__(self) -> None:
        if not 0.5 < self.worse_share < 1:
            raise ValueError(f"worse_share={self.worse_share}: expected a share in (0.5, 1)")

    def observe(self, candidate_right: bool, champion_right: bool) -> "PairedTest":
        """With one labelled pair more.

        >>> PairedTest().observe(True, False).observe(True, True).difference().value
        0.5
        """
        return replace(
            self,
            pairs=self.pairs + 1,
            candidate_only=self.candidate_only + (candidate_right and not champion_right),
            champion_only=self.champion_only + (champion_right and not candidate_right),
        )

    def merge(self, other: "PairedTest") -> "PairedTest":
        """Both streams together; they must not share a pair."""
        if other.worse_share != self.worse_share:
            raise ValueError(f"tests of different designs do not add: {self.worse_share} and {other.worse_share}")
        return replace(
            self,
            pairs=self.pairs + other.pairs,
            candidate_only=self.candidate_only + other.candidate_only,
            champion_only=self.champion_only + other.champion_only,
        )

    @property
    def log_e(self) -> float:
        """Log-likelihood ratio of "worse" over "the same", nats.

        >>> round(PairedTest(pairs=1, champion_only=1).log_e, 6)
        0.182322
        """
        up, down = _steps(0.5, self.worse_share)
        return self.champion_only * up + self.candidate_only * down

    def verdict(self, *, alpha: float = 0.05, beta: float = 0.10) -> Finding:
        """WORSE at ln(1/alpha), NOT_WORSE at ln(beta): both by Ville, so either may be read after every pair.

        >>> PairedTest(pairs=100, champion_only=20).verdict().value
        'worse'
        """
        return _judge(self.log_e, rollback_bound(alpha, 1), accept_bound(beta))

    def difference(self, *, confidence: float = 0.95) -> Interval:
        """Share right, candidate minus champion, with its fixed-sample interval; for the evidence, not for stopping.

        Raises: NotEnoughData: no pairs.
        """
        return difference_of_shares(self.candidate_only, self.champion_only, self.pairs, confidence=confidence)


def _judge(llr: float, upper: float, lower: float) -> Finding:
    return Finding.WORSE if llr >= upper else Finding.NOT_WORSE if llr <= lower else Finding.UNDECIDED


def _steps(p0: float, p1: float) -> tuple[float, float]:
    return math.log(p1 / p0), math.log((1 - p1) / (1 - p0))


def _log_sum(logs: npt.NDArray[np.float64]) -> float:
    """ln(sum(exp(logs))), safe for any size; scipy's own costs ten times the rest of a pane."""
    largest = float(logs.max())
    return largest + math.log(float(np.exp(logs - largest).sum()))


def _check(**budgets: float) -> None:
    for name, budget in budgets.items():
        if not 0 < budget < 1:
            raise ValueError(f"{name}={budget}: expected an error budget in (0, 1)")
