"""What we believe, and what follows: bounds, tests, verdicts, diagnosis, triggers, evidence. Pure.

The part of `flyball.stats` that decisions rest on is exported from here as well. Which test is for what, and what each
was measured to promise: `docs/explanation/sequential-tests.md`.
"""

from flyball.core.routing import ArmCounts, PairEvidence, Routing, StepCounts, TestSums, Verdict
from flyball.decide.fixed_sample import ArmUnits, Comparison, compare_once
from flyball.decide.rollout import advance, judge
from flyball.stats.actions.logged_actions import followed
from flyball.stats.actions.off_policy import OffPolicy, off_policy
from flyball.stats.actions.overlap import Overlap, overlap
from flyball.stats.actions.reward_bounds import RewardBounds
from flyball.stats.confidence_sequences.bernoulli_sequence import bernoulli_bounds, rate_log_e
from flyball.stats.confidence_sequences.betting import BettingSequence
from flyball.stats.confidence_sequences.mixtures import (
    beta_binomial_log_e,
    gamma_exponential_log_e,
    gamma_poisson_log_e,
    mixture_bound,
)
from flyball.stats.confidence_sequences.quantile_comparison import quantile_log_e, quantile_log_e_of_counts
from flyball.stats.confidence_sequences.quantile_sequences import quantile_bounds, quantile_bounds_of_counts
from flyball.stats.confidence_sequences.sequences import (
    asymptotic_half_width,
    asymptotic_rho,
    bernoulli_upper,
    normal_mixture_bound,
    normal_mixture_log_e,
    normal_mixture_rho,
)
from flyball.stats.confidence_sequences.stitching import distribution_bound, quantile_bound, stitched_bound
from flyball.stats.experiment.cross_fitting import cross_fitted
from flyball.stats.experiment.cuped import Adjusted, adjusted_difference
from flyball.stats.experiment.group_sequential import Design, fixed_shape, peeking_error, spending_bounds
from flyball.stats.experiment.noninferiority import MarginVerdict, Standing, non_inferiority, non_inferiority_of_arms
from flyball.stats.experiment.pair_moments import PairMoments, moments
from flyball.stats.experiment.power import (
    Ending,
    Size,
    ending,
    events_to_advance,
    events_to_roll_back,
    least_margin,
    non_inferiority_size,
    superiority_size,
)
from flyball.stats.experiment.ratio_epochs import RatioEpoch, RatioEpochs
from flyball.stats.experiment.ratio_metric import Ratio, ratio, ratio_difference
from flyball.stats.experiment.ratio_mismatch import anytime_p, ratio_chi_square, ratio_log_e
from flyball.stats.scoring.two_rates import rate_difference
from flyball.stats.sequential_tests.arm_means import ArmMeans
from flyball.stats.sequential_tests.error_event_arrays import EventPath, observe_events
from flyball.stats.sequential_tests.msprt import MixtureSprt, two_sample_log_e
from flyball.stats.sequential_tests.paired import PairedTest
from flyball.stats.sequential_tests.sequential import (
    ErrorEventTest,
    accept_bound,
    increment,
    increment_of_counts,
    rollback_bound,
    theta1,
)
from flyball.stats.sequential_tests.sprt import (
    BernoulliSprt,
    Finding,
    expected_events,
    fixed_sample_of_rate,
    sprt_bounds,
)
from flyball.stats.sequential_tests.sprt_of_means import NormalSprt, PoissonSprt

__all__ = [
    "Adjusted",
    "ArmCounts",
    "ArmMeans",
    "ArmUnits",
    "BernoulliSprt",
    "BettingSequence",
    "Comparison",
    "Design",
    "Ending",
    "ErrorEventTest",
    "EventPath",
    "Finding",
    "MarginVerdict",
    "MixtureSprt",
    "NormalSprt",
    "OffPolicy",
    "Overlap",
    "PairEvidence",
    "PairMoments",
    "PairedTest",
    "PoissonSprt",
    "Ratio",
    "RatioEpoch",
    "RatioEpochs",
    "RewardBounds",
    "Routing",
    "Size",
    "Standing",
    "StepCounts",
    "TestSums",
    "Verdict",
    "accept_bound",
    "adjusted_difference",
    "advance",
    "anytime_p",
    "asymptotic_half_width",
    "asymptotic_rho",
    "bernoulli_bounds",
    "bernoulli_upper",
    "beta_binomial_log_e",
    "compare_once",
    "cross_fitted",
    "distribution_bound",
    "ending",
    "events_to_advance",
    "events_to_roll_back",
    "expected_events",
    "fixed_sample_of_rate",
    "fixed_shape",
    "followed",
    "gamma_exponential_log_e",
    "gamma_poisson_log_e",
    "increment",
    "increment_of_counts",
    "judge",
    "least_margin",
    "mixture_bound",
    "moments",
    "non_inferiority",
    "non_inferiority_of_arms",
    "non_inferiority_size",
    "normal_mixture_bound",
    "normal_mixture_log_e",
    "normal_mixture_rho",
    "observe_events",
    "off_policy",
    "overlap",
    "peeking_error",
    "quantile_bound",
    "quantile_bounds",
    "quantile_bounds_of_counts",
    "quantile_log_e",
    "quantile_log_e_of_counts",
    "rate_difference",
    "rate_log_e",
    "ratio",
    "ratio_chi_square",
    "ratio_difference",
    "ratio_log_e",
    "rollback_bound",
    "spending_bounds",
    "sprt_bounds",
    "stitched_bound",
    "superiority_size",
    "theta1",
    "two_sample_log_e",
]
