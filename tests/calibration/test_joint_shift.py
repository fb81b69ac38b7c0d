"""False alarms and delays of the columns taken together: the rows `rotation` of the tables in the documentation.

Rows go the whole way: a reference with deciles of its own, questions about its columns, answers of windows. Two columns
turn: their correlation changes and each stays the normal that it was. The promise is t / ARL alarms in t windows.
"""

import math

import numpy as np
import polars as pl
import pytest

from flyball.core.release import Baseline
from flyball.core.service import Detector
from flyball.monitor.joint import Joint, closed, opened, taken
from flyball.pipeline.baseline import reference, together

Rng = np.random.Generator


def rows(
    rng: Rng, n: int, columns: int, *, shared: float = 0.0, turn: float = 0.0, skewed: bool = False
) -> pl.DataFrame:
    """Normals that share a part of their variance; the last two have correlation `turn` besides."""
    own = rng.normal(size=(n, columns))
    own[:, -1] = turn * own[:, -2] + math.sqrt(1 - turn**2) * own[:, -1]
    table = math.sqrt(1 - shared) * own + math.sqrt(shared) * rng.normal(size=(n, 1))
    return pl.DataFrame({f"c{at}": np.exp(each) if skewed else each for at, each in enumerate(table.T)})


def begun(rng: Rng, n: int, columns: int, declared: Detector, *, shared: float = 0.0, skewed: bool = False) -> Joint:
    table = rows(rng, n, columns, shared=shared, skewed=skewed)
    features = {name: reference(table[name]) for name in table.columns}
    kept = Baseline(rows=n, features=features, prediction={}, together=together(table, features))
    found = opened(kept, declared)
    assert found is not None
    return found


def fed(joint: Joint, table: pl.DataFrame, declared: Detector, *, beside: int) -> Joint:
    logged = table.rename(lambda name: f"x.{name}").with_columns(outcome=pl.lit("answered"))
    return closed(taken(joint, logged), declared, beside=beside)


def alarms(rng: Rng, known: int, window: int, columns: int, windows: int, declared: Detector, **law: float) -> int:
    """False alarms of this one sequence, each beginning anew after its own: it is told as if it stood alone."""
    joint = begun(rng, known, columns, declared, **law)  # type: ignore[arg-type]
    found = 0
    for _ in range(windows):
        before = joint
        joint = fed(joint, rows(rng, window, columns, **law), declared, beside=0)  # type: ignore[arg-type]
        found += joint.alarm is not None and before.alarm is None
    return found


def delay(rng: Rng, known: int, turn: float, *, columns: int = 50, most: int = 60) -> int | None:
    declared = Detector()
    joint = begun(rng, known, columns, declared)
    for _ in range(5):
        joint = fed(joint, rows(rng, 1000, columns), declared, beside=columns)
    assert joint.alarm is None
    for window in range(1, most + 1):
        joint = fed(joint, rows(rng, 1000, columns, turn=turn), declared, beside=columns)
        if joint.alarm is not None:
            return window if joint.alarm.bet == f"c{columns - 2} with c{columns - 1}" else None
    return None


@pytest.mark.parametrize("turn", [0.5, 0.9, -0.9])
def test_two_columns_that_turn_together_are_seen_and_named(turn: float) -> None:
    assert delay(np.random.default_rng(73), 5000, turn, columns=12) == 1


@pytest.mark.parametrize("shared", [0.0, 0.5])
def test_columns_that_hang_together_as_ever_raise_no_more_alarms_than_promised(shared: float) -> None:
    declared, rng, runs, windows = Detector(arl_windows=20, tolerance=0.0), np.random.default_rng(74), 8, 20
    found = sum(alarms(rng, 1000, 200, 5, windows, declared, shared=shared) for _ in range(runs))
    promised = runs * windows / declared.arl_windows
    assert found <= promised + 3 * math.sqrt(promised)


@pytest.mark.slow
@pytest.mark.parametrize(("columns", "runs"), [(5, 24), (50, 4)])
@pytest.mark.parametrize(
    "law", [{}, {"shared": 0.5}, {"shared": 0.9, "skewed": True}], ids=["independent", "correlated", "tight, skewed"]
)
@pytest.mark.parametrize(("known", "window"), [(1000, 1000), (1000, 200), (5000, 200)])
def test_the_table_of_false_alarms(columns: int, runs: int, law: dict[str, float], known: int, window: int) -> None:
    declared, rng, windows = Detector(arl_windows=20, tolerance=0.0), np.random.default_rng((75, columns, known)), 40
    found = sum(alarms(rng, known, window, columns, windows, declared, **law) for _ in range(runs))
    promised = runs * windows / declared.arl_windows
    kind = "independent" if not law else "tight, skewed" if "skewed" in law else "correlated"
    print(f"\n| {columns} | {kind} | {known} | {window} | {runs * windows} | {promised:g} | {found} |")
    assert found <= promised + 3 * math.sqrt(promised)


@pytest.mark.slow
@pytest.mark.parametrize("known", [2000, 20_000])
@pytest.mark.parametrize("turn", [0.1, 0.2, 0.3, 0.5, 0.9])
def test_the_table_of_delays(turn: float, known: int) -> None:
    rng = np.random.default_rng((76, known))
    found = [delay(rng, known, turn) for _ in range(10)]
    seen = [each for each in found if each is not None]
    told = "never" if not seen else f"{np.mean(seen):.1f}"
    print(f"\n| rotation of two, correlation 0 to {turn:g} | {known} | {told} ({10 - len(seen)} of 10 missed) |")
    assert turn < 0.5 or None not in found
