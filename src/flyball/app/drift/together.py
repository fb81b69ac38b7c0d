"""Columns that only mean something together: all numbers of a row, or an embedding. MMD, confirmed by a classifier.

Univariate bins see no change that only turns how columns go together. Both measures need the rows themselves, so they
are taken on a uniform sample of each table.
"""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.app.drift.columns import as_numbers
from flyball.app.drift.comparable import Column
from flyball.app.drift.judged import Feature
from flyball.app.drift.sampled import sampled
from flyball.app.drift.streams import Table, opened
from flyball.stats.two_sample.domain_classifier import compare_domains
from flyball.stats.two_sample.measure import Measure, Reading, without_value
from flyball.stats.two_sample.mmd import compare_mmd, fit_features

ALL_NUMBERS = "(numbers together)"
SEED = 20_261_126

Floats = npt.NDArray[np.float64]


def together(reference: Path, current: Path, columns: Sequence[Column]) -> tuple[Feature, ...]:
    """One for all columns of numbers, where there are two or more, and one for each column of vectors.

    Args:
        columns: of both tables, as they were compared.
    """
    tables = opened(reference), opened(current)
    found = []
    numbers = [each.name for each in columns if each.kind == "number" and each.reference is not None]
    if len(numbers) > 1:
        sides = [_numbers(sampled(table, numbers), table) for table in tables]
        found.append(_feature(Column(name=ALL_NUMBERS, types=(None, None)), sides[0], sides[1]))
    for each in columns:
        if each.pair is not None and all(_is_vector(table.schema[each.name]) for table in tables):
            vectors = [_vectors(sampled(table, [each.name]).to_series()) for table in tables]
            found.append(_feature(each, vectors[0], vectors[1]))
    if not found:
        nothing = without_value("mmd", 0, 0, Reading.INVALID, "it needs two columns of numbers, or one of vectors")
        column = Column(name=ALL_NUMBERS, types=(None, None))
        return (Feature(column=column, verdict=Reading.INVALID, deciding=nothing, measures={"mmd": nothing}),)
    return tuple(found)


def _is_vector(dtype: pl.DataType) -> bool:
    return isinstance(dtype, pl.List | pl.Array) and dtype.inner.is_numeric()


def _numbers(sample: pl.DataFrame, table: Table) -> Floats:
    """Shape [rows, columns]; NaN is missing."""
    return np.column_stack([as_numbers(sample[name], table.schema[name])[0] for name in sample.columns])


def _vectors(values: pl.Series) -> Floats:
    """Shape [rows, length of the first vector]; a row that is missing or of another length is all NaN."""
    lists = values.cast(pl.List(pl.Float64))
    lengths = lists.list.len()
    width = int(lengths.drop_nulls().item(0)) if lengths.drop_nulls().len() else 0
    fits = (lengths == width).fill_null(False).to_numpy()
    made = np.full((values.len(), max(width, 1)), np.nan)
    if width:
        made[fits] = lists.filter(pl.Series(fits)).explode().to_numpy().reshape(-1, width)
    return made


def _feature(column: Column, before: Floats, now: Floats) -> Feature:
    rng = np.random.default_rng(SEED)
    measures = {"mmd": _mmd(before, now, rng), "domain_classifier": _domains(before, now, rng)}
    deciding = measures["mmd"]
    # an e-value from a p-value: Vovk and Wang 2021, proposition 2.1, with kappa = 1/2
    log_e = None if deciding.p is None else math.log(0.5) - 0.5 * math.log(max(deciding.p, 1e-300))
    return Feature(column=column, verdict=deciding.verdict, deciding=deciding, measures=measures, log_e=log_e)


def _mmd(before: Floats, now: Floats, rng: np.random.Generator) -> Measure:
    if before.shape[1] != now.shape[1]:
        reason = f"vectors of {before.shape[1]} numbers in the reference, of {now.shape[1]} now"
        return without_value("mmd", len(before), len(now), Reading.INVALID, reason)
    if np.isfinite(before).all(axis=1).sum() < 2:
        reason = "no two rows of the reference are without a missing value"
        return without_value("mmd", len(before), len(now), Reading.INSUFFICIENT, reason)
    features = fit_features(before, rng=rng)
    return compare_mmd(features.embed(before, products=True), features.embed(now, products=True))


def _domains(before: Floats, now: Floats, rng: np.random.Generator) -> Measure:
    return compare_domains(before, now, rng=rng)
