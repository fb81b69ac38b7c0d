"""Reading JSON that a stranger sent: every fault named at once, in words that say what to send instead."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from flyball.core.errors import BadInput, Fault

T = TypeVar("T")


def read(body: bytes, shape: type[T], where: str) -> T:
    """The body as `shape`.

    Raises: BadInput: not JSON (NaN and Infinity are not), or not of this shape.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at ")
        raise refusal(where, [fault(where, path.strip("`") or "$", "a valid field", message)]) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refusal(where, [fault(where, "$", "JSON", str(error))]) from error
    except RecursionError as error:
        raise refusal(
            where, [fault(where, "$", "lists and objects within one another a few levels deep", "more")]
        ) from error


def fault(where: str, path: str, expected: str, found: object, fix: str = "") -> Fault:
    return Fault(where=where, path=path, expected=expected, found=_shown(found), fix=fix)


def refusal(where: str, faults: Sequence[Fault]) -> BadInput:
    return BadInput(f"{where}: the body is faulty", tuple(faults))


def line(error: BadInput) -> str:
    """All faults in one line, as the `error` of a JSON answer.

    >>> line(refusal("/v1/labels", [fault("/v1/labels", "labels", "a list", "a number")]))
    'labels: expected a list, found a number'
    """
    parts = [
        f"{each.path}: expected {each.expected}, found {each.found}" + (f" ({each.fix})" if each.fix else "")
        for each in error.faults
    ]
    return "; ".join(parts) or str(error)


def kind_of(value: object) -> str:
    """A JSON value's kind in words, so that an error does not repeat the value."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def encode_error(message: str) -> bytes:
    """The shape of every error of every route."""
    return msgspec.json.encode({"error": message})


def _shown(found: object) -> str:
    text = found if isinstance(found, str) else repr(found)
    return text if len(text) <= 120 else text[:117] + "..."
