"""Two-sample e-values: how much better does a bet explain a window than a reference of finite size does?

Theory of operation. The null is not "the window follows the reference's shares": these are estimates, and a test that
takes them for the truth alarms on its own sampling error (one reference of 5,000 rows watched for long: ten times the
promised alarms). The null is "all rows, those of the reference and those of every window so far, follow one law". Its
probability of a window x, given all rows seen so far, is Polya's urn,

    DM(x | alpha) = m! G(A) / G(A + m) * prod_b G(alpha_b + x_b) / (G(alpha_b) x_b!),    A = sum alpha,

where alpha counts the reference *and the windows since*. A bet gets the same urn, tilted. The ratio of the two is the
e-value; the product over windows is the ratio of two probabilities of the whole sequence, not of windows that share
one reference by mistake.

How exact. Where the edges are order statistics of the reference (numbers without ties) the true masses of the bins are
sums of spacings of a uniform sample: Dirichlet with the counts as parameters (one more in one end bin), whatever the
law of the feature. The urn then *is* the law of the windows given the past of the feature, for every distribution, and
E[e | past] = 1 (Wilks 1962, section 8.7). For categories the shares are fixed and unknown; the urn is their predictive
law under Jeffreys' prior: E[e] = 1 on average over that prior, not for each share. `tests/calibration` measures both.

Source: Good 1967 (Dirichlet-multinomial Bayes factor); Wasserman, Ramdas and Balakrishnan 2020; Shin, Ramdas and
Rinaldo 2022 (e-detectors); Perez-Ortiz, Lardy, de Heide and Gruenwald 2022 (invariance).
"""

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.stats.change.bets import CONCENTRATIONS, JEFFREYS, Bets

Floats = npt.NDArray[np.float64]

RECENT_ROWS = 200.0  # of the reference, mixed into what was seen last


def log_urn(x: Floats, alpha: Floats) -> Floats:
    """Log probability of one sequence of rows with counts x in Polya's urn, shape [...] for alpha [..., B].

    >>> float(np.exp(log_urn(np.array([1.0, 1.0]), np.array([1.0, 1.0]))).round(4))
    0.1667
    """
    found: Floats = (
        special.gammaln(alpha.sum(axis=-1))
        - special.gammaln(alpha.sum(axis=-1) + x.sum())
        + (special.gammaln(alpha + x) - special.gammaln(alpha)).sum(axis=-1)
    )
    return found


def log_e_values(x: npt.ArrayLike, known: npt.ArrayLike, recent: npt.ArrayLike, bets: Bets) -> Floats:
    """Log e-value of each bet after one window, nats, shape [K].

    Args:
        x: counts of the window, shape [B].
        known: counts of the reference and of all windows before, shape [B].
        recent: counts of the last windows, weighted as one likes: what the bet `recent` expects to go on.

    >>> from flyball.stats.change.bets import bets
    >>> reference = np.array([500.0] * 10 + [0.0])
    >>> all_bets = bets(reference, "numeric", tolerance=0.0)
    >>> e = log_e_values([60, 70, 80, 90, 95, 105, 110, 120, 130, 140, 0], reference, reference * 0, all_bets)
    >>> all_bets.names[int(np.argmax(e))], round(float(e.max()), 1)
    ('shift 0.2', 24.0)
    """
    x, alpha = np.asarray(x, dtype=np.float64), np.asarray(known, dtype=np.float64) + JEFFREYS
    total, rows = alpha.sum(), x.sum()
    null = float(log_urn(x, alpha))
    tilted = log_urn(x, alpha * np.exp(bets.tilt)) - null - rows * bets.tilt_cost
    kappas = np.array(CONCENTRATIONS[: bets.open_cost.size], dtype=np.float64)
    opened = log_urn(x, kappas[:, None] * alpha / total) - null - rows**2 * bets.open_cost
    expected = RECENT_ROWS * alpha / total + np.asarray(recent, dtype=np.float64)
    expected /= expected.sum()
    chi = np.sqrt(max(float((expected**2 / alpha).sum() * total) - 1, 0.0))
    again = float(log_urn(x, total * expected)) - null - rows * np.log1p(bets.delta * chi)
    return np.concatenate([tilted, opened, [again], _single(x, alpha, bets)])


def _single(x: Floats, alpha: Floats, bets: Bets) -> Floats:
    """One bin against all others, both shares tilted: the rest of the urn is the same on both sides and cancels."""
    inside, hit = alpha[bets.bin], x[bets.bin]
    rest, missed = alpha.sum() - inside, x.sum() - hit
    bet, null = inside * np.exp(bets.bin_bet), inside * np.exp(bets.bin_null)
    found: Floats = (
        special.betaln(bet + hit, rest + missed)
        - special.betaln(bet, rest)
        - special.betaln(null + hit, rest + missed)
        + special.betaln(null, rest)
    )
    return found
