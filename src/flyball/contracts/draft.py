"""A first contract, declaration and model for a table: what the sample shows, said as promises one can start from.

A draft promises only what is unlikely to break by chance: kinds, `required` where nothing is missing, the values of
categories with few of them, and a lower bound of 0 where nothing is below it. No upper bounds and no keys are guessed:
a sample's largest value is not a limit, and a column that happens to be unique is not an identity.
"""

from dataclasses import dataclass
from io import StringIO
from typing import Any

import polars as pl
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString as Quoted

from flyball.contracts.drafted_model import model_text
from flyball.contracts.drafted_policy import AUTONOMY, RETRAIN, ROLLOUT
from flyball.core.errors import BadInput, Fault
from flyball.core.service import Task

MOST_VALUES = 50  # of a category whose values are listed
LEAST_ROWS_A_VALUE = 20  # fewer rows a value: more values are to be expected
LEAST_ROWS = 50
MOST_CLASSES = 50


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Three files."""

    service: str
    contract: str
    model: str
    task: Task


def draft(
    table: pl.DataFrame,
    *,
    name: str,
    source: str,
    label: str,
    owner: str,
    timestamp: str | None = None,
    key: str | None = None,
) -> Draft:
    """Files that pass `flyball check` on this table and train at once.

    Args:
        source: the table's path as service.yaml shall name it.
        owner: who answers for the service; gets the roles of approver and operator.

    Raises: BadInput with all faults: a column that is not there, a label that cannot be learned.
    """
    faults = tuple(_unfit(table, source, {"label": label, "timestamp": timestamp, "key": key}))
    if faults:
        raise BadInput(f"No service can be drafted from {source}.", faults)
    task = task_of(table.get_column(label))
    columns = [_property(table.get_column(column), label=label) for column in table.columns if _has_kind(table, column)]
    return Draft(
        service=_service_text(table, name, source, label, owner, timestamp, key, task),
        contract=_contract_text(name, columns),
        model=model_text(task, [column for column in (key, timestamp) if column is not None]),
        task=task,
    )


def task_of(label: pl.Series) -> Task:
    """The task that a label asks for: two values binary, text or few whole numbers multiclass, else regression.

    >>> task_of(pl.Series([0, 1, 1])), task_of(pl.Series(["a", "b", "c"])), task_of(pl.Series([1.5, 2.5, 9.0]))
    ('binary', 'multiclass', 'regression')
    """
    distinct = label.drop_nulls().n_unique()
    if distinct == 2:
        return "binary"
    if label.dtype in (pl.String, pl.Categorical, pl.Enum):
        return "multiclass"
    few = distinct <= 20 and label.len() >= LEAST_ROWS_A_VALUE * distinct
    return "multiclass" if label.dtype.is_integer() and few else "regression"


def _unfit(table: pl.DataFrame, source: str, named: dict[str, str | None]) -> list[Fault]:
    found: list[Fault] = []
    for role, column in named.items():
        if column is not None and column not in table.columns:
            columns = ", ".join(table.columns)
            found.append(Fault(where=source, path=f"--{role}", expected=f"one of {columns}", found=column))
    label = named["label"]
    if found or label is None:
        return found
    values = table.get_column(label)
    if table.height < LEAST_ROWS:
        found.append(Fault(where=source, path="(rows)", expected=f"at least {LEAST_ROWS}", found=str(table.height)))
    if values.null_count():
        found.append(
            Fault(where=source, path=label, expected="a label in every row", found=f"{values.null_count()} missing")
        )
    distinct = values.drop_nulls().n_unique()
    if distinct < 2:
        found.append(Fault(where=source, path=label, expected="at least two values", found=str(distinct)))
    if values.dtype in (pl.String, pl.Categorical, pl.Enum) and distinct > MOST_CLASSES:
        found.append(Fault(where=source, path=label, expected=f"at most {MOST_CLASSES} classes", found=str(distinct)))
    if not _has_kind(table, label) or isinstance(values.dtype, (pl.Date, pl.Datetime)):
        found.append(Fault(where=source, path=label, expected="text, numbers or true/false", found=str(values.dtype)))
    apart = {column for column in named.values() if column is not None}
    if not [column for column in table.columns if column not in apart and _has_kind(table, column)]:
        found.append(Fault(where=source, path="(columns)", expected="a column to learn from", found="none"))
    return found


def _kind(dtype: pl.DataType) -> str | None:
    if isinstance(dtype, (pl.String, pl.Categorical, pl.Enum)):
        return "string"
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_integer():
        return "integer"
    if dtype.is_numeric():
        return "number"
    if dtype == pl.Date:
        return "date"
    return "timestamp" if isinstance(dtype, pl.Datetime) else None


def _has_kind(table: pl.DataFrame, column: str) -> bool:
    return _kind(table.schema[column]) is not None


def _property(values: pl.Series, *, label: str) -> dict[str, Any]:
    kind = _kind(values.dtype)
    sound = values.fill_nan(None) if values.dtype.is_float() else values
    item: dict[str, Any] = {"name": _plain(values.name), "logicalType": kind}
    if values.name == label:
        item["description"] = "The label: clients do not send it."
    if sound.null_count() == 0:
        item["required"] = True
    distinct = sound.drop_nulls().n_unique()
    if kind == "string" and 0 < distinct <= MOST_VALUES and values.len() >= LEAST_ROWS_A_VALUE * distinct:
        known = sorted(Quoted(value) for value in sound.cast(pl.String).drop_nulls().unique())
        # the form of an enumeration that every version of the standard from v3.1 on can read
        item["quality"] = [{"metric": "invalidValues", "arguments": {"validValues": known}, "mustBe": 0}]
    if kind in ("integer", "number") and distinct:
        lowest = float(sound.min())  # type: ignore[arg-type]
        if lowest >= 0:
            item["logicalTypeOptions"] = {"minimum": 0}
    return item


def _contract_text(name: str, columns: list[dict[str, Any]]) -> str:
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": name,
        "name": f"Inputs of {name}",
        "version": "1.0.0",
        "status": "draft",
        "description": {"purpose": "Drafted from a sample. Read each promise, and tighten what you know."},
        "schema": [{"name": name, "logicalType": "object", "properties": columns}],
    }
    return _yaml(document)


def _service_text(
    table: pl.DataFrame,
    name: str,
    source: str,
    label: str,
    owner: str,
    timestamp: str | None,
    key: str | None,
    task: Task,
) -> str:
    metric, gates = _gates(table.get_column(label), task)
    data: dict[str, Any] = {"contract": "contract.yaml", "source": source, "label": _plain(label)}
    data |= {role: _plain(column) for role, column in (("timestamp", timestamp), ("key", key)) if column is not None}
    document: dict[str, Any] = {
        "apiVersion": "flyball/v1",
        "kind": "Service",
        "metadata": {"name": name, "owner": owner, "people": {owner: ["approver", "operator"]}},
        "data": data,
        "experiment": {"task": task, "metric": metric, "module": "model.py", "seed": "7"},
        "gates": [
            *gates,
            {"metric": metric, "versus": "champion", "not_worse_by": "5%"},
            {"metric": "latency_p99_ms", "max": 100},
        ],
    }
    monitor = {"monitor": {"live_metric": {"name": metric, "max_loss": "10%"}}}
    replay = {"replay": {"train_rows": max(1, table.height // 5)}}
    return "".join((_yaml(document), ROLLOUT, _yaml(monitor), RETRAIN, AUTONOMY, _yaml(replay)))


def _gates(label: pl.Series, task: Task) -> tuple[str, list[dict[str, Any]]]:
    """The metric, and a limit that a model without knowledge does not meet: chance, the base rate, the spread."""
    if task == "regression":
        # predicting the median has this error
        spread = float((label.cast(pl.Float64) - label.cast(pl.Float64).median()).abs().mean() or 0.0)  # type: ignore[arg-type]
        return "mae", [{"metric": "mae", "max": float(f"{spread:.4g}")}]
    if task == "binary":
        return "roc_auc", [{"metric": "roc_auc", "min": 0.5}]
    return "balanced_accuracy", [{"metric": "balanced_accuracy", "min": round(1 / label.n_unique(), 4)}]


def _plain(name: str) -> str:
    """A name, quoted where a reader of YAML 1.1 would take it for a truth value."""
    return Quoted(name) if name.lower() in ("y", "n", "yes", "no", "on", "off") else name


def _yaml(document: dict[str, Any]) -> str:
    yaml = YAML(pure=True)
    yaml.default_flow_style = False
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    yaml.dump(document, out)
    return out.getvalue()
