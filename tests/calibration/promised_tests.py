"""Promises of the tests: Wald's, the error-event test, the mixture SPRT, sample ratios, quantiles of two arms."""

import math

import numpy as np
from tests.calibration.promise import ALPHA, BETA, Floats, Promise, ended, looks

from flyball.stats.confidence_sequences.quantile_comparison import Alternative, quantile_log_e_of_counts
from flyball.stats.experiment.ratio_epochs import RatioEpochs
from flyball.stats.sequential_tests.error_event_arrays import observe_events
from flyball.stats.sequential_tests.msprt import MixtureSprt
from flyball.stats.sequential_tests.sequential import ErrorEventTest, accept_bound, rollback_bound, theta1
from flyball.stats.sequential_tests.sprt import BernoulliSprt, sprt_bounds
from flyball.stats.sequential_tests.sprt_of_means import NormalSprt, PoissonSprt

A, B = sprt_bounds(ALPHA, BETA)
NEVER = math.log(1 / ALPHA)  # Ville's bound
FALSE_ALARM, FALSE_ADVANCE = ALPHA / (1 - BETA), BETA / (1 - ALPHA)  # Wald's
RAMP = np.repeat([0.01, 0.1, 0.5], 100)  # the candidate's share, event by event
TICK = 0.25  # exposure between two readings


def rates(p: float, at: int) -> Promise:
    """Error rate p; `at` 0: WORSE is wrong, 1: NOT_WORSE is."""
    blank = BernoulliSprt(p0=0.01, p1=0.02)
    up, down = blank.observe(True).llr, blank.observe(False).llr

    def wrong(rng: np.random.Generator, runs: int) -> int:
        return ended(np.cumsum(np.where(rng.random((runs, 4000)) < p, up, down), axis=1), A, B)[at]

    return Promise(name=f"SPRT of rates 1 % and 2 %, true {p:.0%}", most=(FALSE_ALARM, FALSE_ADVANCE)[at], wrong=wrong)


def means(mean: float, at: int) -> Promise:
    blank = NormalSprt(bad=0.2, sd=1.0)
    flat, slope = blank.observe(0.0).llr, blank.observe(1.0).llr - blank.observe(0.0).llr

    def wrong(rng: np.random.Generator, runs: int) -> int:
        return ended(np.cumsum(slope * rng.normal(mean, 1.0, (runs, 1500)) + flat, axis=1), A, B)[at]

    return Promise(
        name=f"SPRT of means 0 and 0.2 sd, true {mean:g}", most=(FALSE_ALARM, FALSE_ADVANCE)[at], wrong=wrong
    )


def exposures(rate: float, at: int) -> Promise:
    blank = PoissonSprt(good=1.0, bad=2.0)
    quiet, event = blank.observe(0, TICK).llr, blank.observe(1, 0.0).llr

    def wrong(rng: np.random.Generator, runs: int) -> int:
        return ended(np.cumsum(event * rng.poisson(rate * TICK, (runs, 300)) + quiet, axis=1), A, B)[at]

    return Promise(
        name=f"SPRT of events, 1 and 2 per unit, true {rate:g}", most=(FALSE_ALARM, FALSE_ADVANCE)[at], wrong=wrong
    )


def error_events(ratio: float, bound: float, most: float, weights: Floats) -> Promise:
    """Error events whose odds of being the candidate's are `ratio` times fair; the design ratio is 2."""
    chance = np.array([theta1(float(w), ratio) for w in weights])

    def wrong(rng: np.random.Generator, runs: int) -> int:
        arms = rng.random((runs, weights.size)) < chance
        return sum(
            observe_events(ErrorEventTest(), each, weights, 2.0).first_beyond(bound) is not None for each in arms
        )

    doing = "ever rolled back" if bound > 0 else "advanced"
    return Promise(name=f"error-event test, odds ratio {ratio:g}, {doing}", most=most, wrong=wrong)


def mixture_sprt() -> Promise:
    """Weights ramp, the level is 7; the arms are equal."""

    def wrong(rng: np.random.Generator, runs: int) -> int:
        blank, share = MixtureSprt(sd=1.0, tau=0.2), np.repeat([0.05, 0.5], 400)
        arms, values = rng.random((runs, 800)) < share, rng.normal(7.0, 1.0, (runs, 800))
        return sum(blank.plus(arms[run], values[run]).p <= ALPHA for run in range(runs))

    return Promise(name="mSPRT of equal means, weights 5 % then 50 %", most=ALPHA, wrong=wrong)


def sample_ratio() -> Promise:
    """Three epochs, each looked at twenty times."""

    def wrong(rng: np.random.Generator, runs: int) -> int:
        erred = 0
        for _ in range(runs):
            state, alarmed = RatioEpochs(), False
            for epoch, (share, units) in enumerate(((0.01, 400), (0.1, 100), (0.5, 50))):
                for candidates in rng.binomial(units, share, 20).tolist():
                    state = state.plus(epoch, (1 - share, share), (units - candidates, candidates))
                    alarmed |= state.log_e >= NEVER
            erred += alarmed
        return erred

    return Promise(name="sample ratio over epochs of 1, 10 and 50 %", most=ALPHA, wrong=wrong, runs=500)


def equal_quantiles(p: float, alternative: Alternative) -> Promise:
    """Latencies in bins of 10 %, as panes hold them; both arms lognormal; ten looks from 50 to 2,000 values an arm."""
    edges = [math.exp(step / 10) for step in range(-25, 26)]

    def wrong(rng: np.random.Generator, runs: int) -> int:
        erred, sizes = 0, looks(50, 2000, 10)
        for _ in range(runs):
            bins = np.searchsorted(edges, rng.lognormal(0, 1, (2, sizes[-1])))
            for n in sizes:
                one, other = (np.bincount(arm[:n], minlength=len(edges) + 1).tolist() for arm in bins)
                if quantile_log_e_of_counts(one, other, edges, p, alternative=alternative, n_opt=1000) >= NEVER:
                    erred += 1
                    break
        return erred

    name = f"p{100 * p:g} of two equal arms, {alternative}, from histograms"
    return Promise(name=name, most=ALPHA, wrong=wrong, runs=300, tight=False)


TESTS = [
    rates(0.01, 0),
    rates(0.02, 1),
    means(0.0, 0),
    means(0.2, 1),
    exposures(1.0, 0),
    exposures(2.0, 1),
    error_events(1.0, rollback_bound(ALPHA, 2), ALPHA / 2, RAMP),
    error_events(2.0, accept_bound(BETA), BETA, np.full(300, 0.1)),
    mixture_sprt(),
    sample_ratio(),
    equal_quantiles(0.5, "different"),
    equal_quantiles(0.99, "larger"),
]
