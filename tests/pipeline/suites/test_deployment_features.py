import numpy as np
import polars as pl
import pytest

from flyball.pipeline.suites.deployment_features import unlike

FRAME = pl.DataFrame(
    {"x": np.linspace(-1.0, 1.0, 301).tolist(), "c": ["a", "b", None] * 100 + ["a"], "g": [None, 1.5, -0.0] * 100 + [2]}
)


def found(*expressions: pl.Expr) -> str | None:
    return unlike(lambda frame: frame.select(*expressions), FRAME, rng=np.random.default_rng(3))


def test_row_wise_features_pass_with_nulls_and_signed_zeros() -> None:
    x, c, g = pl.col("x"), pl.col("c"), pl.col("g")
    assert (
        found(x.exp(), (x * g).alias("product"), c == "a", g.is_null().alias("unknown"), c.str.len_chars().alias("n"))
        is None
    )


@pytest.mark.parametrize(
    "expression",
    [
        pl.col("x").rank(),
        pl.col("x") - pl.col("x").mean(),
        pl.col("g").forward_fill(),
        pl.col("x").shift(1),
        pl.col("x").cum_sum(),
        pl.len().over("c").alias("x"),
    ],
)
def test_a_feature_that_looks_at_other_rows_is_named(expression: pl.Expr) -> None:
    said = found(pl.col("c"), expression)
    assert said is not None
    assert repr(expression.meta.output_name()) in said


def test_a_column_that_appears_only_in_large_batches_is_found() -> None:
    wide = unlike(lambda frame: frame if frame.height > 1 else frame.drop("g"), FRAME, rng=np.random.default_rng(3))
    assert wide is not None
    assert "'g'" in wide


def test_the_sign_of_a_zero_is_a_difference() -> None:
    said = unlike(
        lambda frame: pl.DataFrame({"z": [0.0 if frame.height > 1 else -0.0] * frame.height}),
        FRAME,
        rng=np.random.default_rng(3),
    )
    assert said is not None
