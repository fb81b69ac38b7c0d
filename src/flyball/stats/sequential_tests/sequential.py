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

import numpy as np
import numpy.typing as npt

from flyball.core.record import Record
from flyball.stats.sequential_tests.sprt import check_budgets


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
    if not (0 <= w <= 1 and ratio > 0):
        theta1(w, ratio)  # the same range, and it says what is wrong
    if w == 0.0 or w == 1.0:
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


class ErrorEventTest(Record):
    """State of one guardrail: three sums. Merging is addition, so workers keep their own and a supervisor adds.

    Many events at once: `error_event_arrays`.
    """

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
    check_budgets(alpha=alpha)
    if guardrails < 1:
        raise ValueError(f"guardrails={guardrails}: expected at least 1")
    return math.log(guardrails / alpha)


def accept_bound(beta: float) -> float:
    """log_e at which to advance, nats, negative: -ln(1/beta). P(a candidate worse by ratio ever gets there) <= beta.

    >>> round(accept_bound(0.10), 6)
    -2.302585
    """
    check_budgets(beta=beta)
    return -math.log(1 / beta)


def _log_sum(logs: npt.NDArray[np.float64]) -> float:
    """ln(sum(exp(logs))), safe for any size; scipy's own costs ten times the rest of a pane."""
    largest = float(logs.max())
    return largest + math.log(float(np.exp(logs - largest).sum()))
