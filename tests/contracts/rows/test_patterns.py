"""A pattern for a column says of every text what Python says of it, whichever engine is asked."""

import re

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.contracts.rows.formats import PATTERNS
from flyball.contracts.rows.patterns import in_rust, unmatched
from flyball.contracts.tables.repeats import repeated

PIECES = st.sampled_from(
    [
        "a",
        "b",
        ".",
        r"\d",
        r"\W",
        r"\s",
        "[a-c]",
        "[^b0-9]",
        r"[\d\-x]",
        r"\.",
        "(ab|c)",
        "(?:a|)",
        "^",
        "$",
        r"\Z",
        "é",
    ]
)
PARTS = st.builds(lambda piece, often: piece + (often if piece not in ("^", "$", r"\Z") else ""),
                  PIECES, st.sampled_from(["", "", "*", "+", "?", "{1,2}", "{2}", "*?"]))  # fmt: skip
SOME_PATTERNS = st.lists(PARTS, min_size=1, max_size=5).map("".join)
TEXTS = st.text("ab c1_.-\n\x1c\tdé٣x", max_size=6)


@settings(max_examples=500, deadline=None)
@given(SOME_PATTERNS, st.lists(TEXTS | st.none(), min_size=1, max_size=6))
def test_a_column_is_judged_as_python_judges_each_text(pattern: str, texts: list[str | None]) -> None:
    column = pl.Series("a", texts, dtype=pl.String())
    found = column.to_frame().select(unmatched(pattern, pl.col("a"), column)).to_series().fill_null(False)
    assert found.to_list() == [text is not None and re.search(pattern, text) is None for text in texts]


def test_the_patterns_of_formats_go_the_fast_way() -> None:
    assert not [name for name, pattern in PATTERNS.items() if in_rust(pattern) is None]


@given(st.lists(st.sampled_from(["x", "y", "z", None]) | TEXTS, max_size=12), st.booleans())
def test_repeats_are_those_that_counting_finds(values: list[str | None], beyond: bool) -> None:
    found = repeated(pl.DataFrame({"a": pl.Series(values, dtype=pl.String())}), pl.col("a"), beyond_first=beyond)
    expected = [
        value is not None and (value in values[:at] if beyond else values.count(value) > 1)
        for at, value in enumerate(values)
    ]
    assert found.to_list() == expected


def test_two_zeros_are_one_number() -> None:
    table = pl.DataFrame({"a": [0.0, -0.0, 1.0, None, None]})
    assert repeated(table, pl.col("a")).to_list() == [True, True, False, False, False]
