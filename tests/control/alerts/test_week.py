"""A week in figures: how often people are paged and asked, with damping, inhibition and the rest, and without."""

from collections.abc import Callable

from msgspec.structs import replace
from tests.control.alerts.watch import Watch, healthy, incident, later, over, remedy, sign, silenced
from tests.control.world import NAME

from flyball.control.alerts.table import row_of
from flyball.core import events as e
from flyball.core.declared.alerts import Flap
from flyball.core.health import Sign
from flyball.core.service import Alerts, Review

MINUTES = 7 * 24 * 60
FEATURES = ("amount", "age", "country", "device", "hour")
PLAIN = Alerts(
    on_call=("ada",),
    flap=Flap(calm_s=0.0, times=10**6),
    canary_quiet=False,
    wait_for_remedy=False,
)


def signs_at(minute: int) -> tuple[Sign, ...]:
    """What health shows in each minute of the week."""
    hour, found = minute / 60, []
    if 10 <= hour < 16 and minute % 8 < 3:  # Monday: errors hover about their limit
        found.append(sign("errors"))
    if 20 <= hour < 32 and minute % 20 < 9:  # Monday night: and more slowly, for twelve hours
        found.append(sign("latency"))
    if 50 <= hour < 62:  # Wednesday: nothing comes from upstream for half a day
        found += [sign("freshness"), sign("data_quality"), sign("trend", "warning"), sign("labels")]
        found += [sign("drift", "warning", feature) for feature in FEATURES]
    if 75 <= hour < 75.5:  # Thursday: half an hour without an answer
        found += [sign("availability"), sign("errors"), sign("latency"), sign("fallback")]
    if 100 <= hour < 100.1:  # Friday: a bad release, which the loop takes back by itself
        found.append(sign("errors"))
    if 120 <= hour < 121:  # Saturday: somebody moves the database
        found += [sign("latency"), sign("errors")]
    return tuple(found)


def said_at(minute: int, watch: Watch) -> list[e.AnyFact]:
    """What else is on the ledger."""
    match minute:
        case 3000:
            return [incident("in-1", "upstream")]
        case 3720:
            return [over("in-1")]
        case 6000:
            return [remedy("errors", "roll_back", later(600, watch.now))]
        case 6006:
            return [e.RemedyVerified(service=NAME, remedy="re-1", helped="yes", why="the errors are gone")]
        case 7190:
            return [silenced("*", later(2 * 3600, watch.now))]
        case _:
            return []


def week(alerts: Alerts, seen: Callable[[Watch], None] = lambda _: None) -> Watch:
    watch, before = Watch(alerts), None
    watch.service = replace(watch.service, review=Review(pages_per_week=10**6))
    for minute in range(MINUTES):
        signs = signs_at(minute)
        facts = said_at(minute, watch)
        if signs != before:
            facts.append(healthy(*signs))
            before = signs
        watch.say(*facts).tick()
        watch.after(60)
    return watch


def told(watch: Watch, urgency: str) -> int:
    """As if nothing were held: each alert that was held is one that was told, at its own urgency."""
    held = [fact for fact in watch.told if isinstance(fact, e.AlertHeld)]
    page = [fact for fact in held if row_of(fact.cause).pages("critical")]
    return watch.count(e.AlertRaised, urgency) + (len(page) if urgency == "page" else len(held) - len(page))


def test_a_week_with_everything_wakes_somebody_a_handful_of_times() -> None:
    quiet, plain = week(Alerts(on_call=("ada",))), week(PLAIN)
    figures = {
        "pages": (quiet.count(e.AlertRaised, "page"), told(plain, "page")),
        "tickets": (quiet.count(e.AlertRaised, "ticket"), told(plain, "ticket")),
    }
    assert figures == {"pages": (5, 87), "tickets": (1, 11)}  # as docs/how-to/be-alerted.md has them
    assert not quiet.state.alerts.open
    assert not quiet.state.alerts.held
