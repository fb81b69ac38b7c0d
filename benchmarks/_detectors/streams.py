"""Streams whose changes are known: errors of a model that never learns again (0 or 1), and numeric inputs.

The first `REFERENCE` rows are given to every detector as normal; alarms count from there on. Long real streams are cut
to the rows around their change: one of the peers costs 0.1 ms a value. A change is a pair of rows: where it begins and
where it is complete.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
REFERENCE = 1000
DATA = Path(os.environ.get("FLYBALL_DATA", "../shared/data"))


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Values in [n, features], n rows after the reference's."""

    name: str
    values: Floats  # the reference's rows first
    changes: tuple[tuple[int, int], ...]  # counted from the end of the reference
    note: str = ""


def cut(stream: Stream, rows: int) -> Stream:
    """The rows around the first change, or the first ones: 1,000 for the reference, `rows` before and `rows` after."""
    first = max(stream.changes[0][0] - rows, 0) if stream.changes else 0
    values = stream.values[first : first + REFERENCE + 2 * rows]
    kept = [(begin - first, complete - first) for begin, complete in stream.changes[:1]]
    return Stream(name=stream.name, values=values, changes=tuple(kept), note=stream.note)


def errors() -> list[Stream]:
    """0/1 errors of a fixed model."""
    rng = np.random.default_rng(81)
    found = [
        Stream(name="10 % throughout", values=_coins(rng, [(0.1, 41_000)]), changes=()),
        Stream(name="30 % throughout", values=_coins(rng, [(0.3, 41_000)]), changes=()),
        Stream(name="10 -> 13 %", values=_coins(rng, [(0.1, 21_000), (0.13, 10_000)]), changes=((20_000, 20_000),)),
        Stream(name="10 -> 20 %", values=_coins(rng, [(0.1, 21_000), (0.2, 10_000)]), changes=((20_000, 20_000),)),
        Stream(name="10 -> 40 %", values=_coins(rng, [(0.1, 21_000), (0.4, 10_000)]), changes=((20_000, 20_000),)),
        Stream(name="20 -> 10 %", values=_coins(rng, [(0.2, 21_000), (0.1, 10_000)]), changes=((20_000, 20_000),)),
    ]
    found += [
        _fixed("sea", "sea/sea", "label", ["x1", "x2", "x3"], 5000, (12_500, 25_000, 37_500)),
        _fixed("sine", "harvard_synthetic/sine_abrupt", "label", ["x1", "x2"], 3000, (10_000, 20_000, 30_000)),
        _fixed("mixed", "harvard_synthetic/mixed_abrupt", "label", ["x1", "x2", "x3", "x4"], 3000,
               (10_000, 20_000, 30_000)),
        _fixed("stagger", "harvard_synthetic/stagger_abrupt", "label", ["x1", "x2", "x3"], 3000,
               (10_000, 20_000, 30_000)),
        _fixed("weather, columns slip", "noaa_weather/noaa_weather_columns_shifted", "rain", None, 5000, (12_000,)),
        _known("car_loan", "nannyml_car_loan/monitoring", "y_pred", "repaid", (25_000,)),
        _known("credit_card", "nannyml_credit_card/monitoring", "y_pred", "y_true", (30_000,)),
        _known("employment", "acs_employment_ma/monitoring", "prediction", "employed", ()),
        _fixed("adult, shuffled", "adult/adult", "income_over_50k",
               ["age", "education_num", "capital_gain", "hours_per_week"], 10_000, (), shuffle=True),
    ]  # fmt: skip
    return found


def inputs() -> list[Stream]:
    """Numeric inputs, a detector for each column, an alarm of any of them is one of the service."""
    rng = np.random.default_rng(82)
    still = rng.normal(size=(21_000, 5))
    found = [Stream(name="5 normals, still", values=still, changes=())]
    for name, shift, scale in (("shift 0.2 sd", 0.2, 1.0), ("shift 0.5 sd", 0.5, 1.0), ("scale 1.5", 0.0, 1.5)):
        values = rng.normal(size=(19_000, 5))
        values[11_000:, 0] = values[11_000:, 0] * scale + shift
        found.append(Stream(name=f"5 normals, {name} in one", values=values, changes=((10_000, 10_000),)))
    found += [
        _columns("sea", "sea/sea", ["x1", "x2", "x3"], (), rows=20_000),
        _columns("mixed", "harvard_synthetic/mixed_abrupt", ["x1", "x2", "x3", "x4"], (), rows=20_000),
        _columns("stagger", "harvard_synthetic/stagger_abrupt", ["x1", "x2", "x3"], (10_000, 20_000, 30_000)),
        _columns("car_loan", "nannyml_car_loan/monitoring", ["car_value", "debt_to_income_ratio", "loan_length",
                 "driver_tenure"], (25_000,)),
        _columns("credit_card", "nannyml_credit_card/monitoring", ["app_behavioral_score", "requested_credit_limit",
                 "credit_bureau_score", "stated_income"], (30_000,)),
        _columns("car_price", "nannyml_car_price/monitoring", ["car_age", "km_driven", "price_new"], (30_000,)),
        _columns("weather, columns slip", "noaa_weather/noaa_weather_columns_shifted", None, (12_000,),
                 note="season throughout"),
        _columns("electricity", "electricity/electricity", ["nsw_demand", "vic_price", "vic_demand", "transfer"],
                 (17_424,), note="season and autocorrelation throughout"),
        _columns("adult, shuffled", "adult/adult", ["age", "fnlwgt", "education_num", "capital_gain",
                 "hours_per_week"], (), shuffle=True, rows=20_000),
        _columns("employment", "acs_employment_ma/monitoring", ["agep"], (), rows=40_000, note="slow mild drift"),
    ]  # fmt: skip
    return found


def _coins(rng: np.random.Generator, parts: list[tuple[float, int]]) -> Floats:
    return np.concatenate([(rng.random(rows) < rate).astype(float) for rate, rows in parts])[:, None]


def _read(path: str, *, shuffle: bool = False) -> pl.DataFrame:
    table = pl.read_parquet(DATA / f"{path}.parquet")
    return table.sample(fraction=1.0, shuffle=True, seed=83) if shuffle else table


def _fixed(
    name: str, path: str, label: str, features: list[str] | None, train: int, at: tuple[int, ...], *,
    shuffle: bool = False,
) -> Stream:  # fmt: skip
    """Errors of a model that learned from the first rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    table = _read(path, shuffle=shuffle)
    names = features or [column for column in table.columns if column != label]
    x, y = table.select(names).cast(pl.Float64).to_numpy(), table[label].to_numpy()
    model = HistGradientBoostingClassifier(random_state=0).fit(x[:train], y[:train])
    wrong = (model.predict(x[train:]) != y[train:]).astype(float)[:, None]
    return Stream(name=name, values=wrong, changes=tuple((row - train - REFERENCE,) * 2 for row in at))


def _known(name: str, path: str, prediction: str, label: str, at: tuple[int, ...]) -> Stream:
    """Errors of the answers that the table has."""
    table = _read(path)[:70_000]
    wrong = (table[prediction] != table[label]).cast(pl.Float64).to_numpy()[:, None]
    return Stream(name=name, values=wrong, changes=tuple((row - REFERENCE,) * 2 for row in at))


def _columns(
    name: str,
    path: str,
    columns: list[str] | None,
    at: tuple[int, ...],
    *,
    shuffle: bool = False,
    note: str = "",
    rows: int | None = None,
) -> Stream:
    """Args: rows: of a stream without a change; one with a single late change is cut to the rows around it."""
    table = _read(path, shuffle=shuffle)
    first = at[0] - 11_000 if len(at) == 1 and at[0] > 20_000 else 0
    table = table[first : at[0] + 8000] if first else table[:rows]
    at = tuple(row - first for row in at)
    names = columns or [column for column in table.columns if column != "rain"]
    values = table.select(names).cast(pl.Float64).to_numpy()
    return Stream(name=name, values=values, changes=tuple((row - REFERENCE,) * 2 for row in at), note=note)
