"""What we believe, and what follows: bounds, tests, verdicts, diagnosis, triggers, evidence. Pure.

The part of `flyball.stats` that decisions rest on is exported from here as well.
"""

from flyball.decide.fixed_sample import ArmUnits, Comparison, compare_once
from flyball.stats.cuped import Adjusted, adjusted_difference
from flyball.stats.group_sequential import Design, fixed_shape, peeking_error, spending_bounds
from flyball.stats.pair_moments import PairMoments, moments
from flyball.stats.paired import PairedTest
from flyball.stats.power import (
    Ending,
    Size,
    ending,
    events_to_advance,
    events_to_roll_back,
    least_margin,
    non_inferiority_size,
    superiority_size,
)
from flyball.stats.ratio_metric import Ratio, ratio, ratio_difference
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
from flyball.stats.two_rates import rate_difference

__all__ = [
    "Adjusted",
    "ArmUnits",
    "BernoulliSprt",
    "Comparison",
    "Design",
    "Ending",
    "ErrorEventTest",
    "Finding",
    "PairMoments",
    "PairedTest",
    "Ratio",
    "Size",
    "accept_bound",
    "adjusted_difference",
    "anytime_p",
    "asymptotic_half_width",
    "asymptotic_rho",
    "bernoulli_upper",
    "compare_once",
    "ending",
    "events_to_advance",
    "events_to_roll_back",
    "expected_events",
    "fixed_shape",
    "increment",
    "increment_of_counts",
    "least_margin",
    "moments",
    "non_inferiority_size",
    "normal_mixture_bound",
    "normal_mixture_log_e",
    "normal_mixture_rho",
    "peeking_error",
    "rate_difference",
    "ratio",
    "ratio_chi_square",
    "ratio_difference",
    "ratio_log_e",
    "rollback_bound",
    "spending_bounds",
    "sprt_bounds",
    "superiority_size",
    "theta1",
]
