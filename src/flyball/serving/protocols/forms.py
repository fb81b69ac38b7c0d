"""Bodies as other servers take them: MLflow's `/invocations` and KServe's v1 `:predict`, to rows and back.

    {"dataframe_split": {"columns": [...], "data": [[...], ...]}}
    {"dataframe_records": [{...}, ...]}
    {"inputs": {"column": [...], ...}}     or the rows, as below
    {"instances": [{...}, ...]}            or [[...], ...] in the contract's order; one column: [value, ...]

Neither has a place for one row's error, so a request is answered as a whole or refused as a whole.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from flyball.core.errors import Fault
from flyball.core.prediction import PredictionRecord
from flyball.serving.batch import Batch
from flyball.serving.protocols.bodies import fault, kind_of, read, refusal

MLFLOW = ("dataframe_split", "dataframe_records", "inputs", "instances")
KSERVE = ("instances",)
NAN = b"NaN"
_SPLIT_KEYS = frozenset({"columns", "data", "index"})
_Rows = list[dict[str, Any]]


class _Answer(msgspec.Struct):
    """Field order is the order in the JSON; the ids are ours, for labels."""

    predictions: list[Any]
    prediction_ids: list[str]


def form_rows(body: bytes, where: str, forms: Sequence[str], columns: Sequence[str], *, max_rows: int) -> _Rows:
    """The rows of a body in one of `forms`. `columns`: the inputs in the contract's order.

    Raises: BadInput: naming every fault.

    >>> form_rows(b'{"instances": [[1, 2]]}', "predict", KSERVE, ["a", "b"], max_rows=10)
    [{'a': 1, 'b': 2}]
    """
    value = read(_without_nan(body) if NAN in body else body, object, where)
    given = [name for name in forms if name in value] if isinstance(value, dict) else []
    if not isinstance(value, dict) or len(given) != 1:
        expected = f"an object with {'one of ' if len(forms) > 1 else ''}{', '.join(forms)}"
        raise refusal(where, [fault(where, "$", expected, " and ".join(given) or _keys(value))])
    form = given[0]
    faults: list[Fault] = []
    if value.get("params"):
        faults.append(fault(where, "params", "nothing: the model takes none", kind_of(value["params"])))
    rows = _READERS[form](value[form], where, form, columns, faults)
    if not faults and not 0 < len(rows) <= max_rows:
        faults.append(fault(where, form, f"1 to {max_rows} rows", f"{len(rows)}", "send several requests"))
    if faults:
        raise refusal(where, faults)
    return rows


def answer_of(batch: Batch, records: Sequence[PredictionRecord]) -> bytes:
    """`{"predictions": [...], "prediction_ids": [...]}`, in the order of the rows."""
    return msgspec.json.encode(_Answer([record.prediction for record in records], batch.ids))


def _without_nan(body: bytes) -> bytes:
    """MLflow's client writes a missing number as `NaN`, which is no JSON: here `null`. Else the body as it was."""
    try:
        return json.dumps(json.loads(body, parse_constant={"NaN": None}.__getitem__)).encode()
    except (ValueError, KeyError, RecursionError):  # the strict reader will say what is wrong
        return body


def _split(value: Any, where: str, path: str, _: Sequence[str], faults: list[Fault]) -> _Rows:
    """pandas' `to_dict("split")`; its index says nothing about a row."""
    if not isinstance(value, dict):
        faults.append(fault(where, path, '{"columns": [...], "data": [[...], ...]}', kind_of(value)))
        return []
    names, data = value.get("columns"), value.get("data")
    if not (isinstance(names, list) and all(isinstance(name, str) for name in names) and len({*names}) == len(names)):
        faults.append(fault(where, f"{path}.columns", "a list of different names", kind_of(names)))
    if not isinstance(data, list):
        faults.append(fault(where, f"{path}.data", "a list of rows", kind_of(data)))
    faults += [fault(where, f"{path}.{key}", "columns, data, index", key) for key in sorted(value.keys() - _SPLIT_KEYS)]
    if faults or not isinstance(data, list):
        return []
    return _listed(data, where, f"{path}.data", names or [], faults)


def _records(value: Any, where: str, path: str, _: Sequence[str], faults: list[Fault]) -> _Rows:
    if not isinstance(value, list):
        faults.append(fault(where, path, "a list of objects", kind_of(value)))
        return []
    faults += [
        fault(where, f"{path}[{place}]", "an object", kind_of(row))
        for place, row in enumerate(value)
        if not isinstance(row, dict)
    ]
    return value


def _inputs(value: Any, where: str, path: str, columns: Sequence[str], faults: list[Fault]) -> _Rows:
    """A list a column, or rows."""
    if not isinstance(value, dict):
        return _instances(value, where, path, columns, faults)
    faults += [
        fault(where, f"{path}.{name}", "a list of values", kind_of(values))
        for name, values in value.items()
        if not isinstance(values, list)
    ]
    if not faults and len({len(values) for values in value.values()}) > 1:
        lengths = ", ".join(f"{name}: {len(values)}" for name, values in value.items())
        faults.append(fault(where, path, "columns of one length", lengths))
    if faults:
        return []
    return [dict(zip(value, cells, strict=True)) for cells in zip(*value.values(), strict=True)]


def _instances(value: Any, where: str, path: str, columns: Sequence[str], faults: list[Fault]) -> _Rows:
    """Rows as objects, or as lists in the contract's order."""
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return value
    if isinstance(value, list) and len(columns) == 1 and not any(isinstance(row, (list, dict)) for row in value):
        return [{columns[0]: cell} for cell in value]
    if not isinstance(value, list):
        faults.append(fault(where, path, "a list of rows", kind_of(value)))
        return []
    return _listed(value, where, path, columns, faults)


def _listed(rows: Sequence[Any], where: str, path: str, columns: Sequence[str], faults: list[Fault]) -> _Rows:
    width = len(columns)
    expected = f"a list of {width} values ({', '.join(columns)})"
    for place, row in enumerate(rows):
        if not isinstance(row, list):
            faults.append(fault(where, f"{path}[{place}]", expected, kind_of(row)))
        elif len(row) != width:
            faults.append(fault(where, f"{path}[{place}]", expected, f"{len(row)} values"))
    return [] if faults else [dict(zip(columns, row, strict=True)) for row in rows]


def _keys(value: object) -> str:
    return (", ".join(sorted(value)) or "an empty object") if isinstance(value, dict) else kind_of(value)


_READERS: Mapping[str, Callable[[Any, str, str, Sequence[str], list[Fault]], _Rows]] = {
    "dataframe_split": _split,
    "dataframe_records": _records,
    "inputs": _inputs,
    "instances": _instances,
}
