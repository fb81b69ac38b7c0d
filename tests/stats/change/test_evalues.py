"""The two-sample e-value: an e-value for every law where it should be one, and no slave of the reference."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from flyball.stats.change.bets import bets
from flyball.stats.change.evalues import log_e_values, log_urn

COUNTS = st.lists(st.integers(0, 60), min_size=3, max_size=8)


def windows(rows: int, bins: int) -> list[np.ndarray]:
    found = itertools.product(range(rows + 1), repeat=bins - 1)
    return [np.array([*x, rows - sum(x)], dtype=float) for x in found if sum(x) <= rows]


def sequences(x: np.ndarray) -> float:
    """Orders in which the rows of a window may come."""
    return float(np.exp(special.gammaln(x.sum() + 1) - special.gammaln(x + 1).sum()))


@given(st.lists(st.floats(0.1, 50), min_size=2, max_size=4), st.integers(1, 8))
def test_an_urn_is_a_law_of_windows(alpha: list[float], rows: int) -> None:
    total = sum(sequences(x) * np.exp(log_urn(x, np.array(alpha))) for x in windows(rows, len(alpha)))
    assert np.isclose(total, 1)


@given(COUNTS, COUNTS)
def test_an_urn_does_not_care_how_its_rows_are_cut_into_windows(a: list[int], b: list[int]) -> None:
    size = min(len(a), len(b))
    x, y = np.array(a[:size], dtype=float), np.array(b[:size], dtype=float)
    alpha = np.arange(1, size + 1) / 2
    assert np.isclose(log_urn(x + y, alpha), log_urn(x, alpha) + log_urn(y, alpha + x))


@pytest.mark.parametrize("kind", ["numeric", "category"])
def test_every_bet_is_worth_one_on_average_under_the_urn_of_the_rows_seen(kind: str) -> None:
    known = np.array([9.0, 4.0, 6.0, 1.0])
    found = bets(known, "numeric" if kind == "numeric" else "category", tolerance=0.0)
    mean = np.zeros(found.log_weight.size)
    for x in windows(7, 4):
        weight = sequences(x) * np.exp(log_urn(x, known + 0.5))
        mean += weight * np.exp(log_e_values(x, known, np.array([3.0, 0, 1, 0]), found))
    assert np.allclose(mean, 1)


@pytest.mark.parametrize("p", [0.002, 0.03, 0.2, 0.5])
@pytest.mark.parametrize("n", [50, 400])
def test_for_a_fixed_share_the_average_over_references_and_windows_is_near_one(p: float, n: int) -> None:
    """Exact sums, every bet. Jeffreys' prior promises one on average over shares; each share comes near to it."""
    m = 40
    r, x = np.arange(n + 1), np.arange(m + 1)
    of_r = (
        np.exp(special.gammaln(n + 1) - special.gammaln(r + 1) - special.gammaln(n - r + 1)) * p**r * (1 - p) ** (n - r)
    )
    of_x = (
        np.exp(special.gammaln(m + 1) - special.gammaln(x + 1) - special.gammaln(m - x + 1)) * p**x * (1 - p) ** (m - x)
    )
    mean = 0.0
    for hits in r[of_r > 1e-9]:
        known = np.array([n - hits, hits], dtype=float)
        found = bets(known, "rate", tolerance=0.0)
        each = [log_e_values([m - k, k], known, np.zeros(2), found) for k in x]
        mean += of_r[hits] * float(of_x @ np.exp(np.array(each) + found.log_weight).sum(axis=1))
    assert mean <= 1.10


def test_the_same_shares_weigh_less_against_a_small_reference() -> None:
    window, shares = np.array([60, 110, 130, 200, 0]), np.array([0.2, 0.25, 0.25, 0.3, 0.0])
    found = [
        float(log_e_values(window, shares * n, np.zeros(5), bets(shares * n, "numeric", tolerance=0.0)).max())
        for n in (200, 2000, 200_000)
    ]
    assert found[0] < found[1] < found[2]


def test_a_plug_in_denominator_would_promise_what_it_cannot_keep() -> None:
    """The urn of 500 rows against their shares as if they were true: five windows of 1,000 rows, no change."""
    rng, plug, urn = np.random.default_rng(7), [], []
    p = np.full(5, 0.2)
    for _ in range(200):
        reference, seen = rng.multinomial(500, p).astype(float), rng.multinomial(5000, p).astype(float)
        bet = log_urn(seen, 100 * p)
        plug.append(bet - seen @ np.log((reference + 0.5) / (reference + 0.5).sum()))
        urn.append(bet - float(log_urn(seen, reference + 0.5)))
    assert np.mean(np.array(plug) > np.log(20)) > 0.5
    assert np.mean(np.array(urn) > np.log(20)) <= 0.05
