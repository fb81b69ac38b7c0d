"""A release as a model that `mlflow.pyfunc.load_model` opens: its folder, unchanged, and an `MLmodel` that names us.

The file is written by hand (JSON is YAML): `mlflow.pyfunc.save_model` needs pandas and much of the full MLflow, and
would pack the estimator anew. What is loaded is the signed folder, so the features code that was packaged runs too.
"""

import json
import os
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyball.adapters.content import signing

if TYPE_CHECKING:
    from flyball.adapters.models.predictor import FolderPredictor

FOLDER, KEY = "release", "signing.pub"
KEY_VARIABLE = "FLYBALL_PUBLIC_KEY"


def write_model(target: Path, release: Path, key: Path) -> None:
    """The files of the model, from a folder that was verified. The same release gives the same files."""
    shutil.copytree(release, target / FOLDER / "folder")
    shutil.copyfile(key, target / FOLDER / KEY)
    requirements = [f"{name}=={version(name)}" for name in ("flyball", "scikit-learn", "polars", "numpy")]
    (target / "requirements.txt").write_text("\n".join(requirements) + "\n")
    python = ".".join(map(str, sys.version_info[:3]))
    environment = {"python": python, "dependencies": ["-r requirements.txt"]}
    (target / "python_env.yaml").write_text(json.dumps(environment, indent=1))
    model = {
        "artifact_path": "model",
        "flavors": {
            "python_function": {
                "loader_module": __name__,
                "data": FOLDER,
                "env": {"virtualenv": "python_env.yaml"},
                "python_version": python,
            }
        },
        "model_uuid": release.name[:32],
        "metadata": {"flyball.release": f"sha256:{release.name}"},
    }
    (target / "MLmodel").write_text(json.dumps(model, indent=1))


class ReleaseModel:
    """What `mlflow.pyfunc` wraps. Columns are those of the data contract; the label is not among them."""

    def __init__(self, predictor: "FolderPredictor") -> None:
        self.predictor = predictor

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:  # noqa: ARG002
        """From a pandas table to one with `prediction`, and `score` (binary) or one column a class.

        Raises: what the model raises, and polars.exceptions.PolarsError: a column is missing or of another type.
        """
        import pandas as pd

        from flyball.core.frames import frame

        rows = [{key: _plain(value) for key, value in row.items()} for row in model_input.to_dict("records")]
        predictions, scores = self.predictor.predict_frame(frame(rows, self.predictor.dtypes))
        table = pd.DataFrame({"prediction": predictions}, index=model_input.index)
        if scores is not None and scores.ndim == 1:
            table["score"] = scores
        elif scores is not None:
            for place, name in enumerate(self.predictor.facts.classes):
                table[str(name)] = scores[:, place]
        return table


def _load_pyfunc(path: str) -> ReleaseModel:
    """The name that MLflow asks for. FLYBALL_PUBLIC_KEY names the key to trust; else the one that came along.

    Raises: Untrusted: the folder is not what was signed.
    """
    from flyball.adapters.models.predictor import load

    folder = Path(path) / "folder"
    signing.verify(folder, Path(os.environ.get(KEY_VARIABLE, Path(path) / KEY)))
    root = json.loads((folder / "manifest.json").read_bytes())["root"]
    return ReleaseModel(load(str(folder), release=root))


def _plain(value: Any) -> Any:
    """Missing values of pandas as None, its times as Python's."""
    if value is None or value != value:  # NaN and NaT alone differ from themselves
        return None
    return value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
