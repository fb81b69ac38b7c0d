"""A body that a stranger sent, as a record: every fault of it at once, each with its place."""

from typing import Any, TypeVar

import msgspec

from flyball.contracts.schema_faults import faults
from flyball.contracts.yaml_text import Document
from flyball.core.errors import BadInput, Fault

Shape = TypeVar("Shape")
WHERE = "body"


class NotJson(BadInput):
    """The body is no JSON at all."""


def read(body: bytes, shape: type[Shape]) -> Shape:
    """Raises: NotJson. BadInput: JSON of another shape, with all faults.

    >>> from flyball.decide.borrowed import Question
    >>> try:
    ...     read(b'{"epochs": [], "gardrails": {}}', Question)
    ... except BadInput as error:
    ...     print([fault.path for fault in error.faults])
    ['epochs', 'gardrails']
    """
    try:
        data: Any = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise NotJson("the body is faulty", (_fault("JSON", str(error)),)) from error
    except RecursionError as error:
        raise NotJson("the body is faulty", (_fault("a few levels of lists and objects", "more"),)) from error
    found = faults(Document(file=WHERE, data=data), data, msgspec.json.schema(shape))
    if found:
        raise BadInput("the body is faulty", tuple(fault for _, fault in found))
    try:
        return msgspec.convert(data, shape)
    except msgspec.ValidationError as error:  # what a schema cannot say
        message, _, path = str(error).partition(" - at ")
        fault = Fault(where=WHERE, path=path.strip("`") or "$", expected="a valid value", found=message)
        raise BadInput("the body is faulty", (fault,)) from error


def _fault(expected: str, found: str) -> Fault:
    return Fault(where=WHERE, path="$", expected=expected, found=found)
