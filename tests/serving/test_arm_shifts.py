"""A/B tests of four arms over real gateways and processes: shifts under load lose no answer, a sick arm goes by itself
and comes back by no restart, and each protocol names the arm."""

import threading
from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.serving.parts import CHAMPION, arm_release, row, split
from tests.serving.stage import PATIENCE_S, Stage, stage, until
from tests.serving.test_shifts import CLIENTS, Load, _further

from flyball.core.ids import Epoch
from flyball.core.routing import Routing
from flyball.serving.routing.allotment import allotted
from flyball.serving.routing.assign import owners, unit_hash

FOUR = split(1000, 1000, 1000, 1000, previous=None)
WEIGHTS = ((2000, 100, 1000, 3000), (2000, 0, 1500, 3000), (1, 4000, 1500, 0), (2500, 2500, 2500, 2499), (0, 0, 0, 0))
ONE_BY_ONE = (2000, 1, 0, 1500, 500, 2500, 100)  # the next arm's weight: 28 orders until the same one comes again


def tables(shifts: int, *, one_by_one: bool = False) -> list[Routing]:
    """One order after the other, each from the buckets of the one before. Of four arms that grow at once each is tried,
    and those that had nobody are started; `one_by_one`: one arm's weight in an order, as a controller changes them."""
    found = [FOUR]
    for number in range(shifts):
        weights = dict(zip("bcde", WEIGHTS[number % len(WEIGHTS)], strict=True))
        if one_by_one:
            weights = {"bcde"[number % 4]: ONE_BY_ONE[number % len(ONE_BY_ONE)]}
        found.append(replace(FOUR, epoch=Epoch(number + 2), arms_=allotted(found[-1].arms, weights)))
    return found


def ready(made: Stage, *, sick: str = "") -> None:
    made.release(CHAMPION, score=0.8)
    for name in "bcde":
        made.release(arm_release(name), score=0.9, sick=name == sick)
    made.start()
    made.control.apply("0", FOUR)


def shifted(made: Stage, orders: list[Routing]) -> Counter[tuple[int, str, str | None]]:
    ready(made)
    go_on = threading.Event()
    go_on.set()
    clients = [Load(made.port, i, go_on) for i in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for order in orders:
            made.order(order)
            asked = [client.requests for client in clients]
            until(lambda: _further(clients, asked), "every client has been answered by this table")  # noqa: B023
    finally:
        go_on.clear()
        for client in clients:
            client.join(PATIENCE_S)
    assert made.end() == 0
    return sum((client.seen for client in clients), Counter[tuple[int, str, str | None]]())


@pytest.mark.parametrize(
    ("shifts", "workers"),
    [
        (2, 2),
        pytest.param(4, 2, marks=pytest.mark.slow),
        pytest.param(6, 1, marks=pytest.mark.slow),
        *(pytest.param(1000, workers, marks=pytest.mark.slow) for workers in (1, 2)),
    ],
)
def test_shifts_between_four_arms_under_load_fail_no_answer(tmp_path: Path, shifts: int, workers: int) -> None:
    with stage(tmp_path, workers=workers) as made:
        total = shifted(made, tables(shifts, one_by_one=shifts > len(WEIGHTS) * 3)[1:])
    assert {(status, fallback) for status, _, fallback in total} == {(200, None)}
    assert {arm for _, arm, _ in total} == {"champion", "b", "c", "d", "e"}
    print(f"{shifts} shifts over {workers} workers under {sum(total.values())} rows: none failed, none fell back")


def _gone(made: Stage) -> bool:
    """Ask until arm c is stopped; every row is answered, the sick arm's by its stand-in."""
    answers = made.predict(*[row(card=f"card-{_gone.asked}-{i}", items=13) for i in range(10)])  # type: ignore[attr-defined]
    _gone.asked += 1  # type: ignore[attr-defined]
    assert all("prediction" in each for each in answers)
    return made.control.observe("shop").stopped is not None


@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_sick_arm_loses_its_units_to_the_champion_and_stays_away_after_a_kill(tmp_path: Path, workers: int) -> None:
    _gone.asked = 0  # type: ignore[attr-defined]
    with stage(tmp_path, workers=workers) as made:
        ready(made, sick="c")
        until(lambda: _gone(made), "the gateway stops arm c")
        cards = [f"later-{i}" for i in range(200)]
        promised = [owners(FOUR.arms)[unit_hash(FOUR.salt, card) % 10_000] for card in cards]
        for _ in range(2):
            stopped = made.control.observe("shop").stopped
            assert stopped is not None
            assert [each.arm for each in stopped.arms] == ["c"]
            until(lambda: made.predict(*[row(card=card) for card in cards]), "it answers")
            got = [each["arm"] for each in made.predict(*[row(card=card) for card in cards])]
            assert got == ["champion" if arm == "c" else arm for arm in promised]
            made.kill()
            made.start()
        (left,) = (made.home.gateway("shop") / "spool").glob("stopped-*.json")
        assert left.name == "stopped-shop-ab-1-1-1.json"
        again = replace(FOUR, epoch=Epoch(2), arms_=allotted(FOUR.arms, {"c": 3000}))
        made.order(again)
        routing = made.control.observe("shop").routing
        assert routing is not None
        assert [arm.weight for arm in routing.arms] == [1000, 0, 1000, 1000]


def test_the_protocols_name_the_arm_and_metrics_have_few_labels(tmp_path: Path) -> None:
    with stage(tmp_path) as made:
        ready(made)
        card = next(f"c{i}" for i in range(9999) if owners(FOUR.arms)[unit_hash(FOUR.salt, f"c{i}") % 10_000] == "d")
        assert made.predict(row(card=card))[0]["arm"] == "d"
        tensors = [
            {"name": name, "shape": [1], "datatype": kind, "data": [value]}
            for name, kind, value in (("card", "BYTES", card), ("amount", "FP64", 1.0), ("items", "INT64", 1))
        ]
        status, answer = made.ask("POST", "/v2/models/shop/infer", {"inputs": tensors})
        assert status == 200, answer
        assert "d" in str(answer["parameters"]), answer
        _, text = made.ask("GET", "/metrics")
        assert 'flyball_arm_weight{arm="d",service="shop"} 0.1' in text
        assert 'flyball_step_units{arm="d",service="shop"} 1.0' in text
        assert 'flyball_arm_log_e{arm="d",guardrail="errors",service="shop"} 0.0' in text


def test_an_order_with_faulty_arms_is_refused_whole(tmp_path: Path) -> None:
    with stage(tmp_path) as made:
        ready(made)
        arms = FOUR.arms
        twice = replace(FOUR, epoch=Epoch(2), arms_=(arms[0], replace(arms[1], buckets=arms[0].buckets)))
        with pytest.raises(Exception, match="buckets that belong to one arm"):
            made.control.apply("1", twice)
        named = replace(FOUR, epoch=Epoch(2), arms_=(replace(arms[0], name="shadow"),))
        with pytest.raises(Exception, match="names of their own"):
            made.control.apply("2", named)
        seen = made.control.observe("shop").routing
        assert seen is not None
        assert seen.epoch == 1
