"""Evidence against "it has not moved": any shape tells, more rows tell more, and chance tells as seldom as promised."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from flyball.app.drift.comparable import Column
from flyball.app.drift.judged import FALSE_DISCOVERIES, MOST_DEALT, Limits, _dealt, _log_e, judge
from flyball.stats.binning.bins import Counts, fit_numeric

Floats = npt.NDArray[np.float64]


def column(reference: Counts, current: Counts, name: str = "x") -> Column:
    labels = tuple(map(str, range(reference.size)))
    types = ("Float64", "Float64")
    return Column(name=name, types=types, kind="number", labels=labels, reference=reference, current=current)


def imputed(x: Floats, rng: np.random.Generator) -> Floats:
    return np.where(rng.random(x.size) < 0.3, 0.7, x)


def with_a_gap(x: Floats, rng: np.random.Generator) -> Floats:
    return np.where(np.abs(x) < 0.5, np.sign(x) * (0.5 + np.abs(x)), x)


def wider(x: Floats, rng: np.random.Generator) -> Floats:
    return 1.7 * x


@pytest.mark.parametrize("change", [imputed, with_a_gap, wider])
def test_a_plain_change_is_named_at_every_size_and_more_rows_say_more(
    change: Callable[[Floats, np.random.Generator], Floats],
) -> None:
    said = []
    for rows in (1_000, 10_000, 200_000, 1_000_000):
        rng = np.random.default_rng(rows)
        bins = fit_numeric(rng.normal(size=rows))
        pair = column(bins.count(rng.normal(size=rows)), bins.count(change(rng.normal(size=rows), rng)))
        report = judge([pair], Limits(), (rows, rows))
        assert report.drifted == ("x",)
        said.append(report.features[0].log_e)
    assert said == sorted(said, key=lambda log_e: log_e or 0.0)


def test_where_nothing_has_moved_the_e_value_is_one_on_average() -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(400):
        reference = rng.normal(size=2_000)
        bins = fit_numeric(reference)
        log_e = _log_e(column(bins.count(reference), bins.count(rng.normal(size=1_000))))
        assert log_e is not None
        found.append(np.exp(log_e))
    error = np.std(found) / np.sqrt(len(found))
    assert np.mean(found) <= 1 + 3 * error


def test_a_table_in_which_nothing_has_moved_has_no_name_as_often_as_promised() -> None:
    rng = np.random.default_rng(4)
    runs, false = 30, 0
    for _ in range(runs):
        columns = []
        for at in range(40):
            bins = fit_numeric(rng.normal(size=300))
            columns.append(column(bins.count(rng.normal(size=300)), bins.count(rng.normal(size=300)), f"x{at}"))
        false += bool(judge(columns, Limits(measures=("psi",)), (300, 300)).drifted)
    assert false / runs <= FALSE_DISCOVERIES + 3 * np.sqrt(FALSE_DISCOVERIES * (1 - FALSE_DISCOVERIES) / runs)


def test_the_deal_leaves_no_row_out_and_is_the_same_again() -> None:
    counts = np.array([7, 0, 1000, 3])
    parts = list(_dealt(counts))
    assert np.array_equal(sum(parts), counts)
    assert all(np.array_equal(one, other) for one, other in zip(parts, _dealt(counts), strict=True))
    assert max(part.sum() for part in parts) - min(part.sum() for part in parts) <= len(parts)
    assert sum(part.sum() for part in _dealt(np.array([MOST_DEALT, MOST_DEALT]))) < MOST_DEALT
