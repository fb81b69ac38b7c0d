"""A model logged in MLflow by somebody else becomes a release by the way of every release, or is refused."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.fraud import SERVICE, transactions, write_service

from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.wiring.ledger import open_ledger
from flyball.core import events as e
from flyball.core.foreign import Foreign
from flyball.pipeline.imported import files

mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")


@pytest.fixture
def logged(tmp_path: Path) -> str:
    """A store with version 1 of `theirs`, which has a signature, and version 1 of `bare`, which has none."""
    from mlflow.models import infer_signature
    from sklearn.ensemble import RandomForestClassifier

    to = f"sqlite:///{tmp_path}/theirs.db"
    mlflow.set_tracking_uri(to)
    mlflow.set_registry_uri(to)
    mlflow.create_experiment("theirs", artifact_location=(tmp_path / "theirs").as_uri())
    mlflow.set_experiment("theirs")
    table = transactions(2000, seed=9)
    inputs = table.select("amount", "hour").to_pandas()
    model = RandomForestClassifier(n_estimators=30, max_depth=5, random_state=0).fit(
        inputs, table["is_fraud"].to_numpy()
    )
    with mlflow.start_run():
        signature = infer_signature(inputs, model.predict(inputs))
        options: dict[str, Any] = {"serialization_format": "cloudpickle", "pip_requirements": ["scikit-learn==1.7.2"]}
        mlflow.sklearn.log_model(model, name="model", registered_model_name="theirs", signature=signature, **options)
        mlflow.sklearn.log_model(model, name="bare", registered_model_name="bare", **options)
    return to


def test_it_is_judged_signed_and_registered_and_its_origin_is_part_of_the_digest(
    tmp_path: Path, logged: str, capsys: pytest.CaptureFixture[str]
) -> None:
    floor = SERVICE.replace("min: 0.70", "min: 0.55")
    file = write_service(tmp_path / "fraud", service=floor)
    capsys.readouterr()
    assert run(["import", "mlflow:models:/theirs/1", str(file), "--server", logged, "--json"]) == 0
    brought = json.loads(capsys.readouterr().out)
    assert (brought["source"], brought["environment_grade"]) == ("mlflow:models:/theirs/1", "C")
    origin = json.loads((file.parent / "imported" / "origin.json").read_text())
    assert (origin["sha256"], origin["environment_grade"]) == (brought["sha256"], "C")
    assert "dataset" not in json.dumps(origin)

    home = tmp_path / "home"
    assert run(["train", str(file), "--home", str(home), "--json"]) == 0
    trained = json.loads(capsys.readouterr().out)
    assert trained["champion"]
    folder = home / "releases" / trained["release"][7:]
    assert (folder / "model.sig").is_file()
    assert (folder / "code" / "imported" / "origin.json").is_file()
    with closing(open_ledger(Home(home))) as ledger:
        assert [x.type for x in ledger.read() if isinstance(x.fact, e.GatesJudged | e.ReleaseRegistered)] == [
            "release.registered",
            "gates.judged",
        ]

    assert run(["import", "mlflow:models:/theirs/1", str(file), "--server", logged]) == 2
    assert "Nothing is ever overwritten" in capsys.readouterr().err


def test_gates_hold_for_it_too(tmp_path: Path, logged: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_service(tmp_path / "fraud", service=SERVICE.replace("min: 0.70", "min: 0.99"))
    assert run(["import", "mlflow:models:/theirs/1", str(file), "--server", logged]) == 0
    assert run(["train", str(file), "--home", str(tmp_path / "home"), "--json"]) == 1
    capsys.readouterr()


def test_what_cannot_be_brought_is_bad_input(tmp_path: Path, logged: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_service(tmp_path / "fraud")
    before = file.read_text()
    for source, words in (
        ("mlflow:models:/theirs/7", "theirs"),
        ("mlflow:models:/theirs", "mlflow:models:/NAME/VERSION"),
        ("mlflow:models:/bare/1", "signature"),
        ("mlflow:models:/theirs@champion", "champion"),
    ):
        assert run(["import", source, str(file), "--server", logged]) == 2, source
        assert words in capsys.readouterr().err
    assert file.read_text() == before
    assert not (file.parent / "imported").exists()


def test_the_same_model_gives_the_same_files() -> None:
    foreign = Foreign(
        source="mlflow:models:/a/1",
        name="a",
        version="1",
        run=None,
        flavour="sklearn",
        model=bytes(range(256)),
        sha256="0" * 64,
        inputs=("x",),
        python="3.11.2",
        requirements=("numpy",),
    )
    assert files(foreign) == files(foreign)
    assert json.loads(files(foreign)["imported/origin.json"])["environment_grade"] == "D"
