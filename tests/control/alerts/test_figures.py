"""What is told has the figures of the moment when it is told, or says of which moment they are."""

from msgspec.structs import replace
from tests.control.alerts.watch import BEGIN, Watch, healthy, later, remedy, sign

from flyball.core import events as e
from flyball.core.health import Health, Sign

OLD = replace(sign("errors"), why="5 of 100 rows failed", as_of=BEGIN)
NEW = replace(OLD, why="90 of 100 rows failed", value=0.9)


def live(watch: Watch, newest: Sign) -> Watch:
    """As the controller judges it now; the ledger has the figures with which the sign came."""
    watch.health = Health(state="UNHEALTHY", signs=(newest,))
    return watch


def raised(watch: Watch) -> e.AlertRaised:
    (fact,) = [fact for fact in watch.tick() if isinstance(fact, e.AlertRaised)]
    return fact


def test_what_was_held_is_told_with_the_figures_of_now() -> None:
    watch = Watch().say(healthy(OLD), remedy("errors", "roll_back", later(240)))
    assert watch.kinds() == ["held errors healing"]
    watch.after(241)
    page = raised(live(watch, replace(NEW, as_of=watch.now)))
    assert page.summary == "90 of 100 rows failed"
    assert page.detail.startswith("90 of 100 rows failed")


def test_figures_that_nobody_measured_since_are_told_as_of_their_moment() -> None:
    watch = Watch().say(healthy(OLD)).after(3600)
    assert raised(live(watch, OLD)).summary == f"5 of 100 rows failed (as of {BEGIN[:19]}Z)"
    nobody_looked = Watch().say(healthy(OLD)).after(3600)
    assert raised(nobody_looked).summary == f"5 of 100 rows failed (as of {BEGIN[:19]}Z)"
    said_nothing = Watch().say(healthy(replace(OLD, as_of=""))).after(3600)
    assert raised(said_nothing).summary == "5 of 100 rows failed"


def test_whoever_hears_of_it_later_hears_how_it_is_then() -> None:
    watch = live(Watch().say(healthy(OLD)), OLD)
    assert raised(watch).summary == "5 of 100 rows failed"
    watch.after(900)
    (up,) = live(watch, replace(NEW, as_of=watch.now)).tick()
    assert isinstance(up, e.AlertEscalated)
    assert up.why == "nobody took it within 900 s; now: 90 of 100 rows failed"
    same = live(Watch().say(healthy(OLD)), OLD)
    same.tick()
    same.after(900)
    (up,) = live(same, replace(OLD, as_of=same.now)).tick()
    assert isinstance(up, e.AlertEscalated)
    assert up.why == "nobody took it within 900 s"
