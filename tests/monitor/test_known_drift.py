"""Real data sets whose changes are known: what the monitor says, and that it is silent before.

Rows are those of the data sets' own files; where a set carries a model's answers they are used, else a model is fitted
on the first rows. Windows are of 1,000 rows, labels come 500 rows late. Which kind each change is: `test_known_kinds`.
"""

from pathlib import Path

import polars as pl
import pytest
from tests.monitor.streams import Stream

from flyball.core.watching import WindowReport
from flyball.decide.diagnosis import diagnose
from flyball.decide.incident import supply
from flyball.decide.triggers import wish

sklearn = pytest.importorskip("sklearn.ensemble")


def levels(reports: list[WindowReport]) -> set[tuple[str, str]]:
    return {(signal.signal, signal.level) for report in reports for signal in report.signals}


def test_credit_card_warns_within_three_windows_of_row_30000_and_not_before(data_folder: Path) -> None:
    folder = data_folder / "nannyml_credit_card"
    classes = ("prepaid_card", "highstreet_card", "upmarket_card")
    stream = Stream(
        reference=pl.read_parquet(folder / "reference.parquet").tail(10_000),
        table=pl.read_parquet(folder / "monitoring.parquet")[22_000:36_000],
        features=(
            "acq_channel",
            "app_behavioral_score",
            "requested_credit_limit",
            "app_channel",
            "credit_bureau_score",
            "stated_income",
            "is_customer",
        ),
        label="y_true",
        prediction="y_pred",
        task="multiclass",
        metric="accuracy",
        classes=classes,
        scores=[f"y_pred_proba_{name}" for name in classes],
        first_row=22_000,
    )
    reports = stream.watched()
    before = [report for report in reports if report.last_row < 30_000]
    after = [report for report in reports if report.first_row >= 30_000]
    assert len(before) == 8
    assert levels(before) == set()
    assert ("psi", "warn") in levels(after[:1])
    assert ("risk", "act") in levels(after[:3])
    assert wish([*before, *after[:3]], stream.service).fired == "risk"
    assert not any(report.quality for report in reports)


def test_electricity_opens_a_quality_incident_at_17424_which_settles_later(data_folder: Path) -> None:
    table = pl.read_parquet(data_folder / "electricity" / "electricity.parquet")
    features = ("day_of_week", "period", "nsw_demand", "vic_price", "vic_demand", "transfer")
    inputs, label = table.select(features).to_numpy(), table["price_up"].to_numpy()
    model = sklearn.HistGradientBoostingClassifier(random_state=0, max_iter=30).fit(inputs[:4000], label[:4000])
    score = pl.Series("score", model.predict_proba(inputs)[:, 1])
    table = table.with_columns(score, (score >= 0.5).cast(pl.Int64).alias("answer"))
    stream = Stream(
        reference=table[:5000],
        table=table[5000:26_000],
        features=features,
        label="price_up",
        prediction="answer",
        score="score",
        task="binary",
        metric="accuracy",
        classes=(0, 1),
        first_row=5000,
    )
    reports = stream.watched()
    monitor = stream.service.monitor
    broken = [report for report in reports if any(signal.signal == "quality" for signal in report.signals)]
    assert broken[0].first_row <= 17_424 <= broken[0].last_row
    assert {finding.feature for finding in broken[0].quality} == {"vic_price", "vic_demand", "transfer"}
    now = reports.index(broken[0]) + 1
    assert supply(reports[:now], monitor).broken
    assert diagnose(reports[:now], monitor.psi).kind == "data_quality"
    later = supply(reports, monitor)
    assert not later.broken
    assert later.settled == {"vic_price", "vic_demand", "transfer"}
    assert diagnose(reports, monitor.psi, settled=later.settled).kind != "data_quality"


def test_columns_that_slipped_by_one_are_a_broken_mapping_not_drift(data_folder: Path) -> None:
    table = pl.read_parquet(data_folder / "noaa_weather" / "noaa_weather_columns_shifted.parquet")
    table = table.with_columns(pl.lit(0).alias("answer"), pl.lit(0.3).alias("score"))
    stream = Stream(
        reference=table[:9000],
        table=table[9000:15_000],
        features=[name for name in table.columns if name not in ("rain", "answer", "score")],
        label="rain",
        prediction="answer",
        score="score",
        task="binary",
        metric="accuracy",
        classes=(0, 1),
        first_row=9000,
    )
    reports = stream.watched()
    assert not any(report.quality for report in reports if report.last_row < 12_000)
    first = next(report for report in reports if report.first_row >= 12_000)
    assert {finding.kind for finding in first.quality} == {"columns_mixed"}
    assert supply(reports, stream.service.monitor).broken


def test_employment_drifts_slowly_and_nothing_acts(data_folder: Path) -> None:
    folder = data_folder / "acs_employment_ma"
    skipped = ("id", "year", "predicted_probability", "prediction", "employed")
    monitoring = pl.read_parquet(folder / "monitoring.parquet")
    stream = Stream(
        reference=pl.read_parquet(folder / "reference.parquet").tail(20_000),
        table=pl.concat([monitoring[:8000], monitoring[-8000:]]),  # the first weeks, and three years later
        features=[name for name in monitoring.columns if name not in skipped],
        label="employed",
        prediction="prediction",
        score="predicted_probability",
        task="binary",
        metric="accuracy",
        classes=(0, 1),
    )
    reports = stream.watched()
    assert len(reports) == 16
    assert not any(level == "act" for _, level in levels(reports))
    assert wish(reports, stream.service).fired is None


def test_adult_is_one_law_all_along_and_nothing_warns(data_folder: Path) -> None:
    table = pl.read_parquet(data_folder / "adult" / "adult.parquet").sample(fraction=1.0, shuffle=True, seed=7)
    table = table.with_columns(
        pl.col("income_over_50k").cast(pl.Int64), pl.lit(0).alias("answer"), pl.lit(0.25).alias("score")
    )
    stream = Stream(
        reference=table[:10_000],
        table=table[10_000:30_000],
        features=[name for name in table.columns if name not in ("income_over_50k", "answer", "score")],
        label="income_over_50k",
        prediction="answer",
        score="score",
        task="binary",
        metric="accuracy",
        classes=(0, 1),
    )
    assert levels(stream.watched()) == set()
