"""What changed in the promises about a whole table that are executed: SQL rules, distributions, keys, service levels.

They are compared as they are executed, not as they are written: `P1D` is `24 h`, and a wider tolerance lets more pass.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

import msgspec

from flyball.contracts.diff.change import Change, plain, promise
from flyball.contracts.tables.rules import OPERATORS
from flyball.core.contract import DataContract, Distribution, Query, Reference, ServiceLevel

AT_LEAST = frozenset({"availability", "throughput", "endOfSupport", "endOfLife"})  # a larger limit promises more
One = TypeVar("One", Query, Distribution, Reference)
Ways = tuple[bool, bool]  # backward, forward


def executed_changes(path: str, old: DataContract, new: DataContract) -> list[Change]:
    """Changes of SQL rules, clauses on distributions and references, each kind matched by its ids.

    >>> def table(tolerance: float) -> DataContract:
    ...     clause = Distribution(id="drift", column="a", metric="psi", baseline="t.csv", tolerance=tolerance)
    ...     return DataContract(id="c", version="1", table="t", columns=(), distributions=(clause,))
    >>> [(c.path, c.what, c.bump) for c in executed_changes("t", table(0.2), table(0.1))]
    [('t.quality.drift', 'tightened', 'major')]
    """
    found = list(_each(f"{path}.quality", old.queries, new.queries, _query_ways))
    found += _each(f"{path}.quality", old.distributions, new.distributions, _clause_ways)
    found += _each(f"{path}.relationships", old.references, new.references, lambda *_: (False, False))
    return found


def names_of(table: DataContract) -> frozenset[str]:
    """Ids of the quality rules that `executed_changes` compares."""
    return frozenset((*(query.id for query in table.queries), *(clause.id for clause in table.distributions)))


def executed_levels(old: Sequence[DataContract], new: Sequence[DataContract]) -> list[Change]:
    """Changes of the service levels that are judged, by name and column, in seconds, shares and dates."""
    was, now = _levels(old), _levels(new)
    found: list[Change] = []
    for key in dict.fromkeys((*was, *now)):
        before, after = was.get(key), now.get(key)
        at_least = key[0] in AT_LEAST
        backward, forward = after is None, before is None
        if before is not None and after is not None:
            backward = after.limit <= before.limit if at_least else after.limit >= before.limit
            forward = before.limit <= after.limit if at_least else before.limit >= after.limit
        found += promise(
            f"slaProperties.{' of '.join(part for part in key if part)}",
            before and before.said,
            after and after.said,
            backward=backward,
            forward=forward,
            tighter="the service level is stronger than before",
            looser="the service level is weaker than before",
        )
    return found


def _levels(tables: Sequence[DataContract]) -> dict[tuple[str, str], ServiceLevel]:
    """The strictest of each name and column; a level without a column is one of all tables."""
    found: dict[tuple[str, str], ServiceLevel] = {}
    for level in (level for table in tables for level in table.levels):
        key = level.name, f"{level.table}.{level.column}" if level.column else ""
        known = found.get(key)
        if known is None or (level.limit > known.limit) == (level.name in AT_LEAST):
            found[key] = level
    return found


def _each(path: str, old: Sequence[One], new: Sequence[One], ways: Callable[[One, One], Ways]) -> Iterator[Change]:
    was: dict[str, One] = _by_id(old)
    now: dict[str, One] = _by_id(new)
    for name in dict.fromkeys((*was, *now)):
        before, after = was.get(name), now.get(name)
        if before == after:
            continue
        strict = [each if each is not None and _binds(each) else None for each in (before, after)]
        where = f"{path}.{name}"
        if strict == [None, None]:
            yield from plain(where, _said(before), _said(after), "minor", "a rule that only warns")
            continue
        backward, forward = strict[1] is None, strict[0] is None
        if strict[0] is not None and strict[1] is not None:
            backward, forward = ways(strict[0], strict[1])
        yield from promise(
            where,
            _said(before),
            _said(after),
            backward=backward,
            forward=forward,
            tighter="tables that kept the old rule may break the new one",
            looser="tables may break what the old rule asked for",
            neither="what the two rules let through cannot be compared",
        )


def _by_id(rules: Sequence[One]) -> dict[str, One]:
    """Two rules may have one id, where nobody named them."""
    found: dict[str, One] = {}
    for rule in rules:
        name = rule.id
        while name in found:
            name += "'"
        found[name] = rule
    return found


def _binds(rule: Query | Distribution | Reference) -> bool:
    return isinstance(rule, Reference) or rule.severity == "error"


def _query_ways(old: Query, new: Query) -> Ways:
    if (old.sql, old.column) != (new.sql, new.column):
        return False, False
    return _admits(new, old), _admits(old, new)


def _admits(wide: Query, narrow: Query) -> bool:
    """Whether every number that the one lets pass passes the other; the ends of all intervals are the bounds."""
    bounds = sorted({*wide.bound, *narrow.bound})
    between = [(low + high) / 2 for low, high in pairwise(bounds)]
    places = (bounds[0] - 1, *bounds, *between, bounds[-1] + 1)
    return all(
        OPERATORS[wide.operator](place, wide.bound)
        for place in places
        if OPERATORS[narrow.operator](place, narrow.bound)
    )


def _clause_ways(old: Distribution, new: Distribution) -> Ways:
    """Only the tolerance has an order: a clause that holds within one holds within every wider one."""
    if msgspec.structs.replace(old, tolerance=new.tolerance) != new:
        return False, False
    return new.tolerance >= old.tolerance, new.tolerance <= old.tolerance


def _said(rule: Query | Distribution | Reference | None) -> Mapping[str, object] | None:
    if rule is None:
        return None
    default = {"id", *(() if isinstance(rule, Reference) or rule.severity == "warning" else ("severity",))}
    return {name: value for name, value in msgspec.to_builtins(rule).items() if name not in default}
