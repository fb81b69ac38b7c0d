"""The same inputs give the same bits: two homes, two training servers, real estimators."""

from pathlib import Path

import msgspec
import pytest
from tests.pipeline.fraud import MODEL, SERVICE, opened, trained, transactions, write_service

from flyball.adapters.trainer import ForkServerTrainer
from flyball.app.wiring.releases import ReleaseStore
from flyball.core.model import Packaged

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
for name in ("HistGradientBoostingClassifier", "-> HistGradientBoostingClassifier"):
    LOGISTIC, LIGHTGBM = LOGISTIC.replace(f" -> {name}", ""), LIGHTGBM.replace(f" -> {name}", "")


def model_file(folder: Path) -> Path:
    """The model in whichever format it was packaged."""
    return folder / msgspec.json.decode((folder / "release.json").read_bytes(), type=Packaged).model


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(LIGHTGBM, id="lightgbm"),
        pytest.param(FOREST, id="forest"),
        pytest.param(LOGISTIC, id="logistic", marks=pytest.mark.slow),
    ],
)
def test_two_homes_and_two_processes_give_one_root(tmp_path: Path, trainer: ForkServerTrainer, model: str) -> None:
    if "lightgbm" in model:
        pytest.importorskip("lightgbm")
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
            files = [
                model_file(ReleaseStore(pipeline._home).folder(each.release.root)).read_bytes()
                for pipeline, each in ((first, a), (second, b))
            ]
            assert files[0] == files[1]
            assert a.release.root == b.release.root
    finally:
        other.close()


def _lenient() -> str:
    return SERVICE.replace("min: 0.70", "min: 0.5")
