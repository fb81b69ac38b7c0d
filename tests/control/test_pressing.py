"""Retraining by pressure, under the real loop: it acts once, rests, begins again from nothing, and does not swing."""

import numpy as np
import pytest
from msgspec.structs import replace
from tests.control.plant import Hour, Plant, most_in
from tests.control.world import service

from flyball.core import events as e
from flyball.core.service import Autonomy, LiveMetric, PressureRule, Promote, Retrain, Service, Step
from flyball.decide.triggers import dead_s

WEEK = 168.0  # hours


def declared(*, pressure: PressureRule | None = PressureRule(), **more: object) -> Service:  # noqa: B008 - frozen
    base = service(steps=[Step(promote=Promote())], autonomy=Autonomy(retrain="auto", promote="auto"))
    policy = replace(Retrain(min_new_rows=50, cooldown_s=86_400, pressure=pressure), **more)
    return replace(
        base,
        retrain=policy,
        monitor=replace(base.monitor, live_metric=LiveMetric(name="accuracy", max_loss=0.05)),
        data=replace(base.data, label_window_s=36 * 3600),
    )


def step(hour: int, trained: int) -> Hour:
    """Once, in hour 50, the world changes; who learned since then knows it."""
    return Hour(0.6 if hour >= 50 > trained else 0.02, 0.0)


def test_a_step_fires_once_and_then_nothing_does() -> None:
    plant = Plant(declared(), step, gain=lambda _: True).run(300)
    (order,) = plant.orders
    assert 50 < order <= 54
    assert len(plant.at(e.ChampionAppointed)) == 2


def test_after_a_training_in_vain_it_rests_for_the_dead_time_and_begins_from_nothing() -> None:
    plant = Plant(declared(rest_after=9), step, gain=lambda number: number >= 2).run(300)
    dead = dead_s(declared()) / 3600
    assert dead == 36
    gaps = np.diff(plant.orders)
    assert len(gaps) == 2
    assert all(dead + 2 <= gap <= dead + 5 for gap in gaps)  # 2 windows of the largest error press again


def test_what_stays_between_warn_and_act_is_acted_on_in_the_end_and_by_the_plain_rule_never() -> None:
    def aging(_: int, trained: int) -> Hour:
        return Hour(0.18 if trained == 0 else 0.02, 0.0)

    pressing = Plant(declared(), aging, gain=lambda _: True).run(150)
    plain = Plant(declared(pressure=None), aging, gain=lambda _: True).run(150)
    assert len(pressing.orders) == 1
    assert plain.orders == []


def test_one_mad_window_presses_and_does_not_fire() -> None:
    def mad(hour: int, _: int) -> Hour:
        return Hour(9.0 if hour % 24 == 0 else 0.02, 0.0)

    assert Plant(declared(), mad, gain=lambda _: True).run(250).orders == []


def test_a_ticket_says_how_hard_what_pressed_in_its_parts() -> None:
    plant = Plant(declared(), step, gain=lambda _: True).run(60)
    (ticket,) = (fact for fact in plant.loop.facts(e.TicketOpened) if isinstance(fact, e.TicketOpened))
    psi, risk = ticket.pressures
    assert psi.high
    assert psi.value == pytest.approx(psi.proportional + psi.integral + psi.derivative)
    assert (psi.of, psi.feature, risk.of, risk.high) == ("psi", "amount", "risk", False)
    assert ticket.why.startswith("drift: pressure of psi ")


def test_what_is_not_declared_is_told_and_changes_nothing() -> None:
    plain = Plant(declared(pressure=None), step, gain=lambda _: True).run(60)
    (ticket,) = (fact for fact in plain.loop.facts(e.TicketOpened) if isinstance(fact, e.TicketOpened))
    assert ticket.why.startswith("drift: psi of amount 0.6")
    assert [each.of for each in ticket.pressures] == ["psi", "risk"]


def test_a_controller_that_starts_anew_presses_as_the_one_before() -> None:
    patient = declared(rest_after=9)
    one, other = (Plant(patient, step, gain=lambda number: number >= 2) for _ in range(2))
    one.run(200)
    for _ in range(20):
        other.run(10)
        other.loop.reconciler.stop()
        other.anew()
    assert one.orders == other.orders


def aged(seed: int, hours: int, pressure: PressureRule | None) -> tuple[list[float], float]:
    """PSI grows by 0.002 an hour since the training, at `warn` after 40 hours, with noise: (orders, mean PSI)."""
    noise = np.random.default_rng(seed).normal(0, 0.03, hours + 1)
    seen = {}

    def aging(hour: int, trained: int) -> Hour:
        seen[hour] = max(0.0, 0.02 + 0.002 * (hour - trained) + float(noise[hour]))
        return Hour(seen[hour], 0.0)

    plant = Plant(declared(pressure=pressure), aging, gain=lambda _: True).run(hours)
    return plant.orders, sum(seen.values()) / len(seen)


def test_an_aging_service_is_retrained_at_its_own_pace_and_does_not_swing() -> None:
    orders, _ = aged(0, 400, PressureRule())
    assert 3 <= len(orders) <= 400 / 36
    assert most_in(orders, WEEK) <= WEEK / 36 + 1
    assert min(np.diff(orders)) >= 40  # never before there is something to mend


@pytest.mark.slow
def test_at_length_it_does_not_swing_and_keeps_the_service_younger_than_the_plain_rule() -> None:
    months = 20
    ours, plain = ([aged(seed, 720, rule) for seed in range(months)] for rule in (PressureRule(), None))
    told = [
        (
            np.mean([len(orders) for orders, _ in each]),
            max(most_in(o, WEEK) for o, _ in each),
            np.mean([p for _, p in each]),
        )
        for each in (ours, plain)
    ]
    print("retrainings a month, most in a week, mean PSI:", told)
    (often, most, psi), (less_often, _, older) = told
    assert most <= 4
    assert often > less_often
    assert psi < older
