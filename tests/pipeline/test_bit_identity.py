"""The same inputs give the same bits: two homes, two training servers, real estimators."""

from pathlib import Path

import pytest
from tests.pipeline.fraud import MODEL, SERVICE, opened, trained, transactions, write_service

from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.pipeline.packing import SIGNATURE

FOREST = MODEL.replace("HistGradientBoostingClassifier", "RandomForestClassifier").replace(
    "max_iter=30", "n_estimators=20, n_jobs=-1"
)
LOGISTIC = MODEL.replace(
    "from sklearn.ensemble import HistGradientBoostingClassifier",
    "from sklearn.impute import SimpleImputer\nfrom sklearn.linear_model import LogisticRegression\n"
    "from sklearn.pipeline import make_pipeline",
).replace(
    "HistGradientBoostingClassifier(random_state=seed, max_iter=30, **config)",
    "make_pipeline(SimpleImputer(), LogisticRegression(random_state=seed, max_iter=500))",
)
LIGHTGBM = MODEL.replace(
    "from sklearn.ensemble import HistGradientBoostingClassifier", "from lightgbm import LGBMClassifier"
)
LIGHTGBM = LIGHTGBM.replace(
    "HistGradientBoostingClassifier(random_state=seed, max_iter=30, **config)",
    "LGBMClassifier(random_state=seed, n_estimators=30, subsample=0.7, subsample_freq=1, colsample_bytree=0.7, "
    "verbose=-1, **config)",
)
LIGHTGBM_TEXT = LIGHTGBM.replace(
    "verbose=-1,", "verbose=-1, n_jobs=1, deterministic=True, force_row_wise=True,"
).replace(".fit(features, label)", ".fit(features.to_numpy(), label.to_numpy())")
XGBOOST = LIGHTGBM_TEXT.replace("lightgbm", "xgboost").replace("LGBMClassifier", "XGBClassifier")
XGBOOST = XGBOOST.replace("subsample_freq=1, ", "").replace("deterministic=True, force_row_wise=True, ", "")
XGBOOST = XGBOOST.replace("verbose=-1, ", "")
for name in ("HistGradientBoostingClassifier", "-> HistGradientBoostingClassifier"):
    LOGISTIC, LIGHTGBM = LOGISTIC.replace(f" -> {name}", ""), LIGHTGBM.replace(f" -> {name}", "")
    LIGHTGBM_TEXT, XGBOOST = LIGHTGBM_TEXT.replace(f" -> {name}", ""), XGBOOST.replace(f" -> {name}", "")


@pytest.mark.parametrize(
    ("model", "format"),
    [
        pytest.param(LIGHTGBM, None, id="lightgbm"),
        pytest.param(LIGHTGBM_TEXT, "model.txt", id="lightgbm text"),
        pytest.param(XGBOOST, "model.ubj", id="xgboost"),
        pytest.param(FOREST, None, id="forest", marks=pytest.mark.slow),
        pytest.param(LOGISTIC, None, id="logistic", marks=pytest.mark.slow),
    ],
)
def test_two_homes_and_two_processes_give_one_root(
    tmp_path: Path, trainer: ForkServerTrainer, model: str, format: str | None
) -> None:
    """Two full trainings: no home knows the other, and none has the experiment or a step of it."""
    for extra in ("lightgbm", "xgboost"):
        if extra in model:
            pytest.importorskip(extra)
    services = [
        write_service(tmp_path / folder / "fraud", model=model, table=transactions(1500), service=_lenient())
        for folder in ("one", "a longer name of a folder")
    ]
    other = ForkServerTrainer()
    try:
        with opened(tmp_path / "first", trainer) as first, opened(tmp_path / "second", other) as second:
            a, b = trained(first, services[0]), trained(second, services[1])
            assert (a.cached, b.cached) == (False, False)
            assert a.experiment == b.experiment
            folders = [
                ReleaseStore(pipeline._home).folder(each.release.root) for pipeline, each in ((first, a), (second, b))
            ]
            files = [
                {path.name: path.read_bytes() for path in folder.glob("model.*") if path.name != SIGNATURE}
                for folder in folders
            ]
            assert files[0] == files[1]
            assert len(files[0]) == 1  # the model in its one format
            assert format in (None, *files[0])
            assert a.release.root == b.release.root
    finally:
        other.close()


def _lenient() -> str:
    return SERVICE.replace("min: 0.70", "min: 0.5")
