"""Codes are counted as the texts that they stand for."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.monitor.state.categories import count_categories
from flyball.stats.binning.bins import CategoryBins

words = st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "", "Z", "long-word", "é"])), max_size=40)
known = st.lists(st.sampled_from(["a", "b", "", "Z", "long-word", "q"]), unique=True, max_size=5)


@pytest.mark.parametrize("dtype", [pl.String(), pl.Categorical(), pl.Enum(["é", "Z", "a", "b", "", "long-word"])])
@given(texts=words, values=known)
def test_text_and_dictionary_give_the_same_counts(
    dtype: pl.DataType, texts: list[str | None], values: list[str]
) -> None:
    column = pl.Series(texts, dtype=pl.String).cast(dtype)
    assert count_categories(column, values).tolist() == CategoryBins(values=tuple(values)).count(texts).tolist()


@given(texts=words, more=words, values=known)
def test_counts_of_parts_add(texts: list[str | None], more: list[str | None], values: list[str]) -> None:
    whole = pl.Series(texts + more, dtype=pl.String)
    parts = [pl.Series(part, dtype=pl.String) for part in (texts, more)]
    found = count_categories(parts[0], values) + count_categories(parts[1], values)
    assert found.tolist() == count_categories(whole, values).tolist()
