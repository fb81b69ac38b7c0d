"""Data tests: planted leaks are found, on generated and on real tables, and clean strong inputs are not."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.core.contract import Column, DataContract
from flyball.pipeline.suites.columns import constant_columns, label_copies, time_in_features
from flyball.pipeline.suites.contract import contract_kept
from flyball.pipeline.suites.copied_rows import copied_rows
from flyball.pipeline.suites.future import future_rows, known_in_time
from flyball.pipeline.suites.shift import shift
from flyball.pipeline.suites.target_leak import target_leak

CLEAN = [  # table, label, a number?, columns that are no inputs
    ("acs_employment_ma/reference", "employed", False, ["id", "timestamp", "year", "y_pred", "y_pred_proba", "period"]),
    ("adult/adult", "income_over_50k", False, []),
    ("uci_credit_default/uci_credit_default", "default_next_month", False, []),
    ("circle/circle", "label", False, []),
    ("noaa_weather/noaa_weather", "rain", False, []),
    ("bike_sharing/hourly", "rental_count", True, ["timestamp", "year", "casual", "registered"]),
]


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def verdict(frame: pl.DataFrame, label: pl.Series, *, regression: bool = False) -> str:
    return target_leak(frame, label, regression=regression, rng=rng()).tests[0].verdict


@pytest.mark.parametrize(("name", "label", "regression", "without"), CLEAN)
def test_the_strongest_clean_input_of_real_tables_is_no_leak(
    name: str, label: str, regression: bool, without: list[str], data_folder: Path
) -> None:
    table = pl.read_parquet(data_folder / f"{name}.parquet").drop(without, strict=False)
    own = [c for c in table.columns if c != label and not c.startswith(("y_pred", "prediction", "predicted"))]
    found = target_leak(table.select(own), table[label], regression=regression, rng=rng())
    assert found.tests[0].verdict == "PASS", found.tests[0].reason
    assert found.metrics["leakage.strongest_input"].value < 0.9


def test_a_part_of_a_sum_that_is_the_label_is_found_in_a_real_table(data_folder: Path) -> None:
    """Rentals = casual + registered: `registered` is known only when the label is."""
    table = pl.read_parquet(data_folder / "bike_sharing/hourly.parquet").drop("timestamp", "casual")
    found = target_leak(table.drop("rental_count"), table["rental_count"], regression=True, rng=rng())
    assert found.tests[0].verdict == "FAIL"
    assert "'registered'" in found.tests[0].reason


@pytest.mark.parametrize("kind", ["number", "reversed", "text", "band", "with holes"])
def test_an_input_made_from_the_label_is_found_whatever_its_form(kind: str) -> None:
    draw = rng()
    label = pl.Series(draw.random(3000) < 0.1)
    y = label.to_numpy().astype(float)
    leak = {
        "number": pl.Series(y + 0.1 * draw.random(3000)),
        "reversed": pl.Series(-y + 0.1 * draw.random(3000)),
        "text": pl.Series([f"{'closed' if one else 'open'}-{draw.integers(4)}" for one in y]),
        "band": pl.Series(np.where(y == 1, 5 + draw.random(3000), np.where(draw.random(3000) < 0.5, 1.0, 9.0))),
        "with holes": pl.Series(y + 0.1 * draw.random(3000)).scatter(list(range(20)), None),
    }[kind]
    frame = pl.DataFrame({"clean": draw.normal(size=3000) + y, "leak": leak})
    found = target_leak(frame, label, regression=False, rng=rng()).tests[0]
    assert (found.verdict, "'leak'" in found.reason) == ("FAIL", True)


def test_an_input_that_is_perfect_for_a_small_class_hides_no_leak() -> None:
    """Three classes, one of 60 rows told by a flag, another by a leak with a smaller value: both are named."""
    draw = rng()
    kinds = np.array(["a"] * 1500 + ["b"] * 1440 + ["c"] * 60)
    draw.shuffle(kinds)
    frame = pl.DataFrame(
        {
            "flag": kinds == "c",
            "leak": (kinds == "b") + 0.3 * draw.normal(size=3000),
            "clean": draw.normal(size=3000) + (kinds == "a"),
        }
    )
    found = target_leak(frame, pl.Series(kinds), regression=False, rng=rng()).tests[0]
    assert (found.verdict, "'leak'" in found.reason, "'clean'" in found.reason) == ("FAIL", True, False)
    assert verdict(frame.select("leak", "clean"), pl.Series(kinds)) == "FAIL"


@pytest.mark.parametrize("positives", [40, 100])
@pytest.mark.parametrize("form", ["number", "text"])
@pytest.mark.parametrize("rows", [4000, 60_000])
def test_a_perfect_leak_of_a_rare_class_is_found(positives: int, form: str, rows: int) -> None:
    draw = rng()
    y = np.zeros(rows)
    y[draw.permutation(rows)[:positives]] = 1
    number = pl.Series(y + 0.5 * draw.random(rows))
    leak = number if form == "number" else pl.Series([f"{'shut' if one else 'open'}-{draw.integers(4)}" for one in y])
    clean = {f"x{i}": draw.normal(size=rows) + 0.8 * y for i in range(8)}
    label = pl.Series(y.astype(int))
    found = target_leak(pl.DataFrame({**clean, "leak": leak}), label, regression=False, rng=rng()).tests[0]
    assert (found.verdict, "'leak'" in found.reason, "'x0'" in found.reason) == ("FAIL", True, False)
    assert verdict(pl.DataFrame(clean), label) == "PASS"


def test_a_column_of_ids_does_not_look_clever() -> None:
    draw = rng()
    label = pl.Series(draw.random(2000) < 0.5)
    assert verdict(pl.DataFrame({"id": [f"id-{i}" for i in range(2000)]}), label) in ("PASS", "INCONCLUSIVE")


@given(st.integers(0, 10_000), st.floats(0.0, 1.5))
@settings(max_examples=15, deadline=None)
def test_an_honest_input_of_any_strength_below_the_limit_passes(seed: int, shift: float) -> None:
    draw = np.random.default_rng(seed)
    label = pl.Series(draw.random(1500) < 0.4)
    frame = pl.DataFrame({"x": draw.normal(size=1500) + shift * label.to_numpy()})
    assert target_leak(frame, label, regression=False, rng=draw).tests[0].verdict == "PASS"


def test_a_copy_of_the_label_is_found_under_another_coding() -> None:
    label = pl.Series([0, 1, 1, 0] * 50)
    for copy in (label, 1 - label, label.cast(pl.Boolean), label.replace_strict({0: "n", 1: "y"})):
        found = label_copies(pl.DataFrame({"other": copy, "x": range(200)}), label)
        assert (found.verdict, found.hard) == ("FAIL", True)
    price = pl.Series(np.linspace(1, 9, 200) ** 2)
    assert label_copies(pl.DataFrame({"cents": 100 * price + 7}), price).verdict == "FAIL"
    assert label_copies(pl.DataFrame({"near": price + rng().normal(size=200)}), price).verdict == "PASS"


def test_a_date_or_a_running_number_among_the_features_is_found() -> None:
    times = pl.Series([datetime(2026, 1, 1) + timedelta(hours=i) for i in range(200)])
    assert time_in_features(pl.DataFrame({"at": times}), "at", plain=False).verdict == "FAIL"
    assert time_in_features(pl.DataFrame({"epoch": times.dt.epoch("s")}), "at", plain=False).verdict == "FAIL"
    assert time_in_features(pl.DataFrame({"hour": times.dt.hour()}), "at", plain=False).verdict == "PASS"
    assert (
        time_in_features(pl.DataFrame({"walk": rng().normal(size=200).cumsum()}), "at", plain=False).verdict == "PASS"
    )


def test_rows_from_the_future_fail_and_clock_skew_does_not() -> None:
    now = datetime(2026, 6, 1)
    late = pl.DataFrame({"at": [now + timedelta(days=2)]})
    skewed = pl.DataFrame({"at": [now + timedelta(hours=14)]})
    failed, passed = future_rows(late, "at", now=now), future_rows(skewed, "at", now=now)
    assert failed is not None
    assert passed is not None
    assert (failed.verdict, passed.verdict) == ("FAIL", "PASS")
    assert future_rows(late, None, now=now) is None


def test_an_input_later_than_its_row_is_told_and_stops_nothing() -> None:
    rows = pl.DataFrame({"at": [datetime(2026, 1, 1)], "paid": [datetime(2026, 2, 1)], "x": [1]})
    found = known_in_time(rows, ("paid", "x"), "at")
    assert found is not None
    assert (found.verdict, found.hard) == ("FAIL", False)


def test_copied_rows_fail_where_rows_can_be_told_apart_and_not_where_they_cannot() -> None:
    draw = rng()
    rows = pl.DataFrame({"amount": draw.normal(size=1000), "code": draw.integers(0, 3, 1000)})
    assert copied_rows(rows[:800], rows[800:]).tests[0].verdict == "PASS"
    planted = pl.concat([rows[800:], rows[:10]])
    found = copied_rows(rows[:800], planted)
    assert found.tests[0].verdict == "FAIL"
    assert found.metrics["leakage.copied_rows"].value == pytest.approx(10 / 210)
    codes = copied_rows(rows[:800].select("code"), rows[800:].select("code")).tests[0]
    assert (codes.verdict, codes.hard) == ("INCONCLUSIVE", False)


def test_equal_rows_of_a_number_that_many_rows_share_are_coincidence_and_copies_of_copies_are_not() -> None:
    draw = rng()
    period = draw.integers(0, 48, 5000)
    demand = (np.sin(period / 8) + 0.1 * draw.normal(size=5000)).round(3)  # each of many half-hours
    rows = pl.DataFrame({"day": draw.integers(0, 7, 5000), "period": period, "demand": demand})
    told = copied_rows(rows[:4500], rows[4500:]).tests[0]
    assert (told.verdict, told.hard) == ("INCONCLUSIVE", False)
    fine = rows[:1000].with_columns(exact=pl.Series(draw.normal(size=1000)))
    fivefold = pl.concat([fine] * 5)
    assert copied_rows(fivefold[:4000], fivefold[4000:]).tests[0].verdict == "FAIL"


def test_the_repeated_blocks_of_a_real_table_are_found(data_folder: Path) -> None:
    """Inputs and labels of `mixed_abrupt` come again in later blocks: its holdout is no independent sample."""
    table = pl.read_parquet(data_folder / "harvard_synthetic/mixed_abrupt.parquet")
    assert copied_rows(table[:32_000], table[32_000:], label="label").tests[0].verdict == "FAIL"


def test_a_shift_is_told_and_only_a_column_that_is_another_one_stops() -> None:
    draw = rng()
    before = pl.DataFrame({"x": draw.normal(size=4000), "y": draw.normal(size=4000)})
    same = pl.DataFrame({"x": draw.normal(size=1000), "y": draw.normal(size=1000)})
    moved = same.with_columns(pl.col("x") + 1.0)
    gone = same.with_columns(pl.lit(None, dtype=pl.Float64).alias("x"))
    found = [shift(before, after, ["x", "y"]).tests[0] for after in (same, moved, gone)]
    assert [(one.verdict, one.hard) for one in found] == [("PASS", False), ("FAIL", False), ("FAIL", True)]
    assert "'x'" in found[2].reason


def test_constant_columns_are_told_and_stop_only_where_there_is_nothing_else() -> None:
    some, every = pl.DataFrame({"a": [1] * 9, "b": range(9)}), pl.DataFrame({"a": [1] * 9})
    assert (constant_columns(some).verdict, constant_columns(some).hard) == ("FAIL", False)
    assert (constant_columns(every).verdict, constant_columns(every).hard) == ("FAIL", True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"amount": pl.lit(-1.0)}, "amount is below 0 in 3 rows"),
        ({"amount": pl.lit("9")}, "amount is String, expected number"),
        ({"kind": pl.lit("c")}, "kind has other values than promised in 3 rows"),
        ({"kind": pl.lit(None, dtype=pl.String)}, "kind is missing in 3 rows"),
        ({"count": pl.lit(10)}, "count is not below 10 in 3 rows"),
    ],
)
def test_every_plain_promise_of_the_contract_is_held_against_the_frozen_rows(
    change: dict[str, pl.Expr], told: str
) -> None:
    contract = DataContract(
        id="c",
        version="1.0.0",
        table="t",
        columns=(
            Column(name="amount", kind="number", minimum=0),
            Column(name="kind", kind="string", required=True, enum=("a", "b")),
            Column(name="count", kind="integer", exclusive_maximum=10),
        ),
    )
    rows = pl.DataFrame({"amount": [1.0, None, 0.0], "kind": ["a", "b", "a"], "count": [9, 1, None]})
    assert contract_kept(contract, rows).verdict == "PASS"
    found = contract_kept(contract, rows.with_columns(**change))
    assert (found.verdict, told in found.reason) == ("FAIL", True)
    assert contract_kept(contract, rows.drop("kind")).verdict == "FAIL"


def test_a_date_as_a_number_is_time_also_with_many_rows_a_day() -> None:
    days = pl.Series([float(day * 86_400) for day in range(540) for _ in range(7)])
    found = time_in_features(pl.DataFrame({"signup": days}), None, plain=False)
    assert (found.verdict, found.hard) == ("FAIL", True)
    level = pl.Series([float(row // 400) for row in range(4000)])  # a tariff that was raised nine times
    assert time_in_features(pl.DataFrame({"tariff": level}), None, plain=False).verdict == "PASS"
