"""What one answer rests on: Shapley values of its inputs, by walks from other rows to this one.

A walk begins at a row of the background and takes over one input of the explained row after the other, in some order;
what an input moved the answer by is its share of this walk. The mean over random orders and rows is unbiased for the
Shapley value, and the shares of one walk add up to the difference of its two ends, whatever the model does.

Source: Strumbelj and Kononenko, Explaining prediction models and individual predictions with feature contributions,
Knowledge and Information Systems 41 (2014), algorithm 1, with whole walks instead of single steps.
"""

from collections.abc import Callable, Mapping, Sequence
from math import sqrt
from typing import Any

from flyball.core.errors import NotEnoughData
from flyball.core.record import Record

Row = Mapping[str, Any]


class Share(Record):
    """Of one input, in the unit of the answer."""

    value: float  # by how much it moves the answer away from the background's
    standard_error: float  # of `value`, from the spread of the walks


class Explained(Record):
    base: float  # mean answer over the background
    answer: float
    shares: dict[str, Share]  # their values add up to `answer - base`


def shapley(
    answers: Callable[[Sequence[Row]], Sequence[float]],
    row: Row,
    background: Sequence[Row],
    orders: Sequence[Sequence[str]],
) -> Explained:
    """Explain the answer to `row`.

    Args:
        answers: the model, rows to numbers; called once, with `len(orders) * (inputs + 1)` rows.
        background: rows to compare with, one for each walk.
        orders: for each walk, the inputs in the order in which they are taken over; random ones.

    Raises: NotEnoughData: fewer than two walks. ValueError: not one order for each row of the background.

    >>> total = lambda rows: [row["a"] + 2 * row["b"] for row in rows]
    >>> found = shapley(total, {"a": 1, "b": 1}, [{"a": 0, "b": 0}] * 2, [("a", "b"), ("b", "a")])
    >>> found.base, found.answer, {name: share.value for name, share in found.shares.items()}
    (0.0, 3.0, {'a': 1.0, 'b': 2.0})
    """
    if len(orders) < 2:
        raise NotEnoughData(f"{len(orders)} walks: a standard error needs at least 2")
    if len(orders) != len(background):
        raise ValueError(f"{len(orders)} orders for {len(background)} rows of the background")
    asked: list[Row] = []
    for start, order in zip(background, orders, strict=True):
        here = dict(start)
        asked.append(dict(here))
        for name in order:
            here[name] = row.get(name)
            asked.append(dict(here))
    told = answers(asked)
    moved: dict[str, list[float]] = {name: [] for name in orders[0]}
    place, bases, ends = 0, [], []
    for order in orders:
        walk = told[place : place + len(order) + 1]
        place += len(order) + 1
        bases.append(walk[0])
        ends.append(walk[-1])
        for name, before, after in zip(order, walk, walk[1:], strict=False):
            moved[name].append(after - before)
    return Explained(base=_mean(bases), answer=_mean(ends), shares={name: _share(each) for name, each in moved.items()})


def _share(steps: Sequence[float]) -> Share:
    mean = _mean(steps)
    spread = sum((step - mean) ** 2 for step in steps) / (len(steps) - 1)
    return Share(value=mean, standard_error=sqrt(spread / len(steps)))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
