"""CEL conditions over one row and its answer: `row.amount > 900.0 && score < 0.5`.

CEL has no loops but its macros, and coerces nothing: a column of kind `number` is a double, one of kind `integer` an
int, whatever the JSON said. A condition that reads what is not there (a missing value, no score) does not hold.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

MAX_LENGTH = 1000
_COLUMN = re.compile(r"""\brow\s*(?:\.\s*(\w+)\b|\[\s*(?:"([^"]+)"|'([^']+)')\s*\])""")
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(")
_EXAMPLES: dict[str, Any] = {"number": 1.0, "integer": 1, "boolean": True}  # every other kind is text


def columns_of(text: str) -> frozenset[str]:
    """Columns that the condition names.

    >>> sorted(columns_of('row.amount > 1.0 && row["card id"] == "x"'))
    ['amount', 'card id']
    """
    return frozenset(next(filter(None, found)) for found in _COLUMN.findall(text))


def fault(text: str, *, variables: Sequence[str] = ("row",), kinds: Mapping[str, str] | None = None) -> str | None:
    """What is wrong with a condition, in words; None: it can be judged. `kinds` of the columns, where they are known.

    >>> fault("row.amount >") is not None
    True
    >>> fault("score > 0.5")
    'there is no variable score: expected row'
    >>> fault("row.amount > 'a'", kinds={"amount": "number"})
    'it compares values of different kinds: text is in quotes, numbers are not'
    >>> fault("row.amount > 5.0", kinds={"amount": "number"})
    """
    if len(text) > MAX_LENGTH:
        return f"it has {len(text)} characters: expected at most {MAX_LENGTH}, so that its time is bounded"
    if _MACRO.search(text):
        return "it has a loop (all, exists, map, filter): expected none, so that its time is bounded"
    try:
        program = _program(text)
    except ValueError as error:
        return str(error).split("ERROR: <input>:")[-1].splitlines()[0]
    unknown = sorted(name for name in program.variables() if name not in variables)
    if unknown:
        return f"there is no variable {unknown[0]}: expected {' or '.join(variables)}"
    if not program.variables():
        return f"it reads nothing, so that it always says the same: expected {' or '.join(variables)}"
    return _tried(text, kinds) if kinds is not None else None


def _tried(text: str, kinds: Mapping[str, str]) -> str | None:
    absent = sorted(columns_of(text) - kinds.keys())
    if absent:
        return f"there is no column {absent[0]}: expected one of {', '.join(sorted(kinds))}"
    row = {name: _EXAMPLES.get(kind, "2026-01-01") for name, kind in kinds.items()}
    try:
        answer = _program(text).execute({"row": row, "score": 0.5, "prediction": 1})
    except TypeError:
        if "prediction" in text:
            return None  # what a class is depends on the task
        return "it compares values of different kinds: text is in quotes, numbers are not"
    except (RuntimeError, KeyError, ValueError, ArithmeticError, IndexError) as error:
        return str(error).splitlines()[0]
    return None if isinstance(answer, bool) else f"it gives {type(answer).__name__}: expected true or false"


def typed(row: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    """The values that are there, a number as a double and an integer as an int.

    >>> typed({"amount": 5, "items": 2.0, "card": None}, {"amount": "number", "items": "integer"})
    {'amount': 5.0, 'items': 2}
    """
    return {name: _typed(value, kinds.get(name)) for name, value in row.items() if value is not None}


def holds(text: str, variables: Mapping[str, Any]) -> bool:
    """Whether it is true of these; false where it reads what is not there.

    >>> holds("row.amount > 5.0", {"row": {"amount": 6.0}}), holds("row.amount > 5.0", {"row": {}})
    (True, False)
    """
    try:
        return _program(text).execute(dict(variables)) is True
    except (RuntimeError, TypeError, KeyError, ValueError, ArithmeticError, IndexError):
        return False


def _typed(value: Any, kind: str | None) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    if kind == "number":
        return float(value)
    return int(value) if kind == "integer" and float(value).is_integer() else value


@lru_cache(maxsize=256)
def _program(text: str) -> Any:
    import cel  # 0.2 s, and only who declares a condition pays

    return cel.compile(text)
