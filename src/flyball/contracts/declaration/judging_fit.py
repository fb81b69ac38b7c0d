"""Where the judging of answers and the data contract must agree: columns of slices and of what answers are worth."""

from collections.abc import Iterator

from flyball.contracts.schema_faults import nearest
from flyball.core import row_condition
from flyball.core.contract import Column, DataContract
from flyball.core.errors import Fault
from flyball.core.service import Service


def judging_misfits(service: Service, contract: DataContract, file: str) -> list[Fault]:
    """Of `monitor.slices` and `monitor.value`."""
    inputs = {column.name: column for column in contract.columns if column.name != service.data.label}
    return [*_slices(service, inputs, file), *_value(service, inputs, file)]


def _slices(service: Service, inputs: dict[str, Column], file: str) -> Iterator[Fault]:
    kinds = {name: column.kind for name, column in inputs.items()}
    seen: set[str] = set()
    for index, one in enumerate(service.monitor.slices):
        path, name = f"monitor.slices[{index}]", one if isinstance(one, str) else one.name
        if name in seen:
            yield Fault(where=file, path=path, expected="each slice once", found=f"text {name!r} again")
        seen.add(name)
        if not isinstance(one, str):
            wrong = row_condition.fault(one.when, kinds=kinds)
            if wrong is not None:
                yield Fault(where=file, path=f"{path}.when", expected="a CEL condition", found=wrong)
        elif one not in inputs:
            expected = f"an input column of {service.data.contract}, or a name and a condition"
            yield Fault(where=file, path=path, expected=expected, found=f"text {one!r}", fix=nearest(one, inputs))
        elif inputs[one].personal:
            expected = "a column that may be written down: a personal one is kept only as a hash"
            yield Fault(where=file, path=path, expected=expected, found=f"text {one!r}")


def _value(service: Service, inputs: dict[str, Column], file: str) -> Iterator[Fault]:
    value, at = service.monitor.value, "monitor.value"
    if value is None:
        return
    if value.source is None:
        if value.on is not None:
            yield Fault(where=file, path=f"{at}.on", expected="a source to join", found="none", fix="name the table")
        column = inputs.get(value.column) if value.column is not None else None
        if value.column is not None and (column is None or column.kind not in ("number", "integer")):
            expected = f"a number among the inputs of {service.data.contract}, or a source that has it"
            found = "no such column" if column is None else column.kind
            yield Fault(where=file, path=f"{at}.column", expected=expected, found=found)
        return
    for key in ("column", "on"):
        if getattr(value, key) is None:
            yield Fault(where=file, path=f"{at}.{key}", expected="a column of the source", found="none")
    if value.on is not None and (value.on not in inputs or inputs[value.on].personal):
        expected = f"an input column of {service.data.contract} that is not personal (the log has only its hash)"
        yield Fault(where=file, path=f"{at}.on", expected=expected, found=f"text {value.on!r}")
