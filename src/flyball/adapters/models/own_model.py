"""A model of a class of the service's own: files that it writes with `save` and reads with `load`, never a pickle.

The class stands in the service's code and has `save(self, folder)`, `load(folder)` (a class or static method) and
`predict(frame)`, perhaps `predict_proba(frame)`; folders are `pathlib.Path`. What `save` leaves there is packed as it
is (`core/packed_files.py`). It is unpacked for `load` into a folder of its own, after signature and root were verified.
"""

import tempfile
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.errors import TrainingFailed
from flyball.core.model import CODE_PACKAGE, Exported
from flyball.core.packed_files import packed, unpacked

CLASS = "flyball.class"  # member of the archive: module and name of the class
_VERBS = ("save", "load", "predict")


def is_own(found: Any) -> bool:
    """Whether a training returned an object of a class of the service's code that saves and loads itself.

    >>> is_own(object())
    False
    """
    kind = type(found)
    return kind.__module__.startswith(CODE_PACKAGE) and all(callable(getattr(kind, verb, None)) for verb in _VERBS)


def write(estimator: Any) -> Exported | str:
    """The archive of what `save` writes. Raises: whatever `save` raises. TrainingFailed: it cannot be packed."""
    if not isinstance(estimator, OwnEstimator):
        return f"{type(estimator).__name__} is no class of the service's own with {', '.join(_VERBS)}"
    return Exported(model="model.tar", data=_saved(estimator.own), tolerance=0.0)


class OwnEstimator:
    """The service's object behind the interface of scikit-learn.

    `predict` of a regression gives numbers [n]; of two classes, where there is no `predict_proba`, the probability of
    the second [n] or both [n, 2]; of k classes [n, k].
    """

    def __init__(self, own: Any, place: tempfile.TemporaryDirectory[str] | None = None) -> None:
        """`place`: where its files lie, kept for as long as it may read them."""
        self.own, self._place = own, place
        if hasattr(own, "classes_"):
            self.classes_ = own.classes_

    def __reduce__(self) -> tuple[Any, ...]:
        """Between the steps of a training too it is its files, and `load` makes it."""
        return read, (_saved(self.own),)

    def predict(self, table: pl.DataFrame) -> npt.NDArray[Any]:
        return np.asarray(self.own.predict(table))

    def predict_proba(self, table: pl.DataFrame) -> npt.NDArray[np.float64]:
        ask = getattr(self.own, "predict_proba", None) or self.own.predict
        shares = np.asarray(ask(table), dtype=np.float64)
        return np.column_stack([1.0 - shares, shares]) if shares.ndim == 1 else shares


def read(data: bytes) -> OwnEstimator:
    """Raises: ValueError: it is no such archive, or its class is gone. Whatever `load` raises."""
    files = unpacked(data)
    named = files.pop(CLASS, None)
    if named is None:
        raise ValueError(f"expected a file {CLASS} in the archive of the model, found none")
    module, _, name = named.decode().partition(":")
    if not module.startswith(CODE_PACKAGE) or (kind := getattr(import_module(module), name, None)) is None:
        raise ValueError(f"expected a class {name} in the code of the release, found none")
    place = laid_out(files)
    return OwnEstimator(kind.load(Path(place.name)), place)


def laid_out(files: Mapping[str, bytes]) -> tempfile.TemporaryDirectory[str]:
    """Files, relative path -> content, in a new folder that goes when nobody holds it any more."""
    place = tempfile.TemporaryDirectory(prefix="flyball-model-", ignore_cleanup_errors=True)
    for path, content in files.items():
        target = Path(place.name, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return place


def _saved(own: Any) -> bytes:
    kind = type(own)
    if "." in kind.__qualname__:
        raise TrainingFailed(f"the class {kind.__qualname__} must stand at the top of its module, to be found again")
    with tempfile.TemporaryDirectory(prefix="flyball-model-") as place:
        own.save(Path(place))
        paths = [path for path in Path(place).rglob("*") if not path.is_dir()]
        odd = [path.name for path in paths if path.is_symlink() or not path.is_file()]
        if odd or not paths:
            found = f"{odd[0]}, which is none" if odd else "no file"
            raise TrainingFailed(f"{kind.__name__}.save(folder) must write regular files there, found {found}")
        files = {path.relative_to(place).as_posix(): path.read_bytes() for path in paths}
    if CLASS in files:
        raise TrainingFailed(f"{kind.__name__}.save(folder) may not write a file named {CLASS}")
    return packed(files | {CLASS: f"{kind.__module__}:{kind.__name__}".encode()})
