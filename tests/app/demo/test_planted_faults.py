"""The demo's model: sound, forgetful of nothing that matters, and faulty only where and when it is told to be."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from flyball.adapters.models.code import import_code
from flyball.app.demo import traffic
from flyball.app.demo.traffic import SHIFTED, USUAL, Regime, transactions
from flyball.stats.scoring.metrics import score

FOLDER = Path(traffic.__file__).parent / "service"
SECOND = {"trees": 60, "leaves": 6}


@pytest.fixture(scope="module")
def code() -> Any:
    return import_code(str(FOLDER), "sha256:" + "0" * 64, "model.py")


def test_the_shift_costs_the_model_what_a_retraining_wins_back(code: Any) -> None:
    def auc(model: Any, rows: tuple[pl.DataFrame, pl.Series]) -> float:
        return score("roc_auc", rows[1], None, model.predict_proba(code.features(rows[0]).to_numpy())[:, 1])

    before, after = _sample(USUAL, 8_000, 1), _sample(SHIFTED, 2_000, 2)
    live = _sample(SHIFTED, 4_000, 3)
    old, new = (code.train(code.features(rows), label, config=SECOND, seed=7) for rows, label in (before, after))
    assert auc(old, _sample(USUAL, 4_000, 4)) > 0.85
    assert auc(old, live) < 0.6
    assert auc(new, live) > 0.85


@pytest.mark.parametrize("fault", ["errors", "slow"])
def test_a_planted_fault_sleeps_until_its_file_is_there(
    code: Any, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLYBALL_DEMO_FAULTS", str(tmp_path))
    rows, label = _sample(USUAL, 2_000, 1)
    table = code.features(rows)
    sound = code.train(table, label, config=SECOND, seed=7)
    faulty = code.train(table, label, config=SECOND | {"fault": fault}, seed=7)
    assert np.array_equal(faulty.predict_proba(table), sound.predict_proba(table.to_numpy()))
    assert faulty.classes_.tolist() == [0, 1]
    (tmp_path / fault).touch()
    online = table.filter(pl.col("online") == 1.0)[:1]
    if fault == "errors":
        with pytest.raises(ConnectionError, match="planted"):
            faulty.predict_proba(online)
        faulty.predict_proba(table.filter(pl.col("online") == 0.0)[:1])  # not every request is hit
    else:
        began = time.monotonic()
        faulty.predict_proba(online)
        assert time.monotonic() - began >= 0.3


def _sample(regime: Regime, rows: int, seed: int) -> tuple[pl.DataFrame, pl.Series]:
    found = list(transactions(np.random.default_rng(seed), regime, datetime(2026, 11, 21, tzinfo=UTC), rows=rows))
    return pl.DataFrame([each.row for each in found]), pl.Series([each.is_fraud for each in found])
