"""What changed in the promises about a whole table: library rules, other quality rules and service levels."""

from collections.abc import Container, Mapping, Sequence
from math import ceil, floor
from typing import Any

from flyball.contracts.diff.change import Change, plain, promise, shown
from flyball.contracts.odcs.level import PERCENT, SHARES, canonical, number_of, share_of
from flyball.contracts.odcs.said import name_of
from flyball.contracts.tables.rules import OPERATORS
from flyball.contracts.yaml_text import read
from flyball.core.contract import Rule

LIBRARY = ("nullValues", "missingValues", "invalidValues", "duplicateValues", "rowCount")
# service levels of ODCS, also by their short names; is a larger value the stronger promise?
LEVELS: Mapping[str, tuple[str, bool]] = {
    "availability": ("av", True),
    "throughput": ("th", True),
    "errorrate": ("er", False),
    "retention": ("re", True),
    "frequency": ("fy", False),
    "latency": ("ly", False),
    "freshness": ("freshness", False),
    "timetodetect": ("td", False),
    "timetonotify": ("tn", False),
    "timetorepair": ("tr", False),
    "generalavailability": ("ga", False),
    "endofsupport": ("es", True),
    "endoflife": ("el", True),
}
UNIT_S: Mapping[str, float] = {
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hour", "hours"), 3_600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
    **dict.fromkeys(("w", "week", "weeks"), 7 * 86_400.0),
    **dict.fromkeys(("mo", "month", "months"), 30 * 86_400.0),
    **dict.fromkeys(("y", "yr", "year", "years"), 365 * 86_400.0),
}


def rule_changes(path: str, old: Sequence[Rule], new: Sequence[Rule]) -> list[Change]:
    """Changes of the library rules, matched by their ids. A rule that only warns breaks nobody."""
    was, now = _library(old), _library(new)
    found: list[Change] = []
    for name in dict.fromkeys((*was, *now)):
        found += _rule(f"{path}.quality.{name}", was.get(name), now.get(name))
    return found


def allows(wide: Rule, narrow: Rule) -> bool:
    """Whether every count that the one rule lets pass passes the other too.

    Both sets are unions of intervals whose ends are the bounds, so it is enough to try the bounds, their neighbours
    and what lies between them.

    >>> few = Rule(id="r", metric="nullValues", column="a", operator="mustBe", bound=(0.0,))
    >>> none = Rule(id="r", metric="nullValues", column="a", operator="mustBeLessThan", bound=(1.0,))
    >>> allows(few, none), allows(none, few)
    (True, True)
    """
    bounds = sorted({*wide.bound, *narrow.bound})
    places = [0.0, bounds[0] - 1, *bounds, bounds[-1] + 1]
    if wide.unit == "rows":  # counts are whole
        places = [float(place) for at in places for place in (floor(at) - 1, floor(at), ceil(at), ceil(at) + 1)]
    else:
        places += [100.0, *((low + high) / 2 for low, high in zip(sorted(places), sorted(places)[1:], strict=False))]
        places = [place for place in places if place <= 100]
    return all(
        OPERATORS[wide.operator](place, wide.bound)
        for place in places
        if place >= 0 and OPERATORS[narrow.operator](place, narrow.bound)
    )


def quality_changes(
    path: str, old: Any, new: Any, *, column: str | None = None, without: Container[str] = ()
) -> list[Change]:
    """Changes of the rules that are no library metrics: what they let through cannot be compared.

    Args: column: that the rules are about, None: the table. without: ids of rules that are executed, and compared as
        such.
    """
    was, now = ({} if side is None else _others(side, column, without) for side in (old, new))
    found: list[Change] = []
    for name in dict.fromkeys((*was, *now)):
        before, after = was.get(name), now.get(name)
        if before == after:
            continue
        if (before or after or {}).get("type") == "text":
            found += plain(f"{path}.quality.{name}", before, after, "patch", "words for people")
            continue
        found += promise(
            f"{path}.quality.{name}",
            before,
            after,
            backward=after is None,
            forward=before is None,
            tighter="a rule more has to be kept",
            looser="a rule less has to be kept",
            neither="what the two rules let through cannot be compared",
        )
    return found


def level_changes(old: Any, new: Any, *, without: Container[str] = ()) -> list[Change]:
    """Changes of `slaProperties`, matched by property and element.

    Args: without: names of levels that are judged, and compared as such.
    """
    was, now = _levels(old, without), _levels(new, without)
    found: list[Change] = []
    for key in dict.fromkeys((*was, *now)):
        before, after = was.get(key), now.get(key)
        stronger = _order(key[0], before, after)
        found += promise(
            f"slaProperties.{' of '.join(part for part in key if part)}",
            None if before is None else _said(before),
            None if after is None else _said(after),
            backward=after is None or stronger in (0, -1),
            forward=before is None or stronger in (0, 1),
            tighter="the service level is stronger than before",
            looser="the service level is weaker than before",
            neither="the two service levels cannot be compared",
        )
    return found


def _library(rules: Sequence[Rule]) -> dict[str, Rule]:
    named: dict[str, Rule] = {}
    for rule in rules:
        if rule.metric in LIBRARY:
            name, count = rule.id, 2
            while name in named:
                name, count = f"{rule.id}#{count}", count + 1
            named[name] = rule
    return named


def _rule(path: str, old: Rule | None, new: Rule | None) -> list[Change]:
    was, now = (rule if rule is not None and rule.severity == "error" else None for rule in (old, new))
    if was is None and now is None:
        return plain(path, _words(old), _words(new), "minor", "a rule that only warns")
    comparable = was is not None and now is not None and _measured(was) == _measured(now)
    backward, forward = now is None, was is None
    if was is not None and now is not None and comparable:
        backward, forward = allows(now, was), allows(was, now)
    return promise(
        path,
        _words(old),
        _words(new),
        backward=backward,
        forward=forward,
        tighter="tables that kept the old rule may break the new one",
        looser="tables may break what the old rule asked for",
        neither="the new rule lets through what the old one did not, and the reverse",
    )


def _measured(rule: Rule) -> tuple[Any, ...]:
    return rule.metric, rule.column, rule.unit, tuple(sorted((name, repr(v)) for name, v in rule.arguments.items()))


def _words(rule: Rule | None) -> str | None:
    if rule is None:
        return None
    limit = " and ".join(f"{number:g}" for number in rule.bound)
    warning = ", only a warning" if rule.severity == "warning" else ""
    arguments = f" of {shown(rule.arguments)}" if rule.arguments else ""
    return f"{rule.metric}{arguments} {rule.operator} {limit} {rule.unit}{warning}"


def _others(quality: Any, column: str | None, without: Container[str]) -> dict[str, dict[str, Any]]:
    items = quality if isinstance(quality, list) else []
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        if isinstance(item, dict) and item.get("type", "library") != "library":
            name = str(item.get("id") or item.get("name") or item.get("type"))
            if name_of(item, column, _metric(item)) in without:
                continue
            while name in found:
                name += "'"
            found[name] = item
    return found


def _metric(item: Mapping[str, Any]) -> str:
    """What an executed rule is called by where nobody has named it."""
    said = item.get("implementation")
    if item.get("type") == "sql" or said is None:
        return str(item.get("type"))
    said = read(said, file="implementation").data if isinstance(said, str) else said
    return str(said.get("metric")) if isinstance(said, dict) else ""


def _levels(value: Any, without: Container[str]) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict):
            name = str(item.get("property", "?"))
            known = canonical(name)
            if known in without:
                continue
            found[known or name.lower(), str(item.get("element") or "")] = item
    return found


def _order(name: str, old: dict[str, Any] | None, new: dict[str, Any] | None) -> int | None:
    """1 where the new level is the stronger promise, -1 the weaker, 0 the same; None where that cannot be told."""
    if old is None or new is None:
        return None
    was, now = _size(name, old), _size(name, new)
    if was == now:
        return 0 if was is not None or _measure(old) == _measure(new) else None
    known = LEVELS.get(name.lower())
    if known is None or was is None or now is None or isinstance(was, str) != isinstance(now, str):
        return None
    larger = now > was  # type: ignore[operator]
    return 1 if larger == known[1] else -1


def _size(name: str, item: Mapping[str, Any]) -> float | str | None:
    """A level as a number, of durations in seconds, of shares from 0 to 1; a date stays the text it is, which sorts by
    time."""
    value, unit = item.get("value"), str(item.get("unit") or "").lower()
    if isinstance(value, str) and value.strip().endswith("%") and unit in ("", *PERCENT):
        value, unit = number_of(value), "percent"
    if isinstance(value, str) and unit == "":
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if unit in PERCENT:
        return share_of(value) if name in SHARES else float(value)
    return value * UNIT_S[unit] if unit in UNIT_S else float(value) if unit == "" else None


def _measure(item: Mapping[str, Any]) -> tuple[Any, Any]:
    return item.get("value"), item.get("unit")


def _said(item: Mapping[str, Any]) -> str:
    return f"{shown(item.get('value'))} {item.get('unit') or ''}".rstrip()
