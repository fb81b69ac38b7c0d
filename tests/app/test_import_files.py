"""Models that are folders become releases: any of MLflow's python_function, and a class that loads itself."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.pipeline.fraud import SERVICE, transactions, write_service

from flyball.adapters import mlflow_pyfunc
from flyball.adapters.mlflow_pyfunc import PyfuncModel
from flyball.adapters.models.predictor import FolderPredictor, load
from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.core.errors import Unavailable, Untrusted
from flyball.core.prediction import Answer, Failure

mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")
LENIENT = SERVICE.replace("min: 0.70", "min: 0.4")
ROWS = transactions(20, seed=3, first=9000).drop("is_fraud").to_dicts()


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with `curve`, a PythonModel that reads an artefact, and `boosted`, which answers labels."""
    import pandas as pd
    import xgboost
    from mlflow.models import infer_signature

    folder = tmp_path_factory.mktemp("theirs")
    to = f"sqlite:///{folder}/theirs.db"
    mlflow.set_tracking_uri(to)
    mlflow.set_registry_uri(to)
    mlflow.create_experiment("theirs", artifact_location=folder.as_uri())
    mlflow.set_experiment("theirs")
    (folder / "weight.txt").write_text("0.5")

    class Curve(mlflow.pyfunc.PythonModel):  # type: ignore[misc, name-defined]
        def load_context(self, context: Any) -> None:
            self.weight = float(Path(context.artifacts["weight"]).read_text())

        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            if (model_input["hour"] < 0).any():
                raise ValueError("a negative hour")
            chance = 1 / (1 + 2.718281828 ** (2 - self.weight * model_input["amount"].clip(0, 20) / 10))
            return pd.DataFrame({"chance": chance, "other": 0.0})

    inputs = by_night(500).select("amount", "hour").to_pandas()
    signature = infer_signature(inputs, pd.DataFrame({"chance": [0.1], "other": [0.0]}))
    common: dict[str, Any] = {"signature": signature, "pip_requirements": ["numpy==2.4.6"]}
    artefacts = {"weight": str(folder / "weight.txt")}
    label = by_night(500)["is_fraud"].to_numpy()
    with mlflow.start_run():
        mlflow.pyfunc.log_model(
            name="curve", python_model=Curve(), artifacts=artefacts, registered_model_name="curve", **common
        )
        boosted = xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(inputs, label)
        mlflow.xgboost.log_model(boosted, name="boosted", registered_model_name="boosted", **common)
    return to


def by_night(rows: int) -> pl.DataFrame:
    """Fraud happens before five, nine times in ten."""
    otherwise = np.random.default_rng(4).random(rows) < 0.1
    return transactions(rows, seed=9).with_columns(is_fraud=(pl.col("hour") < 5) ^ pl.Series(otherwise))


def brought(file: Path, *words: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["import", words[0], str(file), *words[1:], "--json"]) == 0, capsys.readouterr().err
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def trained(file: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert run(["train", str(file), "--home", str(home), "--json"]) == 0, capsys.readouterr().err
    return str(json.loads(capsys.readouterr().out)["release"])


def loaded(home: Path, root: str) -> FolderPredictor:
    return load(ReleaseStore(Home(home)).verified(root), release=root)


def test_a_model_of_pythons_own_making_is_judged_signed_and_answers_as_it_did(
    tmp_path: Path, logged: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file, home = write_service(tmp_path / "fraud", service=LENIENT, table=transactions(1500)), tmp_path / "home"
    found = brought(file, "mlflow:models:/curve/1", "--server", logged, "--output", "chance", capsys=capsys)
    assert (found["source"], found["environment_grade"]) == ("mlflow:models:/curve/1", "C")
    assert found["runs_code"] == ["python_model.pkl"]
    origin = json.loads((file.parent / "imported" / "origin.json").read_text())
    assert (origin["flavour"], origin["runs_code"]) == ("python_function", ["python_model.pkl"])
    root = trained(file, home, capsys)
    predictor = loaded(home, root)
    assert predictor.facts.model == "model.tar"
    answers = predictor.predict(ROWS).answers
    scores = [answer.score for answer in answers if isinstance(answer, Answer)]
    want = [1 / (1 + 2.718281828 ** (2 - 0.5 * min(row["amount"], 20) / 10)) for row in ROWS]
    assert scores == pytest.approx(want)
    assert {type(answer.prediction) for answer in answers if isinstance(answer, Answer)} == {bool}
    mixed = predictor.predict([ROWS[0], ROWS[1] | {"hour": -1}, ROWS[2]]).answers
    assert isinstance(mixed[1], Failure)
    assert (mixed[0], mixed[2]) == (answers[0], answers[2])

    file_of_model = home / "releases" / root[7:] / "model.tar"
    file_of_model.chmod(0o600)
    file_of_model.write_bytes(file_of_model.read_bytes() + b"\0")
    with pytest.raises(Untrusted):
        loaded(home, root)


def test_of_a_model_that_answers_labels_the_class_it_names_is_certain(
    tmp_path: Path, logged: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file, home = write_service(tmp_path / "fraud", service=LENIENT, table=by_night(1500)), tmp_path / "home"
    brought(file, "mlflow:models:/boosted/1", "--server", logged, capsys=capsys)
    answers = loaded(home, trained(file, home, capsys)).predict(ROWS).answers
    assert {answer.score for answer in answers if isinstance(answer, Answer)} == {0.0, 1.0}
    assert all(isinstance(answer, Answer) for answer in answers)


def test_columns_that_the_contract_does_not_have_are_bad_input(
    tmp_path: Path, logged: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_service(tmp_path / "fraud")
    contract = file.parent / "contract.yaml"
    contract.write_text(contract.read_text().replace("{name: hour,", "{name: minute,"))
    assert run(["import", "mlflow:models:/curve/1", str(file), "--server", logged]) == 2
    assert "found amount, hour" in (said := capsys.readouterr().err) or "found hour" in said
    assert not (file.parent / "imported").exists()


CURVE = """\
import json

import numpy as np


class Curve:
    def __init__(self, weight):
        self.weight = weight

    def save(self, folder):
        (folder / "curve.json").write_text(json.dumps(self.weight))

    @classmethod
    def load(cls, folder):
        return cls(json.loads((folder / "curve.json").read_text()))

    def predict(self, frame):
        return 1 / (1 + np.exp(2 - self.weight * np.log1p(frame["amount"].to_numpy())))
"""


def test_a_class_that_loads_itself_comes_with_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, home = write_service(tmp_path / "fraud", service=LENIENT, table=transactions(1500)), tmp_path / "home"
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "curve.json").write_text("0.5")
    (tmp_path / "curve.py").write_text(CURVE)
    source = f"{tmp_path / 'curve.py'}:Curve"
    found = brought(file, source, "--files", str(tmp_path / "files"), capsys=capsys)
    assert found["files"] == ["curve.py", "imported_model.py", "imported/model.b64", "imported/origin.json"]
    predictor = loaded(home, trained(file, home, capsys))
    assert predictor.facts.model == "model.tar"
    (answer,) = predictor.predict([ROWS[0] | {"amount": 0.0}]).answers
    assert isinstance(answer, Answer)
    assert answer.score == pytest.approx(0.119202922)
    assert run(["import", source, str(file), "--files", str(tmp_path / "files")]) == 2
    assert "Nothing is ever overwritten" in capsys.readouterr().err


def test_what_a_class_lacks_is_told_at_once_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_service(tmp_path / "fraud")
    (tmp_path / "empty").mkdir()
    (tmp_path / "curve.py").write_text(CURVE.replace("def save", "def store"))
    assert run(["import", f"{tmp_path / 'curve.py'}:Curve", str(file), "--files", str(tmp_path / "empty")]) == 2
    said = capsys.readouterr().err
    assert "found no save" in said
    assert "--files" in said
    assert run(["import", f"{tmp_path / 'curve.py'}:Line", str(file), "--files", str(tmp_path / "empty")]) == 2
    assert "expected a class Line" in capsys.readouterr().err
    assert not (file.parent / "imported").exists()


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_pyfunc, "find_spec", lambda _: None)
    with pytest.raises(Unavailable, match=r"pip install 'flyball\[pyfunc\]'"):
        PyfuncModel(tmp_path)


class Answering:
    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def predict(self, _: Any) -> Any:
        return self._answer


def test_answers_of_every_form_that_mlflow_knows_become_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd

    frame = pl.DataFrame({"x": [1.0, 2.0]})

    def asked(answer: Any, classes: list[Any], output: str | None = None) -> Any:
        monkeypatch.setattr(mlflow_pyfunc, "_opened", lambda _: Answering(answer))
        kind = type("Imported", (PyfuncModel,), {"INPUTS": {"x": "double"}, "OUTPUT": output})
        return kind(Path(), classes).predict(frame).tolist()

    assert asked([1, 2], []) == [1.0, 2.0]
    assert asked(pd.Series([0.25, 0.5]), [False, True]) == [0.25, 0.5]
    assert asked(np.array([[0.25], [0.5]]), [0, 1]) == [0.25, 0.5]
    assert asked(pd.DataFrame({"p": [0.25, 0.5], "q": [1, 2]}), [0, 1], "p") == [0.25, 0.5]
    assert asked(pd.DataFrame({"b": [0.1, 0.2], "a": [0.9, 0.8]}), ["a", "b"]) == [[0.9, 0.1], [0.8, 0.2]]
    assert asked(np.array(["b", "a"]), ["a", "b", "c"]) == [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]
    for answer, words in (
        (np.array(["d", "a"]), "found 'd'"),
        ([0.5], "expected 2 numbers"),
        (np.zeros((2, 4)), "expected 2 numbers"),
    ):
        with pytest.raises(ValueError, match=words):
            asked(answer, ["a", "b", "c"])
    with pytest.raises(ValueError, match="expected a column 'p', found q"):
        asked(pd.DataFrame({"q": [1, 2]}), [0, 1], "p")
