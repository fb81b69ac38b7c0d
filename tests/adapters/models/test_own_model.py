"""A class of the service's own that saves and loads itself: its files are the model, nothing is pickled."""

import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.adapters.models import formats
from flyball.adapters.models.own_model import CLASS, OwnEstimator, is_own
from flyball.core.errors import TrainingFailed
from flyball.core.model import Exported
from flyball.core.packed_files import packed, unpacked
from flyball.pipeline.formats import candidates

MODULE = "flyball_code_abc.model"
TABLE = pl.DataFrame({"x": [0.25, 0.5]})
SAVED: list[str] = []


class Weight:
    """Its only number is in a file."""

    def __init__(self, weight: float) -> None:
        self.weight, self.cannot_be_pickled = weight, lambda: None

    def save(self, folder: Path) -> None:
        SAVED.append(str(folder))
        (folder / "inner").mkdir()
        (folder / "inner" / "weight.txt").write_text(repr(self.weight))

    @classmethod
    def load(cls, folder: Path) -> "Weight":
        return cls(float((folder / "inner" / "weight.txt").read_text()))

    def predict(self, frame: pl.DataFrame) -> Any:
        return frame["x"].to_numpy() * self.weight


@pytest.fixture(autouse=True)
def code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The class as it is when it stands in a service's code."""
    module = ModuleType(MODULE)
    module.Weight = Weight  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, MODULE, module)
    monkeypatch.setattr(Weight, "__module__", MODULE)


def written(own: object) -> bytes:
    found = formats.write("model.tar", OwnEstimator(own), TABLE)
    assert isinstance(found, Exported), found
    return found.data


def test_what_it_saves_is_its_file_and_what_it_loads_answers_alike() -> None:
    one = Weight(0.5)
    assert is_own(one)
    assert candidates("auto", OwnEstimator(one)) == (("model.tar",), "")
    assert unpacked(written(one)) == {CLASS: f"{MODULE}:Weight".encode(), "inner/weight.txt": b"0.5"}
    assert written(one) == written(Weight(0.5))
    for each in (formats.read("model.tar", written(one)), pickle.loads(pickle.dumps(OwnEstimator(one)))):
        assert each.predict(TABLE).tolist() == [0.125, 0.25]
        assert each.predict_proba(TABLE).tolist() == [[0.875, 0.125], [0.75, 0.25]]
    assert not any(Path(folder).exists() for folder in SAVED)


def test_probabilities_of_its_own_and_classes_of_its_own_are_taken() -> None:
    class Wide(Weight):
        classes_ = np.array(["a", "b"])

        def predict_proba(self, frame: pl.DataFrame) -> Any:
            return np.tile([0.3, 0.7], (frame.height, 1))

    one = OwnEstimator(Wide(1.0))
    assert one.classes_.tolist() == ["a", "b"]
    assert one.predict_proba(TABLE).tolist() == [[0.3, 0.7], [0.3, 0.7]]


def test_a_class_without_the_three_or_of_somebody_else_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Half:
        __module__ = MODULE

        def predict(self, frame: pl.DataFrame) -> Any: ...

    assert not is_own(Half())
    monkeypatch.setattr(Weight, "__module__", "elsewhere")
    assert not is_own(Weight(1.0))
    assert "no class of the service's own" in str(formats.write("model.tar", Half(), TABLE))


def test_what_cannot_be_packed_or_read_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(self: Weight, folder: Path) -> None: ...

    def link(self: Weight, folder: Path) -> None:
        (folder / "link").symlink_to("/etc/hostname")

    def ours(self: Weight, folder: Path) -> None:
        (folder / CLASS).write_text("")

    for save, words in ((nothing, "found no file"), (link, "found link"), (ours, "may not write a file named")):
        monkeypatch.setattr(Weight, "save", save)
        with pytest.raises(TrainingFailed, match=words):
            written(Weight(1.0))
    with pytest.raises(ValueError, match=f"expected a file {CLASS}"):
        formats.read("model.tar", packed({"a": b""}))
    for module in ("os", f"{MODULE}"):
        with pytest.raises(ValueError, match="expected a class system"):
            formats.read("model.tar", packed({CLASS: f"{module}:system".encode()}))


names = st.from_regex(r"[a-z0-9]{1,8}(/[a-z0-9_]{1,8}){0,2}", fullmatch=True)


@given(files=st.dictionaries(names, st.binary(max_size=600), max_size=6))
def test_what_was_packed_is_unpacked_and_the_order_of_files_is_no_part_of_it(files: dict[str, bytes]) -> None:
    assert unpacked(packed(files)) == files
    assert packed(dict(reversed(files.items()))) == packed(files)


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out"])
def test_a_member_outside_of_its_folder_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="files below one folder"):
        unpacked(packed({name: b""}))


@given(data=st.binary(max_size=2000))
def test_whatever_is_no_archive_is_a_value_error(data: bytes) -> None:
    try:
        unpacked(data)
    except ValueError:
        return
    assert unpacked(data) is not None
