"""What is exported answers as the estimator does, and what is known to convert wrongly is caught."""

import math
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.adapters.models.estimators import CASES, HELD, compared, facts_of, fitted, label, numbers, whole

from flyball.adapters.models import formats, onnx_estimator
from flyball.core.errors import Unavailable
from flyball.core.model import Exported
from flyball.core.service import Task
from flyball.pipeline.formats import candidates
from flyball.pipeline.suites.deployment_parity import words

onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")


def exported(estimator: Any, sample: pl.DataFrame) -> Exported:
    found = formats.write("model.onnx", estimator, sample)
    assert isinstance(found, Exported), found
    return found


@pytest.mark.parametrize("name", CASES)
def test_an_export_answers_as_the_estimator_does_even_next_to_its_splits(name: str) -> None:
    estimator, held, facts = fitted(CASES[name])
    assert candidates("auto", estimator) == (("model.onnx",), "")
    found = exported(estimator, held)
    agreed = compared(estimator, formats.read("model.onnx", found.data), held, facts, tolerance=found.tolerance)
    assert agreed.agrees, words(agreed)
    assert agreed.edges > 20
    assert agreed.worst < 1e-12
    assert exported(estimator, held).data == found.data


class OfSkl2onnx:
    """What skl2onnx writes by itself, in float32 or in float64."""

    def __init__(self, estimator: Any, width: int, *, single: bool) -> None:
        from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

        kind = FloatTensorType if single else DoubleTensorType
        self.dtype: Any = np.float32 if single else np.float64
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            graph = skl2onnx.convert_sklearn(
                estimator, initial_types=[("X", kind([None, width]))], options={id(estimator): {"zipmap": False}}
            )
        self.session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])

    def predict_proba(self, rows: pl.DataFrame) -> Any:
        matrix = rows.select(pl.all().cast(pl.Float64)).to_numpy().astype(self.dtype)
        return self.session.run(None, {"X": matrix})[1]


KNOWN = {
    "isotonic calibration": (
        CalibratedClassifierCV(LogisticRegression(max_iter=2000), method="isotonic"), whole, False, "off by more than"
    ),
    "sigmoid calibration of a pipeline": (
        CalibratedClassifierCV(make_pipeline(StandardScaler(), LogisticRegression())), whole, False, "another label"
    ),
    "trees behind a scaler, in float32": (
        make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=30)), numbers, True, "generated row"
    ),
    "trees of categories": (
        HistGradientBoostingClassifier(max_iter=30, categorical_features=[3]), numbers, True, "another label"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_silent_error_of_a_converter_is_caught(name: str) -> None:
    estimator, rows, single, said = KNOWN[name]
    estimator.fit(rows()[:-HELD], label("binary")[:-HELD])
    held, facts = rows()[-HELD:], facts_of(estimator, "binary")
    wrong = compared(estimator, OfSkl2onnx(estimator, held.width, single=single), held, facts, tolerance=1e-5)
    assert not wrong.agrees
    assert said in words(wrong)
    assert wrong.worst > 0.001


def test_a_quantised_network_is_no_longer_the_same_model(tmp_path: Path) -> None:
    """Eight bits a weight: why no quantised export is offered. Trees have nothing that could be quantised."""
    import onnx
    from onnxruntime.quantization.quantize import quantize_dynamic

    estimator = make_pipeline(StandardScaler(), MLPClassifier(max_iter=15, random_state=0))
    estimator.fit(whole()[:-HELD], label("binary")[:-HELD])
    held = whole()[-HELD:]
    graph = skl2onnx.to_onnx(estimator, np.zeros((1, held.width), dtype=np.float32), options={"zipmap": False})
    quantize_dynamic(onnx.load_from_string(graph.SerializeToString()), tmp_path / "small.onnx")
    other = OfSkl2onnx(estimator, held.width, single=True)
    other.session = onnxruntime.InferenceSession(tmp_path / "small.onnx", providers=["CPUExecutionProvider"])
    assert not compared(estimator, other, held, facts_of(estimator, "binary"), tolerance=1e-3).agrees


def test_reading_a_graph_leaves_nothing_behind_that_tells_how_it_is_used(tmp_path: Path) -> None:
    """onnxruntime keeps what it gathers below the user's cache, from the moment it is imported."""
    (tmp_path / "home").mkdir()
    estimator, held, _ = fitted(CASES["histogram"])
    (tmp_path / "model.onnx").write_bytes(exported(estimator, held).data)
    script = (
        "import sys, pathlib; from flyball.adapters.models import formats;"
        "formats.read('model.onnx', pathlib.Path(sys.argv[1]).read_bytes()); assert 'onnxruntime' in sys.modules"
    )
    home = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home")}
    asked = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "model.onnx")], env=asked | home, check=True, timeout=60
    )
    assert list((tmp_path / "home").rglob("*")) == []


def test_what_the_estimator_refuses_the_export_refuses() -> None:
    estimator = RandomForestClassifier(n_estimators=3).fit(whole(), label("binary"))
    reader = formats.read("model.onnx", exported(estimator, whole()).data)
    for value in (float("inf"), 1e300):
        row = whole().head(1).with_columns(pl.lit(value).alias("größe"))
        with pytest.raises(ValueError, match="refuses"):
            reader.predict_proba(row)
        with pytest.raises(ValueError, match="infinity or a value too large"):
            estimator.predict_proba(row)
        with pytest.raises(ValueError, match="refuses"):
            reader.ask_matrix(row.cast(pl.Float64).to_numpy(), row.columns, "binary")


@given(st.lists(st.floats() | st.sampled_from([1e300, -1e300, 1e31, -1e31]), min_size=1, max_size=6))
def test_what_needs_no_look_holds_nothing_that_is_refused(values: list[float]) -> None:
    if onnx_estimator._ordinary(np.array([values])):
        assert all(math.isfinite(value) and abs(value) < 1e38 for value in values)


@pytest.mark.parametrize("name", CASES)
def test_asked_with_a_matrix_it_says_what_it_says_of_a_frame_bit_for_bit(name: str) -> None:
    estimator, held, _ = fitted(CASES[name])
    reader = formats.read("model.onnx", exported(estimator, held).data)
    if not reader.takes_matrix:
        return  # with texts or chosen columns the frame is what it is asked with
    matrix = held.cast(pl.Float64).to_numpy()
    task: Task = "binary" if hasattr(estimator, "predict_proba") else "regression"
    asked = reader.predict_proba if task == "binary" else reader.predict
    for start in range(0, 60, 7):
        found = reader.ask_matrix(np.ascontiguousarray(matrix[start : start + 7]), held.columns, task)
        assert found.tobytes() == np.ascontiguousarray(asked(held[start : start + 7])).tobytes()


def test_what_cannot_be_written_is_told_in_words() -> None:
    said = formats.write("model.onnx", object(), whole())
    assert isinstance(said, str)
    assert "cannot be converted" in said
    dates = whole().with_columns(day=pl.date(2026, 1, 1))
    said = formats.write("model.onnx", object(), dates)
    assert isinstance(said, str)
    assert "column 'day' is Date" in said


def test_a_missing_extra_is_named_when_writing_and_when_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    estimator = LogisticRegression().fit(whole(), label("binary"))
    data = exported(estimator, whole()).data
    monkeypatch.setattr(formats, "find_spec", lambda name: None)
    assert formats.write("model.onnx", estimator, whole()) == "onnx is not installed: pip install 'flyball[onnx]'"
    with pytest.raises(Unavailable, match=r"pip install 'flyball\[onnx\]'"):
        formats.read("model.onnx", data)
