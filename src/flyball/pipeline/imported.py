"""A foreign model as code of a service: a `train` that fits nothing and gives the model that was brought.

So it takes the way of every release: its bytes are part of the code tree and thus of the experiment digest, the suites
and gates judge it on this service's holdout, it is packaged, signed and registered, and a rollout brings it to traffic.
There is no other door.
"""

import base64
import json

from flyball.core.foreign import Foreign, environment_grade

MODULE, MODEL, ORIGIN = "imported_model.py", "imported/model.b64", "imported/origin.json"
_LINE = 120

_CODE = '''\
"""Gives the model that was imported from {source}; fits nothing."""

import base64
import hashlib
import pickle
from pathlib import Path

import polars as pl

INPUTS = {inputs}
SHA256 = "{sha256}"


def features(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns that it was fitted on, in their order."""
    return frame.select(INPUTS)


def train(features: pl.DataFrame, label: pl.Series, *, config: dict, seed: int):
    data = base64.b64decode((Path(__file__).parent / "{model}").read_text())
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ValueError("the imported model's bytes are not those that were imported")
    return pickle.loads(data)
'''


def files(foreign: Foreign) -> dict[str, str]:
    """What goes into the service's folder, path -> text. The same model gives the same files."""
    text = base64.b64encode(foreign.model).decode()
    lines = "\n".join(text[at : at + _LINE] for at in range(0, len(text), _LINE))
    origin = {
        "source": foreign.source,
        "run": foreign.run,
        "flavour": foreign.flavour,
        "sha256": foreign.sha256,
        "python": foreign.python,
        "requirements": foreign.requirements,
        "environment_grade": environment_grade(foreign.requirements, foreign.python),
    }
    code = _CODE.format(
        source=foreign.source, inputs=list(foreign.inputs), sha256=foreign.sha256, model=MODEL.partition("/")[2]
    ).replace('parent / "', 'parent / "imported" / "')
    return {MODULE: code, MODEL: lines + "\n", ORIGIN: json.dumps(origin, indent=1, sort_keys=True) + "\n"}
