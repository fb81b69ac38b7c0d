"""What a test found: results for people and gates, and the measures behind them."""

from collections.abc import Iterable
from typing import Literal

from flyball.core.record import Record
from flyball.core.release import Estimate, TestResult
from flyball.core.service import Dimension, Suite
from flyball.stats.scoring.intervals import Interval

Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]


class Found(Record):
    """Results, measures by name, and why a measure has no value."""

    tests: tuple[TestResult, ...] = ()
    metrics: dict[str, Estimate] = {}
    missing: dict[str, str] = {}


def merged(parts: Iterable[Found]) -> Found:
    """All of them as one, in order.

    >>> merged([Found(missing={"ece": "no scores"}), Found()]).missing
    {'ece': 'no scores'}
    """
    tests: list[TestResult] = []
    metrics: dict[str, Estimate] = {}
    missing: dict[str, str] = {}
    for part in parts:
        tests += part.tests
        metrics |= part.metrics
        missing |= part.missing
    return Found(tests=tuple(tests), metrics=metrics, missing=missing)


def result(
    suite: Suite,
    name: str,
    dimension: Dimension,
    verdict: Verdict,
    reason: str,
    *,
    hard: bool = True,
    found: Interval | Estimate | None = None,
    limit: float | None = None,
    value: float | None = None,
    n: int | None = None,
) -> TestResult:
    """One result; the numbers come from `found` where there is an interval, else from `value` and `n`."""
    return TestResult(
        suite=suite,
        name=name,
        dimension=dimension,
        verdict=verdict,
        reason=reason,
        hard=hard,
        value=found.value if found is not None else value,
        low=found.low if found is not None else None,
        high=found.high if found is not None else None,
        limit=limit,
        n=found.n if found is not None else n,
    )


def estimate(found: Interval) -> Estimate:
    """An interval as evidence carries it."""
    return Estimate(value=found.value, low=found.low, high=found.high, n=found.n)


def words(error: Exception) -> str:
    """What an exception says, without its class where it says anything."""
    return str(error.args[0]) if error.args else type(error).__name__


def named(names: Iterable[str], *, most: int = 5) -> str:
    """A list for people, cut where it is long.

    >>> named(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    items = list(names)
    shown = ", ".join(items[:most])
    return f"{shown} and {len(items) - most} more" if len(items) > most else shown
