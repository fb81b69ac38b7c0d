"""The made-up world: repeatable, within its contract, and changed by the shift in what the demo names and no more."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.app.declared import load
from flyball.app.demo import traffic
from flyball.app.demo.traffic import SHIFTED, SHIFTED_FEATURES, USUAL, Regime, history, transactions
from flyball.contracts.rows.compiled import CompiledRows
from flyball.contracts.tables.check import check
from flyball.monitor.quality.units import unit_changed
from flyball.pipeline.baseline import reference
from flyball.stats.binning.bins import CategoryBins, NumericBins
from flyball.stats.two_sample.divergences import psi

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
SERVICE = load(Path(traffic.__file__).parent / "service" / "service.yaml")


@given(st.integers(0, 2**32))
def test_a_seed_replays_the_traffic(seed: int) -> None:
    one, other = (list(transactions(np.random.default_rng(seed), USUAL, NOW, rows=20)) for _ in range(2))
    assert one == other


@pytest.mark.parametrize("regime", [USUAL, SHIFTED])
def test_every_transaction_keeps_the_contract(regime: Regime) -> None:
    rows = [each.row for each in transactions(np.random.default_rng(3), regime, NOW, rows=2_000)]
    checker = CompiledRows(SERVICE.contract, label=SERVICE.service.data.label)
    assert set(checker.columns) == set(rows[0])
    assert not [verdict for verdict in checker.check(rows) if verdict is not None]


def test_the_history_keeps_the_contract() -> None:
    table = history(np.random.default_rng(3), 2_000)
    assert check(table, SERVICE.contract).passed
    assert table["at"].is_sorted()


def test_the_shift_moves_the_features_that_it_names_and_no_other() -> None:
    usual, shifted = (_table(regime, seed) for seed, regime in enumerate((USUAL, SHIFTED)))
    again = _table(USUAL, 7)
    moved = {name for name in usual.columns if _psi(usual[name], shifted[name]) > SERVICE.service.monitor.psi.act}
    assert moved == set(SHIFTED_FEATURES)
    assert max(_psi(usual[name], again[name]) for name in usual.columns) < SERVICE.service.monitor.psi.warn


@pytest.mark.parametrize("rows", [200, 400, 800])
def test_the_shift_is_not_taken_for_another_unit(rows: int) -> None:
    """A feature that may be in another unit is a fault of the supply, and nothing is trained on that."""
    normal = reference(_table(USUAL, 0)["distance_km"])
    for seed in range(20):
        found = _table(SHIFTED, seed)["distance_km"].head(rows).to_numpy().astype(float)
        assert unit_changed("distance_km", found, normal, SERVICE.service.monitor.psi) is None


def _table(regime: Regime, seed: int) -> pl.DataFrame:
    rows = [each.row for each in transactions(np.random.default_rng(seed), regime, NOW, rows=4_000)]
    return pl.DataFrame(rows).drop("at", "card_id")


def _psi(before: pl.Series, after: pl.Series) -> float:
    normal = reference(before)
    if normal.kind == "numeric":
        counts = NumericBins(edges=normal.edges).count(after.cast(pl.Float64).to_numpy())
    else:
        counts = CategoryBins(values=normal.values).count(after.to_list())
    return psi(normal.counts, counts, smoothing=0.5)
