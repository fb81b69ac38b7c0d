"""When one guardrail of one step decides: simulated, with both ways out of the step and the way back.

Theory of operation. The clock is the number of the candidate's own units, so neither the traffic nor its ups and downs
matter; only the planner turns units into seconds. The candidate's events come by its own rate. Between two of them the
champion's are drawn, and three things can end the step, as in `decide.steps` and `decide.rollout`:

- the candidate's event carries the evidence to `upper`, or is the `most`-th: it goes back;
- the champion's events carry it to `lower`: it may go on;
- so many units have passed with k events that the upper bound of its rate is below `ceiling`: it may go on.

Nothing ends in going on before `floor` units. The share of units between events is taken as the weight itself, and the
evidence as nothing at the step's beginning, without the bets that begin later (`stats.change_point`): they are for
what turns bad. `tests/calibration/test_rollout_plan.py` holds the outcome against whole
steps that are judged unit by unit.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from flyball.stats.confidence_sequences.sequences import bernoulli_refuted
from flyball.stats.sequential_tests.change_point import BOLDER, FIRST, FIRST_SPLIT
from flyball.stats.sequential_tests.sequential import increment

Floats = npt.NDArray[np.float64]

MOST_EVENTS = 1_000  # of the candidate


@dataclass(frozen=True, kw_only=True)
class Watch:
    """One guardrail in one step."""

    share: float  # the candidate's share of the units that are compared, 0..1 (a shadow: 0.5)
    ratio: float  # that the test is made for
    upper: float  # of the evidence, nats: back
    lower: float  # of the log-likelihood ratio: on; -inf: the test is not asked
    ceiling: float  # of the candidate's own rate: on; 0: it is not asked
    beta: float  # of the bound that is compared with the ceiling
    floor: float = 0.0  # candidate's units before which nothing goes on
    requests: float = 1.0  # a unit brings so many; without any event each is a trial
    most: int | None = None  # own events after which it goes back without a test


@dataclass(frozen=True, kw_only=True)
class Endings:
    """How simulated steps ended; shapes [runs]."""

    at: Floats  # candidate's units until then; inf: it never does
    back: npt.NDArray[np.bool_]  # it went back (else on, where `at` is finite)

    def by(self, units: float) -> tuple[float, float]:
        """Shares that have gone on, and back, after so many units of the candidate."""
        there = self.at <= units
        return float((there & ~self.back).mean()), float((there & self.back).mean())

    def within(self, share: float) -> float:
        """Candidate's units by which so large a share has ended, either way; inf: it never has."""
        return float(np.quantile(self.at, share, method="higher"))

    def on_within(self, share: float) -> float:
        """Candidate's units by which so large a share has gone on; inf: it never has."""
        return float(np.quantile(np.where(self.back, np.inf, self.at), share, method="higher"))


def endings(watch: Watch, champion: float, candidate: float, *, rng: np.random.Generator, runs: int) -> Endings:
    """Steps of a candidate with its own event rate beside the champion's, both in events a unit, 0..1.

    >>> watch = Watch(share=0.1, ratio=2, upper=3.69, lower=-2.3, ceiling=0.02, beta=0.1, floor=300)
    >>> found = endings(watch, 0.001, 0.001, rng=np.random.default_rng(1), runs=1000)
    >>> found.within(0.9) < 600, found.by(600)[1] < 0.01
    (True, True)
    """
    up, down = increment(True, watch.share, watch.ratio), increment(False, watch.share, watch.ratio)
    bolder = BOLDER * watch.ratio
    bolder_up, bolder_down = increment(True, watch.share, bolder), increment(False, watch.share, bolder)
    beside = (1 - watch.share) / watch.share  # champion's units for one of the candidate's
    at, back = np.full(runs, np.inf), np.zeros(runs, dtype=np.bool_)
    going = np.arange(runs)
    log_e, log_bolder, since = np.zeros(runs), np.zeros(runs), np.zeros(runs)
    for events in range(MOST_EVENTS):
        until = since + _until_next(candidate, going.size, rng)
        theirs = _events(champion, until - since, beside, rng)
        if float(until.max()) > watch.floor:
            met = _crossing(watch, champion * beside, log_e, since, until, theirs, down, rng)
            clear = np.maximum(since, _clear(watch, events, float(until.max())))
            on_at = np.maximum(np.minimum(met, clear), watch.floor)
            on = on_at < until
            at[going[on]] = on_at[on]
        else:
            on = np.zeros(going.size, dtype=np.bool_)
        log_e = log_e + theirs * down + up
        log_bolder = log_bolder + theirs * bolder_down + bolder_up
        many = watch.most is not None and events + 1 >= watch.most
        gone = ~on & ((_mixed(log_e, log_bolder) >= watch.upper) | many)
        at[going[gone]], back[going[gone]] = until[gone], True
        left = ~on & ~gone & np.isfinite(until)
        going, log_e, log_bolder, since = going[left], log_e[left], log_bolder[left], until[left]
        if not going.size:
            return Endings(at=at, back=back)
    # after so many events chance has little say: the walk goes where it drifts
    worse = up + down * champion * beside / candidate > 0 and not candidate < watch.ceiling
    at[going], back[going] = (since if worse else np.maximum(since, watch.floor)), worse
    return Endings(at=at, back=back)


def _mixed(log_e: Floats, log_bolder: Floats) -> Floats:
    """The evidence of the bets that began with the rollout, as in `stats.change_point`."""
    declared, bolder = (math.log(FIRST * part) for part in FIRST_SPLIT)
    found: Floats = np.logaddexp(declared + log_e, bolder + log_bolder)
    return found


def _until_next(rate: float, runs: int, rng: np.random.Generator) -> Floats:
    """Units to the candidate's next event, itself included."""
    return rng.geometric(rate, runs).astype(np.float64) if rate > 0 else np.full(runs, np.inf)


def _events(rate: float, units: Floats, beside: float, rng: np.random.Generator) -> Floats:
    """Of the champion while the candidate has so many units; 0 where the interval never ends."""
    ended = np.where(np.isfinite(units), units, 0.0) * beside
    return rng.binomial(np.round(ended).astype(np.int64), rate).astype(np.float64)


def _crossing(
    watch: Watch,
    intensity: float,
    log_e: Floats,
    since: Floats,
    until: Floats,
    theirs: Floats,
    down: float,
    rng: np.random.Generator,
) -> Floats:
    """The candidate's unit at which the champion's events of an interval carry the test to `lower`; inf: they do not.

    `intensity`: champion's events for one unit of the candidate.
    """
    if down == 0 or intensity == 0:
        return np.where(log_e <= watch.lower, since, np.inf)
    needed = np.maximum(np.ceil((watch.lower - log_e) / down), 0)  # inf where the test is not asked
    found = np.where(needed == 0, since, np.inf)
    some = (needed > 0) & (needed <= theirs) & np.isfinite(until)  # the needed-th of `theirs`, anywhere in between
    place = rng.beta(needed[some], theirs[some] - needed[some] + 1)
    found[some] = since[some] + place * (until[some] - since[some])
    endless = (needed > 0) & np.isfinite(needed) & ~np.isfinite(until)
    found[endless] = since[endless] + rng.gamma(needed[endless]) / intensity
    return found


def _clear(watch: Watch, events: int, horizon: float) -> float:
    """Candidate's units after which so many events leave its rate below the ceiling; inf: not within the horizon."""
    if watch.ceiling <= 0 or events / watch.ceiling > horizon:
        return float("inf")
    trials = clear_after(events, watch.ceiling, watch.beta)
    return trials / watch.requests if events == 0 else float(trials)


@lru_cache(maxsize=4096)
def clear_after(events: int, ceiling: float, beta: float) -> int:
    """Trials after which so many events have an upper bound below the ceiling.

    >>> clear_after(0, 0.02, 0.10), clear_after(5, 0.02, 0.10)
    (148, 659)
    """
    low = int(events / ceiling)
    high = max(2 * low, int(4 / ceiling))
    while not bernoulli_refuted(ceiling, high, events, alpha=beta):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bernoulli_refuted(ceiling, middle, events, alpha=beta) else (middle, high)
    return high
