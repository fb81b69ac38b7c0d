"""An e-detector over thousands of yes-or-no questions that are asked of the same rows.

The e-value of one question is the two-sample one of a share (`evalues`): Polya's urn over the reference *and all
windows since*, against the same urn with the odds moved up or down beyond the tolerance. The mean of e-values is an
e-value however they depend on each other, so the questions need no independence and no correction: half of the credit
is spread over the pairs, half over the waves. Successive windows multiply as in `edetector`, because each factor is
conditional on the rows before it.

Sources: as in `evalues` and `edetector`; Vovk and Wang 2021, section 3, for the mean of dependent e-values.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.stats.change.bets import JEFFREYS
from flyball.stats.change.edetector import Level
from flyball.stats.change.joint_features import Answers, Questions

Floats = npt.NDArray[np.float64]

STEPS = (0.2, 0.6, 1.4)  # log odds beyond the tolerated ones, up and down


@dataclass(frozen=True, kw_only=True, eq=False)
class JointEvidence:
    """What is remembered of K questions and B bets on each: constant size."""

    known: Answers  # of the reference and of all windows since
    edge: Floats  # log odds ratio at the edge of the tolerance, shape [K]
    log_weight: Floats  # of each question, shape [K]; with the B bets they sum to 1
    windows: int = 0  # since the last alarm
    log_sum: Floats  # ln of Shiryaev-Roberts, shape [K, B]
    log_mixture: Floats  # ln of the e-value, shape [K, B]


def begin(reference: Answers, questions: Questions, *, tolerance: float) -> JointEvidence:
    """Before the first window. Args: tolerance: a change of a share up to this PSI is none."""
    size, waves = reference.yes.size, len(questions.waves)
    pairs = size - waves
    bets = 2 * len(STEPS)
    weight = np.concatenate([np.full(pairs, 0.5 / pairs), np.full(waves, 0.5 / waves)]) / bets
    nothing = np.full((size, bets), -np.inf)
    share = np.asarray((reference.yes + JEFFREYS) / (reference.rows + 2 * JEFFREYS), dtype=np.float64)
    return JointEvidence(
        known=reference,
        edge=_tolerated(share, tolerance),
        log_weight=np.log(weight),
        log_sum=nothing,
        log_mixture=nothing,
    )


def step(evidence: JointEvidence, window: Answers) -> JointEvidence:
    """After one window; one without rows changes nothing."""
    if not window.rows:
        return evidence
    log_e = log_e_values(window, evidence.known, evidence.edge)
    windows = evidence.windows + 1
    return replace(
        evidence,
        known=evidence.known.plus(window),
        windows=windows,
        log_sum=np.logaddexp(0.0, evidence.log_sum) + log_e,
        log_mixture=np.logaddexp(evidence.log_mixture, -np.log(windows * (windows + 1.0))) + log_e,
    )


def forget(evidence: JointEvidence) -> JointEvidence:
    """After an alarm: the evidence starts from nothing, the rows stay known."""
    nothing = np.full_like(evidence.log_sum, -np.inf)
    return replace(evidence, windows=0, log_sum=nothing, log_mixture=nothing)


def level(evidence: JointEvidence, questions: Questions) -> Level:
    """What the evidence says now, all questions and bets weighted; a pair that has evidence of its own names it.

    A wave may have gained more, and says less to people.
    """
    if not evidence.windows:
        return Level(log_sum=-np.inf, log_e=0.0, bet="")
    weighted = evidence.log_sum + evidence.log_weight[:, None]
    each = weighted.max(axis=1)
    pairs = each[: each.size - len(questions.waves)]
    best = int(np.argmax(pairs)) if pairs.max() > 0 else int(np.argmax(each))
    return Level(
        log_sum=float(np.logaddexp.reduce(weighted, axis=None)),
        log_e=float(np.logaddexp.reduce(evidence.log_mixture + evidence.log_weight[:, None], axis=None)),
        bet=questions.texts()[best],
    )


def log_e_values(window: Answers, known: Answers, edge: Floats) -> Floats:
    """Log e-value of each bet on each question, nats, shape [K, B].

    >>> known, now = Answers(rows=1000, yes=np.array([500])), Answers(rows=1000, yes=np.array([667]))
    >>> log_e_values(now, known, np.zeros(1)).round(1).tolist()
    [[13.7, 28.3, -5.8, -17.0, -58.2, -150.0]]
    """
    yes = np.asarray(known.yes[:, None] + JEFFREYS, dtype=np.float64)
    no = np.asarray((known.rows - known.yes)[:, None] + JEFFREYS, dtype=np.float64)
    hit, missed = window.yes[:, None], (window.rows - window.yes)[:, None]
    ways = np.array([1.0, -1.0])
    null = yes * np.exp(edge[:, None] * ways)
    against = np.repeat(_betaln(null + hit, no + missed) - _betaln(null, no), len(STEPS), axis=1)
    moved = np.concatenate([edge[:, None] + np.array(STEPS), -edge[:, None] - np.array(STEPS)], axis=1)
    bet = yes * np.exp(moved)
    found: Floats = _betaln(bet + hit, no + missed) - _betaln(bet, no) - against
    return found


def apart(window: Answers, reference: Answers, edge: Floats) -> bool:
    """Whether this window alone is beyond the tolerance in some question by more than chance gives the largest."""
    p = (reference.yes + JEFFREYS) / (reference.rows + 2 * JEFFREYS)
    tolerated = np.abs(special.expit(special.logit(p) + edge) - p)
    chance = np.sqrt(p * (1 - p) * (1 / reference.rows + 1 / window.rows))
    beyond = np.abs(window.yes / window.rows - p) - tolerated
    return bool((beyond > chance * np.sqrt(2 * np.log(40 * p.size))).any())


def _betaln(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    found: Floats = special.gammaln(a) + special.gammaln(b) - special.gammaln(a + b)
    return found


def _tolerated(share: Floats, tolerance: float) -> Floats:
    """As `bets.tolerated_log_odds`, of many shares at once."""
    low, high, base = np.zeros_like(share), np.full_like(share, 20.0), special.logit(share)
    if tolerance == 0:
        return low
    for _ in range(50):
        middle = (low + high) / 2
        within = (special.expit(base + middle) - share) * middle < tolerance
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return low
