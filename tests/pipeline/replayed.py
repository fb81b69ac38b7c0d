"""The fraud service with a log of actions that a coin decided."""

import numpy as np
import polars as pl
from tests.pipeline.fraud import SERVICE, transactions

TEST = "{log: log.FORM, action: did, propensity: chance, reward: saved, unit: card_id, max_loss: 0.5%}"


def service(form: str = "csv", test: str = TEST) -> str:
    declared = f"  metric: roc_auc\n  tests: {{off_policy: {test.replace('FORM', form)}}}\n"
    return SERVICE.replace("  metric: roc_auc\n", declared, 1)


def log(rows: int = 1500) -> pl.DataFrame:
    """A coin decided; what was done is worth most where it was right."""
    rng = np.random.default_rng(8)
    table = transactions(rows, seed=6)
    did = rng.random(rows) < 0.5
    return table.drop("is_fraud").with_columns(
        did=did, chance=pl.lit(0.5), saved=(did == table["is_fraud"].to_numpy()) + rng.normal(0, 0.1, rows)
    )
