"""The bend of a region that moves: whole rows of elsewhere, each with the label that is true of it."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pytest
from tests.app.demo.test_traffic import _psi

from flyball.adapters.clock import SystemClock
from flyball.app import drills
from flyball.app.declared import load
from flyball.app.demo.traffic import SHIFTED_FEATURES, history
from flyball.app.drills.fault import Stage
from flyball.app.drills.faults import region_moved
from flyball.app.wiring.drills.rows import FAR, FromSource, MadeUp
from flyball.core.service import Psi

MANY = 2000


def sent(rows: MadeUp | FromSource) -> tuple[pl.DataFrame, pl.DataFrame, list[Any]]:
    """The rows as they come, the same as the fault sends them, and the labels of these."""
    bend = region_moved._Elsewhere(cast(Stage, SimpleNamespace(shift=rows.shift)))
    usual = [rows.next() for _ in range(MANY)]
    moved = [bend.request(dict(row), label) for row, label in usual]
    return pl.DataFrame([row for row, _ in usual]), pl.DataFrame([row for row, _ in moved]), [one for _, one in moved]


@pytest.fixture
def of_a_service(tmp_path: Path) -> FromSource:
    place = tmp_path / "fraud"
    shutil.copytree(Path(drills.__file__).parent / "service", place)
    history(np.random.default_rng(1), 4000).write_parquet(place / "transactions.parquet")
    return FromSource(load(str(place)), np.random.default_rng(2), SystemClock())


def test_rows_that_are_made_up_come_from_elsewhere_in_every_feature_that_a_region_has() -> None:
    usual, moved, labels = sent(MadeUp(np.random.default_rng(2), SystemClock()))
    away = {name for name in usual.columns if name not in ("at", "card_id") and _far(usual[name], moved[name])}
    assert away == set(SHIFTED_FEATURES)
    assert set(labels) == {0, 1}


def test_rows_of_a_service_are_those_that_its_release_has_hardly_learned_from(of_a_service: FromSource) -> None:
    usual, moved, labels = sent(of_a_service)
    limit = cast(float, usual["distance_km"].quantile(FAR))
    assert cast(float, moved["distance_km"].min()) >= 0.8 * limit, "the drawn rows and the table differ by chance"
    assert _far(usual["distance_km"], moved["distance_km"])
    assert moved.columns == usual.columns
    assert set(labels) == {0, 1}


def _far(usual: pl.Series, moved: pl.Series) -> bool:
    return _psi(usual, moved) > Psi().act
