"""A real predictor whose model does something: it notes the amount of each row that it is asked about.

Rows with 13 items make it fail, after it has noted all of a call. A folder with a file `url` holds a remote model in
place of this one: the server there notes.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.adapters.models.predictor import FolderPredictor
from flyball.adapters.remote_model import RemoteModel
from flyball.core.model import Input, Model, Packaged

FAILS = 13
FACTS = Packaged(
    service="shop",
    task="binary",
    threshold=0.5,
    label="fraud",
    classes=(0, 1),
    inputs=(Input(name="amount", kind="number"), Input(name="items", kind="integer")),
    plain=("amount", "items"),
    module="model.py",
    code="sha256:00",
)


class Noting:
    """The estimator; its notes are lines of a file, so that every process can add to them."""

    classes_ = np.array([0, 1])

    def __init__(self, notes: Path) -> None:
        self._notes = notes

    def predict_proba(self, table: pl.DataFrame) -> npt.NDArray[np.float64]:
        with self._notes.open("a") as file:
            file.write("".join(f"{amount}\n" for amount in table["amount"]))
        if FAILS in table["items"].to_list():
            raise ValueError("thirteen")
        return np.full((table.height, 2), 0.5)


def load(folder: str, *, release: str, once: bool) -> FolderPredictor:
    """The loader that the stage names instead of the one for trained releases."""
    url, model = Path(folder) / "url", Noting(Path(folder) / "notes")
    estimator: Any = elsewhere(url.read_text()) if url.exists() else model
    return FolderPredictor(release, Model(facts=FACTS, estimator=estimator, make_features=None), once=once)


def elsewhere(url: str) -> RemoteModel:
    """One connection, so that questions wait for one another and could be put together."""
    endpoint = {"url": url, "model": "m", "timeout_s": 60.0, "connections": 1}
    return RemoteModel(endpoint, inputs={"amount": "FP64", "items": "INT64"}, output="p", classes=(0, 1))
