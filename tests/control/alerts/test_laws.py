"""Whatever happens, in whatever order: one alert a cause, nothing untold, no silence for ever, and rest."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.control.alerts.watch import (
    Watch,
    burning,
    cleared,
    healthy,
    incident,
    later,
    over,
    raised,
    remedy,
    sign,
    silenced,
)
from tests.control.world import NAME

from flyball.control.alerts.due import due
from flyball.control.alerts.holding import reason_to_hold, silence_of
from flyball.core import events as e
from flyball.core.declared.alerts import Flap
from flyball.core.service import Alerts
from flyball.core.watching import SignalKind

ALERTS = Alerts(on_call=("ada", "bob"), flap=Flap(calm_s=120, times=2, within_s=1800))
Move = Callable[[Watch], object]

KINDS = st.sampled_from(["availability", "errors", "latency", "drift", "data_quality", "labels", "trend", "fallback"])
SIGNS = st.lists(
    st.builds(lambda kind, severity: sign(kind, severity), KINDS, st.sampled_from(["warning", "critical", "failed"])),
    max_size=4,
    unique_by=lambda one: one.key,
)
INCIDENTS = ("data_quality", "upstream", "health")
SIGNALS: tuple[SignalKind, ...] = ("quality", "error", "latency", "training", "capture")


BURNING = burning("right")
SPENT = e.BudgetSpent(service=NAME, objective="right", left=-0.2, target=0.9, window_s=86_400.0, why="spent")
CALM = (
    e.BudgetCalm(service=NAME, objective="right", why="slower"),
    e.BudgetRestored(service=NAME, objective="right", left=0.1, why="old"),
)


def _acked(watch: Watch, number: int) -> None:
    open_ = list(watch.state.alerts.open.values())
    if open_:
        one = open_[number % len(open_)]
        watch.say(e.AlertAcked(service=NAME, alert=one.raised.alert, by="eve", proof="os_user"))


def _verified(watch: Watch, helped: str) -> None:
    for tried in watch.state.healing.under_way:
        watch.say(e.RemedyVerified(service=NAME, remedy=tried.begun.remedy, helped=helped, why="looked"))  # type: ignore[arg-type]


MOVES: st.SearchStrategy[Move] = st.one_of(
    st.builds(lambda signs: lambda watch: watch.say(healthy(*signs)), SIGNS),
    st.builds(lambda seconds: lambda watch: watch.after(seconds), st.sampled_from([1.0, 60.0, 130.0, 1000.0, 4000.0])),
    st.builds(lambda kind: lambda watch: watch.say(raised(kind)), st.sampled_from(SIGNALS)),
    st.builds(lambda kind: lambda watch: watch.say(cleared(kind)), st.sampled_from(SIGNALS)),
    st.builds(lambda kind: lambda watch: watch.say(incident(f"in-{kind}", kind)), st.sampled_from(INCIDENTS)),
    st.builds(lambda kind: lambda watch: watch.say(over(f"in-{kind}")), st.sampled_from(INCIDENTS)),
    st.builds(lambda fact: lambda watch: watch.say(fact), st.sampled_from([BURNING, SPENT, *CALM])),
    st.builds(
        lambda match, seconds: lambda watch: watch.say(silenced(match, later(seconds, watch.now), name=match)),
        st.sampled_from(["errors", "drift*", "Service*", "ErrorBudget*", "*"]),
        st.sampled_from([60.0, 3600.0]),
    ),
    st.builds(
        lambda cause, kind: lambda watch: watch.say(remedy(cause, kind, later(300, watch.now), name=f"{cause}-{kind}")),
        st.sampled_from(["errors", "drift", "latency"]),
        st.sampled_from(["roll_back", "fall_back", "page"]),
    ),
    st.builds(lambda helped: lambda watch: _verified(watch, helped), st.sampled_from(["yes", "no"])),
    st.builds(lambda number: lambda watch: _acked(watch, number), st.integers(0, 5)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(MOVES, max_size=25))
def test_each_cause_that_stands_is_told_once_or_said_to_be_held(moves: list[Move]) -> None:
    watch = Watch(ALERTS)
    for move in moves:
        move(watch)
        before = set(watch.state.alerts.open)
        said = watch.tick()  # plans are checked there: no second alert of a cause, none under a silence
        assert watch.tick() == []
        book, standing = watch.state.alerts, due(watch.situation())
        assert set(standing) <= set(book.open) | set(book.held)
        assert not set(book.open) & set(book.held)
        told = {cause: one.raised.urgency for cause, one in book.open.items()}
        for cause in set(standing) & set(book.held):  # each that is held has a reason that stands now
            assert reason_to_hold(standing[cause], told, standing, watch.situation(), ALERTS) is not None
        for held in (fact for fact in said if isinstance(fact, e.AlertHeld)):
            assert held.cause not in before
            if held.by == "inhibited" and standing[held.cause].pages:
                assert "page" in told.values()
        for cause, one in book.open.items():
            assert silence_of(cause, one.raised.name, book, watch.now) is None or cause in before
        assert all(silence.until > watch.now for silence in book.silences.values())


@settings(max_examples=60, deadline=None)
@given(st.lists(MOVES, max_size=15))
def test_when_everything_is_well_for_a_while_nothing_is_open(moves: list[Move]) -> None:
    watch = Watch(ALERTS)
    for move in moves:
        move(watch)
        watch.tick()
    watch.say(healthy(), *(cleared(kind) for kind in SIGNALS), *CALM)
    watch.say(*(over(name) for name in list(watch.state.incidents.open)))
    _verified(watch, "yes")
    for tried in list(watch.state.healing.tried.values()):
        watch.say(e.RemedyEnded(service=NAME, remedy=tried.begun.remedy, why="over"))
    watch.tick()
    watch.after(8 * 86_400).tick()
    assert (watch.state.alerts.open, watch.state.alerts.held, watch.state.alerts.silences) == ({}, {}, {})
