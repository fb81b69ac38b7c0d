from datetime import date

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.model import Input, Packaged
from flyball.pipeline.baseline import baseline, reference


def facts(task: str = "binary", classes: tuple[str, ...] = ("no", "yes")) -> Packaged:
    return Packaged(
        service="s",
        task=task,  # type: ignore[arg-type]
        threshold=0.5,
        label="y",
        classes=classes,
        inputs=(Input(name="x", kind="number"),),
        plain=("x",),
        module="model.py",
        code="sha256:0",
    )


columns = st.one_of(
    st.lists(st.one_of(st.none(), st.floats()), min_size=1, max_size=50).map(lambda v: pl.Series(v, dtype=pl.Float64)),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=1).map(lambda v: pl.Series(v, dtype=pl.Boolean)),
    st.lists(st.one_of(st.none(), st.sampled_from("abc")), min_size=1).map(lambda v: pl.Series(v, dtype=pl.String)),
    st.lists(st.one_of(st.none(), st.dates(date(1990, 1, 1), date(2030, 1, 1))), min_size=1).map(
        lambda v: pl.Series(v, dtype=pl.Date)
    ),
)


@given(columns)
def test_every_row_is_counted_once_and_missing_ones_in_the_last_bin(column: pl.Series) -> None:
    found = reference(column)
    missing = column.null_count() + (column.is_nan().sum() if column.dtype.is_float() else 0)
    assert sum(found.counts) == column.len()
    assert found.counts[-1] == missing
    assert len(found.counts) == (len(found.edges) + 2 if found.kind == "numeric" else len(found.values) + 2)


def test_flags_are_named_as_python_writes_them_because_the_monitor_does() -> None:
    assert set(reference(pl.Series([True, False])).values) == {"True", "False"}


def test_a_class_that_was_never_predicted_has_a_bin_all_the_same() -> None:
    made = baseline(pl.DataFrame({"x": [1.0, 2.0]}), ("x",), facts(), np.array(["no", "no"]), np.array([0.1, 0.2]))
    assert made.prediction["prediction"].values == ("no", "yes")
    assert made.prediction["prediction"].counts == (2, 0, 0, 0)
    assert set(made.prediction) == {"prediction", "score"}


def test_multiclass_is_watched_on_the_top_probability_and_regression_on_the_number() -> None:
    table, three = pl.DataFrame({"x": [1.0]}), facts("multiclass", ("a", "b", "c"))
    many = baseline(table, ("x",), three, np.array(["a"]), np.array([[0.5, 0.3, 0.2]]))
    number = baseline(table, ("x",), facts("regression", ()), np.array([3.0]), None)
    assert set(many.prediction) == {"prediction", "top_score"}
    assert number.prediction["prediction"].kind == "numeric"


def test_predictions_are_counted_over_the_holdout_and_inputs_over_the_rows_learned_from() -> None:
    made = baseline(pl.DataFrame({"x": [1.0, 2.0, 3.0]}), ("x",), facts(), np.array(["no"]), np.array([0.5]))
    assert (made.rows, sum(made.features["x"].counts), sum(made.prediction["score"].counts)) == (3, 3, 1)
