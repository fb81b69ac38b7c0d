"""Real gateways under a relief: a broken champion is spared, workers make room by an order, a kill changes nothing."""

from pathlib import Path
from typing import Any

import pytest
from tests.serving.parts import CHAMPION, PREVIOUS, routing, row
from tests.serving.stage import Stage, stage, until

from flyball.core.errors import NotFound, Refused, StaleEpoch
from flyball.core.routing import Relief

ALONE: dict[str, Any] = {"candidate": None, "rollout": None, "guardrails": None, "step": None, "salt": ""}
FALL_BACK = Relief(fall_back=True, until="2099-01-01T00:00:00.000000Z")


def one(made: Stage, card: str, **headers: str) -> dict[str, Any]:
    status, body = made.ask("POST", "/v1/services/shop/predict", row(card=card), **headers)
    assert status == 200, body
    answer: dict[str, Any] = body["predictions"][0]
    return answer


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_broken_champion_is_spared_and_the_relief_outlives_the_gateway(tmp_path: Path, workers: int) -> None:
    with stage(tmp_path, workers=workers) as made:
        made.release(CHAMPION, sick=True)
        made.release(PREVIOUS)
        made.start()
        made.control.apply("first", routing(**ALONE))
        made.control.apply("relief", routing(**ALONE | {"epoch": 2}, relief_=FALL_BACK))
        found = [one(made, f"card-{i}") for i in range(20)]
        assert {(each["arm"], each["fallback"]) for each in found} == {("champion", "previous")}
        observed = made.control.observe("shop").routing
        assert observed is not None
        assert observed.relief == FALL_BACK
        made.end_all()
        made.start()  # no controller is there, and nobody orders anything
        assert one(made, "card-21")["fallback"] == "previous"
        made.control.apply("over", routing(**ALONE | {"epoch": 3}))
        observed = made.control.observe("shop").routing
        assert observed is not None
        assert observed.relief is None
        _, text = made.ask("GET", "/metrics")
        spared = [line for line in text.splitlines() if line.startswith("flyball_error_events_total")]
        assert sum(float(line.rpartition(" ")[2]) for line in spared) == 0
        made.end()


def test_low_priority_is_turned_away_by_its_share_and_nobody_else(tmp_path: Path) -> None:
    with stage(tmp_path) as made:
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(**ALONE | {"previous": None}, relief_=Relief(shed=0.5)))
        low = {"x-flyball-priority": "low"}
        asked = [made.ask("POST", "/v1/services/shop/predict", row(card=f"c{i}"), **low)[0] for i in range(20)]
        assert sorted(asked) == [200] * 10 + [429] * 10
        assert [one(made, f"live-{i}")["arm"] for i in range(5)] == ["champion"] * 5
        made.end()


def test_workers_make_room_by_an_order_one_after_the_other_and_once(tmp_path: Path) -> None:
    with stage(tmp_path, workers=2) as made:
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(**ALONE | {"previous": None, "epoch": 5}))
        before = set(made.children())
        with pytest.raises(StaleEpoch):
            made.control.recycle("recycle/shop/re-0", "shop", 4)
        with pytest.raises(NotFound):
            made.control.recycle("recycle/shop/re-0", "another", 5)
        assert not made.control.observe("shop").alone
        made.control.recycle("recycle/shop/re-1", "shop", 5)
        until(lambda: len(made.children()) == 2 and not before & set(made.children()), "both are fresh")
        fresh = set(made.children())
        made.control.recycle("recycle/shop/re-1", "shop", 5)  # the answer was lost, and it is given again
        made.control.recycle("recycle/shop/re-2", "shop", 5)
        until(lambda: len(made.children()) == 2 and not fresh & set(made.children()), "the next order, once")
        assert one(made, "c1")["arm"] == "champion"
        made.end()


def test_a_gateway_of_one_process_says_that_it_cannot_make_room(tmp_path: Path) -> None:
    with stage(tmp_path) as made:
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(**ALONE | {"previous": None}))
        assert made.control.observe("shop").alone, "nobody has to order it to learn that"
        with pytest.raises(Refused, match="one process answers here"):
            made.control.recycle("recycle/shop/re-1", "shop", 1)
        made.end()
