"""What was over while no controller looked is over with its first look, where the panes go back so far."""

import pytest
from msgspec.structs import replace
from tests.control.reconcile.test_vitals import PANE_S, ROWS, World, segment
from tests.control.world import FIRST, service

from flyball.control.reconcile.vitals import HealthWatch
from flyball.core.declared.serving import Probes
from flyball.core.service import Service

BAD_PANES = 6
RATES = ["availability", "errors"]


def stopped(panes: list[int], declared: Service | None = None) -> World:
    """A controller saw an outage and stopped; one that begins anew reads the whole log: panes: errors in each since."""
    world = World(watch=HealthWatch(declared or service()))
    began = world.at
    list(world.panes(10))
    list(world.panes(BAD_PANES, errors=ROWS))
    assert world.signs == RATES
    world.watch = HealthWatch(declared or service())
    for index, errors in enumerate([0] * 10 + [ROWS] * BAD_PANES + panes):
        world.at = began + (index + 1) * PANE_S
        world.watch.take(segment(world.at, errors=errors), FIRST)
    return world


def test_what_has_been_well_for_long_is_over_at_once() -> None:
    world = stopped([0] * 70)
    world.look()
    assert world.signs == []
    assert world.called == "UNHEALTHY"  # an hour after a critical sign it is not well yet


def test_what_is_well_since_a_moment_ago_waits_as_ever() -> None:
    world = stopped([0] * 55)  # the five minutes that end five minutes ago have errors in them
    world.look()
    assert world.signs == RATES
    list(world.panes(29))
    assert world.signs == RATES
    list(world.panes(2))
    assert world.signs == []


def test_what_came_back_in_between_or_stands_now_is_not_over() -> None:
    quick = service()
    health = replace(quick.monitor.health, span_s=60.0)
    quick = replace(quick, monitor=replace(quick.monitor, health=health))
    for panes in ([0] * 55 + [ROWS] * 4 + [0] * 11, [0] * 69 + [ROWS]):
        world = stopped(panes, quick)
        world.look()
        assert world.signs == RATES


@pytest.mark.parametrize("rows", [0, ROWS])
def test_without_panes_of_that_time_nobody_knows(rows: int) -> None:
    world = stopped([0] * 70)
    world.watch = HealthWatch(service())
    if rows:
        world.watch.take(segment(world.at), FIRST)
    world.look()
    assert world.signs == RATES


def test_where_probes_are_sent_rows_alone_do_not_say_that_it_is_there() -> None:
    probed = replace(service(), serving=replace(service().serving, probes=Probes(every_s=10)))
    world = stopped([0] * 70, probed)
    world.look()
    assert world.signs == ["availability"]


def test_only_the_first_look_asks_what_was() -> None:
    """A sign that the ledger has and this memory has not, later on, came from another controller a moment ago."""
    world = stopped([0] * 70)
    world.look()
    list(world.panes(3, errors=ROWS))
    assert world.signs == RATES
    list(world.panes(30))
    assert world.signs == RATES
