"""Rows that are made up are rows that the contract accepts; a drift moves what it names and nothing else."""

import numpy as np
import pytest
from tests.examples.streams import EXAMPLES

from flyball.app.declared import Declared, load
from flyball.app.rehearse.rows import LATENT, RowLaw
from flyball.contracts.rows.compiled import CompiledRows
from flyball.core.contract import Column, DataContract
from flyball.core.errors import BadInput


def law(declared: Declared) -> RowLaw:
    return RowLaw(declared.contract, label=declared.service.data.label, key=declared.service.data.key)


@pytest.mark.parametrize("folder", sorted(path.parent for path in EXAMPLES.glob("*/service.yaml")), ids=str)
def test_the_contract_of_every_example_accepts_them(folder: object) -> None:
    declared = load(str(folder))
    rows = law(declared).rows(np.random.default_rng(7), 500, {})
    checker = CompiledRows(declared.contract, label=declared.service.data.label)
    assert not any(checker.check(rows))
    assert set(rows[0]) == {*checker.columns, LATENT}


def test_a_drift_moves_a_number_by_standard_deviations_and_leaves_the_others() -> None:
    columns = tuple(Column(name=name, kind="number", minimum=0, maximum=100) for name in ("x", "z"))
    drawn = RowLaw(DataContract(id="c", version="1", table="t", columns=columns), label="y", key=None)
    before = drawn.columns(np.random.default_rng(1), 4000, {})
    after = drawn.columns(np.random.default_rng(1), 4000, {"x": 1.0})
    spread = float(np.std(before["x"]))
    assert np.mean(after["x"]) - np.mean(before["x"]) == pytest.approx(spread, rel=0.05)
    assert after["z"] == before["z"]


def test_a_contract_whose_values_nobody_can_guess_is_refused_by_name() -> None:
    column = Column(name="code", kind="string", required=True, pattern="^Q[0-9]{3}-[xyz]{7}$")
    with pytest.raises(BadInput) as refused:
        RowLaw(DataContract(id="c", version="1", table="t", columns=(column,)), label="y", key=None)
    assert [fault.path for fault in refused.value.faults] == ["code.pattern"]
