"""Incidents open and close by the signs of health: one a cause, with hysteresis, drills apart."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.readings import NOTHING_REAL, reading
from tests.control.world import NAME, service

from flyball.control.check.rules import broken_rules
from flyball.control.decision import Decision, Learning, Situation
from flyball.control.explained import SIGNS_OF
from flyball.control.incidents.figures import incident_figures
from flyball.control.incidents.planning import plan_incidents
from flyball.control.plan import plan
from flyball.control.reconcile.origins import with_origins
from flyball.control.state.fold import fold
from flyball.control.state.incident_state import IncidentBook
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.health import Health, HealthState, Severity, Sign, SignKind
from flyball.core.ledger import Entry
from flyball.decide.health import Reading

BEGAN = moment("2026-11-21T10:00:00.000000Z")


def at(seconds: float) -> str:
    return timestamp(BEGAN + timedelta(seconds=seconds))


def sign(
    kind: SignKind,
    severity: Severity = "critical",
    *,
    since_s: float = 0.0,
    feature: str | None = None,
    began_s: float | None = None,
) -> Sign:
    return Sign(
        kind=kind,
        severity=severity,
        value=2.0,
        limit=1.0,
        since=at(since_s),
        why=f"{kind} is beyond its limit",
        clears="-",
        feature=feature,
        began="" if began_s is None else at(began_s),
    )


def health(*signs: Sign, state: HealthState | None = None) -> e.HealthChanged:
    grave = [each for each in signs if each.severity != "warning"]
    worst: HealthState = "UNHEALTHY" if grave else "DEGRADING" if signs else "HEALTHY"
    if any(each.severity == "failed" for each in signs):
        worst = "FAILED"
    return e.HealthChanged(service=NAME, health=Health(state=state or worst, why="-", signs=signs))


class World:
    """A service whose incidents are planned, checked and folded, tick by tick."""

    def __init__(self) -> None:
        self.state = ServiceState(service=NAME)
        self.entries: list[Entry] = []
        self.now_s = 0.0
        self.marks: tuple[tuple[float, int], ...] = ()  # when panes began, and their first rows

    def tell(self, fact: e.AnyFact, *, real: Mapping[str, Reading] = NOTHING_REAL) -> None:
        """Real: signs that what came after a drill's fault makes by itself."""
        if isinstance(fact, e.HealthChanged):  # as the watch tells it
            before, drilled = self.state.health.health, self.state.healing.drilled
            fact = replace(fact, health=with_origins(fact.health, before, drilled, real, at(self.now_s)))
        seq = len(self.entries) + 1
        entry = Entry(
            seq=seq, at=at(self.now_s), type=type(fact).__name__, subject=NAME, fact=fact, prev_hash="", hash=""
        )
        self.entries.append(entry)
        self.state = fold(self.state, entry)

    def tick(self, seconds: float = 0.0, *, watched: Sequence[e.AnyFact] = ()) -> list[e.AnyFact]:
        self.now_s += seconds
        learning = Learning(marks=self.marks)
        situation = Situation(
            state=self.state, service=service(), now=at(self.now_s), watched=tuple(watched), learning=learning
        )
        decision = plan_incidents(situation)
        assert decision == plan_incidents(situation)
        made = plan(situation)
        assert broken_rules(made, self.state, service(), now=situation.now) == ()
        for fact in decision.facts if decision else ():
            self.tell(fact)
        return list(decision.facts) if decision else []

    @property
    def causes(self) -> list[str]:
        return [one.cause for one in self.state.incidents.open.values()]


def test_an_unhealthy_service_has_an_incident_of_its_worst_sign() -> None:
    world = World()
    world.now_s = 40.0
    world.tell(
        health(sign("latency", "warning"), sign("errors", since_s=30.0, began_s=10.0), sign("quality", since_s=35.0))
    )
    (opened,) = world.tick()
    assert isinstance(opened, e.IncidentOpened)
    assert (opened.kind, opened.cause, opened.began) == ("health", "errors", at(10.0))
    assert opened.reason == "errors is beyond its limit"
    assert world.tick(5.0) == []


def test_a_warning_opens_none_and_neither_does_a_state_that_only_remembers() -> None:
    world = World()
    world.tell(health(sign("latency", "warning")))
    assert world.tick() == []
    world.tell(health(state="UNHEALTHY"))  # a critical sign within the hour, gone by now
    assert world.tick() == []


def test_late_input_is_an_upstream_incident_also_where_the_service_is_well_otherwise() -> None:
    world = World()
    world.tell(health(sign("freshness", "warning", feature="amount")))
    (opened,) = world.tick()
    assert isinstance(opened, e.IncidentOpened)
    assert (opened.kind, opened.cause) == ("upstream", "freshness/amount")


def test_a_service_that_nobody_asks_at_night_has_no_incident() -> None:
    world = World()
    world.tell(health(sign("freshness", "warning")))
    assert world.tick(8 * 3600.0) == []


def test_it_closes_when_the_cause_was_gone_for_the_settle_time_and_says_how_long_each_part_took() -> None:
    world = World()
    world.now_s = 30.0
    world.tell(health(sign("errors", since_s=25.0, began_s=10.0)))
    world.tick()
    world.now_s = 130.0
    world.tell(health())
    assert world.tick(299.0) == []
    (closed,) = world.tick(1.0)
    assert isinstance(closed, e.IncidentClosed)
    assert (closed.how, closed.detected_s, closed.recovered_s) == ("recovered", 20.0, 100.0)
    assert not world.causes


def test_a_cause_that_is_back_before_it_settled_goes_on_with_the_same_incident() -> None:
    world = World()
    world.tell(health(sign("errors")))
    world.tick()
    for _ in range(5):
        world.tick(100.0)
        world.tell(health())
        world.tick(200.0)
        world.tell(health(sign("errors", since_s=world.now_s)))
    assert world.tick(10_000.0) == []
    assert [type(each.fact) for each in world.entries].count(e.IncidentOpened) == 1


def test_unknown_health_is_no_recovery() -> None:
    world = World()
    world.tell(health(sign("errors")))
    world.tick()
    world.tell(health(state="UNKNOWN"))
    assert world.tick(10_000.0) == []
    assert world.causes == ["errors"]


def test_what_a_person_closed_stays_closed_until_it_was_gone_once_or_is_graver() -> None:
    world = World()
    world.tell(health(sign("errors")))
    (opened,) = world.tick()
    assert isinstance(opened, e.IncidentOpened)
    world.tell(e.IncidentClosed(service=NAME, incident=opened.incident, how="person", reason="known"))
    assert world.tick(60.0) == []
    world.tell(health(sign("errors", "failed")))
    (again,) = world.tick()
    assert isinstance(again, e.IncidentOpened)
    world.tell(e.IncidentClosed(service=NAME, incident=again.incident, how="person", reason="known"))
    world.tell(health())
    world.tell(health(sign("errors")))
    assert len(world.tick(60.0)) == 1


def test_what_a_person_closed_hides_nothing_that_is_wrong_beside_it() -> None:
    world = World()
    world.tell(health(sign("errors")))
    (opened,) = world.tick()
    assert isinstance(opened, e.IncidentOpened)
    world.tell(health(sign("errors"), sign("latency", since_s=50.0)))
    assert world.tick(60.0) == [], "it is on the timeline of the one that is open"
    world.tell(e.IncidentClosed(service=NAME, incident=opened.incident, how="person", reason="known"))
    (other,) = world.tick(60.0)
    assert isinstance(other, e.IncidentOpened)
    assert other.cause == "latency"


def test_a_champion_that_nobody_asks_has_not_recovered() -> None:
    world = World()
    world.now_s = 30.0
    world.tell(health(sign("errors", since_s=10.0)))
    world.tick()
    begun = e.RemedyBegun(
        service=NAME, remedy="re-1", kind="fall_back", cause="errors", number=0, why="-", verify_by=at(400)
    )
    world.tell(begun)
    world.tell(health())
    world.tell(e.RemedyVerified(service=NAME, remedy="re-1", helped="yes", why="-"))
    assert world.tick(5000.0) == []
    world.tell(e.RemedyEnded(service=NAME, remedy="re-1", why="-"))
    assert world.tick(299.0) == [], "only now the champion is asked again"
    (closed,) = world.tick(1.0)
    assert isinstance(closed, e.IncidentClosed)
    assert (closed.how, closed.recovered_s) == ("recovered", 5000.0)


def test_broken_data_that_are_worse_and_older_hide_no_errors() -> None:
    world = World()
    world.tell(e.IncidentOpened(service=NAME, incident="in-q", kind="data_quality", reason="the unit changed"))
    world.tell(health(sign("data_quality", "failed"), sign("errors", since_s=60.0)))
    (opened,) = world.tick(60.0)
    assert isinstance(opened, e.IncidentOpened)
    assert (opened.kind, opened.cause) == ("health", "errors")


def test_signs_of_data_quality_belong_to_the_incident_of_the_datas_quality() -> None:
    world = World()
    world.tell(health(sign("data_quality")))
    (upstream,) = world.tick()
    assert isinstance(upstream, e.IncidentOpened)
    assert upstream.kind == "upstream"
    quality = e.IncidentOpened(service=NAME, incident="in-q", kind="data_quality", reason="the unit changed")
    (joined,) = world.tick(10.0, watched=(quality,))
    assert isinstance(joined, e.IncidentClosed)
    assert (joined.how, joined.recovered_s) == ("joined", None)
    world.tell(quality)
    world.tell(health(sign("data_quality"), sign("data_quality", feature="amount")))
    assert world.tick(10.0) == []
    world.tell(e.IncidentClosed(service=NAME, incident="in-q", how="new_normal", reason="steady"))
    assert world.tick(10.0) == []  # its signs fade by themselves


def test_a_supply_that_recovered_is_closed_while_its_incident_is_still_the_sign_of_it() -> None:
    world = World()
    world.tell(e.IncidentOpened(service=NAME, incident="in-q", kind="data_quality", reason="the unit changed"))
    world.tell(health(sign("data_quality")))
    over = e.IncidentClosed(service=NAME, incident="in-q", how="recovered", reason="nothing was found", row=700)
    assert world.tick(10.0, watched=(over,)) == []  # and no rule is broken


def test_an_incident_that_goes_on_in_another_at_the_end_of_its_time_is_closed_once() -> None:
    world = World()
    world.tell(health(sign("data_quality")))
    (opened,) = world.tick()
    assert isinstance(opened, e.IncidentOpened)
    world.tell(health())
    found = e.IncidentOpened(service=NAME, incident="in-q", kind="data_quality", reason="broken")
    closed = [fact for fact in world.tick(1e6, watched=[found]) if isinstance(fact, e.IncidentClosed)]
    assert [(fact.incident, fact.how) for fact in closed] == [(opened.incident, "joined")]


def test_while_a_drill_runs_what_its_fault_explains_is_the_drills() -> None:
    world = World()
    drill = e.DrillBegun(
        service=NAME, drill="dr-1", fault="crash_loop", share=0.1, until=at(600), by="ada", proof="os_user"
    )
    world.tell(drill)
    world.tell(health(sign("errors"), sign("trend", since_s=5.0)))
    (opened,) = world.tick()
    assert isinstance(opened, e.IncidentOpened)
    assert opened.kind == "drill"
    world.tell(health(sign("trend", since_s=5.0)))
    (other,) = world.tick()
    assert isinstance(other, e.IncidentOpened)
    assert other.kind == "health"
    world.tell(replace(drill, fault="something_new"))
    world.tell(health(sign("latency")))
    (unknown,) = world.tick()
    assert isinstance(unknown, e.IncidentOpened)
    assert unknown.kind == "health"
    assert all(SIGNS_OF.values())


def test_a_real_fault_that_begins_under_a_drills_name_has_an_incident_of_its_own() -> None:
    """Red before: it went on in the drill's incident, told as a drill, counted as a drill."""
    world = World()
    drill = e.DrillBegun(
        service=NAME, drill="dr-1", fault="latency", share=0.1, until=at(600), by="ada", proof="os_user"
    )
    world.tell(drill)
    world.tell(health(sign("errors")))
    (of_drill,) = world.tick()
    assert isinstance(of_drill, e.IncidentOpened)
    assert (of_drill.kind, of_drill.reason) == ("drill", "drill dr-1 (latency): errors is beyond its limit")
    world.now_s = 20.0
    world.tell(e.DrillWithdrawn(service=NAME, drill="dr-1"))
    world.tell(health(sign("errors")))
    assert world.tick(20.0) == []  # traces
    world.tell(health(sign("errors")), real={"errors": reading("errors")})
    closed, own = world.tick(10.0)
    assert isinstance(closed, e.IncidentClosed)
    assert (closed.incident, closed.how, closed.recovered_s) == (of_drill.incident, "recovered", 20.0)
    assert isinstance(own, e.IncidentOpened)
    assert (own.kind, own.cause, own.reason) == ("health", "errors", "errors, seen since")
    assert own.incident != of_drill.incident
    assert world.tick() == []
    assert incident_figures(world.entries).opened == 1


def test_data_that_are_still_broken_after_the_drill_have_an_incident_of_their_own_with_its_rows() -> None:
    """Red before: the drill's went on, so its rows were owed a repair and no figure counted what was real."""
    world = World()
    world.tell(
        e.DrillBegun(
            service=NAME, drill="dr-1", fault="schema_break", share=0.1, until=at(600), by="ada", proof="os_user"
        )
    )
    found = e.IncidentOpened(
        service=NAME,
        incident="in-7",
        kind="data_quality",
        reason="the drill's rows",
        row=500,
        features=("amount",),
        drill="dr-1",
    )
    world.tell(found)
    world.tell(health(sign("data_quality")))
    assert world.tick() == []
    world.now_s = 20.0
    world.tell(e.DrillWithdrawn(service=NAME, drill="dr-1"))
    world.now_s = 50.0
    world.marks = ((BEGAN.timestamp(), 0), (BEGAN.timestamp() + 20.0, 600), (BEGAN.timestamp() + 30.0, 700))
    world.tell(health(sign("data_quality")), real={"data_quality": reading("data_quality", began=at(30.0))})
    closed, own = world.tick()
    assert isinstance(closed, e.IncidentClosed)
    assert (closed.incident, closed.how, closed.row, closed.over) == ("in-7", "recovered", 600, at(20.0))
    assert isinstance(own, e.IncidentOpened)
    assert (own.kind, own.row, own.began, own.drill) == ("data_quality", 700, at(30.0), "")
    assert (own.reason, own.features) == ("data_quality, seen since", ("amount",))
    assert world.state.incident == own
    assert world.tick() == []
    assert incident_figures(world.entries).opened == 1


KINDS: tuple[SignKind, ...] = ("errors", "latency", "freshness", "data_quality", "drift")
SIGNS = st.builds(
    sign,
    st.sampled_from(KINDS),
    st.sampled_from(("warning", "critical", "failed")),
    since_s=st.floats(0, 10),
    feature=st.sampled_from((None, "amount")),
)
EVENTS = st.one_of(
    st.lists(SIGNS, max_size=4).map(lambda signs: health(*signs)),
    st.just(health(state="UNKNOWN")),
    st.sampled_from(("close", "quality", "settled")),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(EVENTS, st.floats(1, 500)), max_size=12))
def test_never_two_open_of_one_cause_and_every_opened_one_ends_once_or_is_open(
    told: list[tuple[e.HealthChanged | str, float]],
) -> None:
    world = World()
    for number, (event, seconds) in enumerate(told):
        running, watched = world.state.incident, list[e.AnyFact]()
        if isinstance(event, e.HealthChanged):
            world.tell(event)
        elif event == "quality" and running is None:
            watched.append(
                e.IncidentOpened(service=NAME, incident=f"in-q{number}", kind="data_quality", reason="broken")
            )
        elif event == "settled" and running is not None:
            world.tell(e.IncidentClosed(service=NAME, incident=running.incident, how="new_normal", reason="-"))
        elif event == "close":
            for name in tuple(world.state.incidents.open):
                world.tell(e.IncidentClosed(service=NAME, incident=name, how="person", reason="-"))
        world.tick(seconds, watched=watched)
        for fact in watched:
            world.tell(fact)
        assert len(set(world.causes)) == len(world.causes)
        assert world.tick() == []  # what was written is not written again
    opened = [each.fact.incident for each in world.entries if isinstance(each.fact, e.IncidentOpened)]
    closed = [each.fact.incident for each in world.entries if isinstance(each.fact, e.IncidentClosed)]
    assert len(set(opened)) == len(opened)
    assert sorted([*closed, *world.state.incidents.open]) == sorted(opened)
    again = ServiceState(service=NAME)
    for entry in (*world.entries, *world.entries):
        again = fold(again, entry)
    assert again.incidents == world.state.incidents


def test_times_are_none_where_nothing_was_and_drills_are_counted_apart() -> None:
    nothing = incident_figures([])
    assert (nothing.opened, nothing.mttd_s, nothing.mttr_s) == (0, None, None)
    world = World()
    world.now_s = 20.0
    world.tell(health(sign("errors", since_s=15.0, began_s=0.0)))
    world.tick()
    world.tell(health())
    world.tick(400.0)
    found = incident_figures(world.entries)
    assert (found.opened, found.closed, found.mttd_s, found.mttr_s) == (1, 1, 20.0, 0.0)
    assert incident_figures(world.entries, drills=True).opened == 0
    assert IncidentBook() != world.state.incidents


def test_the_check_of_plans_refuses_a_second_incident_and_a_recovery_that_is_none() -> None:
    world = World()
    world.tell(health(sign("errors")))
    (opened,) = world.tick()
    assert isinstance(opened, e.IncidentOpened)
    made = plan(Situation(state=world.state, service=service(), now=at(1)))
    for fact, words in (
        (replace(opened, incident="in-2"), "is open"),
        (e.IncidentClosed(service=NAME, incident="in-3", how="recovered", reason="-"), "is not open"),
        (e.IncidentClosed(service=NAME, incident=opened.incident, how="recovered", reason="-"), "is critical"),
    ):
        wrong = replace(made, decisions=(Decision(action="incident", what="-", why="-", facts=(fact,)),))
        (told,) = broken_rules(wrong, world.state, service(), now=at(1))
        assert words in told
