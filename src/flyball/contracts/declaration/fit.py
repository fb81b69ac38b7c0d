"""Where a service and its data contract must agree: the columns named, their kinds, the constants of a fallback."""

from collections.abc import Iterator

from flyball.contracts.declaration.healing_fit import healing_misfits
from flyball.contracts.declaration.judging_fit import judging_misfits
from flyball.contracts.rows.date_forms import is_iso
from flyball.contracts.rows.values import EXPECTED, bound
from flyball.contracts.schema_faults import nearest
from flyball.core import row_condition
from flyball.core.contract import Column, DataContract
from flyball.core.errors import Fault
from flyball.core.service import Service, Task

PLAIN = ("string", "integer", "number", "boolean", "date", "timestamp")
LABEL_KINDS: dict[Task, tuple[str, ...]] = {
    "binary": ("boolean", "integer", "number", "string"),
    "multiclass": ("integer", "number", "string"),
    "regression": ("integer", "number"),
}


def misfits(service: Service, contract: DataContract, *, file: str = "service.yaml") -> tuple[Fault, ...]:
    """Every place where the declaration asks for what the contract does not promise."""
    columns = {column.name: column for column in contract.columns}
    found: list[Fault] = [*_beyond(service, contract), *_read_otherwise(service, contract)]
    for key in ("label", "timestamp", "key"):
        name = getattr(service.data, key)
        if name is not None and name not in columns and all(name != field.name for field in contract.beyond):
            fix = nearest(name, columns)
            expected = f"a column of {service.data.contract}"
            found.append(Fault(where=file, path=f"data.{key}", expected=expected, found=f"text {name!r}", fix=fix))
    label = columns.get(service.data.label)
    if label is not None:
        found += _label(service, label, file)
    found += _personal(service, contract)
    found += _conditions(service, contract, file)
    found += _cohorts(service, contract, file)
    found += judging_misfits(service, contract, file)
    found += healing_misfits(service, contract, file=file)
    if set(columns) <= {service.data.label, service.data.timestamp, service.data.key}:
        expected = "a column to learn from, besides label, timestamp and key"
        found.append(Fault(where=service.data.contract, path="schema.properties", expected=expected, found="none"))
    return tuple(found)


def exposed(service: Service, contract: DataContract) -> tuple[str, ...]:
    """What a reader of the contract may believe to be hashed, and is not."""
    label = next((column for column in contract.columns if column.name == service.data.label), None)
    unseen = tuple(
        f"{field.name} of logicalType {field.kind} is checked in every row, but no model of ours reads it"
        for field in contract.beyond
    )
    if label is None or not label.personal:
        return unseen
    told = f"{label.name} is classified {label.classification}"
    return (f"{told}: predictions and labels are written as they are, only the values of the key are hashed", *unseen)


def _beyond(service: Service, contract: DataContract) -> list[Fault]:
    """Label, timestamp and key are plain values."""
    nested = {field.name: field.kind for field in contract.beyond}
    return [
        Fault(
            where=service.data.contract,
            path=f"{name}.logicalType",
            expected=f"a plain value ({', '.join(PLAIN)}), for it is data.{key}",
            found=nested[name],
        )
        for key in ("label", "timestamp", "key")
        if (name := getattr(service.data, key)) in nested
    ]


def _read_otherwise(service: Service, contract: DataContract) -> list[Fault]:
    """Models read dates as ISO 8601, and a timestamp without an offset as UTC: a value must not mean two things."""
    found: list[Fault] = []
    where = service.data.contract
    for column in contract.columns:
        if column.kind in ("date", "timestamp") and not is_iso(column.format, column.kind):
            path, told = f"{column.name}.logicalTypeOptions.format", str(column.format)
            expected = "ISO 8601, which is what a model's input is read from"
            found.append(Fault(where=where, path=path, expected=expected, found=told, fix="let clients send it so"))
        if column.default_timezone is not None:
            path = f"{column.name}.logicalTypeOptions.defaultTimezone"
            expected = "UTC, which is what a model's input without an offset is read in"
            fix = "let clients send an offset, and say timezone: true"
            found.append(Fault(where=where, path=path, expected=expected, found=column.default_timezone, fix=fix))
    return found


def _personal(service: Service, contract: DataContract) -> list[Fault]:
    """A personal value is written only as its keyed hash, so what serving saw could never be learned from again.

    The key alone may be personal: a text that joins and sticks as well by its hash. The label is written as it is.
    """
    found: list[Fault] = []
    where = service.data.contract
    for column in contract.columns:
        if not column.personal or column.name == service.data.label:
            continue
        what = f"classification {column.classification}"
        if column.name != service.data.key:
            expected = "an input that may be written down: a personal one is kept only as a hash, which trains no model"
            fix = "name it as data.key, take it out of the contract (it is then ignored), or classify it otherwise"
            path = f"{column.name}.classification"
            found.append(Fault(where=where, path=path, expected=expected, found=what, fix=fix))
        elif column.kind != "string":
            expected = "string, for a personal key is kept as a hash, which is text"
            fix = "let clients send it as text"
            path = f"{column.name}.logicalType"
            found.append(Fault(where=where, path=path, expected=expected, found=column.kind, fix=fix))
    return found


def _label(service: Service, label: Column, file: str) -> list[Fault]:
    found: list[Fault] = []
    task = service.experiment.task
    kinds = LABEL_KINDS[task]
    if label.kind not in kinds:
        expected = f"a label of kind {', '.join(kinds)} for task {task}"
        where = service.data.contract
        found.append(Fault(where=where, path=label.name, expected=expected, found=label.kind))
    if task == "binary" and label.enum is not None and len(label.enum) != 2:
        expected = "two values for task binary"
        where = service.data.contract
        found.append(Fault(where=where, path=f"{label.name}.enum", expected=expected, found=str(len(label.enum))))
    for path, value in _declared_answers(service):
        if bound(label.kind, value) is None:
            expected = f"{EXPECTED[label.kind]}, as the label {label.name}"
            found.append(Fault(where=file, path=path, expected=expected, found=repr(value)))
        elif label.enum is not None and value not in label.enum and task != "regression":
            expected = f"one of {', '.join(map(str, label.enum))}, as the label {label.name}"
            found.append(Fault(where=file, path=path, expected=expected, found=repr(value)))
    return found


def _declared_answers(service: Service) -> Iterator[tuple[str, str | float | int | bool]]:
    """Predictions that the declaration itself makes, and where they stand."""
    for index, link in enumerate(service.serving.fallback):
        if isinstance(link, str):
            continue
        if link.constant is not None:
            yield f"serving.fallback[{index}].constant.prediction", link.constant.prediction
        for number, case in enumerate(link.rule):
            yield f"serving.fallback[{index}].rule[{number}].prediction", case.prediction


def _cohorts(service: Service, contract: DataContract, file: str) -> list[Fault]:
    """A rule that looks at a column looks at an input of the contract."""
    inputs = [column.name for column in contract.columns if column.name != service.data.label]
    expected = f"an input column of the contract ({', '.join(inputs)})"
    return [
        Fault(where=file, path=f"routing.rules[{index}].column", expected=expected, found=rule.column)
        for index, rule in enumerate(service.routing.rules)
        if rule.column is not None and rule.column not in inputs
    ]


def _conditions(service: Service, contract: DataContract, file: str) -> list[Fault]:
    """Conditions over a row name columns of the contract and compare them with what they are."""
    kinds = {column.name: column.kind for column in contract.columns if column.name != service.data.label}
    absent = [
        Fault(
            where=file,
            path=f"serving.filters[{index}].column",
            expected=f"a column of {service.data.contract}",
            found=f"text {one.column!r}",
            fix=nearest(one.column, kinds),
        )
        for index, one in enumerate(service.serving.filters)
        if one.column is not None and one.column not in kinds
    ]
    names = ("row", "prediction", "score")
    absent += [
        Fault(where=file, path=f"serving.filters[{index}].when", expected="a CEL condition", found=wrong)
        for index, one in enumerate(service.serving.filters)
        if one.when is not None and (wrong := row_condition.fault(one.when, variables=names, kinds=kinds)) is not None
    ]
    return absent + [
        Fault(
            where=file, path=f"serving.fallback[{index}].rule[{number}].when", expected="a CEL condition", found=wrong
        )
        for index, link in enumerate(service.serving.fallback)
        if not isinstance(link, str)
        for number, case in enumerate(link.rule)
        if (wrong := row_condition.fault(case.when, kinds=kinds)) is not None
    ]
