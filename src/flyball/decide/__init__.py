"""What we believe, and what follows: bounds, tests, verdicts, diagnosis, triggers, evidence. Pure.

The part of `flyball.stats` that decisions rest on is exported from here as well.
"""

from flyball.stats.paired import PairedTest
from flyball.stats.ratio_mismatch import anytime_p, ratio_chi_square, ratio_log_e
from flyball.stats.sequences import (
    asymptotic_half_width,
    asymptotic_rho,
    bernoulli_upper,
    normal_mixture_bound,
    normal_mixture_log_e,
    normal_mixture_rho,
)
from flyball.stats.sequential import (
    ErrorEventTest,
    accept_bound,
    increment,
    increment_of_counts,
    rollback_bound,
    theta1,
)
from flyball.stats.sprt import BernoulliSprt, Finding, expected_events, sprt_bounds

__all__ = [
    "BernoulliSprt",
    "ErrorEventTest",
    "Finding",
    "PairedTest",
    "accept_bound",
    "anytime_p",
    "asymptotic_half_width",
    "asymptotic_rho",
    "bernoulli_upper",
    "expected_events",
    "increment",
    "increment_of_counts",
    "normal_mixture_bound",
    "normal_mixture_log_e",
    "normal_mixture_rho",
    "ratio_chi_square",
    "ratio_log_e",
    "rollback_bound",
    "sprt_bounds",
    "theta1",
]
