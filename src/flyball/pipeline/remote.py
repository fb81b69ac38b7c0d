"""A remote endpoint as code of a service: a `train` that fits nothing and gives something that asks it.

As with every imported model (`imported.py`) there is no other door: suites and gates judge its answers on this
service's holdout, and the release binds the address. Of the model's bytes and environment nothing is known: grade D.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flyball.core.record import Record

MODULE, ORIGIN = "remote_model.py", "imported/origin.json"

_CODE = '''\
"""Asks the remote model that ENDPOINT names; fits nothing."""

import polars as pl

from flyball.adapters.remote_model import RemoteModel

COLUMNS = {columns}
ENDPOINT = {endpoint}


def features(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns that the remote model takes, in its order."""
    return frame.select(COLUMNS)


def train(features: pl.DataFrame, label: pl.Series, *, config: dict, seed: int):
    classes = {classes}
    return RemoteModel(ENDPOINT, inputs={inputs}, output={output}, matrix={matrix}, classes=classes)
'''


class Remote(Record):
    """How one endpoint is asked."""

    endpoint: dict[str, Any]  # fields of `adapters.oip_client.Endpoint`
    columns: tuple[str, ...]  # of the service, in the order of the model
    inputs: dict[str, str]  # tensor -> datatype
    output: str
    matrix: bool
    platform: str = ""


def fitted_inputs(
    offered: Sequence[tuple[str, str, Sequence[int]]], numbers: Sequence[str], all_columns: Sequence[str]
) -> tuple[tuple[str, ...], dict[str, str], bool] | str:
    """(columns, tensors, whether they are one matrix), or in words why the service does not fit the model.

    Args:
        offered: name, datatype and shape of each input.
        numbers: the service's numeric inputs in the contract's order.

    >>> fitted_inputs([("x", "FP64", [-1, 1]), ("c", "BYTES", [-1, 1])], ["x"], ["x", "c"])
    (('x', 'c'), {'x': 'FP64', 'c': 'BYTES'}, False)
    >>> fitted_inputs([("input-0", "FP32", [-1, 2])], ["x", "y"], ["x", "y"])
    (('x', 'y'), {'input-0': 'FP32'}, True)
    """
    names = [name for name, _, _ in offered]
    if set(names) <= set(all_columns):
        return tuple(names), {name: datatype for name, datatype, _ in offered}, False
    if len(offered) == 1 and len(offered[0][2]) == 2:
        name, datatype, shape = offered[0]
        width = shape[1]
        if width in (-1, len(numbers)) and len(numbers) == len(all_columns):
            return tuple(numbers), {name: datatype}, True
        return f"one tensor of {width} numbers, and the service has {len(numbers)} numbers of {len(all_columns)} inputs"
    missing = ", ".join(name for name in names if name not in all_columns)
    return f"it takes {missing}, which the contract does not have"


def files(remote: Remote, *, task: str) -> dict[str, str]:
    """What goes into the service's folder, path -> text."""
    code = _CODE.format(
        columns=list(remote.columns),
        endpoint=_sorted(remote.endpoint),
        inputs=remote.inputs,
        output=repr(remote.output),
        matrix=remote.matrix,
        classes="[]" if task == "regression" else "label.unique().sort().to_list()",
    )
    origin = {"source": remote.endpoint, "platform": remote.platform, "flavour": "oip", "environment_grade": "D"}
    return {MODULE: code, ORIGIN: json.dumps(origin, indent=1, sort_keys=True) + "\n"}


def _sorted(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: values[key] for key in sorted(values) if values[key] is not None}
