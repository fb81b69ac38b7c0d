"""A foreign folder as code of a service: a class that loads itself from it, and a `train` that fits nothing.

As every imported model (`imported.py`) it takes the way of every release. Its files are in the experiment digest as one
text; the release holds them as they were (`model.tar`).
"""

import base64
import json
from collections.abc import Mapping
from typing import Any

from flyball.core.foreign import Foreign, environment_grade
from flyball.pipeline.imported import MODEL, MODULE, ORIGIN

_LINE = 120

_PYFUNC = '''\
"""Gives the model that was imported from {source}; fits nothing."""

from pathlib import Path

import polars as pl

from flyball.adapters.imported_files import restored
from flyball.adapters.mlflow_pyfunc import PyfuncModel

SHA256 = "{sha256}"


class Imported(PyfuncModel):
    """Asked by mlflow.pyfunc."""

    INPUTS = {inputs}
    OUTPUT = {output}


def features(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of its signature, in their order."""
    return frame.select(list(Imported.INPUTS))


def train(features: pl.DataFrame, label: pl.Series, *, config: dict, seed: int) -> Imported:
    classes = {classes}
    file = Path(__file__).parent / "imported" / "model.b64"
    return restored(lambda folder: Imported(folder, classes), file, SHA256)
'''
_CLASS = '''\
"""Gives the object of {kind} that was imported; fits nothing."""

from pathlib import Path

import polars as pl
from {module} import {kind}

from flyball.adapters.imported_files import restored

SHA256 = "{sha256}"


def train(features: pl.DataFrame, label: pl.Series, *, config: dict, seed: int) -> {kind}:
    return restored({kind}.load, Path(__file__).parent / "imported" / "model.b64", SHA256)
'''


def pyfunc(foreign: Foreign, *, task: str, output: str | None) -> dict[str, str]:
    """What goes into the service's folder for a model of MLflow's `python_function`, path -> text."""
    code = _PYFUNC.format(
        source=foreign.source,
        sha256=foreign.sha256,
        inputs=dict(zip(foreign.inputs, foreign.types, strict=True)),
        output=repr(output),
        classes="[]" if task == "regression" else "label.unique().sort().to_list()",
    )
    origin = {
        "source": foreign.source,
        "run": foreign.run,
        "flavour": foreign.flavour,
        "sha256": foreign.sha256,
        "python": foreign.python,
        "requirements": foreign.requirements,
        "environment_grade": environment_grade(foreign.requirements, foreign.python),
        "runs_code": foreign.runs_code,
    }
    return _files(code, foreign.model, origin)


def of_class(module: str, kind: str, data: bytes, sha256: str, names: tuple[str, ...]) -> dict[str, str]:
    """The same for a class of somebody's that loads itself. `module`: its file in the folder, without `.py`."""
    code = _CLASS.format(module=module, kind=kind, sha256=sha256)
    origin = {"source": f"{module}.py:{kind}", "flavour": "class", "sha256": sha256, "files": names}
    return _files(code, data, origin | {"environment_grade": "D"})


def _files(code: str, data: bytes, origin: Mapping[str, Any]) -> dict[str, str]:
    text = base64.b64encode(data).decode()
    lines = "\n".join(text[at : at + _LINE] for at in range(0, len(text), _LINE))
    return {MODULE: code, MODEL: lines + "\n", ORIGIN: json.dumps(origin, indent=1, sort_keys=True) + "\n"}
