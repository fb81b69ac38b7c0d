"""One suite for every form of model file: the same questions, the same answers, and the same refusals.

Each is trained by the real pipeline, packaged, signed and loaded again as a gateway does.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tests.conformance import model_codes
from tests.pipeline.fraud import SERVICE, opened, trained, transactions, write_service

from flyball.adapters.models import formats
from flyball.adapters.models.fresh import load_fresh
from flyball.adapters.models.predictor import FolderPredictor, load
from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.app.wiring.processes.arm import warm
from flyball.app.wiring.training.pipeline import Pipeline
from flyball.core.errors import Unavailable, Untrusted
from flyball.core.frames import conform
from flyball.core.prediction import Answer, Failure


class Form(NamedTuple):
    code: str
    file: str
    extra: str = ""  # that reading it needs
    export: str = "auto"


FORMS = {
    "pickle": Form(model_codes.SKLEARN, "model.pkl", export="pickle"),
    "onnx": Form(model_codes.SKLEARN, "model.onnx", "onnx"),
    "lightgbm": Form(model_codes.LIGHTGBM, "model.txt", "lightgbm"),
    "xgboost": Form(model_codes.XGBOOST, "model.ubj", "xgboost"),
    "xgboost's learner": Form(model_codes.BOOSTER, "model.ubj", "xgboost"),
    "class of its own": Form(model_codes.OWN, "model.tar"),
    "class of its own, never a pickle": Form(model_codes.OWN, "model.tar", export="pickle"),
}
FOUND = 7  # so that none of them goes missing unnoticed
TABLE = transactions(1500)
ROWS: list[dict[str, Any]] = transactions(40, seed=3, first=9000).drop("is_fraud").to_dicts()


class Made(NamedTuple):
    form: Form
    root: str
    folder: Path
    pipeline: Pipeline

    def loaded(self) -> FolderPredictor:
        return load(self.pipeline.releases.verified(self.root), release=self.root)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    trainer = ForkServerTrainer()
    with opened(tmp_path_factory.mktemp("forms") / "home", trainer) as pipeline:
        yield pipeline
    trainer.close()


@pytest.fixture(scope="module", params=FORMS)
def made(request: pytest.FixtureRequest, home: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Made:
    form = FORMS[request.param]
    if form.extra:
        pytest.importorskip({"onnx": "onnxruntime"}.get(form.extra, form.extra))
    text = SERVICE.replace("min: 0.70", "min: 0.4").replace(
        "  task: binary\n", f"  task: binary\n  export: {form.export}\n"
    )
    file = write_service(tmp_path_factory.mktemp("form") / "fraud", service=text, model=form.code, table=TABLE)
    root = trained(home, file).release.root
    return Made(form, root, Path(home.releases.verified(root)), home)


def told(predictor: FolderPredictor, rows: list[dict[str, Any]]) -> list[Answer | Failure]:
    return list(predictor.predict(rows).answers)


def test_every_form_is_here() -> None:
    assert len(FORMS) == FOUND


def test_the_package_holds_one_model_file_of_this_form(made: Made) -> None:
    files = [path.name for path in made.folder.glob("model.*") if path.suffix != ".sig"]
    assert files == [made.form.file]
    assert made.loaded().facts.model == made.form.file


def test_the_same_questions_have_the_same_answers_however_they_come(made: Made) -> None:
    """Together, alone, in another order, as a table, and in a process that never saw the model before."""
    predictor = made.loaded()
    together = told(predictor, ROWS)
    assert [type(answer) for answer in together] == [Answer] * len(ROWS)
    assert [each for row in ROWS for each in told(predictor, [row])] == together
    assert told(predictor, ROWS[::-1]) == together[::-1]
    table = conform(TABLE.clear().vstack(transactions(40, seed=3, first=9000)).drop("is_fraud"), predictor.dtypes)
    predictions, scores = predictor.predict_frame(table)
    assert scores is not None
    assert [(a.prediction, a.score) for a in together if isinstance(a, Answer)] == list(
        zip(predictions.tolist(), scores.tolist(), strict=True)
    )
    assert load_fresh(str(made.folder), table).answers == tuple(together)


def test_a_class_is_called_as_the_label_calls_it(made: Made) -> None:
    assert {type(answer.prediction) for answer in told(made.loaded(), ROWS) if isinstance(answer, Answer)} == {bool}


def test_one_bad_row_fails_alone(made: Made) -> None:
    predictor = made.loaded()
    good = told(predictor, ROWS[:3])
    mixed = told(predictor, [ROWS[0], ROWS[1] | {"hour": -1}, ROWS[2]])
    assert isinstance(mixed[1], Failure)
    assert [mixed[0], mixed[2]] == [good[0], good[2]]


def test_it_can_be_warmed_and_asked_nothing(made: Made) -> None:
    predictor = made.loaded()
    warm(predictor)
    assert told(predictor, []) == []


def test_what_its_reader_needs_is_named_where_it_is_missing(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda _: None)
    if not made.form.extra:
        made.loaded()
        return
    with pytest.raises(Unavailable, match=rf"pip install 'flyball\[{made.form.extra}\]'"):
        made.loaded()


def test_a_changed_byte_is_found_before_anything_is_read(made: Made, tmp_path: Path) -> None:
    file = next(path for path in sorted(made.folder.glob("model*")) if path.name.startswith(made.form.file))
    before = file.read_bytes()
    mode = file.stat().st_mode
    file.chmod(0o600)
    try:
        file.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        with pytest.raises(Untrusted):
            made.loaded()
    finally:
        file.write_bytes(before)
        file.chmod(mode)
    made.loaded()
