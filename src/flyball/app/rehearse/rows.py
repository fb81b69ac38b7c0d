"""Rows that a data contract accepts, drawn column by column: what the clients of a rehearsal send. Pure.

No table is needed: a number lies normally distributed within its bounds, a text is one of the values that the contract
names, or of a few that its pattern takes. Beside the columns a row carries its secret (`LATENT`): what is true of it,
and what every model can see of that. No gateway passes it on: it is no column of the contract.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from msgspec.structs import replace

from flyball.app.rehearse.models import secrets
from flyball.contracts.rows.compiled import CompiledRows
from flyball.core.contract import Column, DataContract
from flyball.core.errors import BadInput, Fault

LATENT: Final = "rehearse.latent"
UNITS: Final = 50_000  # values of the unit's column
VALUES: Final = 8  # of another text that the contract does not name
TRIED: Final = 200  # rows that the contract is asked about before the first is sent
_TEXTS: Final[tuple[Callable[[int], str], ...]] = (
    lambda i: f"v{i:05d}",
    lambda i: f"{10 + i % 90}%",
    lambda i: f"{i}",
    lambda i: f"{i % 1000:03d}",
    lambda i: "ABCDEFGH"[i % 8],
    lambda i: "abcdefgh"[i % 8] * 3,
    lambda i: f"{i:08x}",
    lambda i: f"00000000-0000-4000-8000-{i:012x}",
    lambda i: f"user{i}@example.org",
    lambda i: f"https://example.org/{i}",
)
_TIMES: Final[tuple[Callable[[int], str], ...]] = (
    lambda i: f"2025-{1 + i % 12:02d}-{1 + i % 28:02d}",
    lambda i: f"2025-{1 + i % 12:02d}-{1 + i % 28:02d}T{i % 24:02d}:{i % 60:02d}:00",
    lambda i: f"2025-{1 + i % 12:02d}-{1 + i % 28:02d}T{i % 24:02d}:{i % 60:02d}:00Z",
)
Draw = Callable[[np.random.Generator, int, float], Sequence[Any]]  # n values, moved by a shift


class RowLaw:
    """How the rows of one service are distributed, and how a drift moves them."""

    def __init__(self, contract: DataContract, *, label: str, key: str | None) -> None:
        """`label`: the column that clients do not send. `key`: the unit's.

        Raises: BadInput: rows that this contract accepts cannot be made up.
        """
        known = [column for column in contract.columns if column.name != label]
        checker = CompiledRows(contract, label=label)
        self._draws = {column.name: _draw(column, contract, is_key=column.name == key) for column in known}
        self.needed = next((column.name for column in known if column.required and column.name != key), None)
        tried = self.rows(np.random.default_rng(0), TRIED, {})
        refused = {said.rule: said.message for said in checker.check(tried) if said is not None}
        if refused:
            expected = "a promise for which values can be made up"
            faults = [Fault(where=contract.id, path=p, expected=expected, found=m) for p, m in sorted(refused.items())]
            raise BadInput("Rows for this data contract cannot be made up.", tuple(faults))

    @property
    def names(self) -> tuple[str, ...]:
        """Columns that a client sends, and that a drift may name."""
        return tuple(self._draws)

    def columns(self, rng: np.random.Generator, n: int, shifts: Mapping[str, float]) -> dict[str, Sequence[Any]]:
        """`n` values of each column. Args: shifts: by column, as in `scenario.Drift`."""
        return {name: draw(rng, n, shifts.get(name, 0.0)) for name, draw in self._draws.items()}

    def rows(self, rng: np.random.Generator, n: int, shifts: Mapping[str, float]) -> list[dict[str, Any]]:
        """The same as rows, as clients send them, each with its secret."""
        columns = self.columns(rng, n, shifts)
        names = (*columns, LATENT)
        return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), secrets(rng, n), strict=True)]


def _draw(column: Column, contract: DataContract, *, is_key: bool) -> Draw:
    if column.enum is not None:
        return _one_of(column.enum)
    match column.kind:
        case "boolean":
            return _one_of((False, True))
        case "integer" | "number":
            return _number(column)
        case "string":
            return _one_of(_texts(column, contract, _TEXTS, UNITS if is_key else VALUES), even=is_key)
        case "date" | "timestamp":
            return _one_of(_texts(column, contract, _TIMES, VALUES))


def _texts(column: Column, contract: DataContract, forms: Sequence[Callable[[int], str]], n: int) -> tuple[str, ...]:
    """Texts in the first form that the contract takes in this column; else in any, and the contract objects."""
    alone = CompiledRows(replace(contract, columns=(column,), beyond=()))
    for form in forms:
        if not any(alone.check([{column.name: form(i)} for i in range(VALUES)])):
            return tuple(form(i) for i in range(n))
    return tuple(forms[0](i) for i in range(n))


def _one_of(values: Sequence[Any], *, even: bool = False) -> Draw:
    """The first values are the likely ones, unless all are alike. A shift gives a share of the rows the last one."""
    n = len(values)
    ends = np.cumsum(np.full(n, 1.0 / n) if even else np.arange(n, 0, -1) / (n * (n + 1) / 2))

    def draw(rng: np.random.Generator, rows: int, shift: float) -> list[Any]:
        at = np.minimum(np.searchsorted(ends, rng.random(rows), side="right"), n - 1)
        if shift:
            at = np.where(rng.random(rows) < abs(shift), n - 1, at)
        return [values[i] for i in at.tolist()]

    return draw


def _number(column: Column) -> Draw:
    """Normal in the middle of the bounds; without an upper one up to 100 above the lower, and the other way round."""
    low, high = _bound(column.minimum, column.exclusive_minimum), _bound(column.maximum, column.exclusive_maximum)
    if low is None:
        low = 0.0 if high is None else high - 100.0
    if high is None:
        high = low + 100.0
    width = high - low
    inside = (low + 1e-6 * width, high - 1e-6 * width)
    step = column.multiple_of or (1.0 if column.kind == "integer" else 0.0)

    def draw(rng: np.random.Generator, rows: int, shift: float) -> list[Any]:
        values = np.clip(low + 0.4 * width + (shift + rng.standard_normal(rows)) * width / 8, *inside)
        if step:
            values = np.clip(np.round(values / step), np.ceil(inside[0] / step), np.floor(inside[1] / step)) * step
        found: list[Any] = (values.astype(np.int64) if column.kind == "integer" else values).tolist()
        return found

    return draw


def _bound(inclusive: float | str | None, exclusive: float | str | None) -> float | None:
    bound = exclusive if inclusive is None else inclusive
    return float(bound) if isinstance(bound, (int, float)) else None
