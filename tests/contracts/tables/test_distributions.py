"""Custom clauses of ours: a column is distributed as its baseline, and too little data has not passed."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from jsonschema import Draft201909Validator
from tests.contracts.odcs.test_document import newest

from flyball.app.baselines import baselines
from flyball.contracts.odcs.document import parse_contract
from flyball.contracts.tables.check import check
from flyball.contracts.tables.distributions import MEASURES
from flyball.contracts.yaml_text import read
from flyball.core.errors import BadInput

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: c
version: "1"
status: draft
schema:
  - name: t
    properties:
      - name: amount
        logicalType: number
        quality: [{type: custom, engine: flyball, implementation: {NUMBER}}]
      - name: country
        logicalType: string
        quality: [{type: custom, engine: Flyball, implementation: {TEXT}}]
"""
NUMBER = "metric: psi, baseline: then.parquet, tolerance: 0.1"
TEXT = "metric: js, baseline: {shares: {no: 0.6, se: 0.4}}, tolerance: 0.05"


def contract(number: str = NUMBER, text: str = TEXT) -> str:
    return CONTRACT.replace("{NUMBER}", f"{{{number}}}").replace("{TEXT}", f"{{{text}}}")


def table(rows: int, seed: int, shift: float = 0.0, norwegians: float = 0.6) -> pl.DataFrame:
    dice = np.random.Generator(np.random.PCG64(seed))
    countries = np.where(dice.random(rows) < norwegians, "no", "se")
    return pl.DataFrame({"amount": dice.normal(shift, 1, rows), "country": countries})


def told(now: pl.DataFrame, then: pl.DataFrame | None, **how: str) -> dict[str | None, str]:
    known = {} if then is None else {"then.parquet": then}
    report = check(now, parse_contract(contract(**how)).contract, baselines=known)
    return {violation.column: violation.found.split(":")[0] for violation in report.violations}


def test_what_has_not_changed_passes_and_what_has_is_drift() -> None:
    then = table(5000, 1)
    assert told(table(5000, 2), then) == {}
    assert told(table(5000, 3, shift=1.0, norwegians=0.2), then) == {"amount": "DRIFT", "country": "DRIFT"}


@pytest.mark.parametrize("metric", sorted(MEASURES))
def test_every_measure_holds_and_breaks(metric: str) -> None:
    number = f"metric: {metric}, baseline: then.parquet, tolerance: 0.1"
    then = table(5000, 1)
    assert told(table(5000, 2), then, number=number) == {}
    assert told(table(5000, 3, shift=1.5), then, number=number) == {"amount": "DRIFT"}


def test_too_few_rows_and_an_unread_baseline_have_not_passed() -> None:
    few = table(20, 2)
    assert told(few, table(5000, 1)) == {"amount": "INSUFFICIENT", "country": "INSUFFICIENT"}
    assert told(table(5000, 2), None) == {"amount": "INSUFFICIENT"}
    assert told(table(5000, 2), table(5000, 1).drop("amount")) == {"amount": "INSUFFICIENT"}
    assert told(table(5000, 2).drop("country"), table(5000, 1)) == {"country": "DRIFT"}


def test_a_column_that_goes_missing_is_a_shift() -> None:
    then, now = table(5000, 1), table(5000, 2)
    gone = now.with_columns(
        pl.when(pl.int_range(pl.len()) % 3 == 0).then(None).otherwise(pl.col("amount")).alias("amount")
    )
    assert told(gone, then) == {"amount": "DRIFT"}


def test_shares_of_numbers_are_bins_open_at_both_ends() -> None:
    number = "metric: psi, baseline: {edges: [0], shares: [0.5, 0.5]}, tolerance: 0.1"
    assert told(table(5000, 2), None, number=number) == {}
    assert told(table(5000, 2, shift=1.0), None, number=number) == {"amount": "DRIFT"}


@pytest.mark.parametrize(
    ("how", "where", "expected"),
    [
        ({"number": "metric: pis, baseline: x.parquet, tolerance: 1"}, "metric", "did you mean psi?"),
        ({"number": "metric: psi, baseline: x.parquet"}, "tolerance", "a number above 0"),
        ({"number": "metric: psi, baseline: ../x.parquet, tolerance: 1"}, "baseline", "a table beside the contract"),
        ({"number": "metric: psi, baseline: x.xlsx, tolerance: 1"}, "baseline", ".parquet"),
        ({"number": "metric: psi, tolerance: 1"}, "baseline", "add it"),
        ({"number": f"{NUMBER}, alpha: 2"}, "alpha", "below 1"),
        ({"number": f"{NUMBER}, bin: 2"}, "bin", "did you mean bins?"),
        ({"number": "metric: psi, baseline: {edges: [2, 1], shares: [1]}, tolerance: 1"}, "edges", "a rising list"),
        ({"number": "metric: psi, baseline: {edges: [1], shares: [0.5, 0.6]}, tolerance: 1"}, "shares", "sum to 1"),
        ({"number": "metric: ks, baseline: {edges: [1], shares: [0.5, 0.5]}, tolerance: 1"}, "baseline", "a table"),
        ({"text": "metric: ks, baseline: x.parquet, tolerance: 1"}, "metric", "a metric for categories"),
    ],
)
def test_a_faulty_clause_is_told(how: Any, where: str, expected: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_contract(contract(**how))
    assert [fault for fault in caught.value.faults if fault.path.endswith(where) and expected in str(fault)]


def test_a_clause_of_the_table_belongs_to_a_column_and_text_is_read_as_a_mapping() -> None:
    quoted = contract().replace(f"{{{NUMBER}}}", f'"{{{NUMBER}}}"')
    assert parse_contract(quoted).contract.distributions == parse_contract(contract()).contract.distributions
    whole = contract() + f"    quality: [{{type: custom, engine: flyball, implementation: {{{NUMBER}}}}}]\n"
    with pytest.raises(BadInput, match="fault"):
        parse_contract(whole)


def test_the_contract_with_our_clauses_is_valid_by_the_standards_own_schema() -> None:
    assert Draft201909Validator(newest()).is_valid(read(contract(), file="c").data)


def test_baselines_are_read_beside_the_contract(tmp_path: Path) -> None:
    table(100, 1).write_parquet(tmp_path / "then.parquet")
    made = parse_contract(contract()).contract
    assert baselines(made, tmp_path)["then.parquet"].height == 100
    with pytest.raises(BadInput):
        baselines(made, tmp_path / "elsewhere")
