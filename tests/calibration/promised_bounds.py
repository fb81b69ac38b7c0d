"""Promises of bounds: that none of them, at any moment, excludes the truth; and of margins that are read from them."""

import math
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import numpy.typing as npt
from tests.calibration.promise import ALPHA, Floats, Promise, looks

from flyball.stats.confidence_sequences.bernoulli_sequence import bernoulli_bounds
from flyball.stats.confidence_sequences.betting import BettingSequence
from flyball.stats.confidence_sequences.mixtures import (
    beta_binomial_log_e,
    gamma_exponential_log_e,
    gamma_poisson_log_e,
    mixture_bound,
)
from flyball.stats.confidence_sequences.quantile_sequences import (
    quantile_bounds,
    quantile_bounds_of_counts,
    quantile_ranks,
)
from flyball.stats.confidence_sequences.sequences import (
    asymptotic_half_width,
    asymptotic_rho,
    bernoulli_upper,
    normal_mixture_bound,
    normal_mixture_rho,
)
from flyball.stats.confidence_sequences.stitching import distribution_bound, quantile_bound, stitched_bound
from flyball.stats.experiment.noninferiority import Standing, non_inferiority, non_inferiority_of_arms

Draw = Callable[[np.random.Generator, tuple[int, int]], npt.NDArray[np.floating]]


def sums(name: str, draw: Draw, bound: Callable[[int], float], steps: int, *, tight: bool = True) -> Promise:
    """Centred steps whose sum is ever beyond a one-sided bound of their number."""

    @cache
    def bounds() -> Floats:
        return np.array([bound(n) for n in range(1, steps + 1)])

    def wrong(rng: np.random.Generator, runs: int) -> int:
        path = np.cumsum(draw(rng, (runs, steps)), axis=1)
        return int((path >= bounds() + 1e-9).any(axis=1).sum())

    return Promise(name=name, most=ALPHA, wrong=wrong, tight=tight)


def _exponential(n: int) -> float:
    rho = normal_mixture_rho(4.0 * 100, alpha=2 * ALPHA)
    v = 4.0 * n
    return mixture_bound(partial(gamma_exponential_log_e, v=v, rho=rho, c=2.0), alpha=ALPHA, scale=math.sqrt(v))


def _poisson(n: int) -> float:
    v = 0.5 * n
    rho = normal_mixture_rho(50.0, alpha=2 * ALPHA)
    return mixture_bound(partial(gamma_poisson_log_e, v=v, rho=rho), alpha=ALPHA, scale=math.sqrt(v))


def _share(n: int) -> float:
    p, v = 0.05, 0.05 * 0.95 * n
    rho = normal_mixture_rho(0.05 * 0.95 * 200, alpha=2 * ALPHA)
    at = partial(beta_binomial_log_e, v=v, rho=rho, g=p, h=1 - p)
    return mixture_bound(at, alpha=ALPHA, highest=v / p, scale=math.sqrt(v))


def rates_at(p: float, *, of: str, steps: int = 3000) -> Promise:
    """A count with rate p, and the counts for which p is refuted: both `bernoulli_bounds` and `quantile_bounds`."""

    @cache
    def ranks() -> npt.NDArray[np.int64]:
        return np.array([quantile_ranks(n, p, alpha=ALPHA, n_opt=1000) for n in range(1, steps + 1)])

    def wrong(rng: np.random.Generator, runs: int) -> int:
        count = np.cumsum(rng.random((runs, steps)) < p, axis=1)
        return int(((count < ranks()[:, 0]) | (count >= ranks()[:, 1])).any(axis=1).sum())

    return Promise(name=of, most=ALPHA, wrong=wrong)


def one_upper_bound(p: float) -> Promise:
    """At 30 looks from 10 to 10,000."""
    sizes = looks(10, 10_000, 30)

    @cache
    def bound(n: int, x: int) -> float:
        return bernoulli_upper(n, x, alpha=ALPHA)

    def wrong(rng: np.random.Generator, runs: int) -> int:
        more = rng.binomial(np.diff([0, *sizes]), p, (runs, len(sizes)))
        return sum(
            any(bound(n, x) < p for n, x in zip(sizes, run, strict=True)) for run in np.cumsum(more, axis=1).tolist()
        )

    return Promise(name=f"upper bound of a rate of {p:.0%}, 30 looks", most=ALPHA, wrong=wrong, runs=1000)


def rounded_quantile(p: float, *, histogram: bool) -> Promise:
    """Lognormal latencies, rounded to 0.5: three values in ten are ties with the median; ten looks."""
    edges = [0.5 * step for step in range(1, 41)]
    at = math.exp({0.5: 0.0, 0.99: 2.3263478740408408}[p])
    truth = 0.5 * round(at / 0.5)

    def wrong(rng: np.random.Generator, runs: int) -> int:
        erred, sizes = 0, looks(20, 2000, 10)
        for _ in range(runs):
            values = 0.5 * np.round(rng.lognormal(0, 1, sizes[-1]) / 0.5)
            for n in sizes:
                if histogram:
                    counts = np.bincount(np.searchsorted(edges, values[:n]), minlength=41).tolist()
                    low, high = quantile_bounds_of_counts(counts, edges, p, alpha=ALPHA, n_opt=500)
                else:
                    low, high = quantile_bounds(values[:n], p, alpha=ALPHA, n_opt=500)
                if not low <= truth <= high:
                    erred += 1
                    break
        return erred

    of = "histogram" if histogram else "sample"
    return Promise(name=f"p{100 * p:g} of values with ties, {of}", most=ALPHA, wrong=wrong, runs=300, tight=False)


def betting(name: str, mean: float, draw: Draw) -> Promise:
    """A true mean that is a candidate of the grid: refuted or not, exactly."""

    def wrong(rng: np.random.Generator, runs: int) -> int:
        erred = 0
        for values in draw(rng, (runs, 640)):
            found = BettingSequence(alpha=ALPHA, grid=10).plus(values)
            erred += found.low >= mean - 1e-12 or found.high <= mean + 1e-12
        return erred

    return Promise(name=f"betting, {name}", most=ALPHA, wrong=wrong, runs=500)


def distribution() -> Promise:
    sizes = looks(100, 3000, 15)

    def wrong(rng: np.random.Generator, runs: int) -> int:
        return sum(
            any(_off(values[:n]) > distribution_bound(n, alpha=ALPHA, n_min=100) for n in sizes)
            for values in rng.random((runs, sizes[-1]))
        )

    return Promise(name="distribution function, all values at once", most=ALPHA, wrong=wrong, runs=300, tight=False)


def _off(values: Floats) -> float:
    """The largest distance of an empirical distribution from the uniform one."""
    ranks = np.arange(values.size + 1) / values.size
    ordered = np.sort(values)
    return float(max((ranks[1:] - ordered).max(), (ordered - ranks[:-1]).max()))


def all_quantiles() -> Promise:
    levels, steps = (0.01, 0.1, 0.5, 0.9, 0.99), 1000

    @cache
    def bounds() -> list[tuple[float, Floats, Floats]]:
        at = range(1, steps + 1)
        side = {p: np.array([quantile_bound(p, n, alpha=ALPHA, n_min=20) for n in at]) for p in levels}
        return [(p, side[p], side[round(1 - p, 6)]) for p in levels]

    def wrong(rng: np.random.Generator, runs: int) -> int:
        values, n = rng.random((runs, steps)), np.arange(1, steps + 1)
        erred = np.zeros(runs, dtype=np.bool_)
        for p, above, below in bounds():
            centred = np.cumsum(values <= p, axis=1) - p * n
            erred |= ((centred > above) | (-centred > below)).any(axis=1)
        return int(erred.sum())

    return Promise(name="five quantiles at once, stitched", most=ALPHA, wrong=wrong, runs=1000, tight=False)


def asymptotic(name: str, draw: Draw, *, side: int) -> Promise:
    """One-sided, from 100 values on; the law has mean 0."""
    steps, burn_in = 3000, 100
    rho = asymptotic_rho(1000, alpha=ALPHA, one_sided=True)

    @cache
    def widths() -> Floats:
        at = range(burn_in, steps + 1)
        return np.array([asymptotic_half_width(n, 1.0, alpha=ALPHA, rho=rho, one_sided=True) for n in at])

    def wrong(rng: np.random.Generator, runs: int) -> int:
        values, n = draw(rng, (runs, steps)), np.arange(1, steps + 1)
        mean = np.cumsum(values, axis=1) / n
        sd = np.sqrt(np.maximum(np.cumsum(values**2, axis=1) / n - mean**2, 0.0))
        return int((side * mean[:, burn_in - 1 :] > sd[:, burn_in - 1 :] * widths()).any(axis=1).sum())

    return Promise(name=f"asymptotic, one-sided, {name}", most=ALPHA, wrong=wrong, runs=1000)


def at_the_margin(better: Standing) -> Promise:
    """Paired differences, candidate worse by exactly the margin: neither NOT_INFERIOR nor INFERIOR may be said."""
    delta, steps = 0.1, 2000
    rho = normal_mixture_rho(500.0, alpha=ALPHA)
    widths = np.array([normal_mixture_bound(float(n), alpha=ALPHA, rho=rho) / n for n in range(1, steps + 1)])

    def wrong(rng: np.random.Generator, runs: int) -> int:
        erred = 0
        for path in np.cumsum(rng.normal(-delta, 1.0, (runs, steps)), axis=1) / np.arange(1, steps + 1):
            at = int((path - widths).argmax() if better is Standing.NOT_INFERIOR else (path + widths).argmin())
            found = non_inferiority(path[at] - widths[at], path[at] + widths[at], delta=delta).standing
            erred += found is better or (found is Standing.SUPERIOR and better is Standing.NOT_INFERIOR)
        return erred

    return Promise(name=f"worse by the margin, called {better.value}", most=ALPHA / 2, wrong=wrong)


def relative_margin() -> Promise:
    """Conversion 20 % to 19 %, margin 5 %: ten looks from 200 to 20,000 units an arm."""
    sizes = looks(200, 20_000, 10)

    def wrong(rng: np.random.Generator, runs: int) -> int:
        erred = 0
        for _ in range(runs):
            mine = np.cumsum(rng.binomial(np.diff([0, *sizes]), 0.19)).tolist()
            theirs = np.cumsum(rng.binomial(np.diff([0, *sizes]), 0.20)).tolist()
            for n, x, y in zip(sizes, mine, theirs, strict=True):
                arms = [bernoulli_bounds(n, each, alpha=ALPHA / 2, n_opt=5000) for each in (x, y)]
                said = non_inferiority_of_arms(arms[0], arms[1], delta="5%").standing
                if said is not Standing.UNDECIDED:
                    erred += 1
                    break
        return erred

    return Promise(name="worse by a margin of 5 %, any verdict", most=ALPHA, wrong=wrong, runs=100, tight=False)


BOUNDS = [
    sums(
        "gamma-exponential, waiting times of mean 2",
        lambda rng, shape: rng.exponential(2.0, shape) - 2,
        _exponential,
        400,
    ),
    sums("gamma-Poisson, counts of mean 0.5", lambda rng, shape: rng.poisson(0.5, shape) - 0.5, _poisson, 400),
    sums("beta-binomial, one-sided, rate 5 %", lambda rng, shape: (rng.random(shape) < 0.05) - 0.05, _share, 400),
    sums(
        "stitched, normal values",
        lambda rng, shape: rng.normal(size=shape),
        lambda n: stitched_bound(n, alpha=ALPHA, v_min=10),
        3000,
    ),
    rates_at(0.001, of="two-sided, rate 0.1 %"),
    rates_at(0.02, of="two-sided, rate 2 %"),
    rates_at(0.3, of="two-sided, rate 30 %"),
    rates_at(0.5, of="p50 of any continuous law"),
    rates_at(0.99, of="p99 of any continuous law"),
    one_upper_bound(0.02),
    rounded_quantile(0.5, histogram=False),
    rounded_quantile(0.99, histogram=True),
    betting("errors at 10 %", 0.1, lambda rng, shape: (rng.random(shape) < 0.1).astype(np.float64)),
    betting("Beta(2, 3)", 0.4, lambda rng, shape: rng.beta(2, 3, shape)),
    betting("uniform on 0.4 to 0.6", 0.5, lambda rng, shape: 0.4 + 0.2 * rng.random(shape)),
    distribution(),
    all_quantiles(),
    asymptotic("normal", lambda rng, shape: rng.normal(size=shape), side=1),
    at_the_margin(Standing.NOT_INFERIOR),
    at_the_margin(Standing.INFERIOR),
    relative_margin(),
]
# Beyond the promise: laws whose skew a burn-in of 100 does not outgrow. Measured and told, not promised.
BEYOND = [
    asymptotic("exponential, bound from above", lambda rng, shape: rng.exponential(size=shape) - 1, side=-1),
    asymptotic("events at 1 %, bound from above", lambda rng, shape: (rng.random(shape) < 0.01) - 0.01, side=-1),
]
