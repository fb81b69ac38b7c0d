"""A judgement is kept as numbers and words: it comes back the same, and reading it runs no code."""

import pickle
from typing import Any, cast

import numpy as np
import pytest

from flyball.core.release import Estimate, GateResult, TestResult
from flyball.pipeline.evaluate import Scored
from flyball.pipeline.run.evaluating import Evaluated, dump, load
from flyball.pipeline.run.judging import Judged
from flyball.pipeline.run.packaged import Package

RESULT = GateResult(name="mae <= 3", metric="mae", passed=True, verdict="PASS", reason="2.1", dimension="cost")
TEST = TestResult(suite="data", name="leak", dimension="data", verdict="INCONCLUSIVE", reason="n", limit=0.1 + 0.2)


class Restores:
    """The part of `Package` that a load needs: it takes the files."""

    def restore(self, files: dict[str, bytes]) -> None:
        self.files = files


def judged(truth: Any, predictions: Any, scores: Any) -> Judged:
    return Judged(
        scored=Scored(truth=np.array(truth), predictions=np.array(predictions), scores=scores),
        metrics={"mae": Estimate(value=1 / 3, low=-0.0, high=5e-324, n=3)},
        measured={"model_size_mb": Estimate(value=0.1, low=0.1, high=0.1, n=1)},
        missing={"cost": "no price"},
        results=(RESULT,),
        tests=(TEST,),
    )


@pytest.mark.parametrize(
    ("truth", "predictions", "scores"),
    [
        ([True, False], [1, 0], np.array([0.1 + 0.2, -0.0])),
        (["b", "ähm"], ["a", "b"], np.array([[0.25, 0.75], [1.0, 0.0]])),
        ([1.5, 2.0], [1.25, 1e-320], None),
    ],
)
def test_it_comes_back_bit_for_bit(truth: Any, predictions: Any, scores: Any) -> None:
    before, package = judged(truth, predictions, scores), Restores()
    files = dump(Evaluated(judged=before, files={"model.onnx": b"m"}))
    after = load(files, cast("Package", package)).judged
    assert package.files == {"model.onnx": b"m"}
    for name in ("truth", "predictions", "scores"):
        ours, theirs = getattr(before.scored, name), getattr(after.scored, name)
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert (ours.dtype, ours.shape, ours.tobytes()) == (theirs.dtype, theirs.shape, theirs.tobytes())
    for name in ("metrics", "measured", "missing", "results", "tests"):
        assert repr(getattr(after, name)) == repr(getattr(before, name))


def test_a_pickle_in_its_place_is_not_run() -> None:
    class Runs:
        def __reduce__(self) -> tuple[Any, ...]:
            return pytest.fail, ("it ran",)

    files = dict(dump(Evaluated(judged=judged([1], [1], None), files={})))
    for name in files:
        with pytest.raises(ValueError, match=r"malformed|pickle|JSON"):
            load(files | {name: pickle.dumps(Runs())}, cast("Package", Restores()))
