"""The service levels of a contract, judged now."""

import polars as pl

from flyball.adapters.clock import SystemClock
from flyball.contracts.levels import LevelResult, judge, observe
from flyball.core.clock import Clock
from flyball.core.contract import DataContract


def standing(table: pl.DataFrame, contract: DataContract, clock: Clock | None = None) -> tuple[LevelResult, ...]:
    """What the table's own times say of each level; what only an operator knows is UNKNOWN."""
    return judge(contract.levels, observe(table, contract), (clock or SystemClock()).now())
