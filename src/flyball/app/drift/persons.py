"""Whether a column speaks of persons: a guess by its name and its values, as two tables have no contract.

A report is passed on. Values of such a column are counted in it and not named.
"""

from collections.abc import Sequence

import polars as pl

from flyball.contracts.draft.meaning import classified, format_of
from flyball.pipeline.suites.detectors import kinds


def speaks_of_persons(name: str, values: Sequence[str]) -> bool:
    """Args: values: some of the column, as texts.

    >>> speaks_of_persons("surname", ["x"]), speaks_of_persons("contact", ["jo@firm.org", "none"])
    (True, True)
    >>> speaks_of_persons("country", ["es", "pt"])
    False
    """
    texts = pl.Series(values, dtype=pl.String)
    return classified(name, format_of(texts)) is not None or any(True for text in values for _ in kinds(text))
