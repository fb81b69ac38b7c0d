"""Whether a prediction says what its label says, whatever types the two are written in.

Both are spelled alike first, as the columns of two tables are: 1, 1.0, `1` and `1.0` are one answer, and so are true
and `true`. A text with leading zeros is a code, and no number.
"""

import polars as pl

from flyball.app.drift.columns import FLAGS, number_of


def wrong(label: pl.Series, prediction: pl.Series) -> pl.Series:
    """Whether each prediction is another answer than its label; null where one of them is missing.

    >>> wrong(pl.Series(["1", "0", "01", None]), pl.Series([1.0, 1.0, 1.0, 1.0])).to_list()
    [False, True, True, None]
    """
    label, prediction = (each.fill_nan(None) if each.dtype.is_float() else each for each in (label, prediction))
    if label.dtype == prediction.dtype and label.dtype != pl.String:
        return label != prediction
    return _spelled(label) != _spelled(prediction)


def _spelled(column: pl.Series) -> pl.Series:
    """As texts; numbers and flags in one spelling."""
    texts = (column.cast(pl.Float64) if column.dtype.is_decimal() else column).cast(pl.String)
    known = {text: spelling for text in texts.drop_nulls().unique() if (spelling := _spelling(text)) != text}
    return texts.replace(known) if known else texts


def _spelling(text: str) -> str:
    flag = FLAGS.get(text.strip().lower())
    number = number_of(text) if flag is None else float(flag)
    return text if number is None else repr(number)
