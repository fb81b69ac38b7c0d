"""The figures of the backtest's story, as they follow from what its past was made of."""

from functools import cache

import pytest
from tests.scenarios.backtest_story import SHIFTED, SPOILT, found

from flyball.app.backtest.report import PolicyLine


@cache
def lines() -> dict[str, PolicyLine]:
    return {line.policy: line for line in found().policies}


@pytest.mark.parametrize(
    ("policy", "false", "delays"),
    [
        ("as recorded", 0, (199, 99)),  # PSI in the second window from row 2000 on, the loss in the first from 4000 on
        ("1 window", 1, (99, 99)),  # and the PSI of rows 500 to 599, where nothing has changed
        ("act at 0.70", 0, (99,)),  # PSI 0.60 is never enough
    ],
)
def test_alarms_lie_where_the_past_was_made_to_have_them(policy: str, false: int, delays: tuple[int, ...]) -> None:
    told = lines()[policy].judged
    assert (told.false_alarms, told.delays_rows) == (false, delays)
    assert told.missed == 2 - len(delays)


def test_a_training_costs_what_it_cost_on_record_and_another_one_the_mean() -> None:
    told = {name: (line.retrains, line.training_s, line.cost) for name, line in lines().items()}
    assert told["as recorded"] == (3, 100 + 200 + 300, 1 + 2 + 3)
    assert told["act at 0.70"] == (2, 200 + 300, 2 + 3)  # not the first
    assert told["1 window"] == (4, 600 + 200, 6 + 2)  # one more, of which the record knows nothing
    assert told["rest 1 h"] == (5, 600 + 2 * 200, 6 + 2 * 2)


def test_the_candidate_that_errs_is_counted_until_its_weight_is_0_and_no_further_than_the_record_goes() -> None:
    told = {name: (line.rollbacks, line.bad_requests, line.bad_requests_at_least) for name, line in lines().items()}
    assert told["as recorded"] == (1, 1200, False)
    assert told["20 errors"] == (1, 400, False)  # its 30 errors of the first canary are enough
    assert told["alpha 0.001"] == (0, 1200, True)  # log e 4.5 is not: it would have gone on, nobody knows how long
    assert told["1 window"] == (0, None, False)  # the policy had left the record long before


def test_the_bad_champion_is_counted_until_another_one_serves() -> None:
    told = {name: (line.bad_rows, line.bad_rows_at_least) for name, line in lines().items()}
    # bad from row 4000 on; asked in hours 42 (taken back) and 47, whose release serves from row 4900 on
    assert told["as recorded"] == told["20 errors"] == (900, False)
    # asked again with row 4199, and a training of the record takes two hours until its release serves
    assert told["rest 1 h"] == (400, True)


def test_a_policy_is_told_up_to_where_it_did_what_the_record_did() -> None:
    told = {name: line.known_to_row for name, line in lines().items()}
    assert told["as recorded"] == told["20 errors"] == 5999
    assert told["1 window"] == 599  # asks for a training there
    assert told["act at 0.70"] == 100 * SHIFTED + 299  # has not asked a window after the record did
    assert told["rest 1 h"] == told["alpha 0.001"] == 100 * SPOILT + 199
