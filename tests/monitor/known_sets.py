"""Each data set whose change is known, with the row of the change and what is to be said of it."""

from functools import partial
from pathlib import Path

import polars as pl
from tests.monitor.known import Known, nannyml, own
from tests.monitor.planted import planted
from tests.monitor.streams import Stream


def employment(data: Path) -> Stream:
    folder = data / "acs_employment_ma"
    skipped = ("id", "year", "predicted_probability", "prediction", "employed")
    monitoring = pl.read_parquet(folder / "monitoring.parquet")
    return Stream(
        reference=pl.read_parquet(folder / "reference.parquet").tail(20_000),
        table=pl.concat([monitoring[:4000], monitoring[-4000:]]),  # the first weeks, and three years later
        features=[name for name in monitoring.columns if name not in skipped],
        label="employed",
        prediction="prediction",
        score="predicted_probability",
        task="binary",
        metric="accuracy",
        classes=(0, 1),
    )


CARDS = ("prepaid_card", "highstreet_card", "upmarket_card")
HARVARD = "harvard_synthetic/{}.parquet"
KNOWN = (
    Known(
        name="car_loan",
        stream=nannyml(
            "car_loan",
            "car_value salary_range debt_to_income_ratio loan_length repaid_loan_on_prev_car size_of_downpayment"
            " driver_tenure",
            slice(21_000, 30_000),
            label="repaid",
            score="y_pred_proba",
            classes=(0, 1),
        ),
        change=25_000,
        kinds=frozenset({"covariate_shift"}),
        features=frozenset({"car_value", "loan_length", "repaid_loan_on_prev_car", "salary_range"}),
    ),
    Known(
        name="credit_card",
        stream=nannyml(
            "credit_card",
            "acq_channel app_behavioral_score requested_credit_limit app_channel credit_bureau_score stated_income"
            " is_customer",
            slice(25_000, 34_000),
            label="y_true",
            task="multiclass",
            classes=CARDS,
            scores=[f"y_pred_proba_{name}" for name in CARDS],
        ),
        change=30_000,
        kinds=frozenset({"covariate_shift", "concept_drift"}),
    ),
    Known(
        name="car_price",
        stream=nannyml(
            "car_price",
            "car_age km_driven price_new accident_count door_count fuel transmission",
            slice(26_000, 34_000),
            label="y_true",
            task="regression",
            metric="mae",
            max_loss="10%",
        ),
        change=30_000,
        kinds=frozenset({"harmless"}),
    ),
    Known(
        name="mixed_abrupt",
        stream=own(HARVARD.format("mixed_abrupt"), "label", rows=slice(6000, 14_000)),
        change=10_000,
        kinds=frozenset({"concept_drift"}),
    ),
    Known(
        name="mixed_gradual",
        stream=own(HARVARD.format("mixed_gradual"), "label", rows=slice(6000, 14_000)),
        change=8_500,
        until=10_499,
        kinds=frozenset({"concept_drift"}),
    ),
    Known(
        name="stagger_abrupt",
        stream=own(HARVARD.format("stagger_abrupt"), "label", rows=slice(6000, 14_000)),
        change=10_000,
        kinds=frozenset({"covariate_shift", "concept_drift"}),
    ),
    Known(
        name="stagger_gradual",
        stream=own(HARVARD.format("stagger_gradual"), "label", rows=slice(6000, 14_000)),
        change=8_500,
        until=10_499,
        kinds=frozenset({"covariate_shift", "concept_drift"}),
    ),
    Known(
        name="sine_abrupt",
        stream=own(HARVARD.format("sine_abrupt"), "label", rows=slice(6000, 14_000)),
        change=10_000,
        kinds=frozenset({"concept_drift"}),
    ),
    Known(
        name="sea",
        stream=own("sea/sea.parquet", "label", rows=slice(9000, 17_000), train=6000, reference=9000),
        change=12_500,
        kinds=frozenset({"concept_drift"}),
    ),
    Known(
        name="circle",
        stream=own(
            "circle/circle.parquet", "label", rows=slice(800, 2000), train=500, reference=800, window=200, delay=50
        ),
        change=1000,
        until=1499,
        window=200,
        delay=50,
        why="2,000 rows in all: windows of 200, labels 50 rows late",
        kinds=frozenset({"covariate_shift", "concept_drift"}),
    ),
    Known(
        name="noaa_weather",
        stream=own("noaa_weather/noaa_weather.parquet", "rain", rows=slice(5000, 18_159), train=3500, reference=5000),
        change=None,
        kinds=frozenset(),
    ),
    Known(
        name="noaa_shifted",
        stream=own(
            "noaa_weather/noaa_weather_columns_shifted.parquet",
            "rain",
            rows=slice(9000, 15_000),
            train=7000,
            reference=9000,
        ),
        change=12_000,
        kinds=frozenset({"data_quality"}),
    ),
    Known(
        name="electricity",
        stream=own(
            "electricity/electricity.parquet",
            "price_up",
            rows=slice(14_000, 20_000),
            without="timestamp date_code nsw_price",
        ),
        change=17_424,
        kinds=frozenset({"data_quality"}),
        features=frozenset({"vic_price", "vic_demand", "transfer"}),
    ),
    Known(
        name="bike_sharing",
        stream=own(
            "bike_sharing/hourly.parquet",
            "rental_count",
            rows=slice(8645, 13_645),
            reference=8645,
            spread=True,
            task="regression",
            metric="mae",
            max_loss="10%",
            without="timestamp year casual registered",
        ),
        change=8645,
        kinds=frozenset({"concept_drift"}),
        why="every fifth hour of 2011 is held out: a holdout of its last months would know no summer",
    ),
    Known(
        name="employment",
        stream=employment,
        change=None,
        kinds=frozenset(),
    ),
    Known(
        name="adult",
        stream=own(
            "adult/adult.parquet",
            "income_over_50k",
            rows=slice(10_000, 18_000),
            train=7000,
            reference=10_000,
            plant=lambda table: table.sample(fraction=1.0, shuffle=True, seed=7).with_columns(
                pl.col("income_over_50k").cast(pl.Int64)
            ),
        ),
        change=None,
        kinds=frozenset(),
    ),
    *(
        Known(
            name=f"credit_default_{kind}",
            stream=own(
                "uci_credit_default/uci_credit_default.parquet",
                "default_next_month",
                rows=slice(10_000, 17_000),
                train=6000,
                reference=10_000,
                without="id",
                leaf=50,
                plant=partial(planted, kind),
            ),
            change=13_000,
            kinds=frozenset({kind}),
        )
        for kind in ("covariate_shift", "label_shift", "concept_drift")
    ),
)
