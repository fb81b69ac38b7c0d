"""The off-policy test of a candidate: what it says of logs whose truth is known."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.pipeline.suites.models import honest, subject, table

from flyball.pipeline.suites.found import Found
from flyball.pipeline.suites.off_policy import off_policy_value
from flyball.pipeline.suites.plan import plan
from flyball.pipeline.suites.whole import model_suite

COLUMNS = {"log": "log.csv", "action": "did", "propensity": "chance", "reward": "r"}


def logged(rows: int = 6000, *, share: float = 0.5, seed: int = 11, best: int | None = None) -> pl.DataFrame:
    """Actions by a coin; a reward where the action is the label, or `best` where that is given."""
    rng = np.random.default_rng(seed)
    base = table(rows, seed=seed)
    did = (rng.random(rows) < share).astype(int)
    right = did == (base["y"].to_numpy() if best is None else best)
    return base.drop("y").with_columns(
        did=did,
        chance=np.where(did == 1, share, 1 - share),
        r=(rng.random(rows) < np.where(right, 0.4, 0.2)).astype(int),
        who=np.arange(rows) // 2,
    )


def judged(log: pl.DataFrame, *, wrong: bool = False, **more: Any) -> Found:
    one = subject((lambda frame: 1 - honest(frame)) if wrong else honest, off_policy=COLUMNS | more)
    assert one.tests.off_policy is not None
    return off_policy_value(one, one.tests.off_policy, log, np.random.default_rng(0))


@pytest.mark.parametrize("estimator", ["dr", "snips", "ips"])
def test_a_model_that_knows_what_pays_passes_and_its_opposite_fails(estimator: str) -> None:
    good, bad = (judged(logged(), wrong=wrong, estimator=estimator) for wrong in (False, True))
    assert [test.verdict for test in (*good.tests, *bad.tests)] == ["PASS", "FAIL"]
    gain = good.metrics["off_policy.gain"]
    assert gain.low < 0.06 < gain.high  # right in 8 of 10 rows, where the coin is in 5
    assert good.metrics["off_policy.value"].value == pytest.approx(0.3 + gain.value, abs=0.02)
    assert bad.tests[0].hard
    assert "50% of 6000 rows followed" in good.tests[0].reason


def test_a_tolerated_loss_may_be_a_share_of_what_was_logged() -> None:
    """The opposite of what pays loses a fifth of the mean."""
    assert judged(logged(), wrong=True, max_loss="10%").tests[0].verdict == "FAIL"
    assert judged(logged(), wrong=True, max_loss="40%").tests[0].verdict == "PASS"
    undecided = judged(logged(), wrong=True, max_loss="20%").tests[0]
    assert undecided.verdict == "INCONCLUSIVE"
    assert undecided.limit == pytest.approx(-0.06, abs=0.003)


@pytest.mark.parametrize(
    ("log", "more", "reason"),
    [
        (logged(150), {}, "of at least 100 units"),
        (logged().with_columns(chance=pl.lit(0.25)), {}, "the mean weight is"),
        (logged().with_columns(chance=pl.lit(1.0)), {}, "had one possible action"),
        (logged().with_columns(did=pl.lit("yes")), {}, "no answers of the model (0, 1): yes"),
        (logged().with_columns(r=pl.lit(1)), {}, "the reward is 1 in every row"),
        (logged().with_columns(who=pl.lit(1)), {"unit": "who"}, "one unit"),
        (logged()[:0], {"estimator": "snips"}, "holds no row"),
    ],
)
def test_what_the_log_cannot_tell_is_inconclusive_and_missing_evidence(
    log: pl.DataFrame, more: dict[str, Any], reason: str
) -> None:
    found = judged(log, **more)
    assert [test.verdict for test in found.tests] == ["INCONCLUSIVE"]
    assert reason in found.tests[0].reason
    assert (set(found.missing), found.metrics) == ({"off_policy.value", "off_policy.gain"}, {})


def test_rows_of_one_unit_widen_the_bounds() -> None:
    log = logged(3000)
    doubled = pl.concat([log, log])
    by_row = judged(doubled, estimator="snips").metrics["off_policy.gain"]
    by_unit = judged(doubled, estimator="snips", unit="who").metrics["off_policy.gain"]
    assert by_unit.high - by_unit.low > 1.3 * (by_row.high - by_row.low)


def test_it_answers_the_same_twice_whatever_the_kinds_of_the_inputs() -> None:
    log = logged(2000).with_columns(
        pl.when(pl.col("x") > 1).then(None).otherwise(pl.col("group")).alias("group"),
    )
    assert judged(log) == judged(log)


def test_it_runs_where_it_is_declared() -> None:
    one = subject(honest, off_policy=COLUMNS)
    asked = plan(one.service)
    assert asked.wants("off_policy.")
    found = model_suite(one, asked, None, None, logged(2000), streams=lambda _: np.random.default_rng(0))
    assert [test.name for test in found.tests if test.name == "off-policy value"]
