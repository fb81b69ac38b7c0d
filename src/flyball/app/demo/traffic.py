"""Generated card transactions: what a client sends, and what turns out to be true of it. Pure; the dice are handed in.

The numbers are made up, and fraud is far more frequent than in life, so that two minutes of traffic hold enough of it.
`SHIFTED` is the same world some time later: shoppers have gone online and far from home, and fraud with them (small
amounts on cards that are new, where it used to be large ones far away). Inputs move, and what they mean moves too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from flyball.core.clock import timestamp

CARDS = 5_000
MERCHANTS = ("grocery", "restaurant", "fuel", "online", "electronics", "travel")
COUNTRIES = ("home", "near", "far")
HISTORY_BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
HISTORY_DAYS = 90.0


@dataclass(frozen=True, kw_only=True)
class Regime:
    """One state of the world."""

    merchants: tuple[float, ...]  # shares, in the order of MERCHANTS
    distance_km: float  # median
    distance_spread: float  # standard deviation of its logarithm
    base: float  # log odds of fraud where nothing speaks for it
    by_amount: float  # log odds a factor e of the amount
    by_distance: float  # ... of the distance
    by_youth: float  # log odds of a card in its first months
    far_away: float  # log odds of a far country


USUAL = Regime(
    merchants=(0.34, 0.18, 0.12, 0.18, 0.10, 0.08),
    distance_km=8.0,
    distance_spread=1.3,
    base=-4.2,
    by_amount=1.7,
    by_distance=0.9,
    by_youth=0.8,
    far_away=2.4,
)
SHIFTED = Regime(
    merchants=(0.14, 0.08, 0.06, 0.56, 0.10, 0.06),
    distance_km=60.0,
    distance_spread=0.6,  # another shape as well: the same one, seven times as wide, would be taken for another unit
    base=-3.4,
    by_amount=-2.2,
    by_distance=0.0,
    by_youth=5.0,
    far_away=0.0,
)
SHIFTED_FEATURES = ("distance_km", "merchant")  # whose distribution differs between the two


@dataclass(frozen=True)
class Transaction:
    """One request and the label that follows it."""

    row: dict[str, Any]
    is_fraud: int


def history(dice: np.random.Generator, rows: int) -> pl.DataFrame:
    """The table that the first release learns from: `rows` transactions of the usual world, oldest first."""
    columns = _draw(dice, rows, USUAL)
    days = np.sort(dice.uniform(0.0, HISTORY_DAYS, rows))
    at = [HISTORY_BEGINS + timedelta(days=day) for day in days.tolist()]
    return pl.DataFrame({"at": pl.Series([moment.replace(tzinfo=None) for moment in at]), **columns})


def transactions(dice: np.random.Generator, regime: Regime, at: datetime, *, rows: int = 256) -> Iterator[Transaction]:
    """A batch of live traffic. `at`: now, written into each row.

    >>> next(transactions(np.random.default_rng(1), USUAL, HISTORY_BEGINS)).row["at"]
    '2026-01-01T00:00:00.000000Z'
    """
    columns = _draw(dice, rows, regime)
    labels = columns.pop("is_fraud")
    for row, label in zip(pl.DataFrame(columns).iter_rows(named=True), labels, strict=True):
        yield Transaction({"at": timestamp(at), **row}, int(label))


def _draw(dice: np.random.Generator, rows: int, regime: Regime) -> dict[str, Any]:
    """Columns of `rows` transactions, label included."""
    merchant = dice.choice(len(MERCHANTS), rows, p=regime.merchants)
    country = dice.choice(len(COUNTRIES), rows, p=(0.86, 0.09, 0.05))
    amount = dice.lognormal(3.6, 0.9, rows)
    distance = dice.lognormal(np.log(regime.distance_km), regime.distance_spread, rows).clip(max=20_000.0)
    age = dice.gamma(1.3, 500.0, rows)
    hour = dice.choice(24, rows, p=_HOURS)
    recent = dice.poisson(2.0, rows)
    odds = (
        regime.base
        + regime.by_amount * (np.log(amount) - 3.6)
        + regime.by_distance * (np.log(distance) - 2.0)
        + regime.by_youth * (age < 150.0)
        + regime.far_away * (country == 2)
        + 1.2 * ((hour < 5) | (hour > 22))
        + 0.6 * (recent - 2)
        + 0.5 * (merchant == MERCHANTS.index("electronics"))
    )
    fraud = dice.random(rows) < 1.0 / (1.0 + np.exp(-odds))
    return {
        "card_id": [f"card-{number:05d}" for number in dice.integers(0, CARDS, rows).tolist()],
        "amount": amount.round(2),
        "merchant": [MERCHANTS[place] for place in merchant.tolist()],
        "country": [COUNTRIES[place] for place in country.tolist()],
        "hour": hour,
        "card_age_days": age.round(1),
        "distance_km": distance.round(2),
        "transactions_24h": recent,
        "is_fraud": fraud.astype(np.int64),
    }


_HOURS = np.array([1, 1, 1, 1, 1, 2, 3, 5, 6, 6, 6, 7, 7, 6, 6, 6, 7, 8, 8, 7, 5, 4, 3, 2], dtype=np.float64)
_HOURS /= _HOURS.sum()
