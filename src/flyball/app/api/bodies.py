"""A body that a stranger sent, as a record: every fault of it at once, each with its place."""

from typing import Any, TypeVar

import msgspec

from flyball.contracts.schema_faults import faults
from flyball.contracts.yaml_text import Document
from flyball.core.errors import BadInput, Fault

Shape = TypeVar("Shape")
WHERE = "body"
MOST_FAULTS = 50  # that a stranger is told
EXPLAINED_B = 32_768  # of a larger body only the first fault is told: looking for all takes longer than it is long


class NotJson(BadInput):
    """The body is no JSON at all."""


def read(body: bytes, shape: type[Shape], *, most_b: int | None = None) -> Shape:
    """Args: most_b: bytes that such a body never needs.

    Raises: NotJson. BadInput: JSON of another shape, with all faults, or longer than that.

    >>> from flyball.decide.borrowed import Question
    >>> try:
    ...     read(b'{"epochs": [], "gardrails": {}}', Question)
    ... except BadInput as error:
    ...     print([fault.path for fault in error.faults])
    ['epochs', 'gardrails']
    """
    if most_b is not None and len(body) > most_b:
        raise BadInput("the body is faulty", (_fault(f"at most {most_b} bytes", f"{len(body)} bytes"),))
    try:
        data: Any = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotJson("the body is faulty", (_fault("JSON", str(error)),)) from error
    except RecursionError as error:
        raise NotJson("the body is faulty", (_fault("a few levels of lists and objects", "more"),)) from error
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError as error:
        schema = msgspec.json.schema(shape) if len(body) <= EXPLAINED_B else None
        found = faults(Document(file=WHERE, data=data), data, schema, most=MOST_FAULTS) if schema is not None else []
        if found:
            raise BadInput("the body is faulty", tuple(fault for _, fault in found)) from error
        message, _, path = str(error).partition(" - at ")
        fault = Fault(where=WHERE, path=path.strip("`") or "$", expected="a valid value", found=message)
        raise BadInput("the body is faulty", (fault,)) from error


def _fault(expected: str, found: str) -> Fault:
    return Fault(where=WHERE, path="$", expected=expected, found=found)
